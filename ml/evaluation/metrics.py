"""Accuracy of ranked lists against what people liked, and what else a list should be judged by.

NDCG is binary (a title is relevant or not) and its ideal is cut at min(k, number of relevant). The whole
catalogue is ranked; there are no sampled negatives. In *discovery* the unit is the franchise: relevant are the
franchises of liked titles that the profile has not touched, and each counts once in a list.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

Unit = Callable[[int], object]


def discounts(k: int) -> np.ndarray:
    """1 / log2(rank + 1) for ranks 1 to k."""
    return 1 / np.log2(np.arange(k) + 2)


def hits(listed: Sequence[int], relevant: Set[object], k: int, unit: Unit = lambda title: title) -> np.ndarray:
    """Which of the first k places hold something relevant that did not stand higher up: bool, (k,)."""
    found: set[object] = set()
    result = np.zeros(k, dtype=bool)
    for place, title in enumerate(listed[:k]):
        one = unit(title)
        if one in relevant and one not in found:
            found.add(one)
            result[place] = True
    return result


def ndcg(hit: np.ndarray, relevant: int) -> float:
    """NDCG of a list from its hits (bool, best place first), given how many titles are relevant."""
    gain = discounts(len(hit))
    return float((gain * hit).sum() / gain[: min(len(hit), relevant)].sum())


def recall(hit: np.ndarray, relevant: int) -> float:
    """Share of what could have been hit: hits over min(k, relevant)."""
    return float(hit.sum() / min(len(hit), relevant))


def intra_list_diversity(vectors: np.ndarray) -> float:
    """Mean of 1 - cosine over all pairs of a list. ``vectors``: (titles, d), each of length 1 or 0; NaN for a list of
    fewer than two."""
    count = len(vectors)
    if count < 2:
        return math.nan
    whole = vectors.sum(axis=0, dtype=np.float64)
    alone = float(np.square(vectors, dtype=np.float64).sum())
    return 1 - (float(whole @ whole) - alone) / (count * (count - 1))


PERSONAL = ("ndcg", "ndcg_5", "recall", "hit", "diversity")
"""The metrics that every person has a value of."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Lists of k titles of many people, judged. All hold one value for each person who liked something that was held
    out, in the order of ``people``.

    ``lists``: what was listed. ``ndcg_5``: NDCG of the first five places. ``diversity``: see
    :func:`intra_list_diversity`, NaN where it was not asked for. ``held_by``: for each person the shares of profiles
    that hold the listed titles, added up.
    """

    k: int
    people: tuple[int, ...]
    lists: tuple[tuple[int, ...], ...]
    ndcg: np.ndarray
    ndcg_5: np.ndarray
    recall: np.ndarray
    hit: np.ndarray
    diversity: np.ndarray
    held_by: np.ndarray

    @property
    def coverage(self) -> int:
        """How many different titles are listed."""
        return len(set(itertools.chain.from_iterable(self.lists)))

    @property
    def popularity(self) -> float:
        """The mean share of profiles that hold a listed title."""
        listed = sum(map(len, self.lists))
        return float(self.held_by.sum()) / listed if listed else 0.0

    @property
    def short(self) -> int:
        """How many lists hold fewer than k titles."""
        return sum(len(listed) < self.k for listed in self.lists)

    def where(self, people: np.ndarray) -> Judged:
        """The same for the people that the mask (bool, one value a person) selects."""
        return Judged(
            k=self.k,
            people=tuple(itertools.compress(self.people, people)),
            lists=tuple(itertools.compress(self.lists, people)),
            ndcg=self.ndcg[people],
            ndcg_5=self.ndcg_5[people],
            recall=self.recall[people],
            hit=self.hit[people],
            diversity=self.diversity[people],
            held_by=self.held_by[people],
        )

    def means(self) -> dict[str, float]:
        """Every metric by name; those that have a value for each person also with their standard error."""
        result: dict[str, float] = {"people": len(self.people)}
        for name in PERSONAL:
            values = getattr(self, name)
            values = values[~np.isnan(values)]
            result[name] = _mean(values)
            result[f"{name}_stderr"] = standard_error(values)
        return {**result, "coverage": self.coverage, "popularity": self.popularity, "short": self.short}

    def against(self, other: Judged) -> tuple[float, float]:
        """Mean difference in NDCG to other lists of the same people (these minus those), person by person, and its
        standard error."""
        if self.people != other.people:
            raise ValueError("lists of different people cannot be compared person by person")
        difference = self.ndcg - other.ndcg
        return _mean(difference), standard_error(difference)


def judge(
    lists: Mapping[int, Sequence[int]],
    profiles: Mapping[int, Set[int]],
    liked: Mapping[int, Set[int]],
    k: int,
    franchise: Callable[[int], object] | None = None,
    diversity: Callable[[Sequence[int]], float] | None = None,
) -> Judged:
    """Judge lists of titles by person. ``liked``: held-out titles that each person liked. With ``franchise``
    the lists are judged for discovery. Somebody without a list scores 0. ``diversity``: of a list of titles."""
    unit: Unit = franchise or (lambda title: title)
    holders: dict[int, int] = {}
    for titles in profiles.values():
        for title in titles:
            holders[title] = holders.get(title, 0) + 1
    people, listings, values = [], [], []
    for person in sorted(liked):
        relevant = {unit(title) for title in liked[person]}
        if franchise is not None:
            relevant -= {unit(title) for title in profiles.get(person, ())}
        if not relevant:
            continue
        listed = tuple(lists.get(person, ()))[:k]
        hit = hits(listed, relevant, k, unit)
        count = min(len(relevant), k)
        people.append(person)
        listings.append(listed)
        values.append(
            (
                ndcg(hit, count),
                ndcg(hit[:5], count),
                recall(hit, count),
                float(hit.any()),
                math.nan if diversity is None else diversity(listed),
                sum(holders.get(title, 0) for title in listed) / max(len(profiles), 1),
            )
        )
    table = np.array(values, dtype=np.float64).reshape(len(people), 6)
    return Judged(k, tuple(people), tuple(listings), *table.T)


def standard_error(values: np.ndarray) -> float:
    """Standard error of the mean; 0 for fewer than two values."""
    return float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0
