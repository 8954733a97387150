"""What each part is worth: the recommender as it is, without the ranker, without one part, and the parts alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from ml.models.fusion import PARTS, FusionWeights, ProfileShape
from ml.serving import Recommender


@dataclass(frozen=True, slots=True)
class System:
    """Something that makes lists: ``model`` of ``recommender`` (a name from ``model_names``). An ablation is no
    model of the bundle but what is left of one."""

    name: str
    recommender: Recommender
    model: str
    is_ablation: bool = False


@dataclass(frozen=True, slots=True)
class WeightsWithout(FusionWeights):
    """The weights of the blend, but 0 for the part ``left_out``; the others keep theirs."""

    left_out: str = ""

    def of(self, shape: ProfileShape) -> np.ndarray:
        # Not super(): a dataclass with slots is another class than the one this method was written in.
        weights = FusionWeights.of(self, shape)
        weights[:, PARTS.index(self.left_out)] = 0
        return weights


def without(recommender: Recommender, part: str) -> Recommender:
    """The blend of a bundle without one of its parts, and without the ranker, which was taught on the whole blend."""
    fusion = recommender.fusion
    weights = WeightsWithout(**asdict(fusion.weights), left_out=part)
    return Recommender(recommender.info, recommender.titles, replace(fusion, weights=weights), shortlist=1)


def systems(recommender: Recommender) -> list[System]:
    """All that is compared, the full list first."""
    fusion = recommender.fusion.name
    result = []
    for name in recommender.model_names:
        result.append(System(name, recommender, name))
        if name == fusion:
            result += [
                System(f"{fusion} without {part}", without(recommender, part), fusion, is_ablation=True)
                for part in PARTS
            ]
    return result
