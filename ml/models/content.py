"""What titles are about: vectors of synopsis, genres, type and the rest, compared by cosine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from ml.models.base import Arrays
from ml.models.profiles import ProfileBatch
from ml.models.taste import TasteWeights

# Pairs of unlike titles that every profile is thought to hold besides its own: two alike titles are chance.
PRIOR_PAIRS = 3.0


@dataclass(frozen=True)
class ContentModel:
    """The score of a title is the weighted mean, over the profile, of its likeness to each title there:
    cosine of their vectors, plus ``franchise_bonus`` where both belong to one franchise.

    ``vectors``: float32 (n, d), of length 1 or 0. ``franchise``: int32 (n,).
    """

    name: ClassVar[str] = "content"
    vectors: np.ndarray
    franchise: np.ndarray
    taste: TasteWeights
    franchise_bonus: float

    @cached_property
    def _franchise_sizes(self) -> np.ndarray:
        """How many titles each franchise has."""
        return np.bincount(self.franchise)

    @cached_property
    def _mean_vector(self) -> np.ndarray:
        return self.vectors.mean(axis=0)

    def scores(self, batch: ProfileBatch) -> np.ndarray:
        strength = self._strength(batch)
        result = np.zeros((len(batch), len(self.vectors)), dtype=np.float32)
        count = len(self._franchise_sizes)
        # One profile at a time: a product of many is rounded otherwise, and titles that are alike to the last
        # digit (many are: same genres, no synopsis) would change places with the size of the batch.
        for index in range(len(batch)):
            part = slice(batch.indptr[index], batch.indptr[index + 1])
            if part.start == part.stop:
                continue
            result[index] = self.vectors @ (strength[part] @ self.vectors[batch.rows[part]])
            if self.franchise_bonus:
                shares = np.bincount(self.franchise[batch.rows[part]], strength[part], minlength=count)
                result[index] += (self.franchise_bonus * shares).astype(np.float32)[self.franchise]
        return result

    def contributions(self, profile: ProfileBatch, targets: np.ndarray) -> np.ndarray:
        likeness = self.vectors[profile.rows] @ self.vectors[targets].T
        if self.franchise_bonus:
            same = self.franchise[profile.rows][:, None] == self.franchise[targets][None, :]
            likeness += np.float32(self.franchise_bonus) * same
        return self._strength(profile)[:, None] * likeness

    def mean_contributions(self, profile: ProfileBatch) -> np.ndarray:
        """What each title of one profile adds to the score of the average title, float32 (size,)."""
        relatives = self._franchise_sizes[self.franchise[profile.rows]]
        likeness = self.vectors[profile.rows] @ self._mean_vector
        return self._strength(profile) * (
            likeness + np.float32(self.franchise_bonus) * relatives.astype(np.float32) / len(self.vectors)
        )

    def coherence(self, batch: ProfileBatch) -> np.ndarray:
        """How alike the titles of each profile are that the person does not dislike, float64 (m,): the mean
        cosine over pairs, as if there were ``PRIOR_PAIRS`` more pairs with nothing in common."""
        weights = np.maximum(batch.once(self.taste.of), 0)
        result = np.zeros(len(batch))
        for index in range(len(batch)):
            part = slice(batch.indptr[index], batch.indptr[index + 1])
            own = weights[part]
            if len(own) > 1:
                total = own @ self.vectors[batch.rows[part]]
                alone = float(own @ own)
                pairs = float(own.sum()) ** 2 - alone
                result[index] = (float(total @ total) - alone) / (pairs + PRIOR_PAIRS)
        return result

    def _strength(self, batch: ProfileBatch) -> np.ndarray:
        """Weight of every entry; those of one profile sum to at most 1 in size."""
        weights = batch.once(self.taste.of)
        total = batch.sums(np.abs(weights))
        return weights / np.repeat(np.maximum(total, 1e-9), batch.sizes).astype(np.float32)

    def similar(self, row: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows of at most k titles most like ``row``, and their cosines."""
        likeness = self.vectors @ self.vectors[row]
        likeness[row] = -np.inf
        best = np.argsort(-likeness, kind="stable")[:k]
        best = best[likeness[best] > 0]
        return best, likeness[best]

    def arrays(self) -> dict[str, np.ndarray]:
        return {"vectors": self.vectors, "franchise": self.franchise}

    def settings(self) -> dict[str, Any]:
        return {"taste": asdict(self.taste), "franchise_bonus": self.franchise_bonus}

    @classmethod
    def restore(cls, arrays: Arrays, settings: Mapping[str, Any]) -> Self:
        return cls(
            arrays["vectors"],
            arrays["franchise"],
            TasteWeights(**settings["taste"]),
            float(settings["franchise_bonus"]),
        )
