"""What each database can find among the names by its trigram index.

Postgres: ``pg_trgm`` and a GIN index. SQLite: an FTS5 table with the trigram tokenizer, which triggers keep like the
table of names. Both are made by a migration. The two answer alike; only how they are asked differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import Protocol

from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL

from catalog.folding import folded

TRIGRAM = 3


class Dialect(Protocol):
    def holding(self, parts: Sequence[str]) -> Q:
        """The names in whose folded text every one of ``parts`` occurs."""

    def beginning(self, text: str) -> Q:
        """The names that begin with ``text``, spaces left out."""

    def nearest(self, words: Sequence[str], most: int) -> list[tuple[int, str]]:
        """Title and folded text of about the ``most`` names that have most trigrams in common with ``words``."""


def dialect() -> Dialect:
    return Postgres() if connection.vendor == "postgresql" else Sqlite()


class Postgres:
    # How alike a name must be to be looked at, by pg_trgm's word_similarity: what two swapped letters leave of a word
    # of five. What it is worth is weighed afterwards.
    SIMILARITY = 0.3

    def holding(self, parts: Sequence[str]) -> Q:
        return _holds(parts)

    def beginning(self, text: str) -> Q:
        return Q(squeezed__startswith=text)

    def nearest(self, words: Sequence[str], most: int) -> list[tuple[int, str]]:
        text = folded(words)
        # Two statements in one message are one transaction, in which the threshold holds.
        query = """
            SELECT set_config('pg_trgm.word_similarity_threshold', %s, true);
            SELECT anime_id, folded FROM catalog_animename WHERE %s <%% folded
            ORDER BY word_similarity(%s, folded) DESC, length(folded), id LIMIT %s
        """
        with connection.cursor() as cursor:
            cursor.execute(query, [str(self.SIMILARITY), text, text, most])
            return list(cursor.fetchall())


class Sqlite:
    # The names of the tables that the migration makes: the index, and what is in it.
    INDEX, TERMS = "catalog_animename_trigrams", "catalog_animename_terms"
    # Names are ranked by their rarest trigrams, which tell most, until these stand for so many.
    RANKED_NAMES = 12_000

    def holding(self, parts: Sequence[str]) -> Q:
        indexed = [part for part in parts if len(part) >= TRIGRAM]
        short = _holds([part for part in parts if len(part) < TRIGRAM])
        if not indexed:
            return short
        rows = RawSQL(  # noqa: S611 - what was typed is a parameter
            f"SELECT rowid FROM {self.INDEX} WHERE {self.INDEX} MATCH %s",  # noqa: S608 - our own name
            [" AND ".join(map(_quoted, indexed))],
        )
        return Q(id__in=rows) & short

    def beginning(self, text: str) -> Q:
        # SQLite's LIKE uses no index as soon as there is an ESCAPE.
        return Q(squeezed__gte=text, squeezed__lt=text + "\U0010ffff")

    def nearest(self, words: Sequence[str], most: int) -> list[tuple[int, str]]:
        texts = (folded([word]) for word in words)
        grams = {text[place : place + TRIGRAM] for text in texts for place in range(len(text) - TRIGRAM + 1)}
        marks = ", ".join(["%s"] * len(grams))
        query = f"""
            WITH common AS (
                SELECT term, doc, sum(doc) OVER (ORDER BY doc, term) AS names
                FROM {self.TERMS} WHERE term IN ({marks})
            ), telling AS (
                SELECT group_concat('"' || replace(term, '"', '""') || '"', ' OR ') AS words
                FROM common WHERE names <= %s OR names = doc
            ), near AS (
                SELECT rowid FROM {self.INDEX}
                WHERE {self.INDEX} MATCH (SELECT coalesce(words, '""') FROM telling) ORDER BY rank LIMIT %s
            )
            SELECT name.anime_id, name.folded FROM near JOIN catalog_animename AS name ON name.id = near.rowid
        """  # noqa: S608 - our own names and marks
        with connection.cursor() as cursor:
            cursor.execute(query, [*sorted(grams), self.RANKED_NAMES, most])
            return list(cursor.fetchall())


def _holds(parts: Sequence[str]) -> Q:
    return reduce(and_, (Q(folded__contains=part) for part in parts), Q())


def _quoted(text: str) -> str:
    escaped = text.replace('"', '""')
    return f'"{escaped}"'
