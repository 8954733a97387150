"""What a bundle knows about its titles besides scores: franchise, order in it, traits to explain a list by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ml.models.base import Arrays


@dataclass(frozen=True, slots=True)
class Titles:
    """Facts about n titles, in the order of ``anime_ids`` (int64, sorted).

    ``franchise``:  int32 (n,), every title is in exactly one.
    ``order``:      int32 (n,), 0 = the title to start its franchise with, then main parts as they came out,
                    then specials and recaps.
    ``main``:       bool (n,), part of the story rather than a special or a recap.
    ``trait_ptr``, ``traits``: the traits of title i are ``traits[trait_ptr[i]:trait_ptr[i + 1]]``, positions
                    in ``trait_names``.
    ``trait_share``: float32, how common each trait is among all that people like (0-1).
    """

    anime_ids: np.ndarray
    franchise: np.ndarray
    order: np.ndarray
    main: np.ndarray
    trait_ptr: np.ndarray
    traits: np.ndarray
    trait_share: np.ndarray
    trait_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.anime_ids)

    def rows_of(self, anime_ids: np.ndarray) -> np.ndarray:
        """Rows of those ids that the bundle knows."""
        ids = np.asarray(anime_ids, dtype=np.int64)
        position = np.searchsorted(self.anime_ids, ids).clip(max=max(len(self) - 1, 0))
        return position[self.anime_ids[position] == ids] if len(self) else position[:0]

    def traits_of(self, row: int) -> np.ndarray:
        return self.traits[self.trait_ptr[row] : self.trait_ptr[row + 1]]

    def traits_of_all(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The traits of several titles end to end, and how many each has."""
        starts, stops = self.trait_ptr[rows], self.trait_ptr[rows + 1]
        lengths = stops - starts
        # From the place in the result to that in ``traits``: a shift for each title.
        shift = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
        return self.traits[np.arange(len(shift)) + shift], lengths

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            "anime_ids": self.anime_ids,
            "franchise": self.franchise,
            "order": self.order,
            "main": self.main,
            "trait_ptr": self.trait_ptr,
            "traits": self.traits,
            "trait_share": self.trait_share,
        }

    def settings(self) -> dict[str, Any]:
        return {"trait_names": list(self.trait_names)}

    @classmethod
    def restore(cls, arrays: Arrays, settings: Mapping[str, Any]) -> Self:
        return cls(**arrays, trait_names=tuple(settings["trait_names"]))
