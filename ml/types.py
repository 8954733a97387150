"""The words the recommender speaks: profile, options, recommendation, reason.

Only NumPy and the standard library: everything above this module, from the web process to the training
process, exchanges these values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np


class Status(StrEnum):
    """What a person says about a title on their list."""

    WATCHING = "watching"
    COMPLETED = "completed"
    ON_HOLD = "on_hold"
    DROPPED = "dropped"
    PLANNED = "planned"


class FranchiseMode(StrEnum):
    """What a list may contain of the franchises a person already knows.

    ``OFF`` is plain ranking. ``NEW`` lists only franchises the person has not touched, one title each: the one
    to start with. ``NEXT`` lists the next unwatched part of what the person watches and has not dropped.
    """

    OFF = "off"
    NEW = "new"
    NEXT = "next"


LIKED_RATING = 8
"""A rating from here on (1-10) counts as "liked"."""


class InputError(ValueError):
    """Input that a person can mend. ``str(error)`` is one line that names the place and the reason."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a person's list: a title, perhaps a rating (1-10), and a status."""

    anime_id: int
    rating: float | None = None
    status: Status = Status.COMPLETED


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person rated, watched, planned or hid: all that scoring may know about them.

    ``anime_ids``: int64, shape (n,), distinct MyAnimeList ids.
    ``ratings``:   float32, shape (n,), 1-10, NaN where the title is on the list without a rating.
    ``statuses``:  one :class:`Status` per title.
    ``hidden``:    ids that must never be listed, whether or not they are on the list.
    """

    anime_ids: np.ndarray
    ratings: np.ndarray
    statuses: tuple[Status, ...]
    hidden: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if not (len(self.anime_ids) == len(self.ratings) == len(self.statuses)):
            raise ValueError("anime_ids, ratings and statuses of a profile differ in length")
        if len(np.unique(self.anime_ids)) != len(self.anime_ids):
            raise ValueError("a profile holds each title once")

    @classmethod
    def of(cls, entries: Iterable[Entry], hidden: Iterable[int] = ()) -> Profile:
        """Build a profile from entries (each title once)."""
        entries = list(entries)
        return cls(
            anime_ids=np.array([entry.anime_id for entry in entries], dtype=np.int64),
            ratings=np.array(
                [np.nan if entry.rating is None else entry.rating for entry in entries], dtype=np.float32
            ),
            statuses=tuple(entry.status for entry in entries),
            hidden=frozenset(hidden),
        )

    @classmethod
    def from_ratings(cls, ratings: Mapping[int, float | None], hidden: Iterable[int] = ()) -> Profile:
        """Build a profile of completed titles from ``{anime_id: rating or None}``."""
        return cls.of((Entry(anime_id, rating) for anime_id, rating in ratings.items()), hidden)

    def __len__(self) -> int:
        return len(self.anime_ids)

    def where(self, entries: np.ndarray) -> Profile:
        """The same person with those entries alone that ``entries`` (bool, (n,)) selects."""
        statuses = tuple(status for status, kept in zip(self.statuses, entries.tolist(), strict=True) if kept)
        return Profile(self.anime_ids[entries], self.ratings[entries], statuses, self.hidden)


@dataclass(frozen=True, slots=True)
class Options:
    """How to rank. ``None`` for a dial means "as tuned at training", stored in the bundle.

    ``k``:          how many titles, at least 1.
    ``balance``:    0 = content only, 1 = collaborative only.
    ``novelty``:    0 = popular, 1 = niche.
    ``diversity``:  0 = none, 1 = as different from one another as the candidates allow.
    ``franchise``:  see :class:`FranchiseMode`.
    ``candidates``: int64 ids that may be listed; ``None`` = every title in the bundle. Filters act here, before
                    the top k is taken.
    ``model``:      rank by this part alone (a name from ``Recommender.model_names``).
    ``include_planned``: planned titles of the profile may be listed (everything else in it never is).
    """

    k: int = 10
    balance: float | None = None
    novelty: float | None = None
    diversity: float | None = None
    franchise: FranchiseMode = FranchiseMode.OFF
    candidates: np.ndarray | None = None
    model: str | None = None
    include_planned: bool = False

    def __post_init__(self) -> None:
        if self.k < 1:
            raise InputError(f"k must be at least 1, not {self.k}")
        for name in ("balance", "novelty", "diversity"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise InputError(f"{name} must lie between 0 and 1, not {value:g}")


class ReasonKind(StrEnum):
    RATED = "rated"
    CONTENT = "content"
    POPULAR = "popular"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a title is listed.

    ``RATED``:   ``anime_id`` on the person's list carried ``share`` (0-1) of all that spoke for the title;
                 ``rating`` is what they gave it (``None`` = watched, not rated).
    ``CONTENT``: ``traits`` (genres, type, "same franchise" ...) it has in common with what the person likes.
    ``POPULAR``: many people like it, which carried ``share`` of all that spoke for the title. It stands first where
                 that is most of it; alone and without a share, nothing personal is known.

    "All that spoke" is what raised the title's score in the blend above the average title's: titles of the list,
    rated or watched, and popularity. The shares of one title add up to at most 1.
    """

    kind: ReasonKind
    share: float = 0.0
    anime_id: int | None = None
    rating: float | None = None
    traits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One listed title. ``score`` orders the list; ``components`` holds the parts' own scores."""

    rank: int
    anime_id: int
    score: float
    components: Mapping[str, float]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """A list of recommendations, at most ``Options.k``, fewer only if the candidates ran out.

    ``ignored`` are ids of the profile that the bundle does not know; ``known`` counts those that it does.
    """

    results: tuple[Recommendation, ...]
    ignored: tuple[int, ...] = ()
    known: int = 0


