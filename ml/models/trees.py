"""Boosted decision trees as flat arrays, walked for many rows and all trees at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from ml.models.base import Arrays

# All trees for so many rows at a time: the places of the walk (a number a row and tree) stay in the cache.
BLOCK_ROWS = 64


@dataclass(frozen=True, slots=True)
class Forest:
    """t trees of k nodes in all, none deeper than ``depth`` splits.

    Node i asks whether ``row[feature[i]] > threshold[i]``; the answer "no" leads to node ``child[i]``, "yes" to the
    one after it. A leaf leads back to itself, whatever the row holds (its threshold is infinite).

    ``roots`` int32 (t,), ``feature`` int32 (k,), ``threshold`` float32 (k,), ``child`` int32 (k,), ``value`` float32
    (k,): what a leaf adds. ``base``: what every row starts from.
    """

    roots: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    child: np.ndarray
    value: np.ndarray
    base: float
    depth: int

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """The sum of the leaves that each of the m rows falls into, float32 (m,). ``rows``: float32 (m, number of
        features), without NaN."""
        result = np.empty(len(rows), dtype=np.float32)
        for start in range(0, len(rows), BLOCK_ROWS):
            block = np.ascontiguousarray(rows[start : start + BLOCK_ROWS], dtype=np.float32)
            result[start : start + len(block)] = self._walk(block)
        return result

    def _walk(self, block: np.ndarray) -> np.ndarray:
        count, width = block.shape
        numbers = block.ravel()
        first = np.repeat(np.arange(count, dtype=np.int32) * np.int32(width), len(self.roots))
        place = np.tile(self.roots, count)
        # "clip" spares numpy the check of every index; all are in range by construction.
        for _ in range(self.depth):
            asked = self.feature.take(place, mode="clip")
            asked += first
            above = numbers.take(asked, mode="clip") > self.threshold.take(place, mode="clip")
            place = self.child.take(place, mode="clip")
            place += above
        leaves = self.value.take(place, mode="clip").reshape(count, len(self.roots))
        return leaves.sum(axis=1, dtype=np.float64) + self.base

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            "roots": self.roots,
            "feature": self.feature,
            "threshold": self.threshold,
            "child": self.child,
            "value": self.value,
        }

    def settings(self) -> dict[str, float]:
        return {"base": self.base, "depth": self.depth}

    @classmethod
    def restore(cls, arrays: Arrays, settings: dict[str, float]) -> Self:
        return cls(**arrays, base=float(settings["base"]), depth=int(settings["depth"]))
