"""CSV files, read as a stream: never more than a row in memory, and every complaint names file and line."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from catalog.importers.problems import BadRows, ImportStopped

# A line longer than this is no line of a CSV file; without a bound a damaged file would fill the memory.
MAX_LINE_BYTES = 4_000_000
SIGNATURES = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive (unpack it first)",
    b"\x1f\x8b": "a gzip archive (unpack it first)",
    b"\xff\xfe": "UTF-16 text (save it as UTF-8)",
    b"\xfe\xff": "UTF-16 text (save it as UTF-8)",
    b"SQLite format 3": "an SQLite database",
}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
PROGRESS_STEP_BYTES = 1 << 16

Progress = Callable[[int], object]


class Table:
    """An open CSV file: its header, and its rows once."""

    def __init__(self, path: Path, file: BufferedReader, progress: Progress) -> None:
        self.path = path
        self._lines = _Lines(path, file, progress)
        self._reader = csv.reader(self._lines, strict=True)
        self.header = [name.strip() for name in self._next() or []]
        if not any(self.header):
            raise ImportStopped(f"{path}, line 1: holds no column names; is this the right file?")

    def has(self, *columns: str) -> bool:
        return set(columns) <= set(self.header)

    def rows(self, bad_rows: BadRows) -> Iterator[tuple[int, list[str]]]:
        """The line in which a row begins, and as many cells as the header has. Other rows are bad rows."""
        width = len(self.header)
        line = self._reader.line_num + 1
        while (cells := self._next()) is not None:
            if len(cells) == width:
                yield line, cells
            elif cells:
                hint = "; is the file cut off?" if len(cells) < width and self._lines.ended else ""
                bad_rows.add(self.path, line, f"{len(cells)} cells where the header has {width}{hint}")
            line = self._reader.line_num + 1
        if self._lines.unterminated:
            bad_rows.tell(
                f"note: {self.path}: the last line has no line end; if that surprises you, the file may be cut off"
            )

    def _next(self) -> list[str] | None:
        begins = self._reader.line_num + 1
        try:
            return next(self._reader, None)
        except csv.Error as error:
            # What follows cannot be told apart from what is inside the quotes, so there is no row to skip.
            raise ImportStopped(
                f"{self.path}, line {begins}: the quotes of this row do not close properly ({error}); "
                f"is the file cut off?"
            ) from None


class _Lines:
    """The lines of a file as text. Once the last one has been read, ``ended`` is true."""

    def __init__(self, path: Path, file: BufferedReader, progress: Progress) -> None:
        self.path = path
        self.ended = False
        self.unterminated = False
        self._file = file
        self._progress = progress
        self._number = 0

    def __iter__(self) -> Iterator[str]:
        unreported = 0
        for raw in iter(lambda: self._file.readline(MAX_LINE_BYTES), b""):
            self._number += 1
            unreported += len(raw)
            if not raw.endswith(b"\n"):
                if len(raw) == MAX_LINE_BYTES:
                    raise ImportStopped(f"{self.path}, line {self._number}: far too long for a CSV file")
                self.ended = self.unterminated = True
            elif not self._file.peek(1):
                self.ended = True
            if self.ended or unreported > PROGRESS_STEP_BYTES:
                self._progress(unreported)
                unreported = 0
            yield self._text(raw)

    def _text(self, raw: bytes) -> str:
        if self._number == 1:
            raw = raw.removeprefix(BYTE_ORDER_MARK)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ImportStopped(
                f"{self.path}, line {self._number}: not UTF-8 text (byte 0x{raw[error.start]:02x}); "
                f"save the file as UTF-8 and try again"
            ) from None
        if "\0" in text:
            raise ImportStopped(f"{self.path}, line {self._number}: a binary file, not a CSV file")
        return text


def _no_progress(count: int) -> None:
    """For readers that nobody watches."""


@contextmanager
def open_table(path: Path, progress: Progress = _no_progress) -> Iterator[Table]:
    """Open a CSV file; ``progress`` is called with the number of bytes of each line read.

    Raises ``ImportStopped`` for anything that is not UTF-8 text with a line of column names.
    """
    try:
        with path.open("rb") as file:
            start = file.peek(32)
            if not start.strip():
                raise ImportStopped(f"{path}: the file is empty")
            for signature, what in SIGNATURES.items():
                if start.startswith(signature):
                    raise ImportStopped(f"{path}, line 1: this is {what}, not a CSV file")
            yield Table(path, file, progress)
    except OSError as error:
        raise ImportStopped(f"{path}: cannot be read ({error.strerror})") from None
