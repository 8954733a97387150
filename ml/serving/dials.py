"""Novelty and diversity: what the person may turn on top of the scores.

Both act within the shortlist, the best titles for this person, so that even at its end a dial shows titles
that fit: the most niche of what fits, not the most niche of everything.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

NEUTRAL_NOVELTY = 0.5
GROUPS_A_PLACE = 8


def best_first(scores: np.ndarray, k: int, ties: np.ndarray) -> np.ndarray:
    """Positions of the k highest scores, best first; among equals the higher ``ties``, then the lower position."""
    chosen = np.flatnonzero(scores >= _edge(scores, k)) if k < len(scores) else np.arange(len(scores))
    order = np.lexsort((chosen, -ties[chosen], -scores[chosen]))
    return chosen[order][:k]


def _edge(scores: np.ndarray, k: int) -> float:
    """A score that at least k positions reach, and few more than k do: that of the k-th best of many groups, each
    taken for its best. Looking for it among all scores would take several times as long."""
    groups = GROUPS_A_PLACE * k
    if groups >= len(scores):
        return float(np.partition(scores, len(scores) - k)[len(scores) - k])
    whole = len(scores) - len(scores) % groups
    best = scores[:whole].reshape(-1, groups).max(axis=0)
    return float(np.partition(best, groups - k)[groups - k])


def with_novelty(scores: np.ndarray, appeal: np.ndarray, novelty: float) -> np.ndarray:
    """Scores of the shortlist as ``novelty`` turns them: at 0.5 unchanged, at 0 the most popular first, at 1
    the least popular first, and between them a blend of both in standard deviations."""
    pull = abs(novelty - NEUTRAL_NOVELTY) / NEUTRAL_NOVELTY
    if not pull or len(scores) < 2:
        return scores
    direction = np.sign(NEUTRAL_NOVELTY - novelty)
    # Appeal is so skewed that only its order says how niche a title is.
    rank = np.unique(appeal, return_inverse=True)[1]
    return (1 - pull) * _standardised(scores) + pull * direction * _standardised(rank.astype(np.float64))


def diversified(
    scores: np.ndarray, k: int, diversity: float, likeness: Callable[[int], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of k titles of the shortlist (given best first) and the worth each was picked for.

    Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): the best title first, then always the one
    with the highest ``(1 - diversity) * relevance - diversity * likeness to the most alike title picked``,
    relevance scaled to 0-1 within the shortlist. ``likeness(i)``: (len(scores),), cosines to title i.
    """
    low, high = float(scores.min()), float(scores.max())
    relevance = (scores - low) / (high - low) if high > low else np.ones(len(scores))
    alike = np.zeros(len(scores))
    free = np.ones(len(scores), dtype=bool)
    picked: list[int] = []
    worths: list[float] = []
    for _ in range(min(k, len(scores))):
        worth = (1 - diversity) * relevance - diversity * alike
        worth[~free] = -np.inf
        best = int(np.argmax(worth)) if picked else 0
        picked.append(best)
        worths.append(float(worth[best]))
        free[best] = False
        alike = np.maximum(alike, likeness(best))
    return np.array(picked, dtype=np.int64), np.array(worths)


def _standardised(values: np.ndarray) -> np.ndarray:
    spread = values.std()
    return (values - values.mean()) / spread if spread > 1e-12 else np.zeros(len(values))
