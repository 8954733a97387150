"""Importing a catalogue: one file, or a directory in one of the public layouts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from catalog.importers.bulk import batch_rows, in_batches, one_import, uses_postgres
from catalog.importers.franchises import read_groups, write_groups
from catalog.importers.layouts import Layout, TitleRecord, recognise, row_reader
from catalog.importers.problems import BadRows, BadValue, ImportStopped
from catalog.importers.tables import Progress, Table, open_table
from catalog.importers.titles import TitleWriter, Written

# In this order: synopses and franchises add to titles that the files before them make.
TITLE_FILES = ("anime.csv", "mal_tv_*.csv", "anime_with_synopsis.csv")
FRANCHISE_FILE = "franchises.json"

# Called with a description and a number of bytes; the context it opens is told of every chunk read.
Watch = Callable[[str, int], AbstractContextManager[Progress]]


@dataclass(frozen=True, slots=True)
class FileReport:
    path: Path
    layout: str
    written: Written


def catalogue_files(path: Path) -> list[Path]:
    """The files that an import of ``path`` reads, in order. Raises ``ImportStopped`` if there is none."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise ImportStopped(f"{path}: no such file or directory")
    files = [file for pattern in (*TITLE_FILES, FRANCHISE_FILE) for file in sorted(path.glob(pattern))]
    if not files:
        raise ImportStopped(f"{path}: holds none of {', '.join((*TITLE_FILES, FRANCHISE_FILE))}; name another one")
    return files


def import_catalogue(path: Path, *, max_errors: int, tell: Callable[[str], None], watch: Watch) -> list[FileReport]:
    """Import ``path``. Importing it again changes nothing.

    Up to ``max_errors`` bad rows are skipped, each is told of. Raises ``ImportStopped`` beyond that, and for a
    file that is none of ours; nothing is stored then.
    """
    files = catalogue_files(path)
    bad_rows = BadRows(max_errors, tell)
    if not uses_postgres():
        # Batches are stored one by one, so whether the import can be done must be known before the first.
        for file in files:
            _check(file, bad_rows, watch)
        bad_rows = BadRows(max_errors, lambda _text: None)
    reports = []
    explicit_order: set[int] = set()
    with one_import():
        for file in files:
            with watch(f"importing {file.name}", file.stat().st_size) as progress:
                if _is_json(file):
                    written = write_groups(read_groups(file, bad_rows), explicit=explicit_order)
                    reports.append(FileReport(file, "franchises", written))
                else:
                    reports.append(_import_titles(file, bad_rows, progress, explicit_order))
    return reports


def _is_json(path: Path) -> bool:
    return path.suffix.lower() == ".json"


def _check(path: Path, bad_rows: BadRows, watch: Watch) -> None:
    with watch(f"checking {path.name}", path.stat().st_size) as progress:
        if _is_json(path):
            read_groups(path, bad_rows)
            return
        with open_table(path, progress) as table:
            for _record in _records(table, recognise(table), bad_rows):
                pass


def _import_titles(path: Path, bad_rows: BadRows, progress: Progress, explicit_order: set[int]) -> FileReport:
    with open_table(path, progress) as table:
        layout = recognise(table)
        writer = TitleWriter()
        written = Written()
        for batch in in_batches(_records(table, layout, bad_rows), batch_rows()):
            written.add(writer.write(batch, create=layout.creates))
            explicit_order.update(record.anime_id for record in batch if "franchise_order" in record.facts)
    return FileReport(path, layout.name, written)


def _records(table: Table, layout: Layout, bad_rows: BadRows) -> Iterator[TitleRecord]:
    read = row_reader(table, layout)
    lines: dict[int, int] = {}
    for line, cells in table.rows(bad_rows):
        try:
            record = read(cells)
            if record.anime_id in lines:
                raise BadValue(f"anime {record.anime_id} stands already in line {lines[record.anime_id]}")
        except BadValue as error:
            bad_rows.add(table.path, line, str(error))
            continue
        lines[record.anime_id] = line
        yield record
