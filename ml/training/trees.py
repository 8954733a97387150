"""Growing boosted trees with XGBoost, and flattening them for serving."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import xgboost

from ml.models.trees import Forest

ROWS_FOR_THREADS = 50_000


@dataclass(frozen=True, slots=True)
class TreeParams:
    """Boosted trees. ``trees``: how many at most; one for every ``rows_a_tree`` rows to learn from, so that little
    data is not learned by heart. ``depth``, ``leaves``: of a tree at most. ``leaf_weight``: sum of p(1 - p) over the
    rows of a leaf, at least. ``columns``, ``rows``: share of the features and of the rows that a tree is grown from.
    ``l2``: regularisation of leaf values."""

    trees: int = 500
    rows_a_tree: int = 1000
    learning_rate: float = 0.03
    depth: int = 6
    leaves: int = 31
    leaf_weight: float = 4.0
    columns: float = 0.4
    rows: float = 0.6
    l2: float = 5.0


def grow(rows: np.ndarray, wanted: np.ndarray, weights: np.ndarray, params: TreeParams, seed: int) -> Forest:
    """Trees for the log-odds of ``wanted`` (bool). ``rows``: float32 (m, f), no NaN; ``weights`` (m,).

    Where there is nothing to learn (all alike) the forest has no trees and answers 0.
    """
    count = min(params.trees, len(rows) // params.rows_a_tree)
    if count < 1 or wanted.all() or not wanted.any():
        return no_trees()
    share = float(np.average(wanted, weights=weights))
    settings = {
        "objective": "binary:logistic",
        "base_score": share,
        "tree_method": "hist",
        "eta": params.learning_rate,
        "max_depth": params.depth,
        "max_leaves": params.leaves,
        "min_child_weight": params.leaf_weight,
        "colsample_bytree": params.columns,
        "subsample": params.rows,
        "lambda": params.l2,
        "seed": seed,
        # On little data the threads mostly wait for one another.
        "nthread": 1 if len(rows) < ROWS_FOR_THREADS else 0,
    }
    examples = xgboost.QuantileDMatrix(rows, wanted.astype(np.float32), weight=weights / weights.mean())
    return flatten(xgboost.train(settings, examples, count), float(np.log(share / (1 - share))))


def no_trees() -> Forest:
    nothing = np.zeros(0, dtype=np.int32)
    return Forest(nothing, nothing, nothing.astype(np.float32), nothing, nothing.astype(np.float32), 0.0, 0)


def flatten(booster: xgboost.Booster, base: float) -> Forest:
    """A binary classifier as flat arrays; :meth:`Forest.scores` is its margin. ``base``: what it starts from."""
    roots, features, thresholds, children, values = [], [], [], [], []
    start = depth = 0
    learner = json.loads(booster.save_raw("json"))["learner"]
    for tree in learner["gradient_booster"]["model"]["trees"]:
        left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
        place, levels = _in_pairs(left, right)
        order = np.argsort(place)
        leaf = left[order] < 0
        # A threshold, or the value of a leaf.
        conditions = np.array(tree["split_conditions"], dtype=np.float32)[order]
        # Here a row goes left if it is less, in a Forest if it is no more than the threshold.
        below = np.nextafter(conditions, np.float32(-np.inf))
        roots.append(start)
        features.append(np.where(leaf, 0, np.array(tree["split_indices"])[order]))
        thresholds.append(np.where(leaf, np.inf, below))
        children.append(start + np.where(leaf, np.arange(len(left)), place[left[order]]))
        values.append(np.where(leaf, conditions, 0.0))
        depth = max(depth, levels)
        start += len(left)
    return Forest(
        roots=np.array(roots, dtype=np.int32),
        feature=np.concatenate(features).astype(np.int32),
        threshold=np.concatenate(thresholds).astype(np.float32),
        child=np.concatenate(children).astype(np.int32),
        value=np.concatenate(values).astype(np.float32),
        base=base,
        depth=depth,
    )


def _in_pairs(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, int]:
    """A new place for every node of a tree such that the right child stands right after the left one, and how
    many levels lie below the root. ``left``, ``right``: the children, -1 in a leaf."""
    place = np.zeros(len(left), dtype=np.int64)
    free, deepest = 1, 0
    waiting = [(0, 0)]
    while waiting:
        node, level = waiting.pop()
        deepest = max(deepest, level)
        if left[node] >= 0:
            place[left[node]], place[right[node]] = free, free + 1
            free += 2
            waiting += [(int(left[node]), level + 1), (int(right[node]), level + 1)]
    return place, deepest
