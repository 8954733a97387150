"""Fitting EASE: one regularised inverse, then only the strongest weights of every title are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse as sp

from ml.models.content import ContentModel
from ml.models.ease import EaseModel
from ml.models.profiles import ProfileBatch
from ml.models.taste import TasteWeights
from ml.training.data import count_rated, entry_matrix
from ml.training.gram import BLOCK_TITLES, Gram, count, mirror_lower
from ml.training.neighbours import nearest_warm

Progress = Callable[[float, str], None]
# The fewer lists a title is on the less they tell: so many of its weights are kept for each list, but some at least.
WEIGHTS_A_LIST = 5
FEWEST_WEIGHTS = 50


@dataclass(frozen=True, slots=True)
class EaseParams:
    """``ridge``: lambda. ``dropout``: rate of input dropout that the diagonal stands for (EDLAE, Steck,
    NeurIPS 2020). ``franchise_prior``: as if so many members had watched each pair of titles of one franchise;
    less than ``ridge``, or the system would not stay positive definite. ``keep``: weights kept of each title at most
    (see :func:`weights_kept`).

    For titles that nobody has rated: ``cold_neighbours`` titles near them in content lend their weights
    (``cold_keep`` are kept), and watching a neighbour itself counts ``cold_direct`` times its closeness.
    """

    ridge: float = 130.0
    dropout: float = 0.1
    franchise_prior: float = 40.0
    keep: int = 300
    rating_weight: float = 0.5
    unrated: float = 0.6
    prior_weight: float = 1.0
    cold_neighbours: int = 20
    cold_keep: int = 100
    cold_direct: float = 0.2
    fans: int = 50
    fans_shrink: float = 10.0


def fit_ease(
    batch: ProfileBatch,
    content: ContentModel,
    likes: np.ndarray,
    params: EaseParams,
    taste: TasteWeights,
    progress: Progress = lambda percent, message: None,
    counted: Gram | None = None,
) -> EaseModel:
    """Fit to the members in ``batch``. ``likes``: expected number of likes of every title, (n,). ``counted``: fit to
    the members that are counted there instead."""
    n = len(content.vectors)
    if counted is None:
        progress(0, "counting who watched what together")
        counts = count_rated(batch, n)
        warm = np.flatnonzero(counts > 0)
        gram = count(entry_matrix(batch, taste.of(batch), n)[:, warm])
    else:
        progress(0, "reading who watched what together")
        counts = counted.counts
        warm = np.flatnonzero(counts > 0)
        gram = counted.among(warm)
    fans, fans_similarity = _fans(gram, warm, n, params)
    progress(20, f"solving for {len(warm)} titles")
    weights = solve(gram, content.franchise[warm], params)
    progress(80, "keeping the strongest weights")
    strongest = _strongest(weights, weights_kept(counts[warm], params))
    kept = _placed(strongest, warm, n) + _cold(weights, strongest, content, warm, likes, params)
    return pack(kept.tocsr(), fans, fans_similarity, taste)


def solve(gram: np.ndarray, franchise: np.ndarray, params: EaseParams) -> np.ndarray:
    """The dense EASE matrix (sources in rows, targets in columns), float32. Overwrites ``gram``."""
    watched = np.diag(gram).copy()
    _add_franchise_prior(gram, franchise, params.franchise_prior)
    np.fill_diagonal(gram, watched / (1 - params.dropout) + params.ridge)
    # The transpose of a symmetric matrix in C order is the same matrix in the order LAPACK works on in place.
    factor = scipy.linalg.cholesky(gram.T, lower=True, overwrite_a=True, check_finite=False)
    inverse, info = scipy.linalg.lapack.spotri(factor, lower=1, overwrite_c=1)
    if info:
        raise ArithmeticError(f"the EASE system could not be inverted (LAPACK spotri: {info})")
    mirror_lower(inverse)
    inverse /= -np.diag(inverse)[None, :].copy()
    np.fill_diagonal(inverse, 0)
    return inverse


def _add_franchise_prior(gram: np.ndarray, franchise: np.ndarray, prior: float) -> None:
    if not prior:
        return
    order = np.argsort(franchise, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(franchise[order])) + 1):
        if len(group) > 1:
            gram[np.ix_(group, group)] += np.float32(prior)


def weights_kept(lists: np.ndarray, params: EaseParams) -> np.ndarray:
    """How many weights are kept of each of n warm titles, int64 (n,). ``lists``: on how many each is."""
    wanted = np.maximum(WEIGHTS_A_LIST * lists, FEWEST_WEIGHTS)
    return np.minimum(wanted, min(params.keep, len(lists))).astype(np.int64)


def _strongest(weights: np.ndarray, keep: np.ndarray) -> sp.csc_matrix:
    """The ``keep[j]`` weights of largest size in each column j."""
    count, most = len(weights), int(keep.max(initial=0))
    rows, values = [], []
    for start in range(0, count, BLOCK_TITLES):
        block = np.ascontiguousarray(weights[:, start : start + BLOCK_TITLES].T)
        sizes = np.abs(block)
        best = np.argpartition(sizes, count - most, axis=1)[:, count - most :]
        order = np.argsort(-np.take_along_axis(sizes, best, axis=1), axis=1, kind="stable")
        best = np.take_along_axis(best, order, axis=1)
        kept = np.arange(most) < keep[start : start + BLOCK_TITLES, None]
        rows.append(best[kept])
        values.append(np.take_along_axis(block, best, axis=1)[kept])
    indptr = np.concatenate(([0], np.cumsum(keep)))
    if not rows:
        return sp.csc_matrix((0, 0), dtype=np.float32)
    return sp.csc_matrix((np.concatenate(values), np.concatenate(rows), indptr), (count, count))


def _placed(matrix: sp.csc_matrix, warm: np.ndarray, n: int) -> sp.csc_matrix:
    """The matrix over warm titles, put in its place among all n."""
    entries = matrix.tocoo()
    return sp.csc_matrix((entries.data, (warm[entries.row], warm[entries.col])), (n, n))


def _cold(
    weights: np.ndarray,
    strongest: sp.csc_matrix,
    content: ContentModel,
    warm: np.ndarray,
    likes: np.ndarray,
    params: EaseParams,
) -> sp.csc_matrix:
    """Columns for titles that nobody has rated: the mean of their neighbours' columns, and the neighbours
    themselves, scaled by how popular the title is expected to be beside them."""
    n = len(content.vectors)
    cold = np.setdiff1d(np.arange(n), warm)
    if not len(cold):
        return sp.csc_matrix((n, n), dtype=np.float32)
    near, closeness = nearest_warm(content, cold, warm, params.cold_neighbours)
    usual = (likes[near] * closeness).sum(axis=1)
    scale = np.clip(likes[cold] / np.maximum(usual, 1e-9), 0, 1)
    place = np.zeros(n, dtype=np.int64)
    place[warm] = np.arange(len(warm))
    shape = (len(warm), len(cold))
    columns = np.repeat(np.arange(len(cold)), near.shape[1])
    lent = sp.csc_matrix(((closeness * scale[:, None]).ravel(), (place[near.ravel()], columns)), shape)
    borrowed = (strongest @ lent + params.cold_direct * lent).tocsc()
    borrowed = strongest_sparse(borrowed, params.cold_keep).tocoo()
    return sp.csc_matrix((borrowed.data.astype(np.float32), (warm[borrowed.row], cold[borrowed.col])), (n, n))


def strongest_sparse(matrix: sp.csc_matrix, keep: int) -> sp.csc_matrix:
    """The ``keep`` values of largest size in each column of a sparse matrix."""
    lengths = np.diff(matrix.indptr)
    column = np.repeat(np.arange(matrix.shape[1]), lengths)
    order = np.lexsort((-np.abs(matrix.data), column))
    rank = np.arange(len(order)) - np.repeat(matrix.indptr[:-1], lengths)
    kept = order[rank < keep]
    return sp.csc_matrix((matrix.data[kept], (matrix.indices[kept], column[kept])), matrix.shape)


def _fans(gram: np.ndarray, warm: np.ndarray, n: int, params: EaseParams) -> tuple[np.ndarray, np.ndarray]:
    """The titles that share most fans with each: cosine of who watched them, shrunk for the little watched."""
    k = min(params.fans, max(len(warm) - 1, 0))
    fans = np.full((n, k), -1, dtype=np.int32)
    similarity = np.zeros((n, k), dtype=np.float16)
    watched = np.sqrt(np.diag(gram))
    for start in range(0, len(warm), BLOCK_TITLES):
        block = np.arange(start, min(start + BLOCK_TITLES, len(warm)))
        cosine = gram[block] / (watched[block][:, None] * watched[None, :] + np.float32(params.fans_shrink))
        cosine[np.arange(len(block)), block] = -1
        # The k best by position, then by likeness: sorting whole rows would take as long as the solving.
        best = (
            np.sort(np.argpartition(-cosine, k - 1, axis=1)[:, :k], axis=1) if k else np.zeros((len(block), 0), int)
        )
        value = np.take_along_axis(cosine, best, axis=1)
        order = np.argsort(-value, axis=1, kind="stable")
        best, value = np.take_along_axis(best, order, axis=1), np.take_along_axis(value, order, axis=1)
        fans[warm[block]] = np.where(value > 0, warm[best], -1)
        similarity[warm[block]] = np.maximum(value, 0)
    return fans, similarity


def pack(weights: sp.csr_matrix, fans: np.ndarray, fans_similarity: np.ndarray, taste: TasteWeights) -> EaseModel:
    """The matrix as serving stores it: whole numbers of 16 bits, with a scale for each row."""
    weights.sort_indices()
    lengths = np.diff(weights.indptr)
    n = weights.shape[0]
    largest = np.zeros(n, dtype=np.float32)
    np.maximum.at(largest, np.repeat(np.arange(n), lengths), np.abs(weights.data))
    scales = (largest / np.float32(np.iinfo(np.int16).max)).astype(np.float32)
    divisor = np.repeat(np.maximum(scales, np.float32(1e-30)), lengths)
    whole = np.rint(weights.data / divisor).astype(np.int16)
    sums = np.bincount(np.repeat(np.arange(n), lengths), whole, minlength=n)
    return EaseModel(
        indptr=weights.indptr.astype(np.int64),
        targets=weights.indices.astype(np.uint16 if n <= np.iinfo(np.uint16).max else np.int32),
        weights=whole,
        scales=scales,
        row_means=(scales * sums / n).astype(np.float32),
        fans=fans,
        fans_similarity=fans_similarity,
        taste=taste,
    )
