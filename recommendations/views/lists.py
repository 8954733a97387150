"""Making a list of recommendations fit to show: what moved since the last look, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest

from catalog.models import Anime
from recommendations.changes import LastChange, last_change
from recommendations.models import Profile
from recommendations.services.recommend import Listed, RecommendationList

# How many places of a list are remembered, to say what moved. No more than 50: of a longer list the dials novelty
# and diversity would choose the first ten among more titles.
DEPTH = 50
MAX_BEFORE = 100


@dataclass(frozen=True, slots=True)
class Before:
    """A list as the page showed it: of which version of the profile, and the ids at its first places."""

    version: int
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cause:
    """What made titles move: the last change, its title, and whether nothing else was changed since."""

    change: LastChange
    anime: Anime
    only: bool


@dataclass(frozen=True, slots=True)
class Card:
    """A listed title and how it moved: ``moved`` places up (negative: down); ``is_new`` = was at none of the places
    that are remembered. ``cause`` is why, as far as that is known."""

    listed: Listed
    moved: int = 0
    is_new: bool = False
    cause: Cause | None = None
    planned: bool = False

    @property
    def fallen(self) -> int:
        return -self.moved


def cards_of(shown: RecommendationList, before: Before | None = None, cause: Cause | None = None) -> list[Card]:
    """``shown`` as cards; without ``before`` (a first look) nothing has moved."""
    ranks = {anime_id: rank for rank, anime_id in enumerate(before.places, start=1)} if before else {}
    cards = []
    for listed in shown.results:
        pk = listed.anime.pk
        moved = ranks[pk] - listed.rank if pk in ranks else 0
        is_new = before is not None and pk not in ranks
        why = cause if (moved > 0 or is_new) and cause is not None and _explains(cause, listed) else None
        cards.append(Card(listed, moved, is_new, why, pk in shown.planned))
    return cards


def _explains(cause: Cause, listed: Listed) -> bool:
    named = (reason.anime.pk for reason in listed.reasons if reason.anime is not None)
    return cause.only or cause.anime.pk in named


def listed_before(request: HttpRequest) -> Before | None:
    """What the page showed when it asked for a fresh list, "VERSION:ID,ID,..."; malformed counts as nothing."""
    version, _colon, ids = request.GET.get("before", "").partition(":")
    places = numbers(ids, most=MAX_BEFORE)
    if not places or not is_number(version):
        return None
    return Before(int(version), tuple(places))


def change_since(request: HttpRequest, profile: Profile | None, before: Before | None) -> LastChange | None:
    """The last change, if the page showed the list as it was before that."""
    change = last_change(request, profile)
    if before is None or change is None or before.version >= change.version:
        return None
    return change


def cause_of(change: LastChange | None, before: Before | None, titles: Mapping[int, Anime]) -> Cause | None:
    """``change`` as a cause; ``titles``: by id, its own among them."""
    if change is None or before is None or change.anime_id not in titles:
        return None
    return Cause(change, titles[change.anime_id], only=change.version - before.version == 1)


def numbers(text: str, *, most: int) -> list[int]:
    """The ids of "1,2,3", at most so many; none at all where one is no number."""
    parts = text.split(",")[:most]
    return [int(part) for part in parts] if all(map(is_number, parts)) else []


def is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def is_partial(request: HttpRequest, target: str) -> bool:
    """Whether htmx asks for the fragment ``target`` only."""
    return bool(request.htmx) and request.htmx.target == target  # type: ignore[attr-defined]
