"""Write the sample in the layout of the public data set: the importers and `python -m ml` read it like any other."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from catalog.sample.catalogue import SampleAnime
from catalog.sample.ratings import UNRATED, generate_ratings

ANIME_COLUMNS = (
    "anime_id", "name", "genre", "type", "episodes", "rating", "members",
    "title_english", "title_japanese", "synonyms", "duration_minutes", "year", "season", "studios", "source",
    "age_rating", "franchise_order",
)  # fmt: skip
SYNOPSIS_COLUMNS = ("MAL_ID", "Name", "Score", "Genres", "sypnopsis")  # spelt as in the public data set
NOTICE = (
    "rating.csv is SYNTHETIC: its members are invented by a seeded generator, no person rated anything here.\n"
    "`rating` and `members` in anime.csv are the mean and the count of those invented ratings.\n"
)


def write_layout(out: Path, titles: Sequence[SampleAnime], *, members: int, seed: int) -> str:
    """Write the directory aside and rename it into place; return a line that says what is in it.

    Raises ValueError if `out` is a file or holds something already, OSError if it cannot be written. Whatever
    goes wrong, `out` is either complete or untouched.
    """
    out = out.absolute()
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file; --out must name a new or empty directory")
    if out.is_dir() and any(out.iterdir()):
        raise ValueError(f"{out} is not empty; --out must name a new or empty directory")
    entries = list(generate_ratings(titles, members=members, seed=seed))

    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(f".{out.name}.partial-{os.getpid()}")
    aside.mkdir()
    try:
        _write_files(aside, titles, entries)
        aside.replace(out)  # an empty directory may be renamed over; a filled one is refused by the system
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return f"{len(titles)} titles, {len(entries)} synthetic entries of {members} invented members (seed {seed})"


def _write_files(folder: Path, titles: Sequence[SampleAnime], entries: Sequence[tuple[int, int, int]]) -> None:
    watched = dict.fromkeys((anime.id for anime in titles), 0)
    rated = dict(watched)
    total = dict(watched)
    for _, anime_id, rating in entries:
        watched[anime_id] += 1
        if rating != UNRATED:
            rated[anime_id] += 1
            total[anime_id] += rating
    score = {anime.id: f"{total[anime.id] / rated[anime.id]:.2f}" if rated[anime.id] else "" for anime in titles}

    _write_csv(
        folder / "anime.csv",
        ANIME_COLUMNS,
        (
            (
                anime.id, anime.title, ", ".join(anime.genres), anime.type, anime.episodes or "Unknown",
                score[anime.id], watched[anime.id],
                anime.title_english, anime.title_japanese, "|".join(anime.synonyms), anime.duration_minutes,
                anime.year, anime.season or "", "|".join(anime.studios), anime.source, anime.age_rating,
                anime.franchise_order or "",
            )
            for anime in titles
        ),
    )  # fmt: skip
    _write_csv(
        folder / "anime_with_synopsis.csv",
        SYNOPSIS_COLUMNS,
        (
            (anime.id, anime.title, score[anime.id] or "Unknown", ", ".join(anime.genres), anime.synopsis)
            for anime in titles
        ),
    )
    _write_csv(folder / "rating.csv", ("user_id", "anime_id", "rating"), entries)
    (folder / "franchises.json").write_text(
        json.dumps(franchises(titles), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    (folder / "SYNTHETIC.txt").write_text(NOTICE, encoding="utf-8")


def franchises(titles: Sequence[SampleAnime]) -> list[dict[str, str | list[int]]]:
    """The groups of `franchises.json`: name and ids in watch order."""
    parts: dict[str, list[SampleAnime]] = {}
    for anime in titles:
        if anime.franchise is not None:
            parts.setdefault(anime.franchise, []).append(anime)
    return [
        {"name": name, "ids": [anime.id for anime in sorted(group, key=lambda part: part.franchise_order or 0)]}
        for name, group in sorted(parts.items())
    ]


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
