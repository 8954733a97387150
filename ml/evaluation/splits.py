"""Splits: members held out of training, and what of their lists is shown or hidden.

Members are split before entries are: a model that is judged never saw anything of the people it is judged by
(strong generalisation).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from ml.models.profiles import ProfileBatch, segment_sums
from ml.types import LIKED_RATING


@dataclass(frozen=True, slots=True)
class Split:
    """The lists of m people in two parts: ``shown`` to the recommender, and ``heldout``."""

    shown: ProfileBatch
    heldout: ProfileBatch

    def liked(self) -> list[np.ndarray]:
        """For each person the rows that were held out and liked."""
        rows, ptr = self.heldout.rows, self.heldout.indptr
        likes = self.heldout.ratings >= LIKED_RATING
        return [rows[start:stop][likes[start:stop]] for start, stop in itertools.pairwise(ptr)]


def choose_members(batch: ProfileBatch, share: float, most: int, min_entries: int, seed: int) -> np.ndarray:
    """Members to hold out, as sorted positions: a random ``share`` of all, at most ``most``, none with fewer
    than ``min_entries`` entries."""
    able = np.flatnonzero(batch.sizes >= min_entries)
    count = min(round(share * len(batch)), most, len(able))
    return np.sort(np.random.default_rng(seed).permutation(able)[:count])


def hide_share(batch: ProfileBatch, share: float, seed: int) -> Split:
    """Hide a random ``share`` of everybody's entries (at least one where there are two or more)."""
    rank = _random_rank(batch, seed)
    hide = np.where(batch.sizes > 1, np.maximum(1, np.round(share * batch.sizes)), 0)
    return _split(batch, rank >= np.repeat(hide, batch.sizes))


def show_few(batch: ProfileBatch, count: int, seed: int) -> Split:
    """Show ``count`` random entries of everybody and hide all others."""
    return _split(batch, _random_rank(batch, seed) < count)


def _random_rank(batch: ProfileBatch, seed: int) -> np.ndarray:
    """Each entry's place (from 0) in a random order of its person's entries."""
    owners = batch.owners()
    order = np.lexsort((np.random.default_rng(seed).random(len(owners)), owners))
    rank = np.empty(len(owners), dtype=np.int64)
    rank[order] = np.arange(len(owners)) - np.repeat(batch.indptr[:-1], batch.sizes)
    return rank


def _split(batch: ProfileBatch, shown: np.ndarray) -> Split:
    return Split(entries_where(batch, shown), entries_where(batch, ~shown))


def entries_where(batch: ProfileBatch, keep: np.ndarray) -> ProfileBatch:
    """The same people with those entries alone that ``keep`` (bool) selects."""
    sizes = segment_sums(keep.astype(np.float64), batch.indptr).astype(np.int64)
    indptr = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    return ProfileBatch(indptr, batch.rows[keep], batch.ratings[keep], batch.statuses[keep])
