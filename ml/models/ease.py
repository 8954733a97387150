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


@dataclass(frozen=True, slots=True)
class Reached:
    """What one profile adds to which titles, title by title of the profile.

    ``targets`` (r,) rows, ``values`` float32 (r,), ``lengths`` int64 (size of the profile,): how many of them each
    title has.
    """

    targets: np.ndarray
    values: np.ndarray
    lengths: np.ndarray


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
        result = np.empty((len(batch), len(self.scales)), dtype=np.float32)
        # One by one: a list reaches so few of the weights that a dense product of many lists takes longer.
        for index in range(len(batch)):
            reached = batch.one(index).once(self._reached_by)
            result[index] = np.bincount(reached.targets, reached.values, minlength=len(self.scales))
        return result

    def contributions(self, profile: ProfileBatch, targets: np.ndarray) -> np.ndarray:
        result = np.zeros((len(profile.rows), len(targets)), dtype=np.float32)
        place = np.full(len(self.scales), -1, dtype=np.int32)
        place[targets] = np.arange(len(targets), dtype=np.int32)
        reached = profile.once(self._reached_by)
        column = place[reached.targets]
        hit = np.flatnonzero(column >= 0)
        entry = np.repeat(np.arange(len(profile.rows), dtype=np.int32), reached.lengths)[hit]
        result[entry, column[hit]] = reached.values[hit]
        return result

    def mean_contributions(self, profile: ProfileBatch) -> np.ndarray:
        """What each title of one profile adds to the score of the average title, float32 (size,)."""
        return profile.once(self.taste.of) * self.row_means[profile.rows]

    def _reached_by(self, profile: ProfileBatch) -> Reached:
        strength = profile.once(self.taste.of) * self.scales[profile.rows]
        starts, stops = self.indptr[profile.rows], self.indptr[profile.rows + 1]
        # Copying stretches is quicker than picking every element by its position. The empty one is for empty lists.
        spans = [slice(0), *map(slice, starts.tolist(), stops.tolist())]
        values = np.repeat(strength, stops - starts)
        values *= np.concatenate([self.weights[span] for span in spans])
        return Reached(np.concatenate([self.targets[span] for span in spans]), values, stops - starts)

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
