"""Every change of a list goes through here: pages, API, admin and imports behave the same.

Each function is one transaction that also raises the profile's version, and answers what it stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from catalog.models import Anime
from recommendations.models import HiddenTitle, ListEntry, ListStatus, Profile
from recommendations.services.profiles import touch

ENTRY_FIELDS = frozenset({"rating", "status", "started", "finished"})


def rate(*, profile: Profile, anime: Anime, rating: int) -> ListEntry:
    """Rate ``anime`` from 1 to 10. A planned title counts as completed from then on.

    Raises ``ValidationError`` where the rating is no whole number from 1 to 10.
    """
    rating = clean_rating(rating)
    with transaction.atomic():
        entry = ListEntry.objects.select_for_update().filter(profile=profile, anime=anime).first()
        changes: dict[str, Any] = {"rating": rating}
        if entry is None or entry.status == ListStatus.PLANNED:
            changes["status"] = ListStatus.COMPLETED
        return _store(profile, anime, changes)


@transaction.atomic
def set_entry(*, profile: Profile, anime: Anime, changes: Mapping[str, Any]) -> ListEntry:
    """Create or change the entry of ``anime``: any of ``ENTRY_FIELDS``; what is not named stays.

    Raises ``ValidationError`` (by field) for values that do not fit; nothing is stored then.
    """
    return _store(profile, anime, clean_changes(changes))


@transaction.atomic
def remove_entry(*, profile: Profile, anime: Anime) -> bool:
    """Take ``anime`` off the list; answer whether it stood there."""
    deleted, _by_model = ListEntry.objects.filter(profile=profile, anime=anime).delete()
    if deleted:
        touch(profile)
    return bool(deleted)


@transaction.atomic
def hide(*, profile: Profile, anime: Anime) -> None:
    """Never list ``anime`` again ("not interested"). The person's list stays as it is."""
    _hidden, created = HiddenTitle.objects.get_or_create(profile=profile, anime=anime)
    if created:
        touch(profile)


@transaction.atomic
def unhide(*, profile: Profile, anime: Anime) -> bool:
    """Undo :func:`hide`; answer whether ``anime`` was hidden."""
    deleted, _by_model = HiddenTitle.objects.filter(profile=profile, anime=anime).delete()
    if deleted:
        touch(profile)
    return bool(deleted)


def clean_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    """``changes`` of an entry as they are stored; ``ValidationError`` (by field) for values that do not fit."""
    unknown = set(changes) - ENTRY_FIELDS
    if unknown:
        raise ValueError(f"not fields of an entry: {', '.join(sorted(unknown))}")
    changes = dict(changes)
    if changes.get("rating") is not None:
        changes["rating"] = clean_rating(changes["rating"])
    if "status" in changes and changes["status"] not in ListStatus.values:
        raise ValidationError(
            {"status": _("“%(value)s” is not a status. Use one of: %(choices)s.")
             % {"value": changes["status"], "choices": ", ".join(ListStatus.values)}}
        )  # fmt: skip
    return changes


def clean_rating(value: Any) -> int:
    """``value`` as a rating; ``ValidationError`` where it is no whole number from 1 to 10."""
    problem = ValidationError({"rating": _("A rating is a whole number from 1 to 10, not “%s”.") % str(value)[:40]})
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise problem
    try:
        rating = int(value)
    except ValueError:
        raise problem from None
    if not 1 <= rating <= 10:
        raise problem
    return rating


def _store(profile: Profile, anime: Anime, changes: Mapping[str, Any]) -> ListEntry:
    entry, _created = ListEntry.objects.update_or_create(profile=profile, anime=anime, defaults=changes)
    touch(profile)
    return entry
