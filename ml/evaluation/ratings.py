"""How well ratings are predicted: on ratings that were hidden from the model, person by person."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ml.evaluation.splits import Split
from ml.models.profiles import ProfileBatch
from ml.models.ratings import RatingModel

Hidden = tuple[ProfileBatch, np.ndarray, np.ndarray]


def hidden_ratings(split: Split) -> list[Hidden]:
    """For everybody with a rating to predict: what is shown of them, and the rows and the ratings that are hidden,
    float64."""
    people = []
    for index in range(len(split.shown)):
        hidden = split.heldout.one(index)
        rated = ~np.isnan(hidden.ratings)
        if rated.any():
            people.append((split.shown.one(index), hidden.rows[rated], hidden.ratings[rated].astype(np.float64)))
    return people


def judge_ratings(model: RatingModel, people: Iterable[Hidden]) -> dict[str, float]:
    """Root mean squared error, mean absolute error and the share of ratings within their interval, over all hidden
    ratings; empty where there are none."""
    errors, covered = [], []
    for one, rows, ratings in people:
        predicted = model.predict(one, rows)
        errors.append(ratings - predicted.ratings)
        covered.append((ratings >= predicted.lows) & (ratings <= predicted.highs))
    if not errors:
        return {}
    error = np.concatenate(errors)
    return {
        "rating_rmse": round(float(np.sqrt(np.square(error).mean())), 4),
        "rating_mae": round(float(np.abs(error).mean()), 4),
        "rating_interval_coverage": round(float(np.concatenate(covered).mean()), 4),
    }
