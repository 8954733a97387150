"""Profiles in a bundle's own coordinates, many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from ml.types import Profile, Status

Made = TypeVar("Made")
STATUS_CODES = {status: code for code, status in enumerate(Status)}


def segment_sums(values: np.ndarray, indptr: np.ndarray) -> np.ndarray:
    """Sums of the stretches ``values[indptr[i]:indptr[i + 1]]``, 0 for an empty one."""
    # Unlike differences of one running sum, a stretch's sum does not depend on what stands before it.
    owners = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    return np.bincount(owners, values, minlength=len(indptr) - 1)


@dataclass(frozen=True)
class ProfileBatch:
    """The titles of m profiles that a bundle knows, laid end to end.

    ``indptr``:   int64 (m + 1,); profile i holds the entries ``indptr[i]:indptr[i + 1]``.
    ``rows``:     int32, positions in the bundle's ``anime_ids``.
    ``ratings``:  float32, 1-10, NaN = on the list without a rating.
    ``statuses``: int8, codes of :data:`STATUS_CODES`.
    """

    indptr: np.ndarray
    rows: np.ndarray
    ratings: np.ndarray
    statuses: np.ndarray

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @cached_property
    def sizes(self) -> np.ndarray:
        """How many entries each profile has, int64 (m,)."""
        return np.diff(self.indptr)

    @classmethod
    def of(cls, profiles: Sequence[Profile], anime_ids: np.ndarray) -> tuple[ProfileBatch, list[np.ndarray]]:
        """The batch of ``profiles`` and, for each, the ids that ``anime_ids`` (sorted) does not hold."""
        rows, ratings, statuses, ignored = [], [], [], []
        for profile in profiles:
            ids = profile.anime_ids
            position = np.searchsorted(anime_ids, ids).clip(max=max(len(anime_ids) - 1, 0))
            known = anime_ids[position] == ids
            codes = np.array([STATUS_CODES[status] for status in profile.statuses], dtype=np.int8)
            rows.append(position[known].astype(np.int32))
            ratings.append(profile.ratings[known].astype(np.float32))
            statuses.append(codes[known])
            ignored.append(ids[~known])
        indptr = np.concatenate(([0], np.cumsum([len(part) for part in rows], dtype=np.int64)))
        batch = cls(
            indptr=indptr.astype(np.int64),
            rows=np.concatenate(rows) if rows else np.zeros(0, dtype=np.int32),
            ratings=np.concatenate(ratings) if rows else np.zeros(0, dtype=np.float32),
            statuses=np.concatenate(statuses) if rows else np.zeros(0, dtype=np.int8),
        )
        return batch, ignored

    def one(self, index: int) -> ProfileBatch:
        """Profile ``index`` as a batch of its own."""
        return self if len(self) == 1 else self.part(index, index + 1)

    def part(self, start: int, stop: int) -> ProfileBatch:
        """Profiles ``start`` to ``stop`` (exclusive) as a batch of their own."""
        first, last = self.indptr[start], self.indptr[stop]
        return ProfileBatch(
            indptr=self.indptr[start : stop + 1] - first,
            rows=self.rows[first:last],
            ratings=self.ratings[first:last],
            statuses=self.statuses[first:last],
        )

    def with_status(self, status: Status) -> np.ndarray:
        """Which entries have ``status``."""
        return self.statuses == STATUS_CODES[status]

    def owners(self) -> np.ndarray:
        """The profile (0 to m - 1) of every entry."""
        return self._owners

    @cached_property
    def _owners(self) -> np.ndarray:
        return np.repeat(np.arange(len(self)), self.sizes)

    def once(self, make: Callable[[ProfileBatch], Made]) -> Made:
        """``make(self)``, worked out the first time only: several models ask the same of the same lists. Nobody may
        change the answer."""
        if make not in self._made:
            self._made[make] = make(self)
        return self._made[make]

    @cached_property
    def _made(self) -> dict[Callable[[ProfileBatch], Any], Any]:
        return {}

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sums over each profile of a value for every entry, float64 (m,)."""
        return np.bincount(self._owners, values, minlength=len(self))

    def mean_ratings(self, prior_mean: float = 0.0, prior_weight: float = 0.0) -> np.ndarray:
        """Each profile's mean rating, float64 (m,), as if it held ``prior_weight`` more ratings of
        ``prior_mean``; NaN where there is nothing to average."""
        rated = ~np.isnan(self.ratings)
        sums = self.sums(np.where(rated, self.ratings, 0.0)) + prior_mean * prior_weight
        counts = self.sums(rated) + prior_weight
        return np.divide(sums, counts, out=np.full(len(self), np.nan), where=counts > 0)
