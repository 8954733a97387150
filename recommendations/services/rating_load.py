"""Loading ratings into Postgres as sets: ``COPY`` into a temporary table, then a few statements over all rows.

Everything happens within the caller's transaction. Whatever is formatted into the SQL is a name of a table.
"""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db.backends.utils import CursorWrapper

from catalog.importers.bulk import COPY_NULL, copy_rows
from catalog.models import Anime
from recommendations.models import ListEntry, Profile

STAGING = "import_rating"


class RatingLoad:
    """The steps of a load, in the order of the methods."""

    def __init__(self, cursor: CursorWrapper) -> None:
        self.cursor = cursor
        self._anime = Anime._meta.db_table
        self._profile = Profile._meta.db_table
        self._entry = ListEntry._meta.db_table
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{STAGING}")
        cursor.execute(
            f"CREATE TEMPORARY TABLE {STAGING}"
            f" (user_id integer, anime_id integer, rating smallint, status varchar(10)) ON COMMIT DROP"
        )

    def copy(self, ratings: Iterable[tuple[int, int, int | None, str]]) -> int:
        """Take in all rows as they come; answer how many."""
        lines = (
            f"{user_id}\t{anime_id}\t{COPY_NULL if rating is None else rating}\t{status}\n"
            for user_id, anime_id, rating, status in ratings
        )
        copy_rows(self.cursor, STAGING, ("user_id", "anime_id", "rating", "status"), lines)
        rows = self.cursor.rowcount
        self.cursor.execute(f"ANALYZE {STAGING}")
        return rows

    def drop_unknown_titles(self) -> int:
        """Forget rows of titles that are not in the catalogue; answer how many."""
        self.cursor.execute(
            f"DELETE FROM {STAGING} s WHERE NOT EXISTS (SELECT FROM {self._anime} a WHERE a.id = s.anime_id)"
        )
        return self.cursor.rowcount

    def add_profiles(self, source: str) -> int:
        """Make profiles for members who have none; answer how many."""
        self.cursor.execute(
            f"""
            INSERT INTO {self._profile} (id, source, external_id, version, created)
            SELECT gen_random_uuid(), %s, user_id::text, 0, now() FROM (SELECT DISTINCT user_id FROM {STAGING}) s
            ON CONFLICT DO NOTHING
            """,
            [source],
        )
        return self.cursor.rowcount

    def write_entries(self, source: str, *, with_status: bool) -> tuple[int, int]:
        """Write what differs from what is stored and raise the versions of those lists; count new and changed."""
        status = "s.status" if with_status else "coalesce(e.status, s.status)"
        # Of several rows of one member and title the last one with a rating stands, else the last: nothing has
        # been updated in the temporary table, so ctid is the order of the file.
        rows = f"""
            SELECT s.profile_id, s.anime_id, s.rating, {status}, now(), now()
            FROM (
                SELECT DISTINCT ON (p.id, r.anime_id) p.id AS profile_id, r.anime_id, r.rating, r.status
                FROM {STAGING} r JOIN {self._profile} p ON p.source = %s AND p.external_id = r.user_id::text
                ORDER BY p.id, r.anime_id, r.rating IS NULL, r.ctid DESC
            ) s
            LEFT JOIN {self._entry} e ON e.profile_id = s.profile_id AND e.anime_id = s.anime_id
            WHERE e.id IS NULL OR ((s.rating IS NOT NULL OR e.rating IS NULL)
                AND (s.rating IS DISTINCT FROM e.rating OR {status} <> e.status))
            """
        insert = f"INSERT INTO {self._entry} AS e (profile_id, anime_id, rating, status, created, updated) {rows}"
        if self._is_first_load():
            with self._without_checks_and_indexes():
                return self._write(insert, source)
        on_conflict = (
            "ON CONFLICT (profile_id, anime_id) DO UPDATE"
            " SET rating = EXCLUDED.rating, status = EXCLUDED.status, updated = EXCLUDED.updated"
        )
        return self._write(f"{insert} {on_conflict}", source)

    def close(self) -> None:
        self.cursor.execute(f"DROP TABLE pg_temp.{STAGING}")

    def _write(self, insert: str, source: str) -> tuple[int, int]:
        # xmax is 0 in a row that was inserted, not in one that was updated.
        self.cursor.execute(
            f"""
            WITH written AS ({insert} RETURNING e.profile_id, e.xmax = 0 AS is_new),
            touched AS (
                UPDATE {self._profile} SET version = version + 1 WHERE id IN (SELECT profile_id FROM written)
            )
            SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written
            """,
            [source],
        )
        new, changed = self.cursor.fetchone()
        return new, changed

    def _is_first_load(self) -> bool:
        """Whether nobody has an entry yet, and this database role may alter the table."""
        self.cursor.execute(
            f"SELECT NOT EXISTS (SELECT FROM {self._entry})"
            f" AND pg_has_role((SELECT relowner FROM pg_class WHERE oid = %s::regclass), 'USAGE')",
            [self._entry],
        )
        return bool(self.cursor.fetchone()[0])

    @contextmanager
    def _without_checks_and_indexes(self) -> Iterator[None]:
        """Check keys and build indexes once for all rows at the end instead of row by row.

        That more than halves the time of a first load. It locks the table of entries, which is empty, and those
        it refers to until the transaction ends: fit for filling a new site, not for adding to a running one.
        """
        self.cursor.execute(
            "SELECT quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = %s::regclass AND contype IN ('f', 'u') ORDER BY contype DESC",
            [self._entry],
        )
        constraints = self.cursor.fetchall()
        self.cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = %s::regclass"
            " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid)",
            [self._entry],
        )
        indexes = self.cursor.fetchall()
        # A table with checks outstanding cannot be altered.
        self.cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        drop = ", ".join(f"DROP CONSTRAINT {name}" for name, _definition in constraints)
        self.cursor.execute(f"ALTER TABLE {self._entry} {drop}")
        for name, _definition in indexes:
            self.cursor.execute(f"DROP INDEX {name}")
        yield
        for _name, definition in indexes:
            self.cursor.execute(definition)
        add = ", ".join(f"ADD CONSTRAINT {name} {definition}" for name, definition in constraints)
        self.cursor.execute(f"ALTER TABLE {self._entry} {add}")
        self.cursor.execute("SET CONSTRAINTS ALL DEFERRED")
