"""Lists for a few invented people, to look at: what no number says of a recommender, a list does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ml.serving import Recommender
from ml.types import FranchiseMode, Options, Profile, Reason, ReasonKind


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody invented: who, in words, and their ratings (1-10) by anime id."""

    words: str
    ratings: Mapping[int, float]


PEOPLE = (
    Person("No rating", {}),
    Person("One rating", {9253: 9}),
    Person("Five ratings, of mecha series", {30: 9, 2001: 10, 1575: 9, 80: 8, 71: 9}),
    Person("Five ratings, of stories from school", {4224: 9, 2167: 9, 7791: 8, 6045: 9, 12189: 8}),
)


@dataclass(frozen=True, slots=True)
class Example:
    """What a person rated and what they are offered, each title with its reasons in words."""

    words: str
    rated: tuple[tuple[str, float], ...]
    listed: tuple[tuple[str, str], ...]


def example_lists(
    recommender: Recommender, names: Mapping[int, str], candidates: np.ndarray, k: int
) -> list[Example]:
    """The lists that the site's defaults give (new franchises only). ``names``: titles by anime id; ``candidates``:
    ids that may be listed. People of whose ratings the bundle knows none are left out."""
    result = []
    for person in PEOPLE:
        ratings = {anime_id: rating for anime_id, rating in person.ratings.items() if anime_id in names}
        ranking = recommender.recommend(
            Profile.from_ratings(ratings), Options(k=k, franchise=FranchiseMode.NEW, candidates=candidates)
        )
        if person.ratings and not ranking.known:
            continue
        result.append(
            Example(
                words=person.words,
                rated=tuple((names[anime_id], rating) for anime_id, rating in ratings.items()),
                listed=tuple(
                    (names.get(item.anime_id, str(item.anime_id)), in_words(item.reasons, names))
                    for item in ranking.results
                ),
            )
        )
    return result


def in_words(reasons: tuple[Reason, ...], names: Mapping[int, str]) -> str:
    """Reasons in one line: titles with their share in percent, then traits."""
    words = []
    for reason in reasons:
        if reason.kind is ReasonKind.RATED and reason.anime_id is not None:
            words.append(f"{names.get(reason.anime_id, reason.anime_id)} {100 * reason.share:.0f} %")
        elif reason.kind is ReasonKind.CONTENT:
            words.append(", ".join(reason.traits))
        else:
            words.append(f"many like it {100 * reason.share:.0f} %" if reason.share else "many like it")
    return "; ".join(words)
