"""The layouts in which public data sets describe titles, told apart by their column names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.utils.text import slugify

from catalog.importers.problems import BadValue, ImportStopped
from catalog.importers.tables import Table
from catalog.importers.values import MAX_ID, MAX_SMALL, SEASONS, STATUSES, TYPES, Row, aired_words
from catalog.models import AgeRating, GenreKind
from catalog.recaps import looks_like_recap

TITLE_CHARS, SOURCE_CHARS, GENRE_CHARS, STUDIO_CHARS, URL_CHARS = 300, 40, 60, 120, 500
SYNOPSIS_CHARS = 100_000
NO_SYNOPSIS = "No synopsis has been added"
ADULT_GENRE = "Hentai"

# Layouts with one column of labels do not say which kind each is; these are the kinds MyAnimeList gives them.
DEMOGRAPHICS = frozenset({"Josei", "Kids", "Seinen", "Shoujo", "Shounen"})
THEMES = frozenset({
    "Cars", "Demons", "Game", "Harem", "Historical", "Magic", "Martial Arts", "Mecha", "Military", "Music", "Parody",
    "Police", "Psychological", "Samurai", "School", "Space", "Super Power", "Vampire",
})  # fmt: skip


@dataclass(slots=True)
class TitleRecord:
    """What one row says of a title. Missing facts are absent (or empty), so that none overwrites a known one.

    ``facts`` replace what is stored; ``fallbacks`` only fill gaps. ``genres`` maps name to kind.
    """

    anime_id: int
    facts: dict[str, Any] = field(default_factory=dict)
    fallbacks: dict[str, Any] = field(default_factory=dict)
    is_adult: bool = False
    genres: dict[str, str] = field(default_factory=dict)
    studios: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What the row calls the title; nothing where it only adds to a known one."""
        titles = (self.facts.get(name, "") for name in ("title", "title_english", "title_japanese"))
        return tuple(name for name in (*titles, *self.synonyms) if name)


@dataclass(frozen=True, slots=True)
class Layout:
    """``required``: columns by which it is known. ``creates``: whether its rows make titles or only add to them."""

    name: str
    required: frozenset[str]
    read: Callable[[Row], TitleRecord]
    creates: bool = True


def recognise(table: Table) -> Layout:
    """The layout of ``table``. Raises ``ImportStopped`` where its columns are those of none."""
    for layout in LAYOUTS:
        if table.has(*layout.required):
            return layout
    found = ", ".join(table.header[:8])
    if table.has("user_id"):
        raise ImportStopped(f"{table.path}, line 1: holds ratings ({found}), not titles; use import_ratings")
    raise ImportStopped(
        f"{table.path}, line 1: the columns ({found}) are those of no known layout; a file of titles has at least "
        + ", or ".join(", ".join(sorted(layout.required)) for layout in LAYOUTS if layout.creates)
    )


def row_reader(table: Table, layout: Layout) -> Callable[[list[str]], TitleRecord]:
    """A function from cells to record, which raises ``BadValue``."""
    places = {name: place for place, name in enumerate(table.header)}

    def read(cells: list[str]) -> TitleRecord:
        return layout.read(Row(places, cells))

    return read


def _kaggle_2016(row: Row) -> TitleRecord:
    """The set of 2016, and our own snapshots and sample: the same columns and more."""
    aired_from = row.iso_date("aired_from")
    return _record(
        row.anime_id("anime_id"),
        row.title("name", TITLE_CHARS),
        genres=_flat_genres(row, "genre"),
        studios=row.names("studios", "|", STUDIO_CHARS),
        synonyms=row.names("synonyms", "|", TITLE_CHARS),
        is_adult=row.flag("is_adult"),
        facts={
            "title_english": row.text("title_english", TITLE_CHARS),
            "title_japanese": row.text("title_japanese", TITLE_CHARS),
            "type": row.choice("type", TYPES),
            "status": row.choice("status", STATUSES),
            "episodes": row.count("episodes", MAX_SMALL),
            "duration_minutes": row.count("duration_minutes", MAX_SMALL),
            "year": row.year("year") or (aired_from.year if aired_from else None),
            "season": row.choice("season", SEASONS),
            "aired_from": aired_from,
            "aired_to": row.iso_date("aired_to"),
            "source": row.text("source", SOURCE_CHARS),
            "age_rating": row.age_rating("age_rating"),
            "synopsis": row.text("synopsis", SYNOPSIS_CHARS),
            "image_url": row.text("image_url", URL_CHARS),
            "community_rating": row.community_rating("rating"),
            "members": row.count("members", MAX_ID),
            "franchise_order": row.count("franchise_order", MAX_SMALL),
        },
    )


