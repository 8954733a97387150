"""Read the sample's titles, strictly: the file is ours, so a wrong row is a bug to be named, not skipped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLE_FILE = Path(__file__).with_name("anime.json")

TYPES = ("TV", "Movie", "OVA", "ONA", "Special", "Music")
SEASONS = ("winter", "spring", "summer", "fall")


@dataclass(frozen=True)
class SampleAnime:
    """One title. `popularity` (1-100) and `acclaim` (1-10) are our guesses and feed only the invented ratings."""

    id: int  # MyAnimeList id
    title: str
    title_english: str
    title_japanese: str
    synonyms: tuple[str, ...]
    type: str
    episodes: int | None  # None while it is running
    duration_minutes: int  # of one episode, as a rule
    year: int
    season: str | None
    studios: tuple[str, ...]
    source: str
    age_rating: str
    genres: tuple[str, ...]
    franchise: str | None
    franchise_order: int | None  # 1, 2, ... in the order we would watch them
    popularity: int
    acclaim: float
    synopsis: str


def load_sample(path: Path = SAMPLE_FILE) -> list[SampleAnime]:
    """All titles in the file's order (by year). Raises ValueError that names the row it cannot accept."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # also not UTF-8
        raise ValueError(f"{path.name}: not a JSON file: {error}") from error
    if not isinstance(rows, list):
        raise ValueError(f"{path.name}: expected a list of titles")

    titles: list[SampleAnime] = []
    row_of_id: dict[int, int] = {}
    row_of_part: dict[tuple[str, int | None], int] = {}
    for number, row in enumerate(rows, start=1):
        where = f"{path.name}, row {number}"
        try:
            anime = _parse(row)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
        if anime.id in row_of_id:
            raise ValueError(f"{where} ({anime.title}): id {anime.id} is also in row {row_of_id[anime.id]}")
        row_of_id[anime.id] = number
        if anime.franchise is not None:
            part = (anime.franchise, anime.franchise_order)
            if part in row_of_part:
                raise ValueError(
                    f"{where} ({anime.title}): part {part[1]} of {part[0]} is also in row {row_of_part[part]}"
                )
            row_of_part[part] = number
        titles.append(anime)
    return titles


def _parse(row: object) -> SampleAnime:
    if not isinstance(row, Mapping):
        raise ValueError("expected an object")
    anime = SampleAnime(
        id=_integer(row, "id", 1, 10_000_000),
        title=_text(row, "title"),
        title_english=_text(row, "title_english"),
        title_japanese=_text(row, "title_japanese"),
        synonyms=_texts(row, "synonyms"),
        type=_text(row, "type"),
        episodes=None if row.get("episodes") is None else _integer(row, "episodes", 1, 10_000),
        duration_minutes=_integer(row, "duration_minutes", 1, 300),
        year=_integer(row, "year", 1900, 2100),
        season=None if row.get("season") is None else _text(row, "season"),
        studios=_texts(row, "studios"),
        source=_text(row, "source"),
        age_rating=_text(row, "age_rating"),
        genres=_texts(row, "genres"),
        franchise=None if row.get("franchise") is None else _text(row, "franchise"),
        franchise_order=None if row.get("franchise_order") is None else _integer(row, "franchise_order", 1, 99),
        popularity=_integer(row, "popularity", 1, 100),
        acclaim=_number(row, "acclaim", 1.0, 10.0),
        synopsis=_text(row, "synopsis"),
    )
    if anime.type not in TYPES:
        raise ValueError(f"({anime.title}): unknown type {anime.type!r}, expected one of {', '.join(TYPES)}")
    if anime.season is not None and anime.season not in SEASONS:
        raise ValueError(f"({anime.title}): unknown season {anime.season!r}")
    if not anime.genres:
        raise ValueError(f"({anime.title}): no genre")
    if (anime.franchise is None) != (anime.franchise_order is None):
        raise ValueError(f"({anime.title}): franchise and franchise_order belong together")
    return anime


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"({row.get('title', '?')}): {key} is empty or not a text")
    return value


def _texts(row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = row.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise ValueError(f"({row.get('title', '?')}): {key} is not a list of texts")
    return tuple(value)


def _integer(row: Mapping[str, Any], key: str, low: int, high: int) -> int:
    value = row.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"({row.get('title', '?')}): {key} is {value!r}, expected {low} to {high}")
    return value


def _number(row: Mapping[str, Any], key: str, low: float, high: float) -> float:
    value = row.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"({row.get('title', '?')}): {key} is {value!r}, expected {low} to {high}")
    return float(value)
