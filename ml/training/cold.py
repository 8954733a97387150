"""Making believe that titles are unreleased, to learn how titles without ratings are to be ranked."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from ml.models.content import ContentModel
from ml.models.ease import EaseModel
from ml.models.profiles import ProfileBatch
from ml.training.ease import EaseParams, pack, strongest_sparse
from ml.training.neighbours import nearest_warm


def without_titles(batch: ProfileBatch, rows: np.ndarray) -> ProfileBatch:
    """The lists without the entries of some titles."""
    keep = ~np.isin(batch.rows, rows)
    kept = np.concatenate(([0], np.cumsum(keep)))
    return ProfileBatch(
        kept[batch.indptr].astype(np.int64), batch.rows[keep], batch.ratings[keep], batch.statuses[keep]
    )


def as_unrated(
    ease: EaseModel,
    content: ContentModel,
    cold: np.ndarray,
    warm: np.ndarray,
    likes: np.ndarray,
    params: EaseParams,
) -> EaseModel:
    """The model as if nobody had the titles ``cold`` (rows) on a list, without solving it anew: what the titles
    ``warm`` say of one another stays, and the cold ones borrow from their neighbours among these. ``likes``: (n,),
    what is expected of each title when the cold ones have no ratings."""
    n = len(ease.scales)
    strength = np.repeat(ease.scales, np.diff(ease.indptr))
    weights = sp.csr_matrix((strength * ease.weights, ease.targets.astype(np.int32), ease.indptr), (n, n))
    known = np.ones(n, dtype=np.float32)
    known[cold] = 0
    among_warm = (sp.diags(known) @ weights @ sp.diags(known)).tocsc()
    near, closeness = nearest_warm(content, cold, warm, params.cold_neighbours)
    usual = (likes[near] * closeness).sum(axis=1)
    scale = np.clip(likes[cold] / np.maximum(usual, 1e-9), 0, 1)
    columns = np.repeat(cold, near.shape[1])
    lent = sp.csc_matrix(((closeness * scale[:, None]).ravel(), (near.ravel(), columns)), (n, n))
    borrowed = strongest_sparse((among_warm @ lent + params.cold_direct * lent).tocsc(), params.cold_keep)
    whole = (among_warm + borrowed).tocsr().astype(np.float32)
    return pack(whole, ease.fans, ease.fans_similarity, ease.taste)
