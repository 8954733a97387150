"""Storing titles: new ones are made, known ones completed; no known fact gives way to a missing one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from catalog.importers.bulk import write_rows
from catalog.importers.layouts import TitleRecord, genre_slug
from catalog.models import Anime, Genre, Studio, Synonym
from catalog.names import keep_names

# The primary key decides which row is meant; all else may change.
_KEY = "id"


@dataclass(slots=True)
class Written:
    """How many titles an import made, changed, found as they were, or did not find."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    unknown: int = 0

    def add(self, other: Written) -> None:
        self.new += other.new
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.unknown += other.unknown


class TitleWriter:
    """Writes batches of records, each title once a batch. Remembers the ids of genres and studios in between."""

    def __init__(self) -> None:
        self._genres: dict[str, int] = {}
        for pk, name, slug in Genre.objects.values_list("pk", "name", "slug"):
            # An administrator may have given a genre another slug; the name still says which it is.
            self._genres |= {genre_slug(name): pk, slug: pk}
        self._studios: dict[str, int] = dict(Studio.objects.values_list("name", "pk"))

    def write(self, records: Sequence[TitleRecord], *, create: bool) -> Written:
        """Store ``records``; without ``create`` only titles that exist are touched."""
        known, new, changed = self._write_facts(records, create=create)
        linked = self._write_links([record for record in records if record.anime_id in known])
        changed |= linked - new
        # Also of titles that are as they were: an import that was stopped halfway is put right by the next.
        keep_names(record.anime_id for record in records if record.anime_id in known and record.names)
        return Written(len(new), len(changed), len(known) - len(new) - len(changed), len(records) - len(known))

    def _write_facts(self, records: Sequence[TitleRecord], *, create: bool) -> tuple[set[int], set[int], set[int]]:
        columns = [field.attname for field in Anime._meta.concrete_fields]
        now = timezone.now()
        known, new, changed = set(), set(), set()
        rows = []
        # Read, merge and write in one transaction: what somebody edits meanwhile waits and is not lost.
        with transaction.atomic():
            stored = Anime.objects.select_for_update().in_bulk([record.anime_id for record in records])
            for record in records:
                anime = stored.get(record.anime_id)
                if anime is None:
                    if not create:
                        continue
                    anime = Anime(pk=record.anime_id)
                    new.add(record.anime_id)
                known.add(record.anime_id)
                if _merge(anime, record):
                    changed.add(record.anime_id)
                    anime.updated = now
                    rows.append([getattr(anime, name) for name in columns])
            write_rows(Anime, columns, rows, unique=[_KEY], update=[name for name in columns if name != _KEY])
        return known, new, changed - new

    def _write_links(self, records: Sequence[TitleRecord]) -> set[int]:
        """Add genres, studios and synonyms; answer which titles got any. None is taken away: sets differ in what
        they name, and what an administrator added must survive the next import."""
        self._add_genres(records)
        self._add_studios(records)
        ids = [record.anime_id for record in records]
        linked: set[int] = set()
        for model, column, wanted in (
            (
                Anime.genres.through,
                "genre_id",
                [(r.anime_id, self._genres[genre_slug(name)]) for r in records for name in r.genres],
            ),
            (
                Anime.studios.through,
                "studio_id",
                [(r.anime_id, self._studios[name]) for r in records for name in r.studios],
            ),
            (Synonym, "title", [(r.anime_id, name) for r in records for name in r.synonyms]),
        ):
            if not wanted:
                continue
            stored = set(model._default_manager.filter(anime_id__in=ids).values_list("anime_id", column))
            missing = [pair for pair in dict.fromkeys(wanted) if pair not in stored]
            write_rows(model, ("anime_id", column), missing)
            linked.update(anime_id for anime_id, _other in missing)
        return linked

    def _add_genres(self, records: Iterable[TitleRecord]) -> None:
        kinds = {name: kind for record in records for name, kind in record.genres.items()}
        missing = {
            genre_slug(name): Genre(name=name, slug=genre_slug(name), kind=kind)
            for name, kind in kinds.items()
            if genre_slug(name) not in self._genres
        }
        Genre.objects.bulk_create(missing.values())
        self._genres |= {slug: genre.pk for slug, genre in missing.items()}

    def _add_studios(self, records: Iterable[TitleRecord]) -> None:
        names = dict.fromkeys(name for record in records for name in record.studios)
        missing = [Studio(name=name) for name in names if name not in self._studios]
        Studio.objects.bulk_create(missing)
        self._studios |= {studio.name: studio.pk for studio in missing}


def _merge(anime: Anime, record: TitleRecord) -> bool:
    """Put what ``record`` knows into ``anime``; answer whether anything is new."""
    changed = anime._state.adding
    for name, value in record.facts.items():
        if getattr(anime, name) != value:
            setattr(anime, name, value)
            changed = True
    for name, value in record.fallbacks.items():
        if getattr(anime, name) in (None, ""):
            setattr(anime, name, value)
            changed = True
    # Only ever switched on: a set that has no such label must not show adult titles to everyone.
    if record.is_adult and not anime.is_adult:
        anime.is_adult = changed = True
    return changed
