"""`franchises.json`: which titles belong together, and in which order they are best watched."""

from __future__ import annotations

import html
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from pathlib import Path

from django.conf import settings

from catalog.importers.bulk import in_batches
from catalog.importers.problems import BadRows, ImportStopped
from catalog.importers.titles import Written
from catalog.models import Anime, AnimeType, Franchise, Season

MAX_FILE_BYTES = 64_000_000
NAME_CHARS = 300
SEASON_MONTHS = {Season.WINTER: 1, Season.SPRING: 4, Season.SUMMER: 7, Season.FALL: 10}
# In parameters a query; below the bound of every SQLite.
QUERY_IDS = 900

Group = tuple[str, list[int]]


def read_groups(path: Path, bad_rows: BadRows) -> list[Group]:
    """Name and anime ids of every group. The file is small by nature, so it is read at once."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ImportStopped(f"{path}: larger than {MAX_FILE_BYTES} bytes, too large for a file of franchises")
        entries = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ImportStopped(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise ImportStopped(f"{path}: not UTF-8 text (byte {error.start}); save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        raise ImportStopped(f"{path}, line {error.lineno}: not JSON ({error.msg}); is the file cut off?") from None
    if not isinstance(entries, list):
        raise ImportStopped(f"{path}, line 1: must hold a list of groups, each with name and ids")
    groups = []
    for number, entry in enumerate(entries, start=1):
        reason = _fault(entry)
        if reason:
            bad_rows.add(path, number, reason, place="group")
        else:
            groups.append((html.unescape(entry["name"]).strip(), entry["ids"]))
    return groups


def _fault(entry: object) -> str:
    if not isinstance(entry, dict):
        return "is no object with name and ids"
    name, ids = entry.get("name"), entry.get("ids")
    if not isinstance(name, str) or not name.strip() or len(name) > NAME_CHARS or "\0" in name:
        return f"name is no text of 1 to {NAME_CHARS} characters"
    if not isinstance(ids, list) or not all(type(anime_id) is int for anime_id in ids):
        return "ids is no list of whole numbers"
    return ""


def write_groups(groups: Iterable[Group], *, explicit: Collection[int]) -> Written:
    """Put titles into their franchises; a title that several groups claim belongs to the first.

    ``explicit``: titles whose place in the watch order another file gave; it stays. All others are put in order
    of airing. Only groups of two known titles and more become franchises: a title by itself needs none.
    """
    groups = list(groups)
    titles = _titles({anime_id for _name, ids in groups for anime_id in ids})
    stored: dict[str, list[Franchise]] = defaultdict(list)
    for existing in Franchise.objects.order_by("-pk"):
        stored[existing.name].append(existing)

    claimed: set[int] = set()
    placed: list[tuple[Franchise, list[Anime]]] = []
    written = Written()
    for name, ids in groups:
        mine = [anime_id for anime_id in dict.fromkeys(ids) if anime_id not in claimed]
        claimed.update(mine)
        known = [titles[anime_id] for anime_id in mine if anime_id in titles]
        written.unknown += len(mine) - len(known)
        # Names need not be unique: the second group of a name is the second franchise of that name.
        own = stored[name].pop() if stored[name] else None
        if len(known) > 1 or (known and own is not None):
            placed.append((own or Franchise(name=name), known))

    missing = [franchise for franchise, _known in placed if franchise.pk is None]
    for new in in_batches(missing, settings.WRITE_BATCH_ROWS):
        Franchise.objects.bulk_create(new)
    changed: list[Anime] = []
    for franchise, known in placed:
        for anime, place in watch_order(known, explicit):
            if (anime.franchise_id, anime.franchise_order) == (franchise.pk, place):
                written.unchanged += 1
            else:
                anime.franchise_id, anime.franchise_order = franchise.pk, place
                changed.append(anime)
    for batch in in_batches(changed, settings.WRITE_BATCH_ROWS):
        Anime.objects.bulk_update(batch, ["franchise", "franchise_order"])
    written.changed = len(changed)
    return written


def _titles(ids: Iterable[int]) -> dict[int, Anime]:
    fields = ("type", "year", "season", "aired_from", "franchise", "franchise_order")
    found: dict[int, Anime] = {}
    for batch in in_batches(sorted(ids), QUERY_IDS):
        found |= Anime.objects.only(*fields).in_bulk(batch)
    return found


def watch_order(titles: Sequence[Anime], explicit: Collection[int] = ()) -> list[tuple[Anime, int | None]]:
    """The titles of one franchise with their places: given ones first, then by airing.

    Series and films stand before specials of the same day. A title without a date follows the dated one with
    the next lower id: ids were given roughly in order of airing. Where nothing is known but ids there are no places:
    training knows more to go by (what is watched how much) and must not take a guess for a watch order.
    """
    given = [anime for anime in titles if anime.pk in explicit and anime.franchise_order is not None]
    given.sort(key=lambda anime: (anime.franchise_order or 0, anime.pk))
    others = [anime for anime in titles if anime not in given]
    others.sort(key=lambda anime: anime.pk)
    if not given and all(_begin(anime) is None for anime in others):
        return [(anime, None) for anime in others]
    days: dict[int, date] = {}
    day = date.min
    for anime in others:
        day = _begin(anime) or day
        days[anime.pk] = day
    others.sort(key=lambda a: (days[a.pk], a.type not in (AnimeType.TV, AnimeType.MOVIE), a.pk))
    first = max((anime.franchise_order or 0 for anime in given), default=0) + 1
    return [
        *((anime, anime.franchise_order or 0) for anime in given),
        *((anime, place) for place, anime in enumerate(others, start=first)),
    ]


def _begin(anime: Anime) -> date | None:
    if anime.aired_from is not None:
        return anime.aired_from
    return (
        date(anime.year, SEASON_MONTHS.get(Season(anime.season), 1) if anime.season else 1, 1) if anime.year else None
    )
