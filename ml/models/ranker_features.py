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
        count = len(rows)
        result: dict[str, np.ndarray] = {}
        for name, scores in parts.items():
            result[f"{name}_score"] = scores
            result[f"{name}_rank"] = ranks(scores)
            result[f"{name}_within"] = _within(scores)
        result.update(self._collaborative(rows, contributions))
        result.update(self._kinds(rows))
        result.update(self._franchises(rows))
        for place, name in enumerate(TITLE_COLUMNS):
            result[f"title_{name}"] = self._facts.numbers[rows, place]
        summary = self.summary
        for name, value in summary.items():
            result[f"person_{name}"] = np.full(count, value, dtype=np.float32)
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
        place = np.zeros(len(self._facts.cold), dtype=np.int32)
        place[self.one.rows] = np.arange(1, len(self.one.rows) + 1)
        fans = self._ease.fans[rows]
        own = np.where(fans >= 0, place[fans], 0)
        likeness = np.where(own > 0, self._ease.fans_similarity[rows], 0).astype(np.float32)
        above = np.concatenate([np.zeros(1, dtype=np.float32), self.above])[own]
        voices = likeness.sum(axis=1)
        return {
            "ease_raw": contributions.sum(axis=0),
            "ease_spoke": total,
            "ease_strongest": strongest,
            "ease_strongest_share": strongest / some,
            "ease_opinion": (self.above @ spoke) / (some + 0.02),
            "ease_opinion_sum": self.above @ spoke,
            "ease_strong_voices": (spoke > STRONG_SHARE * strongest).sum(axis=0).astype(np.float32),
            "fans_voices": voices,
            "fans_nearest": likeness.max(axis=1, initial=0),
            "fans_count": (own > 0).sum(axis=1).astype(np.float32),
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
        own = facts.genres[rows]
        number = np.maximum(own.sum(axis=1), 1)
        by_type = np.bincount(self.types, minlength=128)[:128]
        sums = np.bincount(self.types, self.above, minlength=128)[:128]
        rated_by_type = np.bincount(self.types, self.rated, minlength=128)[:128]
        code = facts.type_codes[rows]
        has = own > 0
        return {
            "genre_share": (own @ share) / number,
            "genre_lift": (own @ lift) / number,
            "genre_lift_best": np.where(has, lift, UNKNOWN).max(axis=1, initial=UNKNOWN),
            "genre_lift_worst": np.where(has, lift, -UNKNOWN).min(axis=1, initial=-UNKNOWN),
            "genre_opinion": (own @ opinion) / number,
            "genre_opinion_best": np.where(has, opinion, UNKNOWN).max(axis=1, initial=UNKNOWN),
            "genre_opinion_worst": np.where(has, opinion, -UNKNOWN).min(axis=1, initial=-UNKNOWN),
            "type_share": (by_type / max(size, 1))[code],
            "type_opinion": (sums / (rated_by_type + PRIOR_RATINGS))[code],
        }

    def _franchises(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """How far the person has come in the title's franchise, and how they found it."""
        titles = self._titles
        order = titles.order[rows]
        same = (titles.franchise[rows][:, None] == self.franchise[None, :]).astype(np.float32)
        seen = same.sum(axis=1)
        seen_main = same @ self.main
        earlier = same * (self.order[None, :] < order[:, None])
        before = earlier.sum(axis=1)
        last = np.where(earlier > 0, self.order[None, :], -1).max(axis=1, initial=-1)
        at_last = earlier * (self.order[None, :] == last[:, None])
        rated = same @ self.rated
        best = np.where(same * self.rated > 0, self.above[None, :], UNKNOWN).max(axis=1, initial=UNKNOWN)
        size = self._facts.column("franchise_size")[rows]
        return {
            "franchise_seen": seen,
            "franchise_seen_main": seen_main,
            "franchise_seen_share": seen / np.maximum(size, 1),
            "franchise_opinion": np.where(rated > 0, (same @ self.above) / np.maximum(rated, 1), UNKNOWN),
            "franchise_best": best,
            "franchise_before": before,
            "franchise_missing_before": np.where(seen > 0, order - before, UNKNOWN),
            "franchise_gap": np.where(last >= 0, order - last, UNKNOWN),
            "franchise_after": seen - before,
            "franchise_last_opinion": np.where(before > 0, at_last @ self.above, UNKNOWN),
            "franchise_dropped": same @ self.dropped,
        }


def ranks(scores: np.ndarray) -> np.ndarray:
    """log2(1 + rank), float32 (c,): 0 for the highest score. Equal scores share the best of their ranks."""
    ordered = np.sort(-scores)
    return np.log2(1 + np.searchsorted(ordered, -scores)).astype(np.float32)


def _within(scores: np.ndarray) -> np.ndarray:
    """The scores in standard deviations among the c titles."""
    spread = float(scores.std())
    return (scores - scores.mean()) / spread if spread > 1e-7 else np.zeros(len(scores), dtype=np.float32)


def matrix(columns: Mapping[str, np.ndarray], names: Sequence[str]) -> np.ndarray:
    """The features ``names`` side by side, float32 (c, number of names)."""
    result = np.empty((len(names), len(columns[names[0]])), dtype=np.float32)
    for place, name in enumerate(names):
        result[place] = columns[name]
    return np.ascontiguousarray(result.T)
