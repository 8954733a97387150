"""What a person would rate a title: no ranking model, it only tells what to expect of one title, and how surely.

A rating is thought to be the mean of all ratings, plus how generous the person is, plus how well rated the title is,
plus what this person thinks of its neighbours beyond that: the weighted mean of the residuals of their ratings of
similar titles (item-based nearest neighbours: Sarwar et al., WWW 2001; on residuals of biases: Koren, KDD 2008).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np

from ml.models.base import Arrays
from ml.models.profiles import ProfileBatch

LOWEST, HIGHEST = 1.0, 10.0
# A person's own spread of residuals is told apart from everybody's as if they had so many more ratings of the usual
# spread.
SPREAD_PRIOR_RATINGS = 8.0


@dataclass(frozen=True, slots=True)
class Interval:
    """How far ratings lie from predictions. The expected size of the error is ``exp(coefficients @ features)``; of
    the errors in that unit 80 % lie between ``low`` (below 0) and ``high``.

    Features: 1, logarithm of 1 + the number of ratings, logarithms of the person's and the title's spread, and how
    much of the title's neighbourhood the person rated (0 to 1).
    """

    coefficients: tuple[float, ...]
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Predicted:
    """Predictions for c titles, float64 (c,) each: the rating, its 80 % interval, all between 1 and 10.
    ``features`` float64 (c, 5): see :class:`Interval`."""

    ratings: np.ndarray
    lows: np.ndarray
    highs: np.ndarray
    features: np.ndarray


@dataclass(frozen=True, slots=True)
class RatingModel:
    """Predicts ratings of n titles.

    ``biases`` float32 (n,): how far a title is rated above or below what its raters give on average.
    ``spreads`` float32 (n,): standard deviation of what remains then.
    ``neighbours`` (n, k) rows of the titles rated most alike, and ``likeness`` (n, k) how much (0 to 1, 0 = none).
    ``mean``: of all ratings. ``spread``: standard deviation of all that remains after the biases.
    ``person_shrink``: so many ratings of nothing special are added to everybody's. ``near_shrink``: likeness of
    neighbours about which the person said nothing special, added to every neighbourhood.
    """

    name: ClassVar[str] = "ratings"
    biases: np.ndarray
    spreads: np.ndarray
    neighbours: np.ndarray
    likeness: np.ndarray
    mean: float
    spread: float
    person_shrink: float
    near_shrink: float
    interval: Interval

    def predict(self, one: ProfileBatch, rows: np.ndarray) -> Predicted:
        """Ratings that one person would give the titles ``rows``. Titles of their list are known, so leave those out
        of ``one`` first. Without any rating it is the ordinary person's."""
        rated = ~np.isnan(one.ratings)
        own, ratings = one.rows[rated], one.ratings[rated].astype(np.float64)
        above = ratings - self.mean - self.biases[own]
        generosity = above.sum() / (len(own) + self.person_shrink)
        residuals = np.zeros(len(self.biases))
        residuals[own] = above - generosity
        there = np.zeros(len(self.biases))
        there[own] = 1
        near, likeness = self.neighbours[rows], self.likeness[rows].astype(np.float64)
        known = (likeness * there[near]).sum(axis=1)
        lean = (likeness * residuals[near]).sum(axis=1) / (known + self.near_shrink)
        predicted = self.mean + generosity + self.biases[rows] + lean
        usual = SPREAD_PRIOR_RATINGS * self.spread**2
        own_spread = np.sqrt((np.square(residuals[own]).sum() + usual) / (len(own) + SPREAD_PRIOR_RATINGS))
        features = np.empty((len(rows), 5))
        features[:, 0] = 1
        features[:, 1] = np.log1p(len(own))
        features[:, 2] = np.log(own_spread)
        features[:, 3] = np.log(self.spreads[rows])
        features[:, 4] = known / (known + self.near_shrink)
        unit = np.exp(features @ np.array(self.interval.coefficients))
        predicted = np.clip(predicted, LOWEST, HIGHEST)
        return Predicted(
            predicted,
            np.clip(predicted + self.interval.low * unit, LOWEST, HIGHEST),
            np.clip(predicted + self.interval.high * unit, LOWEST, HIGHEST),
            features,
        )

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            "biases": self.biases,
            "spreads": self.spreads,
            "neighbours": self.neighbours,
            "likeness": self.likeness,
        }

    def settings(self) -> dict[str, Any]:
        return {
            "mean": self.mean,
            "spread": self.spread,
            "person_shrink": self.person_shrink,
            "near_shrink": self.near_shrink,
            "interval": asdict(self.interval),
        }

    @classmethod
    def restore(cls, arrays: Arrays, settings: Mapping[str, Any]) -> Self:
        interval = settings["interval"]
        return cls(
            **arrays,
            mean=float(settings["mean"]),
            spread=float(settings["spread"]),
            person_shrink=float(settings["person_shrink"]),
            near_shrink=float(settings["near_shrink"]),
            interval=Interval(tuple(interval["coefficients"]), float(interval["low"]), float(interval["high"])),
        )
