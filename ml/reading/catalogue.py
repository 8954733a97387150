"""Reading `anime.csv` (2016 or 2020 columns, or our snapshot), synopses and franchises."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ml.reading.rows import Row, read_rows
from ml.types import InputError

SEASON_MONTH = {"winter": 1, "spring": 4, "summer": 7, "fall": 10, "autumn": 10}
NUMBER_COLUMNS = ("episodes", "score", "members", "aired", "franchise_order")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The titles, one row each, ordered by ``anime_id`` (a title's *row* is its position in this order).

    Columns of ``frame``: anime_id (int64); title, title_english, type, source, age_rating, synopsis (str, empty =
    unknown); episodes, score, members, aired (a year with its fraction) and franchise_order (place in a curated
    watch order), all float, NaN = unknown; genres, studios (tuple of str); is_adult (bool); franchise (int32:
    every title is in exactly one, a title in no group is alone in its own).
    """

    frame: pd.DataFrame

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def anime_ids(self) -> np.ndarray:
        return self.frame["anime_id"].to_numpy()

    def rows_of(self, anime_ids: np.ndarray) -> np.ndarray:
        """Rows of ids, -1 for an id that is not in the catalogue."""
        own = self.anime_ids
        position = np.searchsorted(own, anime_ids).clip(max=max(len(own) - 1, 0))
        return np.where(own[position] == anime_ids, position, -1)

    def without_reception(self, anime_ids: np.ndarray) -> Catalogue:
        """The catalogue with members and community score of some titles blanked, as if unreleased."""
        frame = self.frame.copy()
        frame.loc[frame["anime_id"].isin(anime_ids), ["members", "score"]] = np.nan
        return Catalogue(frame)


def read_catalogue(directory: Path) -> Catalogue:
    """Read ``anime.csv`` and, where they are there, ``anime_with_synopsis.csv`` and ``franchises.json``."""
    path = directory / "anime.csv"
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        layout_2020 = file.readline().startswith("MAL_ID")
    parse = _row_2020 if layout_2020 else _row_2016
    frame = _frame(
        path,
        ("MAL_ID", "Name", "Genres", "Type")
        if layout_2020
        else ("anime_id", "name", "genre", "type", "episodes", "rating", "members"),
        parse,
    )
    if frame.empty:
        raise InputError(f"{path}: holds no titles")
    catalogue = Catalogue(frame)
    synopses = directory / "anime_with_synopsis.csv"
    if synopses.is_file():
        _add_synopses(catalogue, synopses)
    franchises = directory / "franchises.json"
    frame["franchise"] = _franchises(catalogue, franchises if franchises.is_file() else None)
    return catalogue


def _frame(path: Path, required: tuple[str, ...], parse: Callable[[Row], dict[str, object]]) -> pd.DataFrame:
    seen: dict[int, int] = {}
    records = []
    for row in read_rows(path, required):
        record = parse(row)
        anime_id = record["anime_id"]
        assert isinstance(anime_id, int)  # noqa: S101 - tells mypy; both parsers set it with Row.integer
        if anime_id < 1:
            raise row.error(f"anime id {anime_id} is not positive")
        if anime_id in seen:
            raise row.error(f"anime id {anime_id} stands already in line {seen[anime_id]}")
        seen[anime_id] = row.line
        records.append(record)
    if not records:
        return pd.DataFrame()
    frame = pd.DataFrame.from_records(records).sort_values("anime_id", ignore_index=True)
    for column in NUMBER_COLUMNS:
        frame[column] = frame[column].astype(np.float64)
    frame["synopsis"] = ""
    return frame


def _row_2016(row: Row) -> dict[str, object]:
    genres = row.names("genre")
    return {
        "anime_id": row.integer("anime_id"),
        "title": row.text("name"),
        "title_english": row.text("title_english"),
        "type": row.text("type"),
        "episodes": row.number("episodes"),
        "score": row.number("rating"),
        "members": row.number("members"),
        "genres": genres,
        "studios": row.names("studios"),
        "source": row.text("source"),
        "age_rating": row.text("age_rating"),
        "is_adult": row.text("is_adult") in {"1", "true", "True"} or "Hentai" in genres,
        "franchise_order": row.number("franchise_order"),
        "aired": _aired_iso(row) or _premiered(row.number("year"), row.text("season")),
    }


