"""Small worlds with known answers, written as data directories in the public layout."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

ANIME_COLUMNS = ("anime_id", "name", "genre", "type", "episodes", "rating", "members")
CHECKERBOARD_TITLES = 24
CHECKERBOARD_MEMBERS = 96


def write_csv(path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def write_ratings(path: Path, rows: list[tuple[object, ...]]) -> Path:
    return write_csv(path, ("user_id", "anime_id", "rating"), rows)


def checkerboard_id(title: int) -> int:
    """The anime id of title 0, 1, 2 ... of the checkerboard: ids are never positions."""
    return 100 + 7 * title


def withheld(member: int) -> int:
    """The one title of their colour that a member has not seen: together they are the diagonal."""
    return member % CHECKERBOARD_TITLES


def write_checkerboard(directory: Path) -> Path:
    """Members of two colours; each has watched and likes all titles of their own colour but one."""
    directory.mkdir(parents=True, exist_ok=True)
    titles = [
        (checkerboard_id(title), f"Title {title}", ("Black", "White")[title % 2], "TV", 12, 7.5, 1000 + title)
        for title in range(CHECKERBOARD_TITLES)
    ]
    write_csv(directory / "anime.csv", ANIME_COLUMNS, list(titles))
    ratings: list[tuple[object, ...]] = [
        (member + 1, checkerboard_id(title), 8 + (member + title) % 3)
        for member in range(CHECKERBOARD_MEMBERS)
        for title in range(CHECKERBOARD_TITLES)
        if title % 2 == member % 2 and title != withheld(member)
    ]
    write_ratings(directory / "rating.csv", ratings)
    return directory


def write_fandoms(directory: Path, members: int = 240, seed: int = 5) -> Path:
    """Three fandoms (Mecha, Romance, Sports) of twelve titles in six franchises of two, and a few titles that
    nobody has on a list; members prefer one fandom and now and then watch something else."""
    directory.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    fandoms = ("Mecha", "Romance", "Sports")
    words = ("robots fight pilots war", "love school spring confession", "team match training victory")
    titles: list[tuple[object, ...]] = []
    synopses: list[tuple[object, ...]] = []
    franchises = []
    for fandom, genre in enumerate(fandoms):
        for part in range(12):
            anime_id = 1000 * (fandom + 1) + part
            titles.append((anime_id, f"{genre} {part}", f"{genre}, Drama", "TV", 24, 7 + part / 10, 900 - part))
            synopses.append((anime_id, f"{genre} {part}", 7.0, genre, f"{words[fandom]} part {part}"))
            if part % 2 == 0:
                franchises.append({"name": f"{genre} {part}", "ids": [anime_id, anime_id + 1]})
    for number, genre in enumerate(fandoms):
        titles.append((9000 + number, f"Unseen {genre}", f"{genre}, Drama", "Movie", 1, "", ""))
    write_csv(directory / "anime.csv", ANIME_COLUMNS, titles)
    write_csv(directory / "anime_with_synopsis.csv", ("MAL_ID", "Name", "Score", "Genres", "sypnopsis"), synopses)
    (directory / "franchises.json").write_text(json.dumps(franchises), encoding="utf-8")
    ratings: list[tuple[object, ...]] = []
    for member in range(members):
        own = member % 3
        for title in range(36):
            at_home = title // 12 == own
            if rng.random() < (0.75 if at_home else 0.15):
                rating = -1 if rng.random() < 0.2 else int(np.clip(rng.normal(8.5 if at_home else 6, 1), 1, 10))
                ratings.append((member + 1, 1000 * (title // 12 + 1) + title % 12, rating))
    write_ratings(directory / "rating.csv", ratings)
    return directory
