"""The blend: what fans of the same titles watch, what titles are about, and what everybody likes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np

from ml.models.base import Arrays
from ml.models.content import ContentModel
from ml.models.ease import EaseModel
from ml.models.popularity import PopularityModel
from ml.models.profiles import ProfileBatch

TUNED_BALANCE = 0.5
PARTS = ("ease", "content", "popularity")


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """Weights of content and popularity beside a weight of 1 for EASE, all in standard deviations.

    A weight is ``always + short / (1 + size / short_size)``: the second term counts for short profiles, which
    tell EASE little, and fades with every further title.
    """

    content_always: float = 0.0
    content_short: float = 0.0
    popularity_always: float = 0.0
    popularity_short: float = 1.0
    short_size: float = 5.0

    def of(self, sizes: np.ndarray) -> np.ndarray:
        """Weights of EASE, content, popularity for profiles of ``sizes``: float64 (m, 3)."""
        shortness = 1 / (1 + sizes / self.short_size)
        return np.stack(
            [
                np.ones(len(sizes)),
                self.content_always + self.content_short * shortness,
                self.popularity_always + self.popularity_short * shortness,
            ],
            axis=1,
        )


@dataclass(frozen=True, slots=True)
class Fused:
    """The blend for m profiles, and its parts in standard deviations: each float32 (m, n)."""

    scores: np.ndarray
    parts: Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class FusionModel:
    """A weighted sum of its parts' z-scores (over all titles, so that a filter changes no score)."""

    name: ClassVar[str] = "fusion"
    ease: EaseModel
    content: ContentModel
    popularity: PopularityModel
    weights: FusionWeights

    def fuse(self, batch: ProfileBatch, balance: float = TUNED_BALANCE) -> Fused:
        """Blend the parts. ``balance`` 0.5 is the blend as tuned; towards 0 it goes over into the content part
        alone, towards 1 into EASE alone."""
        parts = {
            name: standardised(model.scores(batch))
            for name, model in zip(PARTS, (self.ease, self.content, self.popularity), strict=True)
        }
        weights = self.effective_weights(batch.sizes, balance).astype(np.float32)
        scores = weights[:, :1] * parts["ease"]
        for column, name in enumerate(PARTS[1:], start=1):
            if weights[:, column].any():
                scores += weights[:, column : column + 1] * parts[name]
        return Fused(scores, parts)

    def effective_weights(self, sizes: np.ndarray, balance: float = TUNED_BALANCE) -> np.ndarray:
        """Weights of EASE, content and popularity at ``balance``, float64 (m, 3)."""
        tuned = self.weights.of(sizes)
        pull = abs(balance - TUNED_BALANCE) / (1 - TUNED_BALANCE)
        end = np.array([1.0, 0.0, 0.0] if balance > TUNED_BALANCE else [0.0, 1.0, 0.0])
        return (1 - pull) * tuned + pull * end

    def scores(self, batch: ProfileBatch) -> np.ndarray:
        return self.fuse(batch).scores

    def contributions(self, profile: ProfileBatch, targets: np.ndarray, balance: float = TUNED_BALANCE) -> np.ndarray:
        """What each title of the profile added to the scores of ``targets``, against what it adds to the
        average title. A column and the popularity part together are exactly the blend's score."""
        weights = self.effective_weights(profile.sizes, balance)[0]
        result = np.zeros((len(profile.rows), len(targets)), dtype=np.float32)
        for weight, model in zip(weights[:2], (self.ease, self.content), strict=True):
            if not weight:
                continue
            spread = float(model.scores(profile)[0].std())
            if spread > 0:
                own = model.contributions(profile, targets) - model.mean_contributions(profile)[:, None]
                result += np.float32(weight / spread) * own
        return result

    def arrays(self) -> dict[str, np.ndarray]:
        return {}

    def settings(self) -> dict[str, Any]:
        return {"weights": asdict(self.weights)}

    @classmethod
    def restore(cls, arrays: Arrays, settings: Mapping[str, Any], **parts: Any) -> Self:
        return cls(**parts, weights=FusionWeights(**settings["weights"]))


def standardised(scores: np.ndarray) -> np.ndarray:
    """Rows of ``scores`` less their mean, in their standard deviations; a constant row becomes zeros."""
    centred = scores - scores.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.square(centred).mean(axis=1, keepdims=True))
    return np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 1e-12)
