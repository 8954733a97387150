"""Titles to rate first: known to many, and spread over genres, so that a few answers tell much about a taste."""

from __future__ import annotations

from collections import Counter
from math import log

from catalog.models import Anime
from recommendations.models import HiddenTitle, ListEntry, Profile

# Of the most popular titles this many are looked at ...
POOL_SIZE = 240
# ... and each genre that the grid already holds costs a title this much of its log popularity.
REPEATED_GENRE_COST = 0.35


def informative_titles(*, profile: Profile | None, count: int = 12, show_adult: bool = False) -> list[Anime]:
    """Up to ``count`` titles that are not on the profile's list, one of a franchise: four queries."""
    pool = Anime.objects.visible_to(show_adult=show_adult).released().by_popularity()
    if profile is not None:
        pool = pool.exclude(pk__in=ListEntry.objects.filter(profile=profile).values("anime"))
        pool = pool.exclude(pk__in=HiddenTitle.objects.filter(profile=profile).values("anime"))
    titles: list[Anime] = []
    franchises: set[int] = set()
    for anime in pool.with_facts()[:POOL_SIZE]:
        if anime.franchise_id is None or anime.franchise_id not in franchises:
            titles.append(anime)
        if anime.franchise_id is not None:
            franchises.add(anime.franchise_id)

    worth = {anime.pk: log(1 + (anime.members or 0)) for anime in titles}
    genres = {anime.pk: [genre.pk for genre in anime.genres.all()] for anime in titles}
    held: Counter[int] = Counter()
    chosen: list[Anime] = []
    while titles and len(chosen) < count:
        best = max(titles, key=lambda anime: worth[anime.pk] - REPEATED_GENRE_COST * _mean(held, genres[anime.pk]))
        titles.remove(best)
        chosen.append(best)
        held.update(genres[best.pk])
    return chosen


def _mean(held: Counter[int], genre_ids: list[int]) -> float:
    return sum(held[genre_id] for genre_id in genre_ids) / max(1, len(genre_ids))
