"""Loading ratings into Postgres as sets: ``COPY`` into a temporary table, then a few statements over all rows.

Everything happens within the caller's transaction. Identifiers in the SQL come from the models.
"""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.backends.utils import CursorWrapper

from catalog.importers.bulk import copy_rows
from catalog.models import Anime
from recommendations.models import ListEntry, Profile

STAGING = "import_rating"
ANIME = connection.ops.quote_name(Anime._meta.db_table)
PROFILE = connection.ops.quote_name(Profile._meta.db_table)
ENTRY = connection.ops.quote_name(ListEntry._meta.db_table)


class RatingLoad:
    """The steps of a load, in the order of the methods."""

    def __init__(self, cursor: CursorWrapper) -> None:
        self.cursor = cursor
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{STAGING}")
        cursor.execute(
            f"CREATE TEMPORARY TABLE {STAGING} (line integer GENERATED ALWAYS AS IDENTITY, user_id integer,"
            f" anime_id integer, rating smallint, status varchar(10)) ON COMMIT DROP"
        )
