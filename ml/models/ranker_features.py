"""What the ranker looks at: plain numbers about a person, a title, and how the one stands to the other.

No number is ever NaN: where something is unknown it is ``UNKNOWN`` or the value that says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from ml.models.base import Arrays
from ml.models.ease import EaseModel
from ml.models.profiles import ProfileBatch
from ml.models.titles import Titles
from ml.types import Status

UNKNOWN = -9.0
# So many ratings at the person's mean are added before a mean over few is believed.
PRIOR_RATINGS = 2.0
RECENT_QUANTILE = 0.9
STRONG_SHARE = 0.2
# Added to shares of members before their logarithm is taken.
LEAST_SHARE = 1e-4

TITLE_COLUMNS = (
    "log_likes",
    "log_lists",
    "like_rate",
    "rating_above_mean",
    "unrated_rate",
    "log_members",
    "community_score",
    "log_episodes",
    "era",
    "order",
    "main",
    "franchise_size",
    "log_likes_beside_best_part",
    "type",
    "genres",
)


@dataclass(frozen=True, slots=True)
class TitleFacts:
    """Facts about n titles.

    ``numbers``: float32 (n, len(TITLE_COLUMNS)). ``genres``: float32 (n, g), 1 where the title has the genre.
    ``genre_share``: float32 (g,), how common each genre is among all that people like. ``type_codes``: int8 (n,),
    0 = unknown. ``cold``: bool (n,), on nobody's list in training.
    """

    numbers: np.ndarray
    genres: np.ndarray
    genre_share: np.ndarray
    type_codes: np.ndarray
    cold: np.ndarray

    def column(self, name: str) -> np.ndarray:
        return self.numbers[:, TITLE_COLUMNS.index(name)]

    def list_shares(self) -> np.ndarray:
        """The share of the members in training who had each title on their list, float64 (n,)."""
        return np.exp(self.column("log_lists").astype(np.float64)) - LEAST_SHARE

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            "numbers": self.numbers,
            "genres": self.genres.astype(bool),
            "genre_share": self.genre_share,
            "type_codes": self.type_codes,
            "cold": self.cold,
        }

    def settings(self) -> dict[str, Any]:
        return {"columns": list(TITLE_COLUMNS)}

    @classmethod
    def restore(cls, arrays: Arrays, settings: Mapping[str, Any]) -> Self:
        if tuple(settings["columns"]) != TITLE_COLUMNS:
            raise ValueError("the facts about titles are those of another version")
        return cls(**{**arrays, "genres": arrays["genres"].astype(np.float32)})


class Person:
    """One profile, prepared for comparison with titles. Arrays over its p titles."""

    def __init__(self, one: ProfileBatch, titles: Titles, facts: TitleFacts, ease: EaseModel) -> None:
        self._titles = titles
        self._facts = facts
        self._ease = ease
        self.one = one
        rows = one.rows
        taste = ease.taste
        self.mean = float(one.mean_ratings(taste.prior_mean, max(taste.prior_weight, 1.0))[0])
        rated = ~np.isnan(one.ratings)
        self.above = np.where(rated, one.ratings - self.mean, 0.0).astype(np.float32)
        self.rated = rated.astype(np.float32)
        self.franchise = titles.franchise[rows]
        self.order = titles.order[rows]
        self.main = titles.main[rows].astype(np.float32)
        self.dropped = one.with_status(Status.DROPPED).astype(np.float32)
        self.era = facts.column("era")[rows]
        self.log_likes = facts.column("log_likes")[rows]
        self.genres = facts.genres[rows]
        self.types = facts.type_codes[rows]

    @cached_property
    def summary(self) -> dict[str, float]:
        """What is the same for all titles."""
        count = len(self.one.rows)
        if not count:
            return dict.fromkeys(
                ("size", "rated", "mean", "spread", "liked", "era", "recent", "likes", "sequels", "niche"), 0.0
            )
        ratings = self.one.ratings[self.rated > 0]
        return {
            "size": float(np.log1p(count)),
            "rated": float(self.rated.mean()),
            "mean": self.mean,
            "spread": float(ratings.std()) if len(ratings) else 0.0,
            "liked": float((ratings >= 8).mean()) if len(ratings) else 0.5,
            "era": float(self.era.mean()),
            "recent": float(np.quantile(self.era, RECENT_QUANTILE)),
            "likes": float(self.log_likes.mean()),
            "sequels": float((self.order > 0).mean()),
            "niche": float(self.log_likes.min()),
        }

    def columns(
        self, rows: np.ndarray, parts: Mapping[str, np.ndarray], contributions: np.ndarray
    ) -> dict[str, np.ndarray]:
        """The features of the c titles ``rows``, each (c,). ``parts``: the scores of every part for them.
        ``contributions``: EASE's, (p, c)."""
        result: dict[str, np.ndarray] = {}
        for name, scores, within in zip(parts, parts.values(), _within(parts), strict=True):
            result[f"{name}_score"] = scores
            result[f"{name}_rank"] = ranks(scores)
            result[f"{name}_within"] = within
        result.update(self._collaborative(rows, contributions))
        result.update(self._kinds(rows))
        result.update(self._franchises(rows))
        numbers = np.ascontiguousarray(self._facts.numbers[rows].T)
        result.update({f"title_{name}": numbers[place] for place, name in enumerate(TITLE_COLUMNS)})
        summary = self.summary
        for name, value in summary.items():
            result[f"person_{name}"] = np.broadcast_to(np.float32(value), len(rows))
        result["era_from_mean"] = result["title_era"] - summary["era"]
        result["era_from_recent"] = result["title_era"] - summary["recent"]
        result["likes_from_mean"] = result["title_log_likes"] - summary["likes"]
        return result

    def _collaborative(self, rows: np.ndarray, contributions: np.ndarray) -> dict[str, np.ndarray]:
        """What the linear model's sum is made of: one strong voice or many weak ones, of liked titles or not."""
        spoke = np.maximum(contributions, 0)
        total = spoke.sum(axis=0)
        strongest = spoke.max(axis=0, initial=0)
        some = np.maximum(total, 1e-9)
        opinion = self.above @ spoke
        # Which entry of the profile, counted from 1, each fan is; the 0 at the end is for -1, no fan.
        place = np.zeros(len(self._facts.cold) + 1, dtype=np.int32)
        place[self.one.rows] = np.arange(1, len(self.one.rows) + 1)
        own = place[self._ease.fans[rows]]
        there = own > 0
        likeness = self._ease.fans_similarity[rows].astype(np.float32) * there
        above = np.concatenate([np.zeros(1, dtype=np.float32), self.above])[own]
        voices = likeness.sum(axis=1)
        return {
            "ease_raw": contributions.sum(axis=0),
            "ease_spoke": total,
            "ease_strongest": strongest,
            "ease_strongest_share": strongest / some,
            "ease_opinion": opinion / (some + 0.02),
            "ease_opinion_sum": opinion,
            "ease_strong_voices": np.count_nonzero(spoke > STRONG_SHARE * strongest, axis=0),
            "fans_voices": voices,
            "fans_nearest": likeness.max(axis=1, initial=0),
            "fans_count": np.count_nonzero(there, axis=1),
            "fans_opinion": (likeness * above).sum(axis=1) / (voices + 0.2),
        }

    def _kinds(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """How the person stands to the title's genres and type."""
        facts = self._facts
        size = len(self.one.rows)
        counts = self.genres.sum(axis=0)
        share = counts / max(size, 1)
        lift = np.log((counts + 1) / (facts.genre_share * size + 1))
        rated = self.rated @ self.genres
        opinion = (self.above @ self.genres) / (rated + PRIOR_RATINGS)
        # Genres in rows: numpy takes a maximum along the first axis several times as quickly.
        own = np.ascontiguousarray(facts.genres[rows].T)
        number = np.maximum(own.sum(axis=0), 1)
        by_type = np.bincount(self.types, minlength=128)[:128]
        sums = np.bincount(self.types, self.above, minlength=128)[:128]
        rated_by_type = np.bincount(self.types, self.rated, minlength=128)[:128]
        code = facts.type_codes[rows]
        has = own > 0

        def best(values: np.ndarray) -> np.ndarray:
            return np.where(has, values[:, None], UNKNOWN).max(axis=0, initial=UNKNOWN)

        return {
            "genre_share": (share @ own) / number,
            "genre_lift": (lift @ own) / number,
            "genre_lift_best": best(lift),
            "genre_lift_worst": -best(-lift),
            "genre_opinion": (opinion @ own) / number,
            "genre_opinion_best": best(opinion),
            "genre_opinion_worst": -best(-opinion),
            "type_share": (by_type / max(size, 1))[code],
            "type_opinion": (sums / (rated_by_type + PRIOR_RATINGS))[code],
        }

    def _franchises(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """How far the person has come in the title's franchise, and how they found it."""
        count = len(rows)
        order = self._titles.order[rows]
        title, entry = self._same_franchise(rows)
        above, rated = self.above[entry], self.rated[entry] > 0
        here = self.order[entry]

        def sums(values: np.ndarray) -> np.ndarray:
            return np.bincount(title, values, minlength=count)

        def highest(chosen: np.ndarray, values: np.ndarray, otherwise: float) -> np.ndarray:
            result = np.full(count, otherwise, dtype=np.float32)
            np.maximum.at(result, title[chosen], values[chosen])
            return result

        seen = np.bincount(title, minlength=count)
        number_rated = sums(rated)
        earlier = here < order[title]
        before = sums(earlier)
        last = highest(earlier, here.astype(np.float32), -1)
        at_last = earlier & (here == last[title])
        return {
            "franchise_seen": seen,
            "franchise_seen_main": sums(self.main[entry]),
            "franchise_seen_share": seen / np.maximum(self._facts.column("franchise_size")[rows], 1),
            "franchise_opinion": np.where(number_rated > 0, sums(above) / np.maximum(number_rated, 1), UNKNOWN),
            "franchise_best": highest(rated, above, UNKNOWN),
            "franchise_before": before,
            "franchise_missing_before": np.where(seen > 0, order - before, UNKNOWN),
            "franchise_gap": np.where(last >= 0, order - last, UNKNOWN),
            "franchise_after": seen - before,
            "franchise_last_opinion": np.where(before > 0, sums(above * at_last), UNKNOWN),
            "franchise_dropped": sums(self.dropped[entry]),
        }

    def _same_franchise(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All pairs of one of the titles ``rows`` (its position there) and an entry of the profile that belong to
        one franchise."""
        by_franchise = np.argsort(self.franchise, kind="stable")
        wanted = self._titles.franchise[rows]
        start, stop = (np.searchsorted(self.franchise[by_franchise], wanted, side) for side in ("left", "right"))
        number = stop - start
        title = np.repeat(np.arange(len(rows)), number)
        nth = np.arange(len(title)) - np.repeat(np.cumsum(number) - number, number)
        return title, by_franchise[start[title] + nth]


def ranks(scores: np.ndarray) -> np.ndarray:
    """log2(1 + rank), float32 (c,): 0 for the highest score. Equal scores share the best of their ranks."""
    ordered = np.sort(-scores)
    return np.log2(1 + np.searchsorted(ordered, -scores)).astype(np.float32)


def _within(parts: Mapping[str, np.ndarray]) -> np.ndarray:
    """The scores of each part in standard deviations among the c titles, float32 (number of parts, c)."""
    if not parts:
        return np.zeros((0, 0), dtype=np.float32)
    scores = np.stack([*parts.values()])
    spread = scores.std(axis=1, keepdims=True)
    centred = scores - scores.mean(axis=1, keepdims=True)
    return np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 1e-7)


def matrix(columns: Mapping[str, np.ndarray], names: Sequence[str]) -> np.ndarray:
    """The features ``names`` side by side, float32 (c, number of names), each in one piece (Fortran order)."""
    result = np.empty((len(names), len(columns[names[0]])), dtype=np.float32)
    for place, name in enumerate(names):
        result[place] = columns[name]
    return result.T
