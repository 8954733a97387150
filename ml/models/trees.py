"""Boosted decision trees as flat arrays, walked for many rows and many trees at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from ml.models.base import Arrays

# So many walks (a row through a tree) at a time: their places stay in the cache.
BLOCK_WALKS = 20_000


@dataclass(frozen=True, slots=True)
class Level:
    """One level of t complete trees: w = t * 2^depth questions, tree by tree from left to right.

    ``feature`` intp (w,), ``threshold`` float32 (w,).
    """

    feature: np.ndarray
    threshold: np.ndarray


@dataclass(frozen=True)
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

    @cached_property
    def _complete(self) -> tuple[list[Level], np.ndarray]:
        """The same trees with every branch ``depth`` splits long: in a complete tree it takes no looking up to get
        from question p of a level to questions 2p and 2p + 1 of the next. The levels, and the values of the leaves,
        float32 (t * 2^depth,)."""
        nodes = self.roots
        levels = []
        for _ in range(self.depth):
            threshold = self.threshold[nodes]
            levels.append(Level(self.feature[nodes].astype(np.intp), threshold))
            no = self.child[nodes]
            yes = no + np.isfinite(threshold)
            nodes = np.stack([no, yes], axis=1).ravel()
        return levels, self.value[nodes]

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """The sum of the leaves that each of the m rows falls into, float32 (m,). ``rows``: float32 (m, number of
        features), without NaN; quickest with the numbers of one feature side by side (Fortran order)."""
        numbers = np.ascontiguousarray(rows.T, dtype=np.float32)
        result = np.full(len(rows), self.base)
        step = max(BLOCK_WALKS // max(len(rows), 1), 1)
        for start in range(0, len(self.roots), step):
            result += self._walk(numbers, start, min(start + step, len(self.roots)))
        return result.astype(np.float32)

    def _walk(self, numbers: np.ndarray, start: int, stop: int) -> np.ndarray:
        """What the trees from ``start`` to ``stop`` (exclusive) add, float64 (m,). ``numbers``: (features, m)."""
        levels, values = self._complete
        trees, count = stop - start, numbers.shape[1]
        flat = numbers.ravel()
        column = np.tile(np.arange(count), trees)
        place = np.repeat(np.arange(trees), count)
        # "clip" spares numpy the check of every index; all are in range by construction.
        for depth, level in enumerate(levels):
            span = slice(start << depth, stop << depth)
            feature, threshold = level.feature[span], level.threshold[span]
            asked = feature.take(place, mode="clip")
            asked *= count
            asked += column
            above = flat.take(asked, mode="clip") > threshold.take(place, mode="clip")
            place *= 2
            place += above
        leaves = values[start << self.depth : stop << self.depth].take(place, mode="clip")
        return leaves.reshape(trees, count).sum(axis=0, dtype=np.float64)

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
