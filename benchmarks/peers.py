"""Other libraries' recommenders.

All learn from the same lists, are given the profile of somebody they never saw, and rank the whole catalogue. What a
list may hold (nothing of the profile; for discovery one title of every franchise that the profile does not touch) is
decided here alike for all.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.people import K
from ml.models.profiles import ProfileBatch
from ml.models.taste import TasteWeights
from ml.training.data import count_liked, entry_matrix

Settings = Mapping[str, Any]
# As in the reference figures: how a rating stands to the person's mean, 0.6 where there is none.
TASTE = TasteWeights(rating_weight=0.5, unrated=0.6)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted recommender. ``scores`` gives float (m, titles) for many profiles; ``list_of_ten`` makes one list the
    way the library itself does it, for its time."""

    scores: Callable[[ProfileBatch], np.ndarray]
    list_of_ten: Callable[[ProfileBatch], object]


def inputs(batch: ProfileBatch, titles: int, kind: str) -> sp.csr_matrix:
    """Lists as a matrix, float32 (m, titles). ``kind``: "binary" (1 for every entry) or "rating" (what is liked
    better than usual counts more)."""
    weights = np.ones(len(batch.rows)) if kind == "binary" else TASTE.of(batch)
    matrix = entry_matrix(batch, weights, titles)
    matrix.eliminate_zeros()
    return matrix


def top_lists(scores: np.ndarray, shown: ProfileBatch) -> list[np.ndarray]:
    """For everybody the K rows with the highest scores that the profile does not hold, best first."""
    scores = np.array(scores, dtype=np.float32)
    scores[shown.owners(), shown.rows] = -np.inf
    best = np.argpartition(-scores, K - 1, axis=1)[:, :K]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    return list(np.take_along_axis(best, order, axis=1))


def top_discovery_lists(scores: np.ndarray, shown: ProfileBatch, franchise: np.ndarray) -> list[np.ndarray]:
    """For everybody the best row of each of the K best franchises that the profile does not touch, best first."""
    lists = []
    for person, (start, stop) in enumerate(itertools.pairwise(shown.indptr)):
        open_ = ~np.isin(franchise, franchise[shown.rows[start:stop]])
        rows = np.flatnonzero(open_)
        rows = rows[np.argsort(-scores[person, rows], kind="stable")]
        first = np.sort(np.unique(franchise[rows], return_index=True)[1])[:K]
        lists.append(rows[first])
    return lists


# --- popularity ---------------------------------------------------------------------------------------------


def fit_popularity(members: ProfileBatch, titles: int, settings: Settings) -> Fitted:
    liked = count_liked(members, titles)
    return Fitted(
        lambda people: np.broadcast_to(liked, (len(people), titles)),
        lambda person: top_lists(liked[None, :], person),
    )


# --- implicit -----------------------------------------------------------------------------------------------


def fit_als(members: ProfileBatch, titles: int, settings: Settings) -> Fitted:
    """Matrix factorisation by alternating least squares; somebody unseen is folded in by solving for them."""
    from implicit.als import AlternatingLeastSquares

    kind = settings["input"]
    # implicit has threads of its own, and asks that BLAS have one.
    with threadpool_limits(limits=1, user_api="blas"):
        model = AlternatingLeastSquares(
            factors=settings["factors"],
            regularization=settings["regularization"],
            alpha=settings["alpha"],
            iterations=settings["iterations"],
            random_state=1,
        )
        model.fit(inputs(members, titles, kind), show_progress=False)

    def scores(people: ProfileBatch) -> np.ndarray:
        folded = model.recalculate_user(np.arange(len(people)), inputs(people, titles, kind))
        return folded @ model.item_factors.T

    def list_of_ten(person: ProfileBatch) -> object:
        return model.recommend(0, inputs(person, titles, kind), N=K, recalculate_user=True)

    return Fitted(scores, list_of_ten)


def fit_item_neighbours(members: ProfileBatch, titles: int, settings: Settings) -> Fitted:
    """Item kNN: the sum of the similarities of a title's neighbours that are in the profile."""
    from implicit import nearest_neighbours

    kind = settings["input"]
    with threadpool_limits(limits=1, user_api="blas"):
        model = getattr(nearest_neighbours, settings["similarity"])(K=settings["neighbours"])
        model.fit(inputs(members, titles, kind), show_progress=False)

    def scores(people: ProfileBatch) -> np.ndarray:
        return (inputs(people, titles, kind) @ model.similarity).toarray()

    def list_of_ten(person: ProfileBatch) -> object:
        return model.recommend(0, inputs(person, titles, kind), N=K)

    return Fitted(scores, list_of_ten)


# --- Cornac -------------------------------------------------------------------------------------------------


def fit_cornac_ease(members: ProfileBatch, titles: int, settings: Settings) -> Fitted:
    """EASE of Cornac. It scores members of its training data alone; for others its matrix is multiplied by hand."""
    from cornac.data import Dataset
    from cornac.models import EASE

    kind = settings["input"]
    entries = inputs(members, titles, kind).tocoo()
    triples = zip(entries.row.tolist(), entries.col.tolist(), entries.data.tolist(), strict=True)
    data = Dataset.from_uir(list(triples))
    model = EASE(lamb=settings["ridge"], posB=settings["positive"], verbose=False).fit(data)
    known = np.fromiter(data.iid_map, dtype=np.int64, count=len(data.iid_map))
    weights = model.B.astype(np.float32)

    def scores(people: ProfileBatch) -> np.ndarray:
        result = np.full((len(people), titles), -np.inf, dtype=np.float32)
        result[:, known] = inputs(people, titles, kind)[:, known] @ weights
        return result

    def list_of_ten(person: ProfileBatch) -> object:
        return top_lists(scores(person), person)

    return Fitted(scores, list_of_ten)
