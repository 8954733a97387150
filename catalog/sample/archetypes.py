"""The kinds of viewers the invented members are mixed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from catalog.sample.catalogue import SampleAnime

Weights = Mapping[str, float]


@dataclass(frozen=True)
class Archetype:
    """What one kind of viewer likes. Weights add up over a title's traits; negative ones put off."""

    name: str
    share: float  # how common it is; relative to the others
    genres: Weights = field(default_factory=dict)
    studios: Weights = field(default_factory=dict)
    sources: Weights = field(default_factory=dict)
    types: Weights = field(default_factory=dict)
    eras: tuple[tuple[int, int, float], ...] = ()  # (first year, last year, weight)

    def affinity(self, anime: SampleAnime) -> float:
        """How much this viewer is drawn to the title; unscaled."""
        # Divided by the root of their number: a title tagged with everything is not for everybody.
        total: float = sum(self.genres.get(genre, 0.0) for genre in anime.genres) / len(anime.genres) ** 0.5
        total += max((self.studios.get(studio, 0.0) for studio in anime.studios), default=0.0)
        total += self.sources.get(anime.source, 0.0) + self.types.get(anime.type, 0.0)
        return total + sum(weight for first, last, weight in self.eras if first <= anime.year <= last)


ARCHETYPES: tuple[Archetype, ...] = (
    Archetype(
        "mecha",
        1.3,
        {"Mecha": 3.0, "Space": 1.0, "Military": 0.9, "Sci-Fi": 0.6, "Shoujo": -0.8, "Sports": -0.4},
    ),
    Archetype(
        "shounen",
        1.5,
        {
            "Shounen": 1.8,
            "Super Power": 1.2,
            "Martial Arts": 1.0,
            "Action": 0.7,
            "Adventure": 0.5,
            "Slice of Life": -0.6,
            "Josei": -0.5,
        },
        eras=((1984, 2100, 0.2),),
    ),
    Archetype(
        "romance",
        1.2,
        {
            "Romance": 1.9,
            "Shoujo": 1.2,
            "Josei": 1.0,
            "School": 0.7,
            "Drama": 0.6,
            "Mecha": -1.0,
            "Horror": -0.6,
            "Shounen": -0.3,
        },
    ),
    Archetype(
        "family",
        0.9,
        {
            "Kids": 1.0,
            "Adventure": 0.6,
            "Fantasy": 0.4,
            "Slice of Life": 0.4,
            "Horror": -1.6,
            "Ecchi": -1.2,
            "Psychological": -0.7,
            "Mecha": -0.6,
            "Military": -0.4,
        },
        studios={
            "Studio Ghibli": 2.4,
            "Studio Chizu": 1.6,
            "CoMix Wave Films": 1.0,
            "Topcraft": 2.0,
            "Nippon Animation": 1.0,
        },
        types={"Movie": 0.8},
    ),
    Archetype(
        "psychological",
        1.1,
        {
            "Psychological": 2.0,
            "Thriller": 1.5,
            "Mystery": 1.2,
            "Dementia": 1.0,
            "Horror": 0.6,
            "Seinen": 0.4,
            "Comedy": -0.7,
            "Kids": -0.8,
            "Sports": -0.6,
        },
    ),
    Archetype(
        "classics",
        0.6,
        {"Drama": 0.3, "Historical": 0.4, "School": -0.4},
        eras=((1900, 1989, 2.2), (1990, 1999, 1.3), (2012, 2100, -0.9)),
    ),
    Archetype(
        "fantasy",
        1.2,
        {"Fantasy": 1.6, "Magic": 1.2, "Adventure": 0.6, "Game": 0.5, "Demons": 0.4, "Sports": -0.6, "Mecha": -0.5},
        sources={"Light novel": 0.7},
        eras=((2006, 2100, 0.5),),
    ),
    Archetype(
        "cosy",
        0.9,
        {
            "Slice of Life": 2.0,
            "Comedy": 0.5,
            "School": 0.5,
            "Music": 0.8,
            "Action": -0.9,
            "Horror": -0.8,
            "Mecha": -0.7,
        },
        sources={"4-koma manga": 0.6},
    ),
    Archetype(
        "comedy",
        0.8,
        {"Comedy": 1.9, "Parody": 1.5, "Ecchi": 0.5, "Slice of Life": 0.3, "Drama": -0.8, "Psychological": -0.6},
    ),
    Archetype(
        "sports",
        0.6,
        {"Sports": 3.0, "Cars": 2.0, "Game": 1.0, "School": 0.4, "Shounen": 0.3, "Magic": -0.7, "Sci-Fi": -0.5},
    ),
    Archetype(
        "cyberpunk",
        0.8,
        {
            "Sci-Fi": 1.8,
            "Police": 1.3,
            "Space": 0.8,
            "Psychological": 0.5,
            "Seinen": 0.5,
            "Magic": -0.7,
            "School": -0.5,
            "Kids": -0.6,
        },
    ),
    Archetype(
        "historical",
        0.6,
        {
            "Historical": 1.9,
            "Samurai": 1.6,
            "Seinen": 1.0,
            "Military": 0.5,
            "Drama": 0.4,
            "School": -0.8,
            "Super Power": -0.4,
        },
    ),
    Archetype(
        "supernatural",
        0.9,
        {
            "Supernatural": 1.4,
            "Horror": 1.5,
            "Vampire": 1.6,
            "Demons": 1.1,
            "Mystery": 0.5,
            "Sports": -0.7,
            "Slice of Life": -0.4,
            "Mecha": -0.5,
        },
    ),
    Archetype(
        "newcomer",
        1.0,
        {"Action": 0.4, "Shounen": 0.3, "Romance": 0.2},
        eras=((1900, 1999, -1.5), (2012, 2015, 0.6), (2016, 2100, 1.6)),
    ),
)


def affinities(titles: Sequence[SampleAnime]) -> np.ndarray:
    """Archetypes x titles, float64: each row standardised, so that no archetype shouts louder than another."""
    raw = np.array([[archetype.affinity(anime) for anime in titles] for archetype in ARCHETYPES])
    spread = raw.std(axis=1, keepdims=True)
    return (raw - raw.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
