"""Rating-aware EASE: a linear model of what people who watch these titles also watch.

H. Steck, Embarrassingly Shallow Autoencoders for Sparse Data (WWW 2019); its input is weighted by how each
rating stands to the person's mean. Only the strongest weights of every title are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np

from ml.models.base import Arrays
from ml.models.profiles import ProfileBatch
from ml.models.taste import TasteWeights

# From this many profiles on one dense product is quicker than a sparse sum for each.
DENSE_FROM_PROFILES = 32
DENSE_BLOCK_ROWS = 512


@dataclass(frozen=True, slots=True)
class EaseModel:
    """A sparse item-to-item matrix W, stored by the row of the title on the person's list.

    ``indptr`` int64 (n + 1,), ``targets`` (nnz,) rows ascending in each stretch, ``weights`` int8 or float
    (nnz,), ``scales`` float32 (n,): W[i, targets[e]] = scales[i] * weights[e] for e in the stretch of i.
    ``row_means`` float32 (n,): the mean of each row of W over all n targets.
    ``fans`` (n, f) and ``fans_similarity`` (n, f): the titles that share most fans with each, -1 = none.
    """

    name: ClassVar[str] = "ease"
    indptr: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    scales: np.ndarray
    row_means: np.ndarray
    fans: np.ndarray
    fans_similarity: np.ndarray
    taste: TasteWeights

    def scores(self, batch: ProfileBatch) -> np.ndarray:
        strength = self.taste.of(batch) * self.scales[batch.rows]
        if len(batch) >= DENSE_FROM_PROFILES:
            return self._dense_scores(batch, strength)
        result = np.empty((len(batch), len(self.scales)), dtype=np.float32)
        for index in range(len(batch)):
            first, last = batch.indptr[index], batch.indptr[index + 1]
            where, lengths = self._stretches(batch.rows[first:last])
            values = np.repeat(strength[first:last], lengths)
            values *= self.weights[where]
            result[index] = np.bincount(self.targets[where], values, minlength=len(self.scales))
        return result

    def _dense_scores(self, batch: ProfileBatch, strength: np.ndarray) -> np.ndarray:
        """The same sums as a product of dense blocks, for many profiles at once."""
        n = len(self.scales)
        result = np.zeros((len(batch), n), dtype=np.float32)
        owners = batch.owners()
        for start in range(0, n, DENSE_BLOCK_ROWS):
            stop = min(start + DENSE_BLOCK_ROWS, n)
            inside = (batch.rows >= start) & (batch.rows < stop)
            if not inside.any():
                continue
            left = np.zeros((len(batch), stop - start), dtype=np.float32)
            left[owners[inside], batch.rows[inside] - start] = strength[inside]
            right = np.zeros((stop - start, n), dtype=np.float32)
            span = slice(self.indptr[start], self.indptr[stop])
            source = np.repeat(np.arange(stop - start), np.diff(self.indptr[start : stop + 1]))
            right[source, self.targets[span]] = self.weights[span]
            result += left @ right
        return result

    def contributions(self, profile: ProfileBatch, targets: np.ndarray) -> np.ndarray:
        place = np.full(len(self.scales), -1, dtype=np.int32)
        place[targets] = np.arange(len(targets), dtype=np.int32)
        where, lengths = self._stretches(profile.rows)
        column = place[self.targets[where]]
        hit = np.flatnonzero(column >= 0)
        entry = np.repeat(np.arange(len(profile.rows)), lengths)[hit]
        strength = self.taste.of(profile) * self.scales[profile.rows]
        result = np.zeros((len(profile.rows), len(targets)), dtype=np.float32)
        result[entry, column[hit]] = strength[entry] * self.weights[where[hit]]
        return result

    def mean_contributions(self, profile: ProfileBatch) -> np.ndarray:
        """What each title of one profile adds to the score of the average title, float32 (size,)."""
        return self.taste.of(profile) * self.row_means[profile.rows]

    def _stretches(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions of the weights of several titles, end to end, and how many each has."""
        starts = self.indptr[rows]
        lengths = self.indptr[rows + 1] - starts
        before = np.cumsum(lengths) - lengths
        return np.arange(lengths.sum()) + np.repeat(starts - before, lengths), lengths

    def similar(self, row: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows of at most k titles that share fans with ``row``, and how much (cosine, 0 to 1)."""
        there = self.fans[row] >= 0
        return self.fans[row][there][:k], self.fans_similarity[row][there][:k].astype(np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            "indptr": self.indptr,
            "targets": self.targets,
            "weights": self.weights,
            "scales": self.scales,
            "row_means": self.row_means,
            "fans": self.fans,
            "fans_similarity": self.fans_similarity,
        }

    def settings(self) -> dict[str, Any]:
        return {"taste": asdict(self.taste)}

    @classmethod
    def restore(cls, arrays: Arrays, settings: Mapping[str, Any]) -> Self:
        return cls(**arrays, taste=TasteWeights(**settings["taste"]))
