"""Importing the lists of the members of a public data set, streamed: millions of rows, a bounded memory.

Members become imported profiles (source + external id). A row without a rating never touches an entry that has
one, and a status is only ever changed by a file that has a column of statuses: no known fact gives way to a
missing one, and importing twice is the same as once. Of two rows of one member and title the last with a rating
stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from catalog.importers.bulk import batch_rows, in_batches, one_import, uses_postgres, write_rows
from catalog.importers.catalogue import Watch
from catalog.importers.problems import BadRows, BadValue, ImportStopped
from catalog.importers.tables import Table, open_table
from catalog.importers.values import MAX_ID, MISSING
from catalog.models import Anime
from recommendations.models import ListEntry, ListStatus, Profile, ProfileSource
from recommendations.services.rating_load import RatingLoad

# The first of these that a directory holds: the 2016 set, the 2020 set with statuses, the 2020 set without.
RATING_FILES = ("rating.csv", "animelist.csv", "rating_complete.csv")
REQUIRED = ("user_id", "anime_id", "rating")
STATUS_COLUMN = "watching_status"
# The numbers of the 2020 set. It also holds a few that nobody has explained (0, 5, 33, 55): the title stands on
# the list, so it counts as watched, as in sets without statuses.
STATUSES = {
    "1": ListStatus.WATCHING.value,
    "2": ListStatus.COMPLETED.value,
    "3": ListStatus.ON_HOLD.value,
    "4": ListStatus.DROPPED.value,
    "6": ListStatus.PLANNED.value,
}
RATINGS: dict[str, int | None] = {str(number): number for number in range(1, 11)} | {"-1": None, "0": None}

Rating = tuple[int, int, int | None, str]
"""User id, anime id, rating from 1 to 10 or none, status."""


@dataclass(slots=True)
class RatingReport:
    """What an import of ratings did. ``unknown_title``: rows of titles that the catalogue does not hold."""

    path: Path
    rows: int = 0
    new: int = 0
    changed: int = 0
    new_profiles: int = 0
    unknown_title: int = 0

    @property
    def unchanged(self) -> int:
        return self.rows - self.unknown_title - self.new - self.changed


def rating_file(path: Path) -> Path:
    """The file that an import of ``path`` reads. Raises ``ImportStopped`` if there is none."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise ImportStopped(f"{path}: no such file or directory")
    for name in RATING_FILES:
        if (path / name).is_file():
            return path / name
    raise ImportStopped(f"{path}: holds none of {', '.join(RATING_FILES)}; name another one")


def import_ratings(
    path: Path, *, source: ProfileSource, max_errors: int, tell: Callable[[str], None], watch: Watch
) -> RatingReport:
    """Import the ratings of ``path`` (a file, or a directory that holds one) as members of ``source``.

    Up to ``max_errors`` bad rows are skipped, each is told of. Raises ``ImportStopped`` beyond that, and for a
    file that is none of ours; nothing is stored then.
    """
    file = rating_file(path)
    if not Anime.objects.exists():
        raise ImportStopped(f"{file}: the catalogue is empty, so no rating has a title; run import_catalog first")
    report = RatingReport(file)
    bad_rows = BadRows(max_errors, tell)
    size = file.stat().st_size
    if uses_postgres():
        with one_import(), watch(f"importing {file.name}", size) as progress, open_table(file, progress) as table:
            _load(table, bad_rows, source, report)
        return report
    # Batches are stored one by one, so whether the import can be done must be known before the first.
    with watch(f"checking {file.name}", size) as progress, open_table(file, progress) as table:
        for _row in _ratings(table, bad_rows):
            pass
    told = BadRows(max_errors, lambda _text: None)
    with watch(f"importing {file.name}", size) as progress, open_table(file, progress) as table:
        _write_in_batches(_ratings(table, told), table.has(STATUS_COLUMN), source, report)
    return report


