"""Fitting the rating predictor, and how sure it may be on members that it was not fitted to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from ml.evaluation.ratings import hidden_ratings
from ml.evaluation.splits import Split, hide_share, show_few
from ml.models.content import ContentModel
from ml.models.profiles import ProfileBatch
from ml.models.ratings import Interval, RatingModel
from ml.reading import Catalogue
from ml.training.data import Members
from ml.training.neighbours import nearest_warm

BLOCK_TITLES = 512
BIAS_ROUNDS = 6
SCALE_ROUNDS = 12
COVERED = 0.8
FEWEST_ERRORS = 200
# Before there are errors to learn from they are thought to be normal: the mean size of a standard normal error is
# 0.80, and 80 % of them lie within 1.28.
NORMAL_SIZE = 0.798
NORMAL_BOUND = 1.2816 / NORMAL_SIZE
SPREAD_PRIOR_RATINGS = 10.0


@dataclass(frozen=True, slots=True)
class RatingParams:
    """``title_shrink``: so many ratings as the community's rating lets expect are added to every title's.
    ``person_shrink`` and ``near_shrink``: see :class:`~ml.models.ratings.RatingModel`.

    Neighbours are titles with at least ``min_ratings`` ratings; ``neighbours`` are kept of each. Likeness is the
    cosine of residuals over members, 0 where one did not rate, as if ``likeness_shrink`` more members had rated both
    and agreed as much as likeness in content lets expect: ``content_likeness`` times the cosine of their vectors, and
    ``franchise_likeness`` more within a franchise. At most ``max_members`` members are looked at for it.
    """

    title_shrink: float = 15.0
    person_shrink: float = 1.0
    near_shrink: float = 0.35
    min_ratings: int = 10
    neighbours: int = 30
    likeness_shrink: float = 200.0
    content_likeness: float = 0.1
    franchise_likeness: float = 0.35
    max_members: int = 20_000


@dataclass(frozen=True, slots=True)
class _Rated:
    """Ratings alone: whose, of which row, and the rating, float64."""

    owners: np.ndarray
    rows: np.ndarray
    ratings: np.ndarray

    @classmethod
    def of(cls, batch: ProfileBatch) -> _Rated:
        rated = ~np.isnan(batch.ratings)
        return cls(batch.owners()[rated], batch.rows[rated], batch.ratings[rated].astype(np.float64))


def fit_ratings(
    members: Members, catalogue: Catalogue, content: ContentModel, params: RatingParams
) -> RatingModel | None:
    """Fit to ``members``; nothing where nobody rated anything. The interval is that of a normal error until
    :func:`calibrated`."""
    batch, community = members.batch, catalogue.frame["score"].to_numpy()
    rated = _Rated.of(batch)
    if not len(rated.rows):
        return None
    n = len(content.vectors)
    mean = float(rated.ratings.mean())
    above = rated.ratings - mean
    counts = np.bincount(rated.rows, minlength=n)
    generosity, plain = _biases(rated, above, len(batch), np.zeros(n), params)
    expected = _expected_biases(plain, counts, community, content)
    generosity, biases = _biases(rated, above, len(batch), expected, params)
    residuals = above - generosity[rated.owners] - biases[rated.rows]
    spread = max(float(np.sqrt(np.square(residuals).mean())), 1e-3)
    squares = np.bincount(rated.rows, np.square(residuals), minlength=n)
    spreads = np.sqrt((squares + SPREAD_PRIOR_RATINGS * spread**2) / (counts + SPREAD_PRIOR_RATINGS))
    neighbours, likeness = _neighbours(rated, residuals, spreads, content, counts, params)
    return RatingModel(
        biases=biases.astype(np.float32),
        spreads=spreads.astype(np.float32),
        neighbours=neighbours.astype(np.uint16 if n <= np.iinfo(np.uint16).max else np.int32),
        likeness=likeness.astype(np.float16),
        mean=mean,
        spread=spread,
        person_shrink=params.person_shrink,
        near_shrink=params.near_shrink,
        interval=Interval((float(np.log(NORMAL_SIZE * spread)), 0.0, 0.0, 0.0, 0.0), -NORMAL_BOUND, NORMAL_BOUND),
    )


def calibrated(model: RatingModel, heldout: ProfileBatch, hidden_share: float, seed: int) -> RatingModel:
    """The same with the interval that 80 % of the ratings of ``heldout`` lie in, members whom it was not fitted to.
    Where they rated too little the interval stays as it is."""
    rng = np.random.default_rng(seed)
    splits = [hidden_ratings(split) for split in practice(heldout, hidden_share, seed)]
    # Of short profiles nearly all is hidden: without a limit they would outnumber the long ones.
    most = min(sum(len(rows) for _, rows, _ in people) for people in splits)
    errors, features = [], []
    for people in splits:
        share = most / max(sum(len(rows) for _, rows, _ in people), 1)
        for one, rows, ratings in people:
            asked = rng.random(len(rows)) < share
            predicted = model.predict(one, rows[asked])
            errors.append(ratings[asked] - predicted.ratings)
            features.append(predicted.features)
    if not errors or sum(map(len, errors)) < FEWEST_ERRORS:
        return model
    error, seen = np.concatenate(errors), np.concatenate(features)
    coefficients = _error_size(seen, np.abs(error))
    standard = error / np.exp(seen @ coefficients)
    low, high = np.quantile(standard, [(1 - COVERED) / 2, (1 + COVERED) / 2])
    interval = Interval(tuple(coefficients.tolist()), min(float(low), 0.0), max(float(high), 0.0))
    return replace(model, interval=interval)


def with_interval_of(model: RatingModel, other: RatingModel | None) -> RatingModel:
    """``model``, as sure as ``other``, which some members were held out from."""
    return model if other is None else replace(model, interval=other.interval)


def practice(heldout: ProfileBatch, hidden_share: float, seed: int) -> list[Split]:
    """Long profiles and short ones to predict from: of each member's list a share is hidden, or all but a few."""
    return [
        hide_share(heldout, hidden_share, seed),
        *(show_few(heldout, count, seed) for count in (3, 10)),
    ]


