"""Learning the fusion weights on members that the models have not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ml.evaluation.metrics import discounts
from ml.evaluation.splits import Split, hide_share, show_few
from ml.models.fusion import PARTS, FusionModel, FusionWeights
from ml.models.profiles import ProfileBatch

K = 10


@dataclass(frozen=True, slots=True)
class FusionParams:
    """``shown_entries``: sizes of the short profiles that the weights are also tried on. ``hidden_share``:
    what is hidden of the full ones. ``discovery_weight``: how much discovery counts beside plain ranking.
    ``max_people``: how many held-out members to tune on. The ``*_grid`` are the values tried."""

    hidden_share: float = 0.2
    shown_entries: tuple[int, ...] = (1, 3, 8)
    full_weight: float = 2.0
    discovery_weight: float = 0.5
    max_people: int = 200
    content_grid: tuple[float, ...] = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
    popularity_grid: tuple[float, ...] = (0.0, 0.05, 0.1, 0.2)
    short_grid: tuple[float, ...] = (0.0, 0.3, 0.6, 1.0, 1.5, 2.0, 3.0, 4.5, 6.0)
    size_grid: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)


@dataclass(frozen=True, slots=True)
class _View:
    """Held-out people as seen with one size of profile: z-scores of the parts (people, titles), and for
    ranking titles and franchises which are relevant and which may not be listed."""

    sizes: np.ndarray
    parts: tuple[np.ndarray, ...]
    barred: np.ndarray
    relevant: np.ndarray
    barred_franchises: np.ndarray
    relevant_franchises: np.ndarray
    weight: float


def fit_fusion_weights(
    model: FusionModel,
    members: ProfileBatch,
    franchise: np.ndarray,
    params: FusionParams,
    seed: int,
    progress: Callable[[float, str], None] = lambda percent, message: None,
) -> FusionWeights:
    """The weights with the best mean NDCG@10 over full and short profiles, plain and discovery.

    One weight after the other is set to the best value of its grid, twice over: five numbers, each with a
    plain meaning, need no cleverer search.
    """
    members = members.part(0, min(len(members), params.max_people))
    if not len(members):
        return model.weights
    grouping = _Grouping(franchise)
    views = [_view(model, hide_share(members, params.hidden_share, seed), grouping, params.full_weight)]
    views += [_view(model, show_few(members, count, seed), grouping, 1.0) for count in params.shown_entries]
    best = model.weights
    best_value = _value(best, views, grouping, params.discovery_weight)
    grids: Sequence[tuple[str, tuple[float, ...]]] = (
        ("popularity_short", params.short_grid),
        ("short_size", params.size_grid),
        ("content_always", params.content_grid),
        ("content_short", params.short_grid),
        ("popularity_always", params.popularity_grid),
    )
    steps = 2 * len(grids)
    for step in range(steps):
        name, grid = grids[step % len(grids)]
        for value in grid:
            tried = replace(best, **{name: value})
            if tried != best:
                result = _value(tried, views, grouping, params.discovery_weight)
                if result > best_value:
                    best, best_value = tried, result
        progress(100 * (step + 1) / steps, f"weights of the parts, held-out NDCG@10 {best_value:.3f}")
    return best


class _Grouping:
    """Best score of every franchise, from scores of titles."""

    def __init__(self, franchise: np.ndarray) -> None:
        self.of = franchise
        self._sorted = np.argsort(franchise, kind="stable")
        ordered = franchise[self._sorted]
        self._starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])

    def best(self, scores: np.ndarray) -> np.ndarray:
        return np.maximum.reduceat(scores[:, self._sorted], self._starts, axis=1)

    @property
    def count(self) -> int:
        return len(self._starts)


def _view(model: FusionModel, split: Split, grouping: _Grouping, weight: float) -> _View:
    people, titles = len(split.shown), len(grouping.of)
    fused = model.fuse(split.shown)
    barred = np.zeros((people, titles), dtype=bool)
    barred[split.shown.owners(), split.shown.rows] = True
    relevant = np.zeros((people, titles), dtype=bool)
    for person, rows in enumerate(split.liked()):
        relevant[person, rows] = True
    barred_franchises = np.zeros((people, grouping.count), dtype=bool)
    barred_franchises[split.shown.owners(), grouping.of[split.shown.rows]] = True
    return _View(
        sizes=split.shown.sizes,
        parts=tuple(fused.parts[name] for name in PARTS),
        barred=barred,
        relevant=relevant,
        barred_franchises=barred_franchises,
        relevant_franchises=grouping.best(relevant) & ~barred_franchises,
        weight=weight,
    )


def _value(weights: FusionWeights, views: Sequence[_View], grouping: _Grouping, discovery_weight: float) -> float:
    total = weight = 0.0
    for view in views:
        by_part = weights.of(view.sizes).astype(np.float32)
        scores = by_part[:, :1] * view.parts[0]
        for column in range(1, len(view.parts)):
            scores += by_part[:, column : column + 1] * view.parts[column]
        plain = _mean_ndcg(np.where(view.barred, -np.inf, scores), view.relevant)
        franchises = np.where(view.barred_franchises, -np.inf, grouping.best(scores))
        discovery = _mean_ndcg(franchises, view.relevant_franchises)
        total += view.weight * ((1 - discovery_weight) * plain + discovery_weight * discovery)
        weight += view.weight
    return total / weight


def _mean_ndcg(scores: np.ndarray, relevant: np.ndarray) -> float:
    """Mean NDCG@10 over the people who have something relevant; both arrays (people, things)."""
    k = min(K, scores.shape[1])
    best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    hit = np.take_along_axis(relevant, np.take_along_axis(best, order, axis=1), axis=1)
    counts = relevant.sum(axis=1)
    ideal = np.concatenate(([1.0], np.cumsum(discounts(k))))[np.minimum(counts, k)]
    return float(((hit * discounts(k)).sum(axis=1) / ideal)[counts > 0].mean()) if counts.any() else 0.0