class Barrier(StrEnum):
    """Why a title is not on a list, however well it scores. Where several hold, the first of them is told.

    ``UNKNOWN``: the bundle does not know it. ``ON_LIST``: it is on the person's list already. ``HIDDEN``: they never
    want to see it. ``NOT_A_CANDIDATE``: the filter leaves it out. ``FRANCHISE_TOUCHED``, ``NOT_THE_FIRST``: in mode
    ``new`` the person knows its franchise, or another part stands for it. ``NOT_NEXT``: in mode ``next`` it does not
    come next in anything that the person watches.
    """

    UNKNOWN = "unknown"
    ON_LIST = "on_list"
    HIDDEN = "hidden"
    NOT_A_CANDIDATE = "not_a_candidate"
    FRANCHISE_TOUCHED = "franchise_touched"
    NOT_THE_FIRST = "not_the_first"
    NOT_NEXT = "not_next"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one title stands in the whole list of a profile, and why not higher.

    ``rank``:       its place from 1; ``None`` where it may not be listed. Novelty and diversity act within the
                    shortlist; behind it titles stand as they did without these dials.
    ``of``:         how many titles may be listed.
    ``barrier``:    what keeps it off the list; ``None``: nothing but its rank.
    ``stands_in``:  with ``NOT_THE_FIRST`` the part that is listed for its franchise, whose ``rank`` is given.
    ``score``:      what orders the list: only comparable to ``tenth_score``, that of the title at place ten.
    ``components``: scores of the parts in standard deviations above the average title, of the title itself and, in
                    ``tenth_components``, of the one at place ten (empty where the list has no ten).
    ``reasons``:    what speaks for it, as in lists.
    ``against``:    up to three titles of the profile that speak most against it, each with its ``share`` of all that
                    lowered its score below the average title's; kind ``RATED``.
    """

    anime_id: int
    rank: int | None
    of: int
    barrier: Barrier | None
    stands_in: int | None
    score: float | None
    tenth_score: float | None
    components: Mapping[str, float]
    tenth_components: Mapping[str, float]
    reasons: tuple[Reason, ...] = ()
    against: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class PredictedRating:
    """What a person would rate a title, 1-10: between ``low`` and ``high`` in four of five cases. ``support``: on how
    many of their ratings that rests."""

    rating: float
    low: float
    high: float
    support: int


@dataclass(frozen=True, slots=True)
class SimilarTitle:
    """A neighbour of a title. ``by`` says who sees it: ``"fans"`` (shared fans) or ``"content"``."""

    anime_id: int
    score: float
    by: str


@dataclass(frozen=True, slots=True)
class BundleInfo:
    """What a bundle's manifest says about it, for people."""

    version: str
    created: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, object] = field(default_factory=dict)
    data: Mapping[str, object] = field(default_factory=dict)
