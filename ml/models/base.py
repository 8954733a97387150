"""What every model can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import numpy as np

from ml.models.profiles import ProfileBatch

Arrays = Mapping[str, np.ndarray]


class Stored(Protocol):
    """A part of a bundle."""

    def arrays(self) -> dict[str, np.ndarray]:
        """All that restoring needs, apart from :meth:`settings`."""
        ...

    def settings(self) -> dict[str, Any]:
        """The numbers that the part depends on, as JSON values."""
        ...


class Model(Stored, Protocol):
    """A part of the recommender that scores every title for a profile.

    n titles, m profiles. A title's *row* is its position in the bundle's sorted ``anime_ids``. Models know
    nothing of what may be listed: leaving out what a person has seen is the caller's business.
    """

    name: ClassVar[str]

    def scores(self, batch: ProfileBatch) -> np.ndarray:
        """Scores, float32 (m, n); higher is better. The scale is the model's own."""
        ...

    def contributions(self, profile: ProfileBatch, targets: np.ndarray) -> np.ndarray:
        """What each title of one profile added to the scores of the rows ``targets``: float32
        (size of the profile, number of targets). In a linear model each column sums to the score; a model
        that looks at nobody's list answers zeros."""
        ...

    def mean_contributions(self, profile: ProfileBatch) -> np.ndarray:
        """What each title of one profile adds to the score of the average title: float32 (size of the
        profile,)."""
        ...
