"""Titles to rate first: those of which the answer tells most about a taste.

An answer is worth something if the person knows the title, and more if nobody could have told what they would say.
So a title counts for how likely this person knows it (how many people do, more if it is near what they have on
their list, less if it is near what they have not seen) and for how open the answer is, and titles that share genres
with those asked about already give way to others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log

from django.core.cache import cache
from django.db.models import F

from catalog.models import Anime

# So many of the most popular titles may be asked about ...
POOL_SIZE = 600
POOL_CACHE_SECONDS = 600
# ... and so many of those that fit this person best are weighed against each other.
WEIGHED = 160
# In the logarithm of how many people know a title: what each genre that is asked about already costs ...
REPEATED_GENRE_COST = 0.35
# ... what a standard deviation of nearness to the list, or to what was not seen, gives or takes; at most so many ...
NEARNESS_WORTH = 0.6
MOST_DEVIATIONS = 2.5
# ... and the worth of an answer that is as good as known beforehand, as a share of that of an open one.
FORESEEN_WORTH = 0.3


@dataclass(frozen=True, slots=True)
class Starter:
    """A title that may be asked about."""

    anime_id: int
    franchise_id: int | None
    members: int
    genre_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Signals:
    """What a model says of the titles of the pool, by anime id and in standard deviations of the pool.

    ``near_list``: how much people with such a list have watched a title. ``near_unseen``: the same of a list of what
    this person has not seen. ``liking``: how much people who like the same like it. What is missing counts as 0.
    """

    near_list: Mapping[int, float] = field(default_factory=dict)
    near_unseen: Mapping[int, float] = field(default_factory=dict)
    liking: Mapping[int, float] = field(default_factory=dict)


NO_SIGNALS = Signals()


def starter_pool(*, show_adult: bool) -> list[Starter]:
    """The most popular titles that are out, best known first: one query, or none while it is cached."""
    key = f"starters:{show_adult:d}"
    pool: list[Starter] | None = cache.get(key)
    if pool is None:
        best = Anime.objects.visible_to(show_adult=show_adult).released().by_popularity().values("pk")[:POOL_SIZE]
        rows = Anime.objects.filter(pk__in=best).by_popularity()
        genres: dict[tuple[int, int | None, int], list[int]] = {}
        for pk, franchise_id, members, genre_id in rows.values_list("pk", "franchise_id", "members", F("genres")):
            genres.setdefault((pk, franchise_id, members or 0), []).extend([] if genre_id is None else [genre_id])
        pool = [Starter(*facts, genre_ids=tuple(sorted(ids))) for facts, ids in genres.items()]
        cache.set(key, pool, POOL_CACHE_SECONDS)
    return pool


def choose_starters(
    pool: Sequence[Starter],
    *,
    count: int,
    taken: Collection[int],
    asked: Collection[int] = (),
    signals: Signals = NO_SIGNALS,
) -> list[int]:
    """Up to ``count`` ids, the most telling first; equals as they stand in the pool.

    ``taken``: ids that are not to be asked about; no other part of their franchises is either, as long as there are
    enough titles of others. ``asked``: ids that are being asked about beside them, whose genres count as covered.
    """
    apart = {starter.anime_id for starter in pool} & (set(taken) | set(asked))
    franchises = {starter.franchise_id for starter in pool if starter.anime_id in apart} - {None}
    open_ = [starter for starter in pool if starter.anime_id not in apart]
    fresh = [starter for starter in open_ if starter.franchise_id not in franchises]
    if len(fresh) < count:
        fresh, franchises = open_, set()
    worth = {starter.anime_id: _worth(starter, signals) for starter in fresh}
    left = sorted(fresh, key=lambda starter: -worth[starter.anime_id])[:WEIGHED]
    held = Counter(genre_id for starter in pool if starter.anime_id in asked for genre_id in starter.genre_ids)
    chosen: list[int] = []
    while left and len(chosen) < count:
        best = max(left, key=lambda one: worth[one.anime_id] - REPEATED_GENRE_COST * _mean(held, one.genre_ids))
        chosen.append(best.anime_id)
        held.update(best.genre_ids)
        left = [
            one for one in left
            if one is not best and (one.franchise_id is None or one.franchise_id != best.franchise_id)
        ]  # fmt: skip
    return chosen


def _worth(starter: Starter, signals: Signals) -> float:
    """The logarithm of what an answer is worth, up to a constant: that the person knows it, times how open it is."""
    nearness = _bounded(signals.near_list, starter) - _bounded(signals.near_unseen, starter)
    liking = 1 / (1 + exp(-_bounded(signals.liking, starter)))
    openness = FORESEEN_WORTH + (1 - FORESEEN_WORTH) * 4 * liking * (1 - liking)
    return log(1 + starter.members) + NEARNESS_WORTH * nearness + log(openness)


def _bounded(deviations: Mapping[int, float], starter: Starter) -> float:
    return max(-MOST_DEVIATIONS, min(MOST_DEVIATIONS, deviations.get(starter.anime_id, 0.0)))


def _mean(held: Mapping[int, int], genre_ids: Iterable[int]) -> float:
    counts = [held.get(genre_id, 0) for genre_id in genre_ids]
    return sum(counts) / max(1, len(counts))
