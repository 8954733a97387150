"""What leaves the database for training: the layout that `python -m ml train` reads (public Kaggle files).

Nothing in it says who a person is: members are numbered anew in every snapshot.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection, transaction
from django.db.models import Q

from catalog.models import Anime, Franchise
from recommendations.models import ListEntry, ListStatus

CHUNK_ROWS = 5000
UNRATED = -1
ANIME_COLUMNS = (
    "anime_id", "name", "genre", "type", "episodes", "rating", "members",
    "title_english", "title_japanese", "year", "season", "aired_from", "studios", "source", "age_rating",
    "franchise_order", "is_adult",
)  # fmt: skip


def export_snapshot(out: Path) -> dict[str, int]:
    """Write a snapshot into the new directory ``out``; answer how many titles and ratings it holds.

    Written aside and renamed, so ``out`` is whole or absent. Raises ``FileExistsError`` if it exists.
    """
    if out.exists():
        raise FileExistsError(f"{out} already exists; a snapshot is never written over")
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(f".{out.name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        with _one_state_of_the_database():
            counts = {
                "anime": _write_anime(aside / "anime.csv"),
                "synopses": _write_synopses(aside / "anime_with_synopsis.csv"),
                "franchises": _write_franchises(aside / "franchises.json"),
                "ratings": _write_ratings(aside / "rating.csv"),
            }
        aside.rename(out)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return counts


@contextmanager
def _one_state_of_the_database() -> Iterator[None]:
    if connection.vendor != "postgresql":
        # On SQLite a transaction takes the write lock and would stop every rating; each file is one SELECT,
        # which sees one state by itself.
        yield
        return
    with transaction.atomic():
        if len(connection.savepoint_ids) == 0:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def _write_anime(path: Path) -> int:
    rows = 0
    titles = Anime.objects.order_by("pk").prefetch_related("genres", "studios")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(ANIME_COLUMNS)
        for anime in titles.iterator(chunk_size=CHUNK_ROWS):
            writer.writerow(
                (
                    anime.pk, anime.title, ", ".join(genre.name for genre in anime.genres.all()), anime.type,
                    _or_empty(anime.episodes), _or_empty(anime.community_rating), _or_empty(anime.members),
                    anime.title_english, anime.title_japanese, _or_empty(anime.year), anime.season,
                    _or_empty(anime.aired_from), "|".join(studio.name for studio in anime.studios.all()),
                    anime.source, anime.age_rating, _or_empty(anime.franchise_order), int(anime.is_adult),
                )
            )  # fmt: skip
            rows += 1
    return rows


def _write_synopses(path: Path) -> int:
    rows = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        # The public data set spells its column like this, and so do all files in its layout.
        writer.writerow(("MAL_ID", "Name", "Score", "Genres", "sypnopsis"))
        titles = Anime.objects.exclude(synopsis="").order_by("pk").values_list("pk", "title", "synopsis")
        for anime_id, title, synopsis in titles.iterator(chunk_size=CHUNK_ROWS):
            writer.writerow((anime_id, title, "", "", synopsis))
            rows += 1
    return rows


def _write_franchises(path: Path) -> int:
    groups: dict[int, list[int]] = {}
    members = Anime.objects.filter(franchise__isnull=False).order_by("franchise_id", "franchise_order", "pk")
    for franchise_id, anime_id in members.values_list("franchise_id", "pk"):
        groups.setdefault(franchise_id, []).append(anime_id)
    names = dict(Franchise.objects.values_list("pk", "name"))
    groups_as_json = [{"name": names[franchise_id], "ids": ids} for franchise_id, ids in groups.items()]
    path.write_text(json.dumps(groups_as_json, ensure_ascii=False), encoding="utf-8")
    return len(groups)


def _write_ratings(path: Path) -> int:
    """What people watched: neither what they only plan nor what they dropped without a word."""
    watched = ListEntry.objects.exclude(status=ListStatus.PLANNED).exclude(
        Q(status=ListStatus.DROPPED) & Q(rating=None)
    )
    rows, member, profile = 0, 0, None
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("user_id", "anime_id", "rating"))
        entries = watched.order_by("profile_id", "anime_id").values_list("profile_id", "anime_id", "rating")
        for profile_id, anime_id, rating in entries.iterator(chunk_size=CHUNK_ROWS):
            if profile_id != profile:
                member, profile = member + 1, profile_id
            writer.writerow((member, anime_id, UNRATED if rating is None else rating))
            rows += 1
    return rows


def _or_empty(value: object) -> object:
    return "" if value is None else value
