"""Nearest titles by content: where a title that nobody has rated yet borrows from."""

from __future__ import annotations

import numpy as np

from ml.models.content import ContentModel

BLOCK_TITLES = 512


def nearest_warm(
    content: ContentModel, titles: np.ndarray, warm: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """For each of ``titles`` (rows) the k of ``warm`` (rows) most like it, and weights that sum to 1: rows
    int64 and weights float64, both (len(titles), min(k, len(warm)))."""
    k = min(k, len(warm))
    near = np.empty((len(titles), k), dtype=np.int64)
    weights = np.empty((len(titles), k))
    for start in range(0, len(titles), BLOCK_TITLES):
        block = titles[start : start + BLOCK_TITLES]
        likeness = content.vectors[block] @ content.vectors[warm].T
        same = content.franchise[block][:, None] == content.franchise[warm][None, :]
        likeness += np.float32(content.franchise_bonus) * same
        best = np.argpartition(-likeness, k - 1, axis=1)[:, :k]
        closeness = np.maximum(np.take_along_axis(likeness, best, axis=1), 1e-6).astype(np.float64)
        near[start : start + len(block)] = warm[best]
        weights[start : start + len(block)] = closeness / closeness.sum(axis=1, keepdims=True)
    return near, weights
