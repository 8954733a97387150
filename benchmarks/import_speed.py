"""How long the importers take, as a multiple of a raw ``COPY`` of the rows they store into bare tables.

Runs in a database of its own on the server that DATABASE_URL names, and drops it afterwards.
"""

from __future__ import annotations

import io
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from benchmarks.conditions import Unavailable

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

RUNS_OF_COPY = 3
BOUND = 10.0


def run(data: Path) -> list[str]:
    for name in ("anime.csv", "rating.csv"):
        if not (data / name).is_file():
            raise Unavailable(f"{data} holds no {name}")
    with own_database():
        return _measure(data)


@contextmanager
def own_database() -> Iterator[None]:
    """Create a database beside the one of DATABASE_URL, let Django use it, drop it."""
    url = urlsplit(os.environ.get("DATABASE_URL", ""))
    if not url.scheme.startswith("postgres"):
        raise Unavailable("DATABASE_URL names no Postgres server")
    import psycopg2

    name = f"animerec_benchmark_{os.getpid()}"
    server = psycopg2.connect(urlunsplit(url))
    server.autocommit = True
    try:
        with server.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        os.environ["DATABASE_URL"] = urlunsplit(url._replace(path=f"/{name}"))
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "animerec_site.settings.dev")
        import django
        from django.db import connections

        django.setup()
        try:
            yield
        finally:
            connections.close_all()
            with server.cursor() as cursor:
                cursor.execute(f"DROP DATABASE {name}")
    finally:
        server.close()


def _measure(data: Path) -> list[str]:
    # Only now is Django set up.
    from django.core.management import call_command
    from django.db import connection

    from catalog.models import Anime
    from recommendations.models import ListEntry

    call_command("migrate", verbosity=0)
    said = io.StringIO()

    def seconds(command: str, file: str) -> float:
        start = time.perf_counter()
        call_command(command, str(data / file), verbosity=0, stdout=said)
        return time.perf_counter() - start

    titles, ratings = seconds("import_catalog", "anime.csv"), seconds("import_ratings", "rating.csv")
    again = seconds("import_catalog", "anime.csv") + seconds("import_ratings", "rating.csv")
    tables = (Anime._meta.db_table, ListEntry._meta.db_table)
    with tempfile.TemporaryDirectory() as folder:
        copy = min(_raw_copy(connection, tables, Path(folder)) for _run in range(RUNS_OF_COPY))
    ratio = (titles + ratings) / copy
    return [
        f"{Anime.objects.count():,} titles and {ListEntry.objects.count():,} entries into Postgres",
        f"import               {titles + ratings:6.2f} s  (titles {titles:.2f} s, entries {ratings:.2f} s)",
        f"import, nothing new  {again:6.2f} s",
        f"raw COPY             {copy:6.2f} s  (the same rows, bare tables, best of {RUNS_OF_COPY})",
        f"import / raw COPY    {ratio:6.1f}    (bound: {BOUND:.0f}) {'ok' if ratio <= BOUND else 'TOO SLOW'}",
    ]


def _raw_copy(connection: BaseDatabaseWrapper, tables: tuple[str, ...], folder: Path) -> float:
    """Seconds to ``COPY`` all rows of ``tables`` from files into tables without keys, indexes or checks."""
    total = 0.0
    with connection.cursor() as cursor:
        for table in tables:
            path = folder / table
            with path.open("w") as file:
                cursor.copy_expert(f"COPY {table} TO STDOUT", file)
            cursor.execute(f"DROP TABLE IF EXISTS bare_{table}")
            cursor.execute(f"CREATE TABLE bare_{table} AS TABLE {table} WITH NO DATA")
            with path.open() as file:
                start = time.perf_counter()
                cursor.copy_expert(f"COPY bare_{table} FROM STDIN", file)
                total += time.perf_counter() - start
    return total
