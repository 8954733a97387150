"""Writing many rows fast, in the way each database likes best.

Postgres: ``COPY`` into a temporary table, then one ``INSERT ... ON CONFLICT``; a whole import is one transaction.
SQLite: at most ``settings.WRITE_BATCH_ROWS`` rows a transaction, because everybody else waits for a writer.
Neither goes through model instances, which would take most of the time.

Whatever is formatted into the SQL here is the name of a table or column of a model.
"""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Model

Item = TypeVar("Item")

# Any number, the same in every importer: two imports follow each other instead of waiting for one another's rows.
IMPORT_LOCK = 20_260_301
# Bounds the memory of a batch; on Postgres nobody waits for it, since rows are not seen before the commit.
POSTGRES_BATCH_ROWS = 5_000
COPY_NULL = "\\N"


def uses_postgres() -> bool:
    return connection.vendor == "postgresql"


def batch_rows() -> int:
    """How many rows an importer reads before it writes them."""
    return POSTGRES_BATCH_ROWS if uses_postgres() else settings.WRITE_BATCH_ROWS


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


@contextmanager
def one_import() -> Iterator[None]:
    """On Postgres: all or nothing, and one import at a time. On SQLite every batch is a transaction of its own."""
    if not uses_postgres():
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORT_LOCK])
        yield


def write_rows(
    model: type[Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    update: Sequence[str] = (),
    unique: Sequence[str] = (),
) -> None:
    """Insert ``rows`` of ``columns`` (attribute names of ``model``, which are its columns' names, too).

    A row that is there already (by ``unique``) gets the ``update`` columns; without those it stays as it is.
    """
    if not rows:
        return
    # A conflict on any constraint means "it is there"; a column to update must say on which.
    action = "DO NOTHING"
    if update:
        changes = ", ".join(f"{_quoted([name])} = EXCLUDED.{_quoted([name])}" for name in update)
        action = f"({_quoted(unique)}) DO UPDATE SET {changes}"
    if uses_postgres():
        _write_with_copy(model._meta.db_table, columns, rows, action)
    else:
        _write_with_inserts(model, columns, rows, action)


def _write_with_copy(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], action: str) -> None:
    target, staging, names = _quoted([table]), _quoted([f"import_{table}"]), _quoted(columns)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{staging}")
        cursor.execute(
            f"CREATE TEMPORARY TABLE {staging} ON COMMIT DROP AS SELECT {names} FROM {target} WITH NO DATA"
        )
        copy_rows(cursor, staging, columns, (copy_line(row) for row in rows))
        cursor.execute(f"INSERT INTO {target} ({names}) SELECT {names} FROM {staging} ON CONFLICT {action}")
        cursor.execute(f"DROP TABLE pg_temp.{staging}")


def _write_with_inserts(
    model: type[Model], columns: Sequence[str], rows: Iterable[Sequence[Any]], action: str
) -> None:
    by_column = {field.attname: field for field in model._meta.concrete_fields}
    fields = [by_column[name] for name in columns]
    marks = ", ".join(["%s"] * len(columns))
    insert = (
        f"INSERT INTO {_quoted([model._meta.db_table])} ({_quoted(columns)}) VALUES ({marks}) ON CONFLICT {action}"
    )
    for batch in in_batches(rows, settings.WRITE_BATCH_ROWS):
        values = [
            [field.get_db_prep_save(value, connection) for field, value in zip(fields, row, strict=True)]
            for row in batch
        ]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(insert, values)


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(connection.ops.quote_name(name) for name in names)


def copy_rows(cursor: CursorWrapper, table: str, columns: Sequence[str], lines: Iterable[str]) -> None:
    """``COPY`` lines (see :func:`copy_line`) into ``table`` as they come: none but a chunk is held in memory."""
    stream = _LineStream(lines)
    try:
        with connection.wrap_database_errors:
            cursor.copy_expert(f"COPY {table} ({_quoted(columns)}) FROM STDIN", stream)
    except DatabaseError:
        # The driver reports whatever stops the lines as an error of its own, which says less.
        if stream.error is not None:
            raise stream.error from None
        raise


def copy_line(row: Iterable[Any]) -> str:
    """``row`` in the text format of ``COPY``."""
    return "\t".join(map(_copy_cell, row)) + "\n"


def _copy_cell(value: Any) -> str:
    if value is None:
        return COPY_NULL
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return str(value)


class _LineStream:
    """Lines as the file that the database driver reads from."""

    LINES_A_READ = 2_000

    def __init__(self, lines: Iterable[str]) -> None:
        self.error: Exception | None = None
        self._lines = iter(lines)

    def read(self, size: int = -1) -> str:
        # The driver sends on whatever it gets; ``size`` is only its wish.
        try:
            return "".join(islice(self._lines, self.LINES_A_READ))
        except Exception as error:
            self.error = error
            raise
