"""How much an entry of a list says for its title, as the linear models see it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ml.models.profiles import STATUS_CODES, ProfileBatch
from ml.types import Status


@dataclass(frozen=True, slots=True)
class TasteWeights:
    """Weights of entries. A rated title weighs ``1 + rating_weight * (rating - the person's mean) / 2``, cut
    to ``lowest`` to ``highest``; the mean is taken as if the person had given ``prior_weight`` more ratings of
    ``prior_mean``, so that one or two ratings already tell liking from disliking. ``unrated``, ``planned``
    and ``dropped`` are the weights of titles that have no rating."""

    rating_weight: float = 0.25
    unrated: float = 0.6
    planned: float = 0.3
    dropped: float = 0.0
    prior_mean: float = 7.6
    prior_weight: float = 0.0
    lowest: float = 0.0
    highest: float = 2.0

    def of(self, batch: ProfileBatch) -> np.ndarray:
        """The weight of every entry, float32."""
        means = batch.mean_ratings(self.prior_mean, self.prior_weight)
        above_mean = batch.ratings - np.repeat(means, batch.sizes).astype(np.float32)
        rated = np.minimum(np.maximum(1 + self.rating_weight * above_mean / 2, self.lowest), self.highest)
        by_status = np.full(len(Status), self.unrated, dtype=np.float32)
        by_status[STATUS_CODES[Status.PLANNED]] = self.planned
        by_status[STATUS_CODES[Status.DROPPED]] = self.dropped
        return np.where(np.isnan(batch.ratings), by_status[batch.statuses], rated)
