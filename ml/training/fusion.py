"""Learning the fusion weights on members that the models have not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np

from ml.evaluation.metrics import discounts
from ml.evaluation.splits import Split, hide_share, show_few
from ml.models.fusion import PARTS, Fused, FusionModel, FusionWeights, ProfileShape
from ml.models.profiles import ProfileBatch

K = 10


@dataclass(frozen=True, slots=True)
class FusionParams:
    """``shown_entries``: sizes of the short profiles that the weights are also tried on. ``hidden_share``:
    what is hidden of the full ones. ``discovery_weight``: how much discovery counts beside plain ranking.
    ``max_people``: how many held-out members to tune on; ``top_titles``: how many of the best titles of
    each part are ranked for them. The ``*_grid`` are the values tried."""

    hidden_share: float = 0.2
    shown_entries: tuple[int, ...] = (1, 3, 8, 20)
    full_weight: float = 3.0
    discovery_weight: float = 0.5
    max_people: int = 400
    top_titles: int = 100
    content_grid: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3, 0.5, 0.8)
    focus_grid: tuple[float, ...] = (1.0, 3.0, 6.0)
    short_grid: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 3.0, 4.5, 6.0, 8.0, 10.0)
    size_grid: tuple[float, ...] = (15.0, 30.0, 45.0, 60.0, 80.0, 120.0)


@dataclass(frozen=True, slots=True)
class _Ranked:
    """Things to rank for p people: ``scored`` bool (p, c), which of the c titles of each person may be listed;
    ``unit`` int (p, c), the thing that a title stands for (itself or its franchise), numbered by person from 0;
    ``relevant`` bool (p, units); ``counts`` (p,), how many relevant things there are, listed here or not."""

    scored: np.ndarray
    unit: np.ndarray
    relevant: np.ndarray
    counts: np.ndarray


@dataclass(frozen=True, slots=True)
class _View:
    """Held-out people as seen with one size of profile. ``parts`` holds the z-scores, float32 (p, c), of the c
    titles that stand highest by some part: no other can come to the top of a blend by much."""

    shape: ProfileShape
    parts: tuple[np.ndarray, ...]
    plain: _Ranked
    discovery: _Ranked
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
    splits = [hide_share(members, params.hidden_share, seed)]
    splits += [show_few(members, count, seed) for count in params.shown_entries]
    importance = [params.full_weight] + [1.0] * len(params.shown_entries)
    views = [
        _view(model, split, franchise, params.top_titles, weight)
        for split, weight in zip(splits, importance, strict=True)
    ]
    best = model.weights
    best_value = _value(best, views, params.discovery_weight)
    grids: Sequence[tuple[str, tuple[float, ...]]] = (
        ("popularity_short", params.short_grid),
        ("full_size", params.size_grid),
        ("content_always", params.content_grid),
        ("content_short", params.short_grid),
        ("content_focus", params.focus_grid),
    )
    steps = 2 * len(grids)
    for step in range(steps):
        name, grid = grids[step % len(grids)]
        for value in grid:
            tried = replace(best, **{name: value})
            if tried != best:
                result = _value(tried, views, params.discovery_weight)
                if result > best_value:
                    best, best_value = tried, result
        progress(100 * (step + 1) / steps, f"weights of the parts, held-out NDCG@10 {best_value:.3f}")
    return best


def _view(model: FusionModel, split: Split, franchise: np.ndarray, top: int, weight: float) -> _View:
    people, titles = len(split.shown), len(franchise)
    fused = model.fuse(split.shown)
    seen = np.zeros((people, titles), dtype=bool)
    seen[split.shown.owners(), split.shown.rows] = True
    touched = np.zeros((people, int(franchise.max()) + 1), dtype=bool)
    touched[split.shown.owners(), franchise[split.shown.rows]] = True
    rows = _highest(fused, seen, touched[:, franchise], top)
    there = rows >= 0
    who = np.arange(people)[:, None]
    liked = split.liked()
    plain = _ranked(there, rows, [set(own.tolist()) for own in liked])
    fresh = [
        set(franchise[own].tolist()) - set(np.flatnonzero(touched[person]).tolist())
        for person, own in enumerate(liked)
    ]
    open_ = there & ~touched[who, franchise[rows]]
    return _View(
        shape=model.shape(split.shown),
        parts=tuple(fused.parts[name][who, rows] for name in PARTS),
        plain=plain,
        discovery=_ranked(open_, franchise[rows], fresh),
        weight=weight,
    )


def _highest(fused: Fused, seen: np.ndarray, touched: np.ndarray, top: int) -> np.ndarray:
    """For each person the rows that stand among the ``top`` of some part, of all unseen titles or of those of
    untouched franchises: int (people, c), -1 = nothing."""
    top = min(top, seen.shape[1])
    found = []
    for part in fused.parts.values():
        for barred in (seen, touched):
            open_ = np.where(barred, -np.inf, part)
            best = np.argpartition(-open_, top - 1, axis=1)[:, :top]
            found.append(np.where(np.take_along_axis(barred, best, axis=1), -1, best))
    rows = np.sort(np.concatenate(found, axis=1), axis=1)
    rows[:, 1:][rows[:, 1:] == rows[:, :-1]] = -1
    return rows


def _ranked(scored: np.ndarray, unit: np.ndarray, relevant: Sequence[Set[int]]) -> _Ranked:
    local = np.zeros(unit.shape, dtype=np.int64)
    hits = np.zeros(unit.shape, dtype=bool)
    for person, wanted in enumerate(relevant):
        units, local[person] = np.unique(unit[person], return_inverse=True)
        hits[person, : len(units)] = np.isin(units, list(wanted))
    return _Ranked(scored, local, hits, np.array([len(wanted) for wanted in relevant]))


def _value(weights: FusionWeights, views: Sequence[_View], discovery_weight: float) -> float:
    total = weight = 0.0
    for view in views:
        by_part = weights.of(view.shape).astype(np.float32)
        scores = by_part[:, :1] * view.parts[0]
        for column in range(1, len(view.parts)):
            scores += by_part[:, column : column + 1] * view.parts[column]
        plain = _mean_ndcg(scores, view.plain)
        discovery = _mean_ndcg(scores, view.discovery)
        total += view.weight * ((1 - discovery_weight) * plain + discovery_weight * discovery)
        weight += view.weight
    return total / weight


def _mean_ndcg(scores: np.ndarray, ranked: _Ranked) -> float:
    """Mean NDCG@10 over the people who have something relevant."""
    judged = ranked.counts > 0
    if not judged.any():
        return 0.0
    best: np.ndarray = np.full(scores.shape, -np.inf, dtype=np.float32)
    person, place = np.nonzero(ranked.scored)
    np.maximum.at(best, (person, ranked.unit[person, place]), scores[person, place])
    k = min(K, best.shape[1])
    top = np.argpartition(-best, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(best, top, axis=1), axis=1, kind="stable")
    top = np.take_along_axis(top, order, axis=1)
    listed = np.isfinite(np.take_along_axis(best, top, axis=1))
    hit = np.take_along_axis(ranked.relevant, top, axis=1) & listed
    ideal = np.cumsum(discounts(K))[np.minimum(ranked.counts[judged], K) - 1]
    return float(((hit * discounts(k)).sum(axis=1)[judged] / ideal).mean())
