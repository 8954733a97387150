"""Facts about titles that the ranker uses: how they were received, when they came, where they stand."""

from __future__ import annotations

import numpy as np

from ml.models.profiles import ProfileBatch
from ml.models.ranker_features import LEAST_SHARE, TITLE_COLUMNS, UNKNOWN, TitleFacts
from ml.models.titles import Titles
from ml.reading import Catalogue
from ml.training.data import count_liked, count_rated

# So many ratings as people usually give are added before a title's own are believed.
PRIOR_RATINGS = 5.0


def describe_facts(
    batch: ProfileBatch, catalogue: Catalogue, titles: Titles, expected: np.ndarray, prior_mean: float
) -> TitleFacts:
    """``batch``: the members to learn from. ``expected``: expected likes of every title, (n,)."""
    n = len(catalogue)
    frame = catalogue.frame
    lists = count_rated(batch, n)
    is_rated = ~np.isnan(batch.ratings)
    rated = np.bincount(batch.rows[is_rated], minlength=n).astype(np.float64)
    means = np.repeat(batch.mean_ratings(prior_mean, 1.0), batch.sizes)
    above = np.bincount(batch.rows[is_rated], (batch.ratings - means)[is_rated], minlength=n)
    liked = count_liked(batch, n)
    usual_rate = liked.sum() / max(rated.sum(), 1)
    likes_per_member = expected / max(len(batch), 1)
    log_likes = np.log(likes_per_member + LEAST_SHARE)
    best = np.full(int(titles.franchise.max(initial=0)) + 1, -np.inf)
    np.maximum.at(best, titles.franchise, log_likes)
    genres, genre_share = _genres(catalogue, liked)
    type_codes = _codes(frame["type"])
    numbers = {
        "log_likes": log_likes,
        "log_lists": np.log(lists / max(len(batch), 1) + LEAST_SHARE),
        "like_rate": (liked + usual_rate * PRIOR_RATINGS) / (rated + PRIOR_RATINGS),
        "rating_above_mean": above / (rated + PRIOR_RATINGS),
        "unrated_rate": (lists - rated + 1) / (lists + PRIOR_RATINGS),
        "log_members": np.log1p(frame["members"].fillna(0).to_numpy()),
        "community_score": frame["score"].fillna(UNKNOWN).to_numpy(),
        "log_episodes": np.log1p(frame["episodes"].fillna(0).to_numpy()),
        "era": _era(catalogue),
        "order": titles.order,
        "main": titles.main,
        "franchise_size": np.bincount(titles.franchise)[titles.franchise] if n else np.zeros(0),
        "log_likes_beside_best_part": log_likes - best[titles.franchise],
        "type": type_codes,
        "genres": genres.sum(axis=1),
    }
    return TitleFacts(
        numbers=np.stack([numbers[name] for name in TITLE_COLUMNS], axis=1).astype(np.float32),
        genres=genres,
        genre_share=genre_share,
        type_codes=type_codes,
        cold=lists == 0,
    )


def _genres(catalogue: Catalogue, liked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lists = catalogue.frame["genres"]
    names = sorted({name for own in lists for name in own})
    column = {name: number for number, name in enumerate(names)}
    genres = np.zeros((len(lists), len(names)), dtype=np.float32)
    for row, own in enumerate(lists):
        genres[row, [column[name] for name in own]] = 1
    return genres, ((liked + 1e-9) @ genres / (liked + 1e-9).sum()).astype(np.float32)


def _codes(values: object) -> np.ndarray:
    names = np.asarray(values, dtype=object)
    known = {name: number for number, name in enumerate(sorted({name for name in names if name}), start=1)}
    return np.array([min(known.get(name, 0), 127) for name in names], dtype=np.int8)


def _era(catalogue: Catalogue) -> np.ndarray:
    """When a title came out, between 0 and 1: its place among all titles by date, or, where most dates are
    unknown, by id, which on MyAnimeList grows about with time."""
    n = len(catalogue)
    aired = catalogue.frame["aired"].to_numpy()
    known = np.isfinite(aired)
    by_id = np.arange(n) / max(n - 1, 1)
    if known.mean() < 0.5:
        return by_id
    order = np.sort(aired[known])
    place = np.searchsorted(order, aired, side="right") / len(order)
    # An unknown date is taken from where titles of about its id stand.
    return np.where(known, place, np.interp(by_id, by_id[known], place[known]))
