"""Interactions in the coordinates of the catalogue: what the models are fitted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ml.models.profiles import ProfileBatch
from ml.reading import Catalogue, Interactions
from ml.types import LIKED_RATING


@dataclass(frozen=True, slots=True)
class Members:
    """The lists of m members: ``user_ids`` int64 (m,) and their entries as one batch of profiles."""

    user_ids: np.ndarray
    batch: ProfileBatch

    @classmethod
    def of(cls, interactions: Interactions, catalogue: Catalogue) -> Members:
        """All entries of titles in the catalogue (others are left out)."""
        rows = catalogue.rows_of(interactions.anime_ids)
        known = interactions.where(rows >= 0)
        user_ids, counts = np.unique(known.user_ids, return_counts=True)
        indptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        batch = ProfileBatch(indptr, rows[rows >= 0].astype(np.int32), known.ratings, known.statuses)
        return cls(user_ids, batch)

    def __len__(self) -> int:
        return len(self.user_ids)

    def where(self, members: np.ndarray) -> Members:
        """The members that the mask ``members`` (bool, (m,)) selects."""
        batch = self.batch
        entries = np.repeat(members, batch.sizes)
        indptr = np.concatenate(([0], np.cumsum(batch.sizes[members]))).astype(np.int64)
        return Members(
            self.user_ids[members],
            ProfileBatch(indptr, batch.rows[entries], batch.ratings[entries], batch.statuses[entries]),
        )


def entry_matrix(batch: ProfileBatch, weights: np.ndarray, titles: int) -> sp.csr_matrix:
    """The weights of all entries as a sparse matrix, float32 (profiles, titles)."""
    return sp.csr_matrix(
        (weights.astype(np.float32), batch.rows.astype(np.int32), batch.indptr), (len(batch), titles)
    )


def count_rated(batch: ProfileBatch, titles: int) -> np.ndarray:
    """On how many lists each title is, float64 (titles,)."""
    return np.bincount(batch.rows, minlength=titles).astype(np.float64)


def count_liked(batch: ProfileBatch, titles: int) -> np.ndarray:
    """How many members liked each title, float64 (titles,)."""
    return np.bincount(batch.rows[batch.ratings >= LIKED_RATING], minlength=titles).astype(np.float64)
