"""Accuracy of ranked lists against what people liked, and what else a list should be judged by.

NDCG is binary (a title is relevant or not) and its ideal is cut at min(k, number of relevant). The whole
catalogue is ranked; there are no sampled negatives. In *discovery* the unit is the franchise: relevant are the
franchises of liked titles that the profile has not touched, and each counts once in a list.
"""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True)
class Judged:
    """Lists of many people, judged. The arrays hold one value for each person who liked something that was
    held out, in the order of ``people``; ``coverage`` counts the distinct titles listed for them and
    ``popularity`` is the mean share of profiles that hold a listed title."""

    people: tuple[int, ...]
    ndcg: np.ndarray
    recall: np.ndarray
    hit: np.ndarray
    coverage: int
    popularity: float
    short: int

    def means(self) -> dict[str, float]:
        return {
            "people": len(self.people),
            "ndcg": _mean(self.ndcg),
            "ndcg_stderr": standard_error(self.ndcg),
            "recall": _mean(self.recall),
            "hit": _mean(self.hit),
            "coverage": self.coverage,
            "popularity": self.popularity,
            "short": self.short,
        }


def judge(
    lists: Mapping[int, Sequence[int]],
    profiles: Mapping[int, Set[int]],
    liked: Mapping[int, Set[int]],
    k: int,
    franchise: Callable[[int], object] | None = None,
) -> Judged:
    """Judge lists of titles by person. ``liked``: held-out titles that each person liked. With ``franchise``
    the lists are judged for discovery. Somebody without a list scores 0."""
    unit: Unit = franchise or (lambda title: title)
    holders: dict[int, int] = {}
    for titles in profiles.values():
        for title in titles:
            holders[title] = holders.get(title, 0) + 1
    people, values, covered, popularity, short = [], [], set(), [], 0
    for person in sorted(liked):
        relevant = {unit(title) for title in liked[person]}
        if franchise is not None:
            relevant -= {unit(title) for title in profiles.get(person, ())}
        if not relevant:
            continue
        listed = list(lists.get(person, ()))[:k]
        hit = hits(listed, relevant, k, unit)
        people.append(person)
        values.append((ndcg(hit, len(relevant)), recall(hit, len(relevant)), float(hit.any())))
        covered.update(listed)
        popularity += [holders.get(title, 0) / max(len(profiles), 1) for title in listed]
        short += len(listed) < k
    table = np.array(values, dtype=np.float64).reshape(len(people), 3)
    return Judged(
        people=tuple(people),
        ndcg=table[:, 0],
        recall=table[:, 1],
        hit=table[:, 2],
        coverage=len(covered),
        popularity=float(np.mean(popularity)) if popularity else 0.0,
        short=short,
    )


def standard_error(values: np.ndarray) -> float:
    """Standard error of the mean; 0 for fewer than two values."""
    return float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0