def _biases(
    rated: _Rated, above: np.ndarray, members: int, expected: np.ndarray, params: RatingParams
) -> tuple[np.ndarray, np.ndarray]:
    """How generous each member is and how well rated each title, in turn each less the other."""
    n = len(expected)
    biases = expected
    given = np.bincount(rated.owners, minlength=members) + params.person_shrink
    got = np.bincount(rated.rows, minlength=n) + params.title_shrink
    for _ in range(BIAS_ROUNDS):
        generosity = np.bincount(rated.owners, above - biases[rated.rows], minlength=members) / given
        sums = np.bincount(rated.rows, above - generosity[rated.owners], minlength=n)
        biases = (sums + params.title_shrink * expected) / got
    return generosity, biases


def _expected_biases(
    biases: np.ndarray, counts: np.ndarray, community: np.ndarray, content: ContentModel
) -> np.ndarray:
    """What to expect of each title's bias before anybody rated it: what the community's rating says, and where there
    is none what titles of like content got."""
    warm = counts > 0
    known = np.isfinite(community)
    expected = np.full(len(biases), np.average(biases, weights=counts))
    both = warm & known
    if both.sum() > 2 and np.ptp(community[both]) > 0:
        slope, start = np.polyfit(community[both], biases[both], 1, w=np.sqrt(counts[both]))
        expected[known] = start + slope * community[known]
        # A line that nearly no title holds up says too little to go by at its ends.
        expected[known] = np.clip(expected[known], biases[both].min(), biases[both].max())
    unknown = np.flatnonzero(~known)
    if len(unknown):
        near, closeness = nearest_warm(content, unknown, np.flatnonzero(warm), 20)
        expected[unknown] = (biases[near] * closeness).sum(axis=1)
    return expected


def _neighbours(
    rated: _Rated,
    residuals: np.ndarray,
    spreads: np.ndarray,
    content: ContentModel,
    counts: np.ndarray,
    params: RatingParams,
) -> tuple[np.ndarray, np.ndarray]:
    """The titles rated most like each title, and how much: (n, k) each. For titles that few have rated it is what
    likeness in content lets expect."""
    n = len(counts)
    warm = np.flatnonzero(counts >= params.min_ratings)
    k = min(params.neighbours, max(len(warm) - 1, 0))
    neighbours, likeness = np.zeros((n, k), dtype=np.int64), np.zeros((n, k))
    if not k:
        return neighbours, likeness
    place = np.full(n, -1)
    place[warm] = np.arange(len(warm))
    # All the same which members are looked at: their numbers say nothing about them.
    chosen = (place[rated.rows] >= 0) & (rated.owners < params.max_members)
    where = (rated.owners[chosen], place[rated.rows[chosen]])
    shape = (min(int(rated.owners.max()) + 1, params.max_members), len(warm))
    standard = residuals[chosen] / spreads[rated.rows[chosen]]
    entries = sp.csr_matrix((standard.astype(np.float32), where), shape)
    by_title = entries.T.tocsr()
    lengths = np.sqrt(np.diff(by_title.indptr)).astype(np.float32)
    for titles in (warm, np.flatnonzero(counts < params.min_ratings)):
        for start in range(0, len(titles), BLOCK_TITLES):
            block = titles[start : start + BLOCK_TITLES]
            alike = params.content_likeness * (content.vectors[block] @ content.vectors[warm].T)
            same = content.franchise[block][:, None] == content.franchise[warm][None, :]
            alike += np.float32(params.franchise_likeness) * same
            own = place[block]
            if titles is warm:
                alike *= np.float32(params.likeness_shrink)
                alike += (by_title[own] @ entries).toarray()
                alike /= lengths[own][:, None] * lengths[None, :] + np.float32(params.likeness_shrink)
                alike[np.arange(len(block)), own] = -1
            best = np.sort(np.argpartition(-alike, k - 1, axis=1)[:, :k], axis=1)
            neighbours[block] = warm[best]
            likeness[block] = np.clip(np.take_along_axis(alike, best, axis=1), 0, 1)
    return neighbours, likeness


def _error_size(features: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Coefficients of the logarithm of the expected size of an error (a gamma regression with a logarithmic link,
    by iteratively reweighted least squares: McCullagh and Nelder, Generalized Linear Models, 1989, section 8)."""
    coefficients = np.zeros(features.shape[1])
    coefficients[0] = np.log(max(float(sizes.mean()), 1e-6))
    for _ in range(SCALE_ROUNDS):
        expected = np.exp(np.clip(features @ coefficients, -5, 3))
        working = features @ coefficients + (sizes - expected) / expected
        coefficients = np.linalg.lstsq(features, working, rcond=None)[0]
    return coefficients
