"""Making a list of recommendations fit to show: what moved since the last look."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest

from recommendations.services.recommend import Listed, RecommendationList

MAX_BEFORE = 100


@dataclass(frozen=True, slots=True)
class Card:
    """A listed title and how it moved: ``moved`` places up (negative: down); ``is_new`` = was not listed."""

    listed: Listed
    moved: int = 0
    is_new: bool = False

    @property
    def fallen(self) -> int:
        return -self.moved


def cards_of(shown: RecommendationList, before: Iterable[int] | None) -> list[Card]:
    """``shown`` as cards; ``before``: ids as they were listed, ``None`` on a first look."""
    if before is None:
        return [Card(listed) for listed in shown.results]
    ranks = {anime_id: rank for rank, anime_id in enumerate(before, start=1)}
    return [
        Card(listed, ranks[listed.anime.pk] - listed.rank) if listed.anime.pk in ranks else Card(listed, is_new=True)
        for listed in shown.results
    ]


def listed_before(request: HttpRequest) -> list[int] | None:
    """The ids that the page showed when it asked for a fresh list; a malformed value counts as none."""
    text = request.GET.get("before", "")
    parts = text.split(",")[:MAX_BEFORE]
    if not text or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        return None
    return [int(part) for part in parts]


def is_partial(request: HttpRequest, target: str) -> bool:
    """Whether htmx asks for the fragment ``target`` only."""
    return bool(request.htmx) and request.htmx.target == target  # type: ignore[attr-defined]
