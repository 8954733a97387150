"""Changing many entries of a list at once: all or nothing, in one transaction, and to be taken back whole."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from catalog.models import Anime
from recommendations.models import BulkChange, ListEntry, ListStatus, Profile
from recommendations.services.entries import clean_changes
from recommendations.services.profiles import touch

MAX_BULK_ENTRIES = 5000


@dataclass(frozen=True, slots=True)
class Undone:
    """How many entries are as they were, and how many have been changed since and stay as they are."""

    restored: int
    kept: int


@transaction.atomic
def set_many(*, profile: Profile, anime_ids: Collection[int], changes: Mapping[str, Any]) -> BulkChange | None:
    """Give the entries of ``anime_ids`` a rating, a status or both; ``None`` where none is on the list.

    A rating alone makes planned titles completed, as :func:`recommendations.services.entries.rate` does. Raises
    ``ValidationError`` (by field) for values that do not fit, ``ValueError`` for more than MAX_BULK_ENTRIES.
    """
    changes = clean_changes(changes)
    change = _remember(profile, anime_ids, removed=False)
    if change is None:
        return None
    entries = ListEntry.objects.filter(profile=profile, anime__in=[row[0] for row in change.before])
    if changes.get("rating") is not None and "status" not in changes:
        entries.filter(status=ListStatus.PLANNED).update(status=ListStatus.COMPLETED)
    entries.update(**changes, updated=change.created)
    touch(profile)
    return change


@transaction.atomic
def remove_many(*, profile: Profile, anime_ids: Collection[int]) -> BulkChange | None:
    """Take ``anime_ids`` off the list; ``None`` where none is on it. Raises as :func:`set_many` does."""
    change = _remember(profile, anime_ids, removed=True)
    if change is None:
        return None
    ListEntry.objects.filter(profile=profile, anime__in=[row[0] for row in change.before]).delete()
    touch(profile)
    return change


@transaction.atomic
def undo_many(*, profile: Profile, change_id: uuid.UUID) -> Undone | None:
    """Take a change of many entries back; ``None`` where it is not the last one of ``profile``.

    An entry that has been changed since stays as it is.
    """
    change = BulkChange.objects.select_for_update().filter(pk=change_id, profile=profile).first()
    if change is None:
        return None
    ids = [row[0] for row in change.before]
    there = ListEntry.objects.select_for_update().filter(profile=profile, anime__in=ids).order_by("anime")
    updated = dict(there.values_list("anime_id", "updated"))
    if change.removed:
        known = set(Anime.objects.filter(pk__in=ids).values_list("pk", flat=True))
        rows = [row for row in change.before if row[0] in known and row[0] not in updated]
    else:
        rows = [row for row in change.before if updated.get(row[0]) == change.created]
    ListEntry.objects.bulk_create(
        (_entry(profile, *row) for row in rows),
        update_conflicts=True,
        unique_fields=["profile", "anime"],
        update_fields=["rating", "status", "started", "finished", "updated"],
    )
    change.delete()
    touch(profile)
    return Undone(restored=len(rows), kept=len(ids) - len(rows))


def _remember(profile: Profile, anime_ids: Collection[int], *, removed: bool) -> BulkChange | None:
    """Lock the entries and store them as they are, in the place of what was remembered before."""
    if len(anime_ids) > MAX_BULK_ENTRIES:
        raise ValueError(f"{len(anime_ids)} entries at once; there may be {MAX_BULK_ENTRIES}")
    entries = ListEntry.objects.select_for_update().filter(profile=profile, anime__in=anime_ids).order_by("anime")
    before = [
        [anime_id, rating, status, started and started.isoformat(), finished and finished.isoformat()]
        for anime_id, rating, status, started, finished in entries.values_list(
            "anime_id", "rating", "status", "started", "finished"
        )
    ]
    if not before:
        return None
    BulkChange.objects.filter(profile=profile).delete()
    return BulkChange.objects.create(
        profile=profile, removed=removed, size=len(before), before=before, created=timezone.now()
    )


def _entry(
    profile: Profile, anime_id: int, rating: int | None, status: str, started: str | None, finished: str | None
) -> ListEntry:
    return ListEntry(
        profile=profile,
        anime_id=anime_id,
        rating=rating,
        status=status,
        started=date.fromisoformat(started) if started else None,
        finished=date.fromisoformat(finished) if finished else None,
    )
