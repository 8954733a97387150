"""Counting and leafing through a person's list: the database filters, sorts and cuts, whatever its length."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, F, OrderBy, QuerySet
from django.utils import timezone

from catalog.models import Anime
from catalog.search import search
from recommendations.models import BulkChange, HiddenTitle, ListEntry, Profile

LIBRARY_ORDERINGS: dict[str, tuple[str | OrderBy, ...]] = {
    "updated": ("-updated", "-id"),
    "rating": (F("rating").desc(nulls_last=True), "anime__title", "id"),
    "title": ("anime__title", "id"),
    "year": (F("anime__year").desc(nulls_last=True), "anime__title", "id"),
}
RATED, UNRATED = "rated", "unrated"
# How long a change of many entries is offered to be taken back.
UNDO_PERIOD = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class LibraryFilter:
    """Which entries: ``status`` and ``type`` as stored, ``rated`` RATED or UNRATED, ``text`` as the catalogue's
    search takes it; an empty one lets all through."""

    status: str = ""
    rated: str = ""
    type: str = ""
    text: str = ""


WHOLE_LIST = LibraryFilter()


@dataclass(frozen=True, slots=True)
class Counts:
    """How many entries there are of each status, and how many titles are hidden."""

    statuses: dict[str, int]
    hidden: int


def library_entries(
    profile: Profile | None, filter: LibraryFilter = WHOLE_LIST, *, ordering: str = "updated"
) -> QuerySet[ListEntry]:
    """The entries of ``profile`` that ``filter`` lets through, with their titles; one query when it is read.

    ``ordering`` is a key of ``LIBRARY_ORDERINGS``.
    """
    if profile is None:
        return ListEntry.objects.none()
    entries = ListEntry.objects.filter(profile=profile).select_related("anime")
    if filter.status:
        entries = entries.filter(status=filter.status)
    if filter.rated:
        entries = entries.filter(rating__isnull=filter.rated == UNRATED)
    if filter.type:
        entries = entries.filter(anime__type=filter.type)
    if filter.text:
        entries = entries.filter(anime__in=search(Anime.objects.all(), filter.text).values("pk"))
    return entries.order_by(*LIBRARY_ORDERINGS[ordering])


def rated_entries(profile: Profile | None, limit: int) -> list[ListEntry]:
    """The ``limit`` entries with a rating that were changed last, with their titles: one query."""
    return list(library_entries(profile, LibraryFilter(rated=RATED))[:limit])


def rated_count(profile: Profile | None) -> int:
    """How many entries have a rating: one query; 0 for ``None``."""
    return library_entries(profile, LibraryFilter(rated=RATED)).count()


def status_counts(profile: Profile | None) -> Counts:
    """Two queries; zeros for ``None``."""
    if profile is None:
        return Counts({}, 0)
    rows = ListEntry.objects.filter(profile=profile).values_list("status").annotate(number=Count("pk")).order_by()
    return Counts(dict(rows), HiddenTitle.objects.filter(profile=profile).count())


def hidden_titles(profile: Profile | None, *, text: str = "") -> QuerySet[HiddenTitle]:
    """What the person does not want to see, with its titles, the last hidden first; ``text`` as in the catalogue."""
    rows = HiddenTitle.objects.filter(profile=profile).select_related("anime").order_by("-created", "-id")
    if text:
        rows = rows.filter(anime__in=search(Anime.objects.all(), text).values("pk"))
    return rows if profile else rows.none()


def change_to_undo(profile: Profile | None) -> BulkChange | None:
    """The last change of many entries at once, if it is recent; without what it remembers of them."""
    if profile is None:
        return None
    recent = BulkChange.objects.filter(profile=profile, created__gte=timezone.now() - UNDO_PERIOD)
    return recent.defer("before").first()
