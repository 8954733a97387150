"""The blend: what fans of the same titles watch, what titles are about, and what everybody likes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from ml.models.base import Arrays, Model
from ml.models.content import ContentModel
from ml.models.ease import EaseModel
from ml.models.popularity import PopularityModel
from ml.models.profiles import ProfileBatch

TUNED_BALANCE = 0.5
PARTS = ("ease", "content", "popularity")
# Rounding leaves a constant row with a spread of about this size.
MIN_SPREAD = 1e-7


@dataclass(frozen=True, slots=True)
class ProfileShape:
    """What the blend depends on besides scores, for m profiles, each float64 (m,).

    ``sizes``: number of titles. ``coherence``: mean cosine between their contents. ``strength``: 1, or less
    where nearly everything on the list was disliked.
    """

    sizes: np.ndarray
    coherence: np.ndarray
    strength: np.ndarray


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """Weights of content and popularity beside a weight of 1 for EASE, all in standard deviations.

    *Shortness* is 1 for an empty profile and falls with the logarithm of its size to 0 at ``full_size`` titles:
    the shorter a profile, the less it tells EASE. *Focus* rises from 0 to 1 as coherence goes from
    ``usual_coherence`` to ``full_coherence``: five series of one kind say more about what somebody is after than
    five of five kinds, so content counts for more and what everybody likes for less.
    """

    content_always: float = 0.3
    content_short: float = 1.0
    content_focus: float = 3.0
    popularity_short: float = 7.0
    full_size: float = 60.0
    usual_coherence: float = 0.2
    full_coherence: float = 0.45

    def shortness(self, shape: ProfileShape) -> np.ndarray:
        """1 for an empty profile, 0 from ``full_size`` titles on, float64 (m,)."""
        return np.maximum(0.0, 1 - np.log1p(shape.sizes) / np.log1p(self.full_size))

    def focus(self, shape: ProfileShape) -> np.ndarray:
        """1 for a profile of one kind, 0 for a usual one, float64 (m,)."""
        span = self.full_coherence - self.usual_coherence
        return np.clip((shape.coherence - self.usual_coherence) / span, 0.0, 1.0)

    def of(self, shape: ProfileShape) -> np.ndarray:
        """Weights of EASE, content and popularity: float64 (m, 3)."""
        shortness, focus = self.shortness(shape), self.focus(shape)
        return np.stack(
            [
                shape.strength,
                self.content_always + self.content_short * shortness + self.content_focus * focus,
                self.popularity_short * shortness * (1 - focus),
            ],
            axis=1,
        )


@dataclass(frozen=True, slots=True)
class Fused:
    """The blend for m profiles: ``scores`` float32 (m, n), ``parts`` in standard deviations, each float32
    (m, n), and for every profile the ``weights`` (m, 3) and ``spreads`` (m, 3): the standard deviations."""

    scores: np.ndarray
    parts: Mapping[str, np.ndarray]
    weights: np.ndarray
    spreads: np.ndarray


@dataclass(frozen=True)
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
        weights = self.effective_weights(self.shape(batch), balance)
        parts, spreads = {}, []
        scores = np.zeros((len(batch), len(self.popularity.appeal)), dtype=np.float32)
        for column, model in enumerate(self.parts()):
            part, spread = self._standardised(model, batch)
            parts[model.name] = part
            spreads.append(spread)
            _add(scores, weights[:, column], part)
        return Fused(scores, parts, weights, np.stack(spreads, axis=1))

    def _standardised(self, model: Model, batch: ProfileBatch) -> tuple[np.ndarray, np.ndarray]:
        if model is not self.popularity:
            return standardised(model.scores(batch))
        part, spread = self._popular
        return np.broadcast_to(part, (len(batch), part.shape[1])), np.broadcast_to(spread, len(batch))

    @cached_property
    def _popular(self) -> tuple[np.ndarray, np.ndarray]:
        """Popularity in standard deviations, which is the same for everybody."""
        return standardised(self.popularity.appeal[None])

    def turned(self, fused: Fused, batch: ProfileBatch, balance: float) -> Fused:
        """The blend ``fused`` of ``batch`` at another balance, without scoring the parts again."""
        weights = self.effective_weights(self.shape(batch), balance)
        scores = np.zeros_like(fused.scores)
        for column, model in enumerate(self.parts()):
            _add(scores, weights[:, column], fused.parts[model.name])
        return Fused(scores, fused.parts, weights, fused.spreads)

    def parts(self) -> tuple[Model, Model, Model]:
        """The parts in the order of their weights."""
        return self.ease, self.content, self.popularity

    def shape(self, batch: ProfileBatch) -> ProfileShape:
        """What the weights of the parts depend on."""
        taste = self.ease.taste
        sizes = batch.sizes.astype(np.float64)
        mean_weight = batch.sums(batch.once(taste.of)) / np.maximum(sizes, 1)
        return ProfileShape(
            sizes=sizes,
            coherence=batch.once(self.content.coherence),
            strength=np.clip(mean_weight / taste.unrated, 0.0, 1.0),
        )

    def effective_weights(self, shape: ProfileShape, balance: float = TUNED_BALANCE) -> np.ndarray:
        """Weights of EASE, content and popularity at ``balance``, float64 (m, 3)."""
        pull = abs(balance - TUNED_BALANCE) / (1 - TUNED_BALANCE)
        end = np.array([1.0, 0.0, 0.0] if balance > TUNED_BALANCE else [0.0, 1.0, 0.0])
        return (1 - pull) * self.weights.of(shape) + pull * end

    def scores(self, batch: ProfileBatch) -> np.ndarray:
        return self.fuse(batch).scores

    def contributions(self, profile: ProfileBatch, targets: np.ndarray) -> np.ndarray:
        return self.explain(profile, targets, self.fuse(profile), 0)

    def mean_contributions(self, profile: ProfileBatch) -> np.ndarray:
        """Zeros: contributions to the blend are against the average title already."""
        return np.zeros(len(profile.rows), dtype=np.float32)

    def explain(self, profile: ProfileBatch, targets: np.ndarray, fused: Fused, index: int) -> np.ndarray:
        """What each title of the profile added to the scores of ``targets``, against what it adds to the
        average title. A column and the popularity part together are exactly the blend's score. ``fused`` is the
        blend that holds the profile as number ``index``."""
        result = np.zeros((len(profile.rows), len(targets)), dtype=np.float32)
        for column, model in enumerate(self.parts()[:2]):
            weight, spread = fused.weights[index, column], fused.spreads[index, column]
            if weight and spread > 0:
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


def _add(scores: np.ndarray, weights: np.ndarray, part: np.ndarray) -> None:
    """Add the scores of a part (m, n), each profile's by its weight (m,)."""
    if weights.any():
        scores += weights[:, None].astype(np.float32) * part


def standardised(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of ``scores`` less their mean, in their standard deviations, and these (m,). A constant row becomes
    zeros and its deviation 0."""
    centred = scores - scores.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.square(centred).mean(axis=1, keepdims=True))
    spread[spread < MIN_SPREAD] = 0
    return np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0), spread[:, 0]
