"""Keeps the names that search compares like the titles and synonyms they come from.

Whatever writes a title's names calls :func:`keep_names` for it: importers, and the admin when it saves. Deleting a
title takes its names along.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction

from catalog.folding import FOLDED_CHARS, SQUEEZED_CHARS, folded, squeezed, words_of
from catalog.importers.bulk import in_batches, write_rows
from catalog.models import Anime, AnimeName, Synonym

# Below the bound of parameters of every SQLite, and few enough for its one writer.
BATCH_TITLES = 250

Spelling = tuple[str, str]


def keep_names(anime_ids: Iterable[int]) -> int:
    """Make the names of the titles of ``anime_ids`` what they should be; answer how many rows had to change."""
    return sum(_keep(batch) for batch in in_batches(sorted(set(anime_ids)), BATCH_TITLES))


def rebuild_names() -> int:
    """Check the names of every title; answer how many rows had to change."""
    return keep_names(Anime.objects.values_list("pk", flat=True).iterator())


def spellings(names: Iterable[str]) -> set[Spelling]:
    """The rows (folded, squeezed) of the given names of a title."""
    words = (words_of(name) for name in names)
    return {(folded(some)[:FOLDED_CHARS], squeezed(some)[:SQUEEZED_CHARS]) for some in words if some}


def _keep(anime_ids: list[int]) -> int:
    wanted: dict[int, list[str]] = {}
    # Locked, so that of two who change a title at once the second sees what the first wrote.
    with transaction.atomic():
        titles = Anime.objects.select_for_update().filter(pk__in=anime_ids)
        for anime_id, *names in titles.values_list("pk", "title", "title_english", "title_japanese"):
            wanted[anime_id] = names
        for anime_id, name in Synonym.objects.filter(anime__in=anime_ids).values_list("anime_id", "title"):
            wanted[anime_id].append(name)
        stored: dict[int, dict[Spelling, int]] = defaultdict(dict)
        rows = AnimeName.objects.filter(anime__in=anime_ids)
        for pk, anime_id, *spelling in rows.values_list("pk", "anime_id", "folded", "squeezed"):
            stored[anime_id][spelling[0], spelling[1]] = pk
        stale: list[int] = []
        missing: list[tuple[int, str, str]] = []
        for anime_id, names in wanted.items():
            right = spellings(names)
            stale += [pk for spelling, pk in stored[anime_id].items() if spelling not in right]
            missing += [(anime_id, *spelling) for spelling in sorted(right.difference(stored[anime_id]))]
        for pks in in_batches(stale, BATCH_TITLES):
            AnimeName.objects.filter(pk__in=pks).delete()
        write_rows(AnimeName, ("anime_id", "folded", "squeezed"), missing)
    return len(stale) + len(missing)
