"""Rating-aware EASE: a linear model of what people who watch these titles also watch.

H. Steck, Embarrassingly Shallow Autoencoders for Sparse Data (WWW 2019); its input is weighted by how each
rating stands to the person's mean. Only the strongest weights of every title are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np

from ml.models.base import Arrays
from ml.models.profiles import ProfileBatch
from ml.models.taste import TasteWeights

# From this many profiles on one dense product is quicker than a sparse sum for each.
DENSE_FROM_PROFILES = 32
DENSE_BLOCK_ROWS = 512
STRETCH_WEIGHTS = 8_192


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
        result = np.zeros((len(batch), len(self.scales)), dtype=np.float32)
        for index in range(len(batch)):
            part = slice(batch.indptr[index], batch.indptr[index + 1])
            own = strength[part]
            for entries, targets, weights, lengths in self._stretches(batch.rows[part]):
                values = np.repeat(own[entries], lengths)
                values *= weights
                result[index] += np.bincount(targets, values, minlength=len(self.scales))
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
        result = np.zeros((len(profile.rows), len(targets)), dtype=np.float32)
        if not result.size:
            return result
        place = np.full(len(self.scales), -1, dtype=np.int32)
        place[targets] = np.arange(len(targets), dtype=np.int32)
        strength = self.taste.of(profile) * self.scales[profile.rows]
        for entries, reached, weights, lengths in self._stretches(profile.rows):
            column = place[reached]
            hit = np.flatnonzero(column >= 0)
            entry = np.repeat(np.arange(entries.start, entries.stop), lengths)[hit]
            result[entry, column[hit]] = strength[entry] * weights[hit]
        return result

    def mean_contributions(self, profile: ProfileBatch) -> np.ndarray:
        """What each title of one profile adds to the score of the average title, float32 (size,)."""
        return self.taste.of(profile) * self.row_means[profile.rows]

    def _stretches(self, rows: np.ndarray) -> Iterator[tuple[slice, np.ndarray, np.ndarray, np.ndarray]]:
        """The weights of several titles, some titles at a time: which of ``rows``, their targets and weights end
        to end, and how many each has.

        At most about ``STRETCH_WEIGHTS`` at a time: the memory of larger passing arrays goes back to the system
        after every use, and fetching it again costs more than the sums.
        """
        starts, stops = self.indptr[rows], self.indptr[rows + 1]
        lengths = stops - starts
        group = np.cumsum(lengths) // STRETCH_WEIGHTS
        bounds = [0, *(np.flatnonzero(np.diff(group)) + 1).tolist(), len(rows)]
        # Copying a few long stretches is several times quicker than picking every element by its position.
        spans = [slice(start, stop) for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
        for first, last in pairwise(bounds):
            if first < last:
                yield (
                    slice(first, last),
                    np.concatenate([self.targets[span] for span in spans[first:last]]),
                    np.concatenate([self.weights[span] for span in spans[first:last]]),
                    lengths[first:last],
                )

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
