"""Reading ratings (2016, 2020, our snapshot, profile files) and lists of ids."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ml.reading.rows import Row, read_rows
from ml.types import InputError, Status

# What `watching_status` of the 2020 set means.
STATUS_2020 = {
    1: Status.WATCHING,
    2: Status.COMPLETED,
    3: Status.ON_HOLD,
    4: Status.DROPPED,
    6: Status.PLANNED,
}
STATUS_ORDER = tuple(Status)
KEY_COLUMNS = ("user_id", "anime_id", "rating")
CHUNK_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Interactions:
    """Entries of many people's lists, ordered by user, then anime.

    ``user_ids``, ``anime_ids``: int64 (nnz,). ``ratings``: float32 (nnz,), NaN = on the list, not rated.
    ``statuses``: int8 (nnz,), positions in :data:`STATUS_ORDER`. ``repeated``: how many entries a later line
    of the same user and anime replaced.
    """

    user_ids: np.ndarray
    anime_ids: np.ndarray
    ratings: np.ndarray
    statuses: np.ndarray
    repeated: int = 0

    def __len__(self) -> int:
        return len(self.user_ids)

    def where(self, keep: np.ndarray) -> Interactions:
        """The entries that ``keep`` (a mask or positions) selects."""
        return Interactions(
            self.user_ids[keep], self.anime_ids[keep], self.ratings[keep], self.statuses[keep], self.repeated
        )


def read_interactions(path: Path) -> Interactions:
    """Read a ratings file: user_id, anime_id, rating, perhaps status or watching_status.

    A rating of 0 or -1 means "on the list, not rated". Of several lines of one user and anime the last one
    counts (the public files hold a few such).
    """
    columns = _header(path)
    status_column = next((name for name in ("status", "watching_status") if name in columns), None)
    wanted = [*KEY_COLUMNS, *([status_column] if status_column else [])]
    types: dict[str, type | str] = {"user_id": np.int64, "anime_id": np.int64, "rating": np.float32}
    if status_column:
        types[status_column] = "str" if status_column == "status" else np.int64
    try:
        # All columns are parsed although few are wanted: told to leave some out, pandas does not mind rows that
        # are too long. In chunks, so that the unwanted never fill the memory.
        with pd.read_csv(path, dtype=types, encoding="utf-8-sig", index_col=False, chunksize=CHUNK_ROWS) as chunks:
            frame = pd.concat([chunk[wanted] for chunk in chunks], ignore_index=True)
    except (ValueError, OverflowError, pd.errors.ParserError) as error:
        # The quick parser cannot say which line it did not like; this slow one can.
        _raise_for_first_bad_row(path, status_column)
        raise InputError(f"{path}: {str(error).splitlines()[0][:200]}") from None
    ratings = frame["rating"].to_numpy()
    if status_column:
        statuses = _status_codes(frame[status_column].to_numpy(), status_column)
    else:
        statuses = np.full(len(frame), STATUS_ORDER.index(Status.COMPLETED), dtype=np.int8)
    in_range = (ratings == -1) | (ratings == 0) | ((ratings >= 1) & (ratings <= 10))
    if not in_range.all() or (frame["user_id"] < 0).any() or (statuses < 0).any():
        _raise_for_first_bad_row(path, status_column)
    return _ordered(
        frame["user_id"].to_numpy(),
        frame["anime_id"].to_numpy(),
        np.where(ratings >= 1, ratings, np.float32(np.nan)).astype(np.float32),
        statuses,
    )


def read_anime_ids(path: Path) -> np.ndarray:
    """The column ``anime_id`` of a CSV file: int64, sorted, each id once."""
    return np.array(sorted({row.integer("anime_id") for row in read_rows(path, ("anime_id",))}), dtype=np.int64)


def _header(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a directory, not a file") from None
    if b"\0" in start or start.startswith((b"%PDF", b"PK\x03\x04", b"\x1f\x8b")):
        raise InputError(f"{path}: is not a CSV file")
    for row in read_rows(path, KEY_COLUMNS):
        return list(row.cells)
    raise InputError(f"{path}: holds no ratings")


def _status_codes(values: np.ndarray, column: str) -> np.ndarray:
    """Positions in STATUS_ORDER, int8; -1 for a value that is no status."""
    names: dict[object, int] = {status.value: code for code, status in enumerate(STATUS_ORDER)}
    if column == "watching_status":
        # The public file holds a few statuses (0, 5, 33, 55) that its own legend does not; as entries of a
        # list they still say that the person chose the title.
        codes = np.full(len(values), STATUS_ORDER.index(Status.COMPLETED), dtype=np.int8)
        for number, status in STATUS_2020.items():
            codes[values == number] = STATUS_ORDER.index(status)
        return codes
    return pd.Series(values).map(names).fillna(-1).to_numpy().astype(np.int8)


def _raise_for_first_bad_row(path: Path, status_column: str | None) -> None:
    for row in read_rows(path, KEY_COLUMNS):
        _check(row, status_column)


def _check(row: Row, status_column: str | None) -> None:
    if row.integer("user_id") < 0:
        raise row.error("user_id is negative")
    row.integer("anime_id")
    text = row.cells["rating"].strip()
    try:
        rating = float(text)
    except ValueError:
        raise row.error(f"rating is {text!r}, not a number") from None
    if math.isnan(rating) or not (rating in (-1, 0) or 1 <= rating <= 10):
        raise row.error(f"rating is {text}; it must be 1 to 10, or -1 or 0 for 'not rated'")
    if status_column == "status" and row.cells["status"] not in set(Status):
        raise row.error(f"status is {row.cells['status']!r}; it must be one of {', '.join(Status)}")
    if status_column == "watching_status":
        row.integer("watching_status")


def _ordered(user_ids: np.ndarray, anime_ids: np.ndarray, ratings: np.ndarray, statuses: np.ndarray) -> Interactions:
    order = np.lexsort((anime_ids, user_ids))  # stable: of equal keys the last line stays last
    user_ids, anime_ids = user_ids[order], anime_ids[order]
    last = np.ones(len(order), dtype=bool)
    last[:-1] = (user_ids[1:] != user_ids[:-1]) | (anime_ids[1:] != anime_ids[:-1])
    kept = order[last]
    return Interactions(user_ids[last], anime_ids[last], ratings[kept], statuses[kept], repeated=int((~last).sum()))


def concatenate(parts: Sequence[Interactions]) -> Interactions:
    """Several sets of entries as one, ordered."""
    return _ordered(
        np.concatenate([part.user_ids for part in parts]),
        np.concatenate([part.anime_ids for part in parts]),
        np.concatenate([part.ratings for part in parts]),
        np.concatenate([part.statuses for part in parts]),
    )


def nobody() -> Interactions:
    """No entries at all."""
    ids = np.empty(0, dtype=np.int64)
    return Interactions(ids, ids, np.empty(0, dtype=np.float32), np.empty(0, dtype=np.int8))
