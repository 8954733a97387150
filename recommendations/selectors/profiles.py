"""Reading profiles: whose list a request is about, and that list in the recommender's own words."""

from __future__ import annotations

import numpy as np
from django.db.models import PositiveSmallIntegerField, Value
from django.http import HttpRequest

from ml.types import Profile as ScoringProfile
from ml.types import Status
from recommendations.models import HiddenTitle, ListEntry, Profile
from recommendations.visitor import visitor_profile_id

_STATUS = {status.value: status for status in Status}
# Beside the statuses of entries, in one query with them.
_HIDDEN = "hidden"
_NO_RATING = Value(None, output_field=PositiveSmallIntegerField())


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
    """``profile`` as the recommender takes it: one query; empty for ``None``."""
    if profile is None:
        return ScoringProfile.of([])
    entries = ListEntry.objects.filter(profile=profile).values_list("anime_id", "rating", "status")
    hidden = HiddenTitle.objects.filter(profile=profile).values_list("anime_id", _NO_RATING, Value(_HIDDEN))
    both = sorted(entries.union(hidden, all=True), key=lambda row: row[0])
    rows = [row for row in both if row[2] != _HIDDEN]
    return ScoringProfile(
        anime_ids=np.array([row[0] for row in rows], dtype=np.int64),
        ratings=np.array([np.nan if row[1] is None else row[1] for row in rows], dtype=np.float32),
        statuses=tuple(_STATUS[row[2]] for row in rows),
        hidden=frozenset(row[0] for row in both if row[2] == _HIDDEN),
    )


def entries_by_anime(profile: Profile | None, anime_ids: list[int] | None = None) -> dict[int, ListEntry]:
    """The entries of ``profile`` by anime id, of ``anime_ids`` only where given: one query."""
    if profile is None:
        return {}
    entries = ListEntry.objects.filter(profile=profile)
    if anime_ids is not None:
        entries = entries.filter(anime_id__in=anime_ids)
    return {entry.anime_id: entry for entry in entries}
