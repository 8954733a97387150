"""Franchise modes: what a list may contain of the franchises a person already knows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ml.models.profiles import ProfileBatch
from ml.models.titles import Titles
from ml.types import FranchiseMode, Status


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be listed, in no order. ``carriers``: the row that a title's score is the score of (in mode
    ``new`` a franchise is worth as much as its best part, but listed by the part to start with)."""

    rows: np.ndarray
    scores: np.ndarray
    carriers: np.ndarray


class FranchiseIndex:
    """The titles of every franchise, in order."""

    def __init__(self, titles: Titles) -> None:
        self._titles = titles
        # Titles franchise by franchise, each in order: a franchise is one stretch of this permutation.
        self._sorted = np.lexsort((titles.order, titles.franchise))
        self._starts = _starts_of_runs(titles.franchise[self._sorted])
        self._count = int(titles.franchise.max(initial=-1)) + 1

    def offer(
        self,
        mode: FranchiseMode,
        scores: np.ndarray,
        eligible: np.ndarray,
        profile: ProfileBatch,
        hidden: np.ndarray,
        include_planned: bool,
    ) -> Offer:
        """The titles that ``mode`` allows. ``scores`` and ``eligible`` (bool): (n,), one profile; ``hidden``:
        rows of hidden titles."""
        if mode is FranchiseMode.OFF:
            rows = np.flatnonzero(eligible)
            return Offer(rows, scores[rows], rows)
        if mode is FranchiseMode.NEW:
            return self._new(scores, eligible, profile, hidden, include_planned)
        return self._next(scores, eligible, profile)

    def _new(
        self,
        scores: np.ndarray,
        eligible: np.ndarray,
        profile: ProfileBatch,
        hidden: np.ndarray,
        include_planned: bool,
    ) -> Offer:
        touched = np.zeros(self._count, dtype=bool)
        rows = profile.rows[~profile.with_status(Status.PLANNED)] if include_planned else profile.rows
        touched[self._titles.franchise[rows]] = True
        touched[self._titles.franchise[hidden]] = True
        # All that is open, franchise by franchise, and where each franchise starts there.
        open_ = self._sorted[(eligible & ~touched[self._titles.franchise])[self._sorted]]
        if not len(open_):
            return _nothing()
        starts = _starts_of_runs(self._titles.franchise[open_])
        worth = scores[open_]
        best = np.maximum.reduceat(worth, starts)
        franchise = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(open_))))
        carrier = np.flatnonzero(worth == best[franchise])
        carrier = carrier[_starts_of_runs(franchise[carrier])]
        return Offer(open_[starts], best, open_[carrier])

    def _next(self, scores: np.ndarray, eligible: np.ndarray, profile: ProfileBatch) -> Offer:
        titles = self._titles
        dropped = set(titles.franchise[profile.rows[profile.with_status(Status.DROPPED)]].tolist())
        watched = profile.rows[~(profile.with_status(Status.PLANNED) | profile.with_status(Status.DROPPED))]
        # The earliest main part that was watched: what comes after it is next, what came before was passed over.
        since: dict[int, int] = {}
        for row in watched.tolist():
            franchise = int(titles.franchise[row])
            if franchise in dropped:
                continue
            here = int(titles.order[row]) if titles.main[row] else -1
            known = since.get(franchise, -1)
            since[franchise] = min(here, known) if here >= 0 and known >= 0 else max(here, known)
        rows = []
        for franchise, earliest in since.items():
            start = self._starts[franchise]
            stop = self._starts[franchise + 1] if franchise + 1 < len(self._starts) else len(titles)
            for row in self._sorted[start:stop].tolist():
                passed_over = titles.main[row] and titles.order[row] < earliest
                if eligible[row] and not passed_over:
                    rows.append(row)
                    break
        found = np.array(rows, dtype=np.int64)
        return Offer(found, scores[found], found)


def _starts_of_runs(values: np.ndarray) -> np.ndarray:
    """Where another value starts than the one before it."""
    return np.flatnonzero(np.append(True, values[1:] != values[:-1])[: len(values)])


def _nothing() -> Offer:
    rows = np.zeros(0, dtype=np.int64)
    return Offer(rows, np.zeros(0, dtype=np.float32), rows)
