"""Fitting popularity, with an estimate for titles that nobody in the data has on a list."""

from __future__ import annotations

import numpy as np

from ml.models.content import ContentModel
from ml.models.popularity import PopularityModel
from ml.models.profiles import ProfileBatch
from ml.reading import Catalogue
from ml.training.data import count_liked, count_rated
from ml.training.neighbours import nearest_warm

NEIGHBOURS = 20


def fit_popularity(
    batch: ProfileBatch, catalogue: Catalogue, content: ContentModel, unreleased_share: float
) -> PopularityModel:
    """``unreleased_share``: how popular a title of which no member count is known is thought to be, as a share
    of the mean of its nearest neighbours by content."""
    liked = expected_likes(batch, catalogue, content, unreleased_share)
    appeal = np.sqrt(liked / max(liked.max(), 1e-9))
    return PopularityModel(appeal.astype(np.float32))


def expected_likes(
    batch: ProfileBatch, catalogue: Catalogue, content: ContentModel, unreleased_share: float
) -> np.ndarray:
    """How many of the members liked each title, or would have, float64 (n,)."""
    n = len(catalogue)
    liked = count_liked(batch, n)
    warm = count_rated(batch, n) > 0
    members = catalogue.frame["members"].to_numpy()
    known = np.isfinite(members)
    of_known = warm & known
    if of_known.any():
        rate = liked[of_known].sum() / members[of_known].sum()
        by_members = ~warm & known
        # Had the title been as common as one that some member has listed, one would have listed it.
        liked[by_members] = np.minimum(rate * members[by_members], 1.0)
    unknown = np.flatnonzero(~warm & ~known)
    if len(unknown) and warm.any():
        near, closeness = nearest_warm(content, unknown, np.flatnonzero(warm), NEIGHBOURS)
        liked[unknown] = unreleased_share * (liked[near] * closeness).sum(axis=1)
    return liked