def _row_2020(row: Row) -> dict[str, object]:
    genres = row.names("Genres")
    season, _, year = row.text("Premiered").partition(" ")
    return {
        "anime_id": row.integer("MAL_ID"),
        "title": row.text("Name"),
        "title_english": row.text("English name"),
        "type": row.text("Type"),
        "episodes": row.number("Episodes"),
        "score": row.number("Score"),
        "members": row.number("Members"),
        "genres": genres,
        "studios": row.names("Studios"),
        "source": row.text("Source"),
        "age_rating": row.text("Rating"),
        "is_adult": "Hentai" in genres,
        "franchise_order": None,
        "aired": _aired_words(row.text("Aired")) or _premiered(float(year) if year.isdigit() else None, season),
    }


def _aired_iso(row: Row) -> float | None:
    value = row.text("aired_from")
    if not value:
        return None
    match = re.fullmatch(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", value)
    if match is None:
        raise row.error(f"aired_from is {value!r}, not a date like 1998-04-03")
    year, month, day = (int(part) if part else 1 for part in match.groups())
    return _year_fraction(year, month, day)


def _aired_words(value: str) -> float | None:
    """The first date in words such as "Apr 3, 1998 to Apr 24, 1999", "Oct 1963" or "1963"."""
    match = re.match(r"(?:([A-Za-z]{3})[a-z]* )?(?:(\d{1,2}), )?(\d{4})", value)
    if match is None:
        return None
    month, day, year = match.groups()
    month_number = MONTHS.index(month.lower()) + 1 if month and month.lower() in MONTHS else 1
    return _year_fraction(int(year), month_number, int(day or 1))


def _premiered(year: float | None, season: str) -> float | None:
    return None if year is None else _year_fraction(int(year), SEASON_MONTH.get(season.lower(), 1), 1)


def _year_fraction(year: int, month: int, day: int) -> float:
    return round(year + (month - 1) / 12 + (day - 1) / 366, 4)


def _add_synopses(catalogue: Catalogue, path: Path) -> None:
    # The public file really spells its column "sypnopsis".
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        column = "sypnopsis" if "sypnopsis" in file.readline() else "synopsis"
    texts: dict[int, str] = {}
    for row in read_rows(path, ("MAL_ID", column)):
        texts[row.integer("MAL_ID")] = row.text(column)
    catalogue.frame["synopsis"] = [texts.get(int(anime_id), "") for anime_id in catalogue.anime_ids]


def _franchises(catalogue: Catalogue, path: Path | None) -> np.ndarray:
    """Franchise number of every row. A title that several groups claim belongs to the first of them."""
    group = np.full(len(catalogue), -1, dtype=np.int32)
    if path is not None:
        for number, ids in enumerate(_read_groups(path)):
            rows = catalogue.rows_of(np.array(ids, dtype=np.int64)) if ids else np.zeros(0, dtype=np.int64)
            rows = rows[rows >= 0]
            group[rows[group[rows] < 0]] = number
    alone = group < 0
    group[alone] = group.max(initial=-1) + 1 + np.arange(int(alone.sum()), dtype=np.int32)
    # Numbers without gaps, so that arrays over franchises stay as small as they can be.
    return np.unique(group, return_inverse=True)[1].astype(np.int32)


def _read_groups(path: Path) -> list[list[int]]:
    try:
        groups = json.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}: not JSON ({error.msg})") from None
    if not isinstance(groups, list):
        raise InputError(f"{path}: must be a list of {{name, ids}}")
    result = []
    for number, entry in enumerate(groups, start=1):
        ids = entry.get("ids") if isinstance(entry, dict) else None
        if not isinstance(ids, list) or not all(type(value) is int for value in ids):
            raise InputError(f"{path}, group {number}: must be {{name, ids}} with ids a list of whole numbers")
        result.append(ids)
    return result
