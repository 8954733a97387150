"""Growing boosted trees with scikit-learn, and flattening them for serving."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ml.models.trees import Forest

ROWS_FOR_THREADS = 200_000


@dataclass(frozen=True, slots=True)
class TreeParams:
    """Boosted trees. ``trees``: how many at most; one for every ``rows_a_tree`` rows to learn from, so that little
    data is not learned by heart. ``depth``, ``leaves``: of a tree at most. ``leaf_rows``: rows in a leaf at least.
    ``columns``: share of the features that a split may choose from. ``l2``: regularisation of leaf values."""

    trees: int = 200
    rows_a_tree: int = 1000
    learning_rate: float = 0.06
    depth: int = 6
    leaves: int = 31
    leaf_rows: int = 100
    columns: float = 0.3
    l2: float = 5.0


def grow(rows: np.ndarray, wanted: np.ndarray, weights: np.ndarray, params: TreeParams, seed: int) -> Forest:
    """Trees for the log-odds of ``wanted`` (bool). ``rows``: float32 (m, f), no NaN; ``weights`` (m,).

    Where there is nothing to learn (all alike) the forest has no trees and answers 0.
    """
    count = min(params.trees, len(rows) // params.rows_a_tree)
    if count < 1 or wanted.all() or not wanted.any():
        return no_trees()
    model = HistGradientBoostingClassifier(
        learning_rate=params.learning_rate,
        max_iter=count,
        max_depth=params.depth,
        max_leaf_nodes=params.leaves,
        min_samples_leaf=params.leaf_rows,
        l2_regularization=params.l2,
        max_features=params.columns,
        early_stopping=False,
        random_state=seed,
    )
    # On little data the threads mostly wait for one another, and on a busy machine they do so for ever.
    threads = 1 if len(rows) < ROWS_FOR_THREADS else None
    with threadpool_limits(limits=threads, user_api="openmp"):
        model.fit(rows, wanted, sample_weight=weights / weights.mean())
    return flatten(model)


def no_trees() -> Forest:
    nothing = np.zeros(0, dtype=np.int32)
    return Forest(nothing, nothing, nothing.astype(np.float32), nothing, nothing.astype(np.float32), 0.0, 0)


def flatten(model: HistGradientBoostingClassifier) -> Forest:
    """A fitted binary classifier as flat arrays; :meth:`Forest.scores` is its ``decision_function``."""
    roots, features, thresholds, children, values = [], [], [], [], []
    start = depth = 0
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        place = _in_pairs(nodes)
        order = np.argsort(place)
        leaf = nodes["is_leaf"][order].astype(bool)
        roots.append(start)
        features.append(np.where(leaf, 0, nodes["feature_idx"][order]))
        thresholds.append(np.where(leaf, np.inf, _as_float32(nodes["num_threshold"][order])))
        children.append(start + np.where(leaf, np.arange(len(nodes)), place[nodes["left"][order]]))
        values.append(np.where(leaf, nodes["value"][order], 0.0))
        depth = max(depth, int(nodes["depth"].max()))
        start += len(nodes)
    return Forest(
        roots=np.array(roots, dtype=np.int32),
        feature=np.concatenate(features).astype(np.int32),
        threshold=np.concatenate(thresholds).astype(np.float32),
        child=np.concatenate(children).astype(np.int32),
        value=np.concatenate(values).astype(np.float32),
        base=float(model._baseline_prediction.ravel()[0]),
        depth=depth,
    )


def _in_pairs(nodes: np.ndarray) -> np.ndarray:
    """A new place for every node of a tree such that the right child stands right after the left one."""
    place = np.zeros(len(nodes), dtype=np.int64)
    free = 1
    waiting = [0]
    while waiting:
        node = waiting.pop()
        if not nodes["is_leaf"][node]:
            left, right = int(nodes["left"][node]), int(nodes["right"][node])
            place[left], place[right] = free, free + 1
            free += 2
            waiting += [left, right]
    return place


def _as_float32(thresholds: np.ndarray) -> np.ndarray:
    """Thresholds rounded down, so that every float32 number stays on its side."""
    rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)
