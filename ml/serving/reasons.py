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
MOST = 0.5
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

    def reasons(
        self, rows: np.ndarray, contributions: np.ndarray, popularity: np.ndarray
    ) -> list[tuple[Reason, ...]]:
        """Reasons for each of n titles ``rows``: popularity where it carried most, rated titles, else popularity,
        and what the content has in common.

        ``contributions``: what each entry of the profile added to their scores, float32 (size of the profile, n).
        ``popularity``: what their popularity added, in the same unit, (n,); zeros where the score holds none.

        A share is a part of all that spoke for the title against the average title: the positive contributions and
        the popularity, if that is positive too. Shares of one title add up to at most 1; what is missing was carried
        by entries that are not named.
        """
        spoke_for = np.ascontiguousarray(np.maximum(contributions, 0).T)
        popular = np.maximum(popularity, 0)
        total = spoke_for.sum(axis=1) + popular
        scale = np.divide(1, total, out=np.zeros_like(total), where=total > 0)
        shares = np.where(self._speaks, spoke_for, 0) * scale[:, None]
        return [
            self._ordered(rated, Reason(ReasonKind.POPULAR, share=share), self._content(row))
            for row, rated, share in zip(
                rows.tolist(), self._rated(shares), np.minimum(popular * scale, 1).tolist(), strict=True
            )
        ]

    def against(self, contributions: np.ndarray, popularity: float) -> tuple[Reason, ...]:
        """The titles of the profile that lowered one title's score most below the average title's.

        ``contributions``: float32 (size of the profile,), ``popularity``: as in :meth:`reasons`, both of one title.
        A share is a part of all that spoke against it, of which unpopularity may be one.
        """
        spoke_against = np.maximum(-contributions, 0)
        total = float(spoke_against.sum()) + max(-popularity, 0.0)
        if total <= 0:
            return ()
        return tuple(self._rated(spoke_against[None] / total)[0])

    @staticmethod
    def _ordered(rated: list[Reason], popular: Reason, content: list[Reason]) -> tuple[Reason, ...]:
        """Popularity comes first where it carried most, and after the rated titles where it carried something."""
        if popular.share > MOST:
            return (popular, *(reason for reason in rated if reason.share >= MIN_SHARE), *content)
        if popular.share >= MIN_SHARE:
            return (*rated, popular, *content)
        return (*rated, *content) or (Reason(ReasonKind.POPULAR),)

    def _rated(self, shares: np.ndarray) -> list[list[Reason]]:
        """For each title the entries that carried most of it. ``shares``: (number of titles, size of the profile)."""
        best = np.argsort(-shares, axis=1, kind="stable")[:, :MAX_RATED]
        chosen = zip(best.tolist(), np.take_along_axis(shares, best, axis=1).tolist(), strict=True)
        return [
            [
                self._because_of(entry, share)
                for place, (entry, share) in enumerate(zip(entries, own, strict=True))
                if share > 0 and (place == 0 or share >= MIN_SHARE)
            ]
            for entries, own in chosen
        ]

    def _because_of(self, entry: int, share: float) -> Reason:
        rating = float(self._profile.ratings[entry])
        return Reason(
            ReasonKind.RATED,
            share=share,
            anime_id=int(self._titles.anime_ids[self._profile.rows[entry]]),
            rating=None if np.isnan(rating) else rating,
        )

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
        weights = np.where(self._speaks, profile.once(taste.of), 0.0)
        total = float(weights.sum())
        if total <= 0:
            return leaning
        traits, lengths = titles.traits_of_all(profile.rows)
        share = np.bincount(traits, np.repeat(weights, lengths), minlength=len(leaning)) / total
        lift = share / np.maximum(titles.trait_share, 1e-6)
        return np.where(lift >= MIN_LIFT, share * np.log(np.maximum(lift, 1.0)), 0.0)
