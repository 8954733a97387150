"""Counting and leafing through a person's list."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from catalog.models import Anime
from recommendations.models import HiddenTitle, ListEntry, Profile


@dataclass(frozen=True, slots=True)
class Counts:
    """How many entries there are of each status, and how many titles are hidden."""

    statuses: dict[str, int]
    hidden: int


def status_counts(profile: Profile | None) -> Counts:
    """Two queries; zeros for ``None``."""
    if profile is None:
        return Counts({}, 0)
    rows = ListEntry.objects.filter(profile=profile).values_list("status").annotate(number=Count("pk")).order_by()
    return Counts(dict(rows), HiddenTitle.objects.filter(profile=profile).count())


def hidden_titles(profile: Profile | None, *, text: str = "") -> list[Anime]:
    """The titles that the person does not want to see, the last hidden first, holding ``text`` in a title."""
    if profile is None:
        return []
    rows = HiddenTitle.objects.filter(profile=profile).select_related("anime").order_by("-created", "-id")
    if text:
        rows = rows.filter(Q(anime__title__icontains=text) | Q(anime__title_english__icontains=text))
    return [row.anime for row in rows]