def _kaggle_2020(row: Row) -> TitleRecord:
    season, _space, premiered = row.raw("Premiered").partition(" ")
    aired_year, aired_from, aired_to = aired_words(row.raw("Aired"))
    return _record(
        row.anime_id("MAL_ID"),
        row.title("Name", TITLE_CHARS),
        genres=_flat_genres(row, "Genres"),
        studios=row.names("Studios", ", ", STUDIO_CHARS),
        facts={
            "title_english": row.text("English name", TITLE_CHARS),
            "title_japanese": row.text("Japanese name", TITLE_CHARS),
            "type": row.choice("Type", TYPES),
            "episodes": row.count("Episodes", MAX_SMALL),
            "duration_minutes": row.minutes("Duration"),
            "year": int(premiered) if premiered.isdecimal() else aired_year,
            "season": SEASONS.get(season.lower(), ""),
            "aired_from": aired_from,
            "aired_to": aired_to,
            "source": row.text("Source", SOURCE_CHARS),
            "age_rating": row.age_rating("Rating"),
            "community_rating": row.community_rating("Score"),
            "members": row.count("Members", MAX_ID),
        },
    )


def _mal_tv(row: Row) -> TitleRecord:
    aired_from = row.iso_date("aired_from")
    genres = dict.fromkeys(row.names("genres", "|", GENRE_CHARS), GenreKind.GENRE.value)
    genres |= dict.fromkeys(row.names("themes", "|", GENRE_CHARS), GenreKind.THEME.value)
    genres |= dict.fromkeys(row.names("demographics", "|", GENRE_CHARS), GenreKind.DEMOGRAPHIC.value)
    record = _record(
        row.anime_id("mal_id"),
        row.title("title", TITLE_CHARS),
        genres=genres,
        studios=row.names("studios", "|", STUDIO_CHARS),
        synonyms=row.names("title_synonyms", "|", TITLE_CHARS),
        is_adult=row.flag("is_hentai"),
        facts={
            "title_english": row.text("title_english", TITLE_CHARS),
            "title_japanese": row.text("title_japanese", TITLE_CHARS),
            "type": row.choice("type", TYPES),
            "status": row.choice("status", STATUSES),
            "episodes": row.count("episodes", MAX_SMALL),
            "duration_minutes": row.minutes("duration"),
            "year": row.year("year") or (aired_from.year if aired_from else None),
            "season": row.choice("season", SEASONS),
            "aired_from": aired_from,
            "aired_to": row.iso_date("aired_to"),
            "source": row.text("source", SOURCE_CHARS),
            "age_rating": row.age_rating("rating"),
            "community_rating": row.community_rating("score"),
            "members": row.count("members", MAX_ID),
        },
    )
    # This set cuts its synopses after some 200 characters.
    synopsis = row.text("synopsis_short", SYNOPSIS_CHARS)
    if synopsis:
        record.fallbacks["synopsis"] = synopsis
    return record


def _synopses(row: Row) -> TitleRecord:
    # The public file really spells its column "sypnopsis".
    text = row.text("sypnopsis", SYNOPSIS_CHARS) or row.text("synopsis", SYNOPSIS_CHARS)
    known = bool(text) and not text.startswith(NO_SYNOPSIS)
    return TitleRecord(row.anime_id("MAL_ID"), facts={"synopsis": text} if known else {})


def _flat_genres(row: Row, column: str) -> dict[str, str]:
    return {name: _kind(name) for name in row.names(column, ",", GENRE_CHARS)}


@cache
def genre_slug(name: str) -> str:
    """The slug of a genre. Raises ``BadValue`` for a name without letters and digits."""
    slug = slugify(name) or slugify(name, allow_unicode=True)
    if not slug:
        raise BadValue(f"“{name}” is no name of a genre")
    return slug


def _kind(genre: str) -> str:
    if genre in DEMOGRAPHICS:
        return GenreKind.DEMOGRAPHIC.value
    return GenreKind.THEME.value if genre in THEMES else GenreKind.GENRE.value


def _record(
    anime_id: int,
    title: str,
    *,
    facts: dict[str, Any],
    genres: dict[str, str],
    studios: tuple[str, ...] = (),
    synonyms: tuple[str, ...] = (),
    is_adult: bool = False,
) -> TitleRecord:
    known = {name: value for name, value in facts.items() if value not in (None, "")}
    known["title"] = title
    for name in genres:
        genre_slug(name)  # a name without a slug is a fault of this row
    adult = is_adult or ADULT_GENRE in genres or known.get("age_rating") == AgeRating.RX
    others = tuple(name for name in synonyms if name not in (title, known.get("title_english")))
    record = TitleRecord(anime_id, known, is_adult=adult, genres=genres, studios=studios, synonyms=others)
    # A fallback: where an administrator said that a title is or is no recap, that stays.
    if looks_like_recap(record.names, known.get("type", "")):
        record.fallbacks["is_recap"] = True
    return record


LAYOUTS = (
    Layout("Kaggle 2016", frozenset({"anime_id", "name", "genre", "type"}), _kaggle_2016),
    Layout("Kaggle 2020", frozenset({"MAL_ID", "Name", "Genres", "Type"}), _kaggle_2020),
    Layout("MyAnimeList TV", frozenset({"mal_id", "title", "genres", "type"}), _mal_tv),
    Layout("synopses", frozenset({"MAL_ID", "sypnopsis"}), _synopses, creates=False),
    Layout("synopses", frozenset({"MAL_ID", "synopsis"}), _synopses, creates=False),
)
