"""How many people like a title: the same list for everybody, and the ground that short profiles stand on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from ml.models.base import Arrays
from ml.models.profiles import ProfileBatch


@dataclass(frozen=True, slots=True)
class PopularityModel:
    """``appeal``: float32 (n,), square root of the number of members who liked a title (estimated for titles
    that nobody in the data rated), scaled to a largest value of 1."""

    name: ClassVar[str] = "popularity"
    appeal: np.ndarray

    def scores(self, batch: ProfileBatch) -> np.ndarray:
        return np.broadcast_to(self.appeal, (len(batch), len(self.appeal))).copy()

    def contributions(self, profile: ProfileBatch, targets: np.ndarray) -> np.ndarray:
        return np.zeros((len(profile.rows), len(targets)), dtype=np.float32)

    def mean_contributions(self, profile: ProfileBatch) -> np.ndarray:
        return np.zeros(len(profile.rows), dtype=np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"appeal": self.appeal}

    def settings(self) -> dict[str, Any]:
        return {}

    @classmethod
    def restore(cls, arrays: Arrays, settings: Mapping[str, Any]) -> Self:
        return cls(arrays["appeal"])