def _ratings(table: Table, bad_rows: BadRows) -> Iterator[Rating]:
    if not table.has(*REQUIRED):
        found = ", ".join(table.header[:8])
        hint = "; a file of titles is for import_catalog" if table.has("name") or table.has("Name") else ""
        raise ImportStopped(f"{table.path}, line 1: the columns ({found}) lack some of {', '.join(REQUIRED)}{hint}")
    user_at, anime_at, rating_at = (table.header.index(name) for name in REQUIRED)
    status_at = table.header.index(STATUS_COLUMN) if table.has(STATUS_COLUMN) else None
    status = ListStatus.COMPLETED.value
    for line, cells in table.rows(bad_rows):
        try:
            # Nearly every cell is a plain number: take it as it is, and look closer only if it is not.
            user_id, anime_id = int(cells[user_at]), int(cells[anime_at])
            rating = RATINGS[cells[rating_at]]
            if status_at is not None:
                status = STATUSES[cells[status_at]]
            if not (0 <= user_id <= MAX_ID and 1 <= anime_id <= MAX_ID):
                raise ValueError
        except (ValueError, KeyError):
            try:
                user_id = _id(cells[user_at], "user_id", 0)
                anime_id = _id(cells[anime_at], "anime_id", 1)
                rating = _rating(cells[rating_at])
                if status_at is not None:
                    status = _status(cells[status_at])
            except BadValue as error:
                bad_rows.add(table.path, line, str(error))
                continue
        yield user_id, anime_id, rating, status


def _id(cell: str, column: str, minimum: int) -> int:
    text = cell.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and minimum <= int(text) <= MAX_ID):
        raise BadValue(f"{column} is “{text[:40]}”, not a whole number from {minimum}")
    return int(text)


def _rating(cell: str) -> int | None:
    text = cell.strip().lower().removesuffix(".0")
    if text in MISSING:
        return None
    if text not in RATINGS:
        raise BadValue(f"rating is “{cell.strip()[:40]}”, not a whole number from 1 to 10 (or -1 or 0: not rated)")
    return RATINGS[text]


def _status(cell: str) -> str:
    text = cell.strip()
    if text and not text.isdecimal():
        raise BadValue(f"{STATUS_COLUMN} is “{text[:40]}”, not one of {', '.join(STATUSES)}")
    return STATUSES.get(text, ListStatus.COMPLETED.value)


def _load(table: Table, bad_rows: BadRows, source: ProfileSource, report: RatingReport) -> None:
    with connection.cursor() as cursor:
        load = RatingLoad(cursor)
        report.rows = load.copy(_ratings(table, bad_rows))
        report.unknown_title = load.drop_unknown_titles()
        report.new_profiles = load.add_profiles(source.value)
        report.new, report.changed = load.write_entries(source.value, with_status=table.has(STATUS_COLUMN))
        load.close()


def _write_in_batches(
    ratings: Iterable[Rating], with_status: bool, source: ProfileSource, report: RatingReport
) -> None:
    titles = set(Anime.objects.values_list("pk", flat=True))
    for batch in in_batches(ratings, batch_rows()):
        report.rows += len(batch)
        known = [row for row in batch if row[1] in titles]
        report.unknown_title += len(batch) - len(known)
        if known:
            _write_batch(known, with_status, source, report)


def _write_batch(ratings: list[Rating], with_status: bool, source: ProfileSource, report: RatingReport) -> None:
    """One transaction: read what is stored, write what differs, raise the versions of the lists that changed."""
    external_ids = list({str(row[0]) for row in ratings})
    with transaction.atomic():
        profiles = Profile.objects.filter(source=source, external_id__in=external_ids)
        ids = dict(profiles.values_list("external_id", "pk"))
        new = [Profile(source=source, external_id=name) for name in external_ids if name not in ids]
        Profile.objects.bulk_create(new)
        ids |= {profile.external_id: profile.pk for profile in new}
        report.new_profiles += len(new)

        entries = ListEntry.objects.filter(profile__in=ids.values())
        stored = {
            (profile_id, anime_id): (rating, status)
            for profile_id, anime_id, rating, status in entries.values_list(
                "profile_id", "anime_id", "rating", "status"
            )
        }
        wanted: dict[tuple[Any, int], tuple[int | None, str]] = {}
        for user_id, anime_id, rating, status in ratings:
            key = ids[str(user_id)], anime_id
            old_rating, old_status = wanted.get(key) or stored.get(key) or (None, None)
            if rating is not None or old_rating is None:
                wanted[key] = (rating, status if with_status or old_status is None else old_status)
        wanted = {key: values for key, values in wanted.items() if stored.get(key) != values}
        now = timezone.now()
        write_rows(
            ListEntry,
            ("profile_id", "anime_id", "rating", "status", "created", "updated"),
            [(*key, *values, now, now) for key, values in wanted.items()],
            update=("rating", "status", "updated"),
            unique=("profile_id", "anime_id"),
        )
        changed = {profile_id for profile_id, _anime_id in wanted}
        Profile.objects.filter(pk__in=changed).update(version=F("version") + 1)
    changes = sum(key in stored for key in wanted)
    report.changed += changes
    report.new += len(wanted) - changes
