"""What leaves the database for training: the layout that `python -m ml train` reads (public Kaggle files).

Nothing in it says who a person is: members are numbered anew in every snapshot.
"""

from __future__ import annotations

import csv
import hashlib
import heapq
import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from catalog.models import Anime, Franchise
from recommendations.models import ListEntry, ListStatus, Profile
from recommendations.services.judges import Line, is_judge, judge_share, split

CHUNK_ROWS = 5000
PROFILES_A_QUERY = 500
UNRATED = -1
RATINGS = "rating.csv"
JUDGES = "judges_profiles.csv"
JUDGES_HELDOUT = "judges_heldout.csv"
ANIME_COLUMNS = (
    "anime_id", "name", "genre", "type", "episodes", "rating", "members",
    "title_english", "title_japanese", "year", "season", "aired_from", "studios", "source", "age_rating",
    "franchise_order", "is_adult",
)  # fmt: skip


def export_snapshot(out: Path, *, sample_members: int | None = None, profiles: int | None = None) -> dict[str, int]:
    """Write a snapshot into the new directory ``out``; answer how many titles, ratings and judges it holds.

    ``sample_members``: of those who do not judge at most so many, the same ones every time as far as they are there;
    ``None``: all. ``profiles``: who judges is decided as if there were so many; ``None``: as many as there are.

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
                "anime": write_anime(aside / "anime.csv"),
                "synopses": _write_synopses(aside / "anime_with_synopsis.csv"),
                "franchises": _write_franchises(aside / "franchises.json"),
                **_write_ratings(aside, sample_members, profiles),
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


def write_anime(path: Path) -> int:
    """Write ``anime.csv``; answer how many titles it holds."""
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


def _write_ratings(folder: Path, sample_members: int | None, profiles_then: int | None) -> dict[str, int]:
    """Lists of judges stand in two files of their own, which training does not read."""
    share = judge_share(Profile.objects.count() if profiles_then is None else profiles_then)
    counts = {"ratings": 0, "judges": 0}
    lists = lists_of(watched()) if sample_members is None else _lists_of_sample(sample_members, share)
    with ExitStack() as stack:
        ratings, profiles, heldout = (opened(stack, folder / name) for name in (RATINGS, JUDGES, JUDGES_HELDOUT))
        for member, (key, lines) in enumerate(lists, start=1):
            if not is_judge(key, share):
                ratings.writerows((member, *line) for line in lines)
                counts["ratings"] += len(lines)
                continue
            shown, hidden = split(key, lines)
            if hidden:
                profiles.writerows((member, *line) for line in shown)
                heldout.writerows((member, *line) for line in hidden)
                counts["judges"] += 1
    return counts


def watched() -> QuerySet[ListEntry]:
    """What people watched: neither what they only plan nor what they dropped without a word."""
    return ListEntry.objects.exclude(status=ListStatus.PLANNED).exclude(Q(status=ListStatus.DROPPED) & Q(rating=None))


def lists_of(entries: QuerySet[ListEntry]) -> Iterator[tuple[str, list[Line]]]:
    """(who it is, [(anime_id, rating)]) of one member after another."""
    columns = ("profile_id", "profile__source", "profile__external_id", "anime_id", "rating")
    rows = entries.order_by("profile_id", "anime_id").values_list(*columns).iterator(chunk_size=CHUNK_ROWS)
    for (profile_id, source, external_id), group in groupby(rows, key=itemgetter(0, 1, 2)):
        yield (
            _key(profile_id, source, external_id),
            [(row[3], UNRATED if row[4] is None else row[4]) for row in group],
        )


def _lists_of_sample(members: int, share: float) -> Iterator[tuple[str, list[Line]]]:
    """Those of all judges and of ``members`` others, whoever has the smallest hash."""
    judges: list[uuid.UUID] = []

    def others() -> Iterator[tuple[bytes, uuid.UUID]]:
        rows = Profile.objects.order_by("pk").values_list("pk", "source", "external_id")
        for pk, source, external_id in rows.iterator(chunk_size=CHUNK_ROWS):
            key = _key(pk, source, external_id)
            if is_judge(key, share):
                judges.append(pk)
            else:
                yield hashlib.sha256(f"sample:{key}".encode()).digest(), pk

    sample = [pk for _place, pk in heapq.nsmallest(members, others())]
    chosen = sorted(judges + sample)
    for start in range(0, len(chosen), PROFILES_A_QUERY):
        yield from lists_of(watched().filter(profile__in=chosen[start : start + PROFILES_A_QUERY]))


def _key(profile_id: uuid.UUID, source: str, external_id: str) -> str:
    """Who somebody is. An imported member is the same one after another import."""
    return f"{source}:{external_id}" if external_id else str(profile_id)


def opened(stack: ExitStack, path: Path) -> Any:
    """A writer of a ratings file, with its header written."""
    writer = csv.writer(stack.enter_context(path.open("w", newline="", encoding="utf-8")))
    writer.writerow(("user_id", "anime_id", "rating"))
    return writer


def _or_empty(value: object) -> object:
    return "" if value is None else value
