"""Reading the catalogue: what browse pages, the API and the recommender ask of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from django.core.cache import cache
from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, F, IntegerField, OuterRef, Q, Value
from django.db.models.functions import Cast, Lower

from catalog.models import AgeRating, Anime, Genre
from catalog.querysets import BEST_RATED, MOST_MEMBERS, AnimeQuerySet
from catalog.search import search

# How long a change of the catalogue may take to reach filters. Titles change by imports and in the admin.
CACHE_SECONDS = 30

ORDERINGS = {
    "popular": (MOST_MEMBERS, "id"),
    "rating": (BEST_RATED, "id"),
    "year": (F("year").desc(nulls_last=True), "id"),
    "title": (Lower("title"), "id"),
}
RELEVANCE = "relevance"
# In whole numbers: both columns are small ones, whose product Postgres would call out of range.
TOTAL_MINUTES = Cast("episodes", IntegerField()) * Cast("duration_minutes", IntegerField())


@dataclass(frozen=True, slots=True)
class CatalogueFilter:
    """Which titles a list may hold. A title of which a bounded fact is unknown is outside the bound.

    ``genres``, ``genres_out``: slugs; all of the former and none of the latter.
    ``types``, ``age_ratings``: any of these values; empty = any.
    ``episodes_max``, ``minutes_max``, ``year_min``, ``year_max``: inclusive; the minutes are those of all episodes.
    ``show_adult``: with titles that only people who opted in see.
    ``released_only``: without titles that are announced but have not begun.
    ``without_recaps``: without titles known to tell only what others told.
    """

    genres: tuple[str, ...] = ()
    genres_out: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    year_min: int | None = None
    year_max: int | None = None
    episodes_max: int | None = None
    minutes_max: int | None = None
    age_ratings: tuple[str, ...] = ()
    show_adult: bool = False
    released_only: bool = False
    without_recaps: bool = False


ANYTHING = CatalogueFilter(show_adult=True)


def browse(filter: CatalogueFilter, *, text: str = "", ordering: str = "popular") -> AnimeQuerySet:
    """The titles that ``filter`` allows and ``text`` finds.

    ``ordering`` is a key of ``ORDERINGS``, or ``RELEVANCE``: best match first (without a text: popular first).
    Raises ``ValueError`` for any other.
    """
    if ordering != RELEVANCE and ordering not in ORDERINGS:
        raise ValueError(f"no ordering {ordering!r}; there are {', '.join([*ORDERINGS, RELEVANCE])}")
    titles = search(_filtered(filter), text)
    if ordering == RELEVANCE:
        return titles if text.strip() else titles.by_popularity()
    return titles.order_by(*ORDERINGS[ordering])


def candidate_ids(filter: CatalogueFilter, *, fresh: bool = False) -> np.ndarray | None:
    """The ids that ``filter`` allows, int64, ascending; ``None`` where it allows every title.

    One query, or none within ``CACHE_SECONDS`` of the same question, unless it must be ``fresh``.
    """
    if filter == ANYTHING:
        return None
    key = f"catalog:candidates:{sha256(repr(filter).encode()).hexdigest()}"
    packed = None if fresh else cache.get(key)
    if packed is None:
        ids = np.fromiter(_filtered(filter).order_by("id").values_list("id", flat=True), dtype=np.int64)
        cache.set(key, ids.tobytes(), CACHE_SECONDS)
        return ids
    return np.frombuffer(packed, dtype=np.int64)


def anime_by_ids(ids: Iterable[int]) -> dict[int, Anime]:
    """The titles of ``ids`` that exist, with their facts, in three queries whatever their number."""
    # Ids come from NumPy, too, whose integers a database driver does not know.
    wanted = {int(anime_id) for anime_id in ids}
    return {anime.pk: anime for anime in Anime.objects.filter(pk__in=wanted).with_facts()}


def franchise_titles(anime: Anime, *, show_adult: bool) -> list[Anime]:
    """The titles of the franchise of ``anime`` in watch order, itself among them; empty where it has none."""
    if anime.franchise_id is None:
        return []
    titles = Anime.objects.visible_to(show_adult=show_adult).filter(franchise=anime.franchise_id)
    return list(titles.order_by(F("franchise_order").asc(nulls_last=True), "id"))


@dataclass(frozen=True, slots=True)
class FilterChoices:
    """What there is to choose from: only what some title has.

    ``genres``: slugs and names, by name; ``age_ratings``: from all ages to adult; ``has_minutes``: whether the
    running time of any title is known.
    """

    genres: tuple[tuple[str, str], ...]
    age_ratings: tuple[str, ...]
    has_minutes: bool


def filter_choices() -> tuple[FilterChoices, FilterChoices]:
    """The choices for everyone, and those for people who opted in to adult titles. One query; cached."""
    key = "catalog:choices"
    choices: tuple[FilterChoices, FilterChoices] | None = cache.get(key)
    if choices is None:
        rows = sorted(_choice_rows(), key=lambda row: row[1])
        choices = (_choices([row for row in rows if row[2]]), _choices(rows))
        cache.set(key, choices, CACHE_SECONDS)
    return choices


def _choice_rows() -> Iterable[Any]:
    """Slug and name of each genre; then each age rating, whose name is empty, with how many running times are known.

    In the third column: whether a title for everyone has it.
    """
    linked = Anime.objects.filter(genres=OuterRef("pk"))
    genres = Genre.objects.order_by().filter(Exists(linked))
    everyone = ExpressionWrapper(Q(is_adult=False), BooleanField())
    timed = Count("pk", filter=Q(episodes__isnull=False, duration_minutes__isnull=False))
    ages = Anime.objects.order_by().annotate(words=Value(""), everyone=everyone)
    return ages.values_list("age_rating", "words", "everyone").annotate(timed=timed).union(
        genres.values_list("slug", "name", Exists(linked.for_everyone()), Value(0)), all=True
    )  # fmt: skip


def _choices(rows: Iterable[tuple[str, str, bool, int]]) -> FilterChoices:
    rows = list(rows)
    ages = {value for value, name, _everyone, _timed in rows if not name}
    return FilterChoices(
        genres=tuple((slug, name) for slug, name, _everyone, _timed in rows if name),
        age_ratings=tuple(value for value in AgeRating.values if value in ages),
        has_minutes=any(timed for _value, _name, _everyone, timed in rows),
    )


def _filtered(filter: CatalogueFilter) -> AnimeQuerySet:
    titles = Anime.objects.visible_to(show_adult=filter.show_adult)
    if filter.released_only:
        titles = titles.released()
    if filter.without_recaps:
        titles = titles.exclude(is_recap=True)
    for slug in filter.genres:
        # A filter call each: one call with both would look for a link that is of two genres at once.
        titles = titles.filter(genres__slug=slug)
    if filter.genres_out:
        titles = titles.exclude(genres__slug__in=filter.genres_out)
    if filter.types:
        titles = titles.filter(type__in=filter.types)
    if filter.age_ratings:
        titles = titles.filter(age_rating__in=filter.age_ratings)
    if filter.year_min is not None:
        titles = titles.filter(year__gte=filter.year_min)
    if filter.year_max is not None:
        titles = titles.filter(year__lte=filter.year_max)
    if filter.episodes_max is not None:
        titles = titles.filter(episodes__lte=filter.episodes_max)
    if filter.minutes_max is not None:
        titles = titles.alias(total_minutes=TOTAL_MINUTES).filter(total_minutes__lte=filter.minutes_max)
    return titles
