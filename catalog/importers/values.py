"""Cells as values. Public data sets write "Unknown", -1, 0 or nothing for what they do not know: all mean missing.

Every function raises ``BadValue`` with a reason for a cell that is there but does not fit.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import date, datetime

from catalog.importers.problems import BadValue
from catalog.models import AgeRating, AiringStatus, AnimeType, Season

MISSING = frozenset({"", "unknown", "nan", "none", "n/a", "null", "?", "-"})
MAX_ID = 2**31 - 1
MAX_SMALL = 2**15 - 1
YEARS = (1900, 2100)

TYPES = {value.lower(): value for value in AnimeType.values} | {"tv special": AnimeType.SPECIAL.value}
SEASONS = {value.lower(): value for value in Season.values} | {"autumn": Season.FALL.value}
AGE_RATINGS = {value.lower(): value for value in AgeRating.values}
STATUSES = {value.lower(): value for value in AiringStatus.values} | {
    "finished airing": AiringStatus.FINISHED.value,
    "currently airing": AiringStatus.AIRING.value,
    "not yet aired": AiringStatus.UPCOMING.value,
}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class Row:
    """The cells of one row by column name; a column the file does not have is as good as empty."""

    __slots__ = ("_cells", "_places")

    def __init__(self, places: Mapping[str, int], cells: list[str]) -> None:
        self._places = places
        self._cells = cells

    def raw(self, column: str) -> str:
        place = self._places.get(column)
        return "" if place is None else self._cells[place].strip()

    def text(self, column: str, max_chars: int) -> str:
        """The cell without HTML entities; empty where it is missing."""
        value = html.unescape(self.raw(column)).strip()
        if value.lower() in MISSING:
            return ""
        if len(value) > max_chars:
            raise BadValue(f"{column} has {len(value)} characters, more than {max_chars}")
        return value

    def title(self, column: str, max_chars: int) -> str:
        """The cell as a name that must be there; unlike :meth:`text`, "Unknown" is a name like any other."""
        value = html.unescape(self.raw(column)).strip()
        if not value:
            raise BadValue(f"{column} is empty; every title needs a name")
        if len(value) > max_chars:
            raise BadValue(f"{column} has {len(value)} characters, more than {max_chars}")
        return value

    def names(self, column: str, separator: str, max_chars: int) -> tuple[str, ...]:
        """The cell as a list of names, each once, in order."""
        parts = (part.strip() for part in html.unescape(self.raw(column)).split(separator))
        names = tuple(dict.fromkeys(part for part in parts if part.lower() not in MISSING))
        for name in names:
            if len(name) > max_chars:
                raise BadValue(f"{column} names “{name[:30]}...”, longer than {max_chars} characters")
        return names

    def anime_id(self, column: str) -> int:
        value = self.raw(column)
        if not (value.isascii() and value.isdigit() and 1 <= int(value[:11]) <= MAX_ID):
            raise BadValue(f"{column} is “{value[:40]}”, not the id of an anime (a whole number from 1)")
        return int(value)

    def count(self, column: str, maximum: int) -> int | None:
        """The cell as a whole number up to ``maximum``; ``None`` where it is missing, 0 or negative."""
        number = self.number(column)
        if number is None:
            return None
        if not number.is_integer() or number > maximum:
            raise BadValue(f"{column} is “{self.raw(column)[:40]}”, not a whole number up to {maximum}")
        return int(number)

    def number(self, column: str) -> float | None:
        """The cell as a number; ``None`` where it is missing, 0 or negative."""
        value = self.raw(column)
        if value.lower() in MISSING:
            return None
        try:
            number = float(value)
        except ValueError:
            raise BadValue(f"{column} is “{value[:40]}”, not a number") from None
        if not abs(number) < float("inf"):
            raise BadValue(f"{column} is “{value[:40]}”, not a finite number")
        return number if number > 0 else None

    def community_rating(self, column: str) -> float | None:
        number = self.number(column)
        if number is not None and not 1 <= number <= 10:
            raise BadValue(f"{column} is “{self.raw(column)[:40]}”, not from 1 to 10")
        return number

    def year(self, column: str) -> int | None:
        year = self.count(column, MAX_SMALL)
        if year is not None and not YEARS[0] <= year <= YEARS[1]:
            raise BadValue(f"{column} is {year}, not from {YEARS[0]} to {YEARS[1]}")
        return year

    def choice(self, column: str, choices: Mapping[str, str]) -> str:
        """The cell as one of ``choices`` (lower-case word -> stored value); empty where it is missing."""
        value = self.raw(column).lower()
        if value in MISSING:
            return ""
        if value not in choices:
            known = ", ".join(dict.fromkeys(choices.values()))
            raise BadValue(f"{column} is “{self.raw(column)[:40]}”, not one of {known}")
        return choices[value]

    def age_rating(self, column: str) -> str:
        """The value of words such as "PG-13 - Teens 13 or older"."""
        value = self.raw(column)
        if value.lower() in MISSING:
            return ""
        code = value.split(" - ")[0].strip().lower()
        if code not in AGE_RATINGS:
            raise BadValue(f"{column} is “{value[:40]}”, which begins with none of {', '.join(AgeRating.values)}")
        return AGE_RATINGS[code]

    def flag(self, column: str) -> bool:
        value = self.raw(column).lower()
        if value in {"1", "true", "yes"}:
            return True
        if value in MISSING or value in {"0", "false", "no"}:
            return False
        raise BadValue(f"{column} is “{value[:40]}”, neither true nor false")

    def iso_date(self, column: str) -> date | None:
        """The day of an ISO date or time."""
        value = self.raw(column)
        if value.lower() in MISSING:
            return None
        try:
            return datetime.fromisoformat(value).date()
        except ValueError:
            raise BadValue(f"{column} is “{value[:40]}”, not a date like 1998-04-03") from None

    def minutes(self, column: str) -> int | None:
        """Minutes of words such as "24 min. per ep.", "1 hr. 55 min." or "30 sec. per ep." (at least 1)."""
        value = self.raw(column).lower()
        parts = {unit: int(number) for number, unit in re.findall(r"(\d{1,4})\s*(hr|min|sec)", value)}
        if not parts:
            return None
        return max(1, parts.get("hr", 0) * 60 + parts.get("min", 0))


def aired_words(text: str) -> tuple[int | None, date | None, date | None]:
    """Year, first and last day of words such as "Apr 3, 1998 to Apr 24, 1999", "Oct, 1963" or "1963".

    A date of which only the month or the year is known gives a year and no day.
    """
    first_text, _to, last_text = text.partition(" to ")
    year, first = _date_in_words(first_text)
    return year, first, _date_in_words(last_text)[1]


def _date_in_words(text: str) -> tuple[int | None, date | None]:
    match = re.fullmatch(r"(?:([A-Za-z]{3})[a-z]*\.?,? )?(?:(\d{1,2}), )?(\d{4})", text.strip())
    if match is None or not YEARS[0] <= int(match[3]) <= YEARS[1]:
        return None, None
    month, day, year = match[1], match[2], int(match[3])
    if not day or not month or month.lower() not in MONTHS:
        return year, None
    try:
        return year, date(year, MONTHS.index(month.lower()) + 1, int(day))
    except ValueError:
        return year, None
