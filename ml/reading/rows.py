"""Rows of a CSV file, with the line each came from, and errors that name it."""

from __future__ import annotations

import csv
import html
from collections.abc import Iterator, Sequence
from pathlib import Path

from ml.types import InputError

MISSING = frozenset({"", "unknown", "nan", "none", "n/a", "null", "-"})
MAX_FIELD_CHARS = 1_000_000


class Row:
    """One line of a CSV file. The readers of its cells raise errors that name file, line and column."""

    __slots__ = ("cells", "line", "path")

    def __init__(self, path: Path, line: int, cells: dict[str, str]) -> None:
        self.path = path
        self.line = line
        self.cells = cells

    def error(self, reason: str) -> InputError:
        return InputError(f"{self.path}, line {self.line}: {reason}")

    def text(self, column: str) -> str:
        """The cell without HTML entities; empty where the column or the value is missing."""
        value = html.unescape(self.cells.get(column, "")).strip()
        return "" if value.lower() in MISSING else value

    def number(self, column: str) -> float | None:
        """The cell as a number; ``None`` where it is missing (empty, "Unknown", 0 or negative)."""
        value = self.text(column)
        if not value:
            return None
        try:
            number = float(value)
        except ValueError:
            raise self.error(f"{column} is {value!r}, not a number") from None
        if not abs(number) < float("inf"):
            raise self.error(f"{column} is {value!r}, not a finite number")
        return number if number > 0 else None

    def integer(self, column: str) -> int:
        """The cell as a whole number; it must be there."""
        value = self.cells.get(column, "").strip()
        try:
            return int(value)
        except ValueError:
            raise self.error(f"{column} is {value!r}, not a whole number") from None

    def names(self, column: str) -> tuple[str, ...]:
        """The cell as a list of names, each once, in order; parted by "|" where there is one (names may hold
        commas), else by commas."""
        text = self.text(column)
        parts = (part.strip() for part in text.split("|" if "|" in text else ","))
        return tuple(dict.fromkeys(part for part in parts if part and part.lower() not in MISSING))


def read_rows(path: Path, required: Sequence[str]) -> Iterator[Row]:
    """The rows of ``path``, which must be UTF-8, have a header with ``required`` and rows as long as it."""
    # The csv module's own limit (131,072 characters) is a global of the process; a quote that is never closed
    # would run into it with an error that does not say so.
    csv.field_size_limit(MAX_FIELD_CHARS)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            missing = [name for name in required if name not in header]
            if missing:
                found = ", ".join(header[:8]) if header else "nothing, it is empty"
                raise InputError(f"{path}, line 1: no column {', '.join(missing)} (found: {found})"[:300])
            line = reader.line_num + 1
            for cells in reader:
                if cells:
                    if len(cells) != len(header):
                        raise InputError(
                            f"{path}, line {line}: {len(cells)} fields where the header has {len(header)}"
                        )
                    yield Row(path, line, dict(zip(header, cells, strict=True)))
                line = reader.line_num + 1
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a directory, not a file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}") from None
