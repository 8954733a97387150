"""Reading profiles: whose list a request is about, and that list in the recommender's own words."""

from __future__ import annotations

import numpy as np
from django.db.models import F, OrderBy, Q
from django.http import HttpRequest

from ml.types import Profile as ScoringProfile
from ml.types import Status
from recommendations.models import HiddenTitle, ListEntry, Profile
from recommendations.visitor import visitor_profile_id

_STATUS = {status.value: status for status in Status}


def current_profile(request: HttpRequest) -> Profile | None:
    """The profile of the signed-in user, else of this session's visitor; ``None`` before the first entry."""
    if request.user.is_authenticated:
        return Profile.objects.filter(user=request.user).first()
    visitor_id = visitor_profile_id(request)
    if visitor_id is None:
        return None
    return Profile.objects.filter(pk=visitor_id, user=None, external_id="").first()


def imported_profile(external_id: str) -> Profile | None:
    """The member ``external_id`` of the imported data set."""
    if "\0" in external_id:  # Postgres takes no NUL in a string
        return None
    return Profile.objects.imported().filter(external_id=external_id).order_by("source").first()


def scoring_profile(profile: Profile | None) -> ScoringProfile:
    """``profile`` as the recommender takes it: two queries; empty for ``None``."""
    if profile is None:
        return ScoringProfile.of([])
    rows = list(
        ListEntry.objects.filter(profile=profile).order_by("anime_id").values_list("anime_id", "rating", "status")
    )
    hidden = HiddenTitle.objects.filter(profile=profile).values_list("anime_id", flat=True)
    return ScoringProfile(
        anime_ids=np.array([row[0] for row in rows], dtype=np.int64),
        ratings=np.array([np.nan if row[1] is None else row[1] for row in rows], dtype=np.float32),
        statuses=tuple(_STATUS[row[2]] for row in rows),
        hidden=frozenset(hidden),
    )


def entries_by_anime(profile: Profile | None, anime_ids: list[int] | None = None) -> dict[int, ListEntry]:
    """The entries of ``profile`` by anime id, of ``anime_ids`` only where given: one query."""
    if profile is None:
        return {}
    entries = ListEntry.objects.filter(profile=profile)
    if anime_ids is not None:
        entries = entries.filter(anime_id__in=anime_ids)
    return {entry.anime_id: entry for entry in entries}


LIBRARY_ORDERINGS: dict[str, tuple[str | OrderBy, ...]] = {
    "updated": ("-updated", "-id"),
    "rating": (F("rating").desc(nulls_last=True), "anime__title"),
    "title": ("anime__title",),
    "year": (F("anime__year").desc(nulls_last=True), "anime__title"),
}


def library(
    profile: Profile | None, *, status: str = "", ordering: str = "updated", text: str = ""
) -> list[ListEntry]:
    """The list of ``profile`` with its titles: by ``status`` ("" = all), holding ``text`` in a title."""
    if profile is None:
        return []
    entries = ListEntry.objects.filter(profile=profile).select_related("anime")
    if status:
        entries = entries.filter(status=status)
    if text:
        entries = entries.filter(Q(anime__title__icontains=text) | Q(anime__title_english__icontains=text))
    return list(entries.order_by(*LIBRARY_ORDERINGS[ordering]))
