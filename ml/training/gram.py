"""The Gram matrix of EASE: who watched what together, counted at once or by shards of people.

It is a sum over members, so that of everybody is the sum of those of any shards of them. A shard is a file: a header
of one line in JSON, then on how many lists each title is (int64), then the lower triangle row by row (float32).
The numbers are summed up in float64 and rounded once for each file.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import BinaryIO

import numpy as np
import scipy.sparse as sp

from ml.models.taste import TasteWeights
from ml.training.data import Members, count_rated, entry_matrix
from ml.types import InputError

FORMAT = "animerec-gram-1"
BLOCK_TITLES = 512
BLOCK_NUMBERS = 1 << 22
HEADER_MULTIPLE_BYTES = 64
LONGEST_HEADER_BYTES = 1 << 24
COUNT_TYPE = np.dtype("<i8")
SUM_TYPE = np.dtype("<f4")

Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class GramHeader:
    """What a file holds. ``titles``: n. ``catalogue``: SHA-256 of their anime ids. ``sources``: SHA-256 of each
    ratings file counted in it, sorted; none of a file without members."""

    titles: int
    catalogue: str
    taste: TasteWeights
    members: int
    entries: int
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gram:
    """The file ``path``, which was checked. ``counts``: on how many lists each title is, int64 (n,). ``offset``: at
    which byte the triangle begins; it stays on disk, and parts of it are read when they are asked for."""

    path: Path
    sha256: str
    header: GramHeader
    counts: np.ndarray
    offset: int

    def numbers(self, start: int, stop: int) -> np.ndarray:
        """A part of the lower triangle, counted row by row: float32 (stop - start,)."""
        found = np.fromfile(self.path, SUM_TYPE, stop - start, offset=self.offset + SUM_TYPE.itemsize * start)
        if len(found) != stop - start:
            raise InputError(f"{self.path}: was changed while it was read")
        return found

    def among(self, rows: np.ndarray) -> np.ndarray:
        """The Gram matrix of the titles ``rows`` (int, ascending, (k,)), float32 (k, k)."""
        matrix = np.empty((len(rows), len(rows)), dtype=np.float32)
        for first in range(0, len(rows), BLOCK_TITLES):
            block = rows[first : first + BLOCK_TITLES]
            begin = triangle_size(int(block[0]))
            numbers = self.numbers(begin, triangle_size(int(block[-1]) + 1))
            for place, row in enumerate(block.tolist(), start=first):
                own = triangle_size(row) - begin + rows[: place + 1]
                matrix[place, : place + 1] = numbers[own]
        mirror_lower(matrix)
        return matrix

    def description(self) -> dict[str, object]:
        """What the manifest of a bundle says of it."""
        return {
            "sha256": self.sha256,
            "members": self.header.members,
            "entries": self.header.entries,
            "titles_on_lists": int((self.counts > 0).sum()),
        }

    def check(self, anime_ids: np.ndarray, taste: TasteWeights) -> None:
        """Raise :class:`InputError` unless it counts these titles (int64, ascending, (n,)) with these weights."""
        _check_same(self.path, self.header, catalogue_hash(anime_ids), len(anime_ids), taste, "the data")


def count(entries: sp.csr_matrix) -> np.ndarray:
    """``entries.T @ entries`` (entries: people in rows, k titles in columns), float32 (k, k)."""
    titles = entries.shape[1]
    gram = np.empty((titles, titles), dtype=np.float32)
    for start, block in _lower_blocks(entries):
        gram[start : start + len(block), : block.shape[1]] = block
    mirror_lower(gram)
    return gram


def mirror_lower(matrix: np.ndarray) -> None:
    """Copy the lower triangle onto the upper, block by block."""
    for start in range(0, len(matrix), BLOCK_TITLES):
        stop = min(start + BLOCK_TITLES, len(matrix))
        square = matrix[start:stop, start:stop]
        square[:] = np.tril(square) + np.tril(square, -1).T
        matrix[start:stop, stop:] = matrix[stop:, start:stop].T


def triangle_size(titles: int) -> int:
    """How many numbers the lower triangle over so many titles holds: also where the row of that place begins."""
    return titles * (titles + 1) // 2


def catalogue_hash(anime_ids: np.ndarray) -> str:
    return hashlib.sha256(anime_ids.astype("<i8").tobytes()).hexdigest()


def write_gram(
    out: Path,
    members: Members,
    anime_ids: np.ndarray,
    taste: TasteWeights,
    source: str,
    progress: Progress = lambda percent, message: None,
) -> GramHeader:
    """Count ``members`` over the titles ``anime_ids`` (int64, ascending, (n,)) into the file ``out``, which is there
    whole or not at all. ``source``: SHA-256 of the ratings file. A block of rows is in memory, never the matrix."""
    n = len(anime_ids)
    batch = members.batch
    sources = (source,) if len(members) else ()
    header = GramHeader(n, catalogue_hash(anime_ids), taste, len(members), len(batch.rows), sources)
    entries = entry_matrix(batch, taste.of(batch), n)
    with _written(out, header) as write:
        write(count_rated(batch, n).astype(COUNT_TYPE))
        for start, block in _lower_blocks(entries):
            rounded = block.astype(SUM_TYPE)
            write(np.concatenate([row[: start + place + 1] for place, row in enumerate(rounded)]))
            progress(100 * (start + len(block)) / n, "counting who watched what together")
    return header


def add_grams(paths: Sequence[Path], out: Path, progress: Progress = lambda percent, message: None) -> GramHeader:
    """Write the sum of the files ``paths`` to ``out``; a few megabytes of them are in memory at a time.

    Raises :class:`InputError` for a file that is damaged, of another catalogue or other weights, or that counts a
    ratings file which another one counts already."""
    if not paths:
        raise InputError("no Gram files to add")
    grams = [open_gram(path) for path in paths]
    first = grams[0]
    counted: dict[str, Path] = {}
    for gram in grams:
        header = gram.header
        _check_same(
            gram.path, header, first.header.catalogue, first.header.titles, first.header.taste, str(first.path)
        )
        for source in header.sources:
            if source in counted:
                raise InputError(f"{gram.path}: counts a ratings file that {counted[source]} counts already")
            counted[source] = gram.path
    header = GramHeader(
        first.header.titles,
        first.header.catalogue,
        first.header.taste,
        sum(gram.header.members for gram in grams),
        sum(gram.header.entries for gram in grams),
        tuple(sorted(counted)),
    )
    with _written(out, header) as write:
        write(np.stack([gram.counts for gram in grams]).sum(axis=0))
        size = triangle_size(header.titles)
        for start in range(0, size, BLOCK_NUMBERS):
            total = np.zeros(min(BLOCK_NUMBERS, size - start))
            for gram in grams:
                total += gram.numbers(start, start + len(total))
            write(total.astype(SUM_TYPE))
            progress(100 * (start + len(total)) / size, f"adding {len(grams)} shards")
    return header


def open_gram(path: Path) -> Gram:
    """Check a file; :class:`InputError` says what is wrong with it."""
    try:
        with path.open("rb") as file:
            line = file.readline(LONGEST_HEADER_BYTES)
            header, sha256 = _parsed(path, line)
            payload = COUNT_TYPE.itemsize * header.titles + SUM_TYPE.itemsize * triangle_size(header.titles)
            size = os.fstat(file.fileno()).st_size
            if size != len(line) + payload:
                raise InputError(f"{path}: {size} bytes where its header says {len(line) + payload}; cut short?")
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                raise InputError(f"{path}: does not match the hash in its header; damaged")
            counts = np.fromfile(path, COUNT_TYPE, header.titles, offset=len(line))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    return Gram(path, sha256, header, counts, len(line) + counts.nbytes)


def _lower_blocks(entries: sp.csr_matrix) -> Iterator[tuple[int, np.ndarray]]:
    """Blocks of rows of ``entries.T @ entries`` as far as the diagonal's block, float64: a sparse result would be as
    dense as the matrix and several times as large."""
    exact = entries.astype(np.float64)
    columns = exact.T.tocsr()
    for start in range(0, columns.shape[0], BLOCK_TITLES):
        stop = min(start + BLOCK_TITLES, columns.shape[0])
        yield start, (columns[start:stop] @ exact[:, :stop]).toarray()


def _parsed(path: Path, line: bytes) -> tuple[GramHeader, str]:
    try:
        content = json.loads(line)
    except ValueError:
        raise InputError(f"{path}: not a Gram file") from None
    if not isinstance(content, dict) or "format" not in content:
        raise InputError(f"{path}: not a Gram file")
    if content["format"] != FORMAT:
        raise InputError(f"{path}: format {content['format']!r}; this program reads {FORMAT}")
    try:
        taste = TasteWeights(**{one.name: float(content["taste"][one.name]) for one in fields(TasteWeights)})
        header = GramHeader(
            int(content["titles"]),
            str(content["catalogue"]),
            taste,
            int(content["members"]),
            int(content["entries"]),
            tuple(content["sources"]),
        )
        return header, str(content["sha256"])
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{path}: its header is damaged") from None


def _check_same(path: Path, header: GramHeader, catalogue: str, titles: int, taste: TasteWeights, other: str) -> None:
    if header.catalogue != catalogue:
        raise InputError(f"{path}: counts {header.titles:,} titles that are not the {titles:,} of {other}")
    wanted, own = asdict(taste), asdict(header.taste)
    for name, value in wanted.items():
        if own[name] != value:
            raise InputError(f"{path}: was counted with {name} {own[name]:g}, where it is {value:g} for {other}")


@contextmanager
def _written(out: Path, header: GramHeader) -> Iterator[Callable[[np.ndarray], None]]:
    """Takes the arrays that follow the header one by one. The file gets its name when it is whole and on disk."""
    descriptor, name = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    aside = Path(name)
    digest = hashlib.sha256()
    try:
        with os.fdopen(descriptor, "wb") as file:
            # What the hash will be is known at the end; the header is as long with any other.
            _write_header(file, header, digest.hexdigest())

            def write(array: np.ndarray) -> None:
                content = array.tobytes()
                digest.update(content)
                file.write(content)

            yield write
            file.seek(0)
            _write_header(file, header, digest.hexdigest())
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(0o644)
        aside.replace(out)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def _write_header(file: BinaryIO, header: GramHeader, sha256: str) -> None:
    line = json.dumps({"format": FORMAT, "sha256": sha256, **asdict(header)}).encode()
    # So that the numbers after it lie where a processor reads them at once.
    padding = -(len(line) + 1) % HEADER_MULTIPLE_BYTES
    file.write(line + b" " * padding + b"\n")
