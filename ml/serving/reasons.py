"""Why a title is listed: the titles of the profile that carried it, and what they have in common with it."""

from __future__ import annotations

import numpy as np

from ml.models.profiles import ProfileBatch
from ml.models.taste import TasteWeights
from ml.models.titles import Titles
from ml.types import LIKED_RATING, Reason, ReasonKind, Status

MAX_RATED = 3
MAX_TRAITS = 3
MIN_SHARE = 0.02
MIN_LIFT = 1.5
CLEARLY_BELOW = 1.0
SAME_FRANCHISE = "same franchise"


class Explainer:
    """Finds reasons in one profile."""

    def __init__(self, titles: Titles, profile: ProfileBatch, taste: TasteWeights) -> None:
        self._titles = titles
        self._profile = profile
        # A title that the person disliked, or dropped, is no reason for anything, whatever the arithmetic says.
        # Disliked is what lies below their own mean, unless it is liked by its number (a 9 among tens). Of one or
        # two ratings the mean says little: there what most people would call bad counts as disliked too.
        mean = profile.mean_ratings()[0]
        usual = profile.mean_ratings(taste.prior_mean, max(taste.prior_weight, 1.0))[0]
        liked = (profile.ratings >= mean) & (profile.ratings >= usual - CLEARLY_BELOW)
        liked |= profile.ratings >= LIKED_RATING
        self._speaks = (np.isnan(profile.ratings) | liked) & ~profile.with_status(Status.DROPPED)
        self._leaning = self._trait_leaning(taste)
        self._franchises = set(titles.franchise[profile.rows[self._speaks]].tolist())

    def reasons(self, row: int, contributions: np.ndarray) -> tuple[Reason, ...]:
        """Reasons for the title ``row``; ``contributions``: what each entry of the profile added to its score."""
        reasons = [*self._rated(contributions), *self._content(row)]
        return tuple(reasons) or (Reason(ReasonKind.POPULAR),)

    def _rated(self, contributions: np.ndarray) -> list[Reason]:
        spoke_for = np.maximum(contributions, 0)
        total = float(spoke_for.sum())
        if total <= 0:
            return []
        shares = np.where(self._speaks, spoke_for, 0) / total
        reasons: list[Reason] = []
        for entry in np.argsort(-shares, kind="stable")[:MAX_RATED]:
            share = float(shares[entry])
            if share <= 0 or (reasons and share < MIN_SHARE):
                break
            rating = float(self._profile.ratings[entry])
            reasons.append(
                Reason(
                    ReasonKind.RATED,
                    share=share,
                    anime_id=int(self._titles.anime_ids[self._profile.rows[entry]]),
                    rating=None if np.isnan(rating) else rating,
                )
            )
        return reasons

    def _content(self, row: int) -> list[Reason]:
        traits = self._titles.traits_of(row)
        leaning = self._leaning[traits]
        best = np.argsort(-leaning, kind="stable")[:MAX_TRAITS]
        names = [self._titles.trait_names[traits[place]] for place in best if leaning[place] > 0]
        if int(self._titles.franchise[row]) in self._franchises:
            names.insert(0, SAME_FRANCHISE)
        return [Reason(ReasonKind.CONTENT, traits=tuple(names))] if names else []

    def _trait_leaning(self, taste: TasteWeights) -> np.ndarray:
        """How far each trait stands out in what the person likes, against what people in general like:
        share * log(share / usual share); 0 where it is not at least ``MIN_LIFT`` times as common."""
        titles, profile = self._titles, self._profile
        leaning = np.zeros(len(titles.trait_names))
        weights = np.where(self._speaks, taste.of(profile), 0.0)
        total = float(weights.sum())
        if total <= 0:
            return leaning
        for row, weight in zip(profile.rows.tolist(), weights.tolist(), strict=True):
            leaning[titles.traits_of(row)] += weight
        share = leaning / total
        lift = share / np.maximum(titles.trait_share, 1e-6)
        return np.where(lift >= MIN_LIFT, share * np.log(np.maximum(lift, 1.0)), 0.0)
