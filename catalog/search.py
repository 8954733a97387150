"""Finding titles by the names people know them by.

The seam for better matching (misspelt words, accents, word forms) is :func:`search`: callers pass a queryset
and a text and get the matching titles, best first.
"""

from __future__ import annotations

from functools import reduce
from operator import or_

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, Value, When

from catalog.models import Synonym
from catalog.querysets import AnimeQuerySet

MAX_TEXT_CHARS = 200
MAX_WORDS = 10
NAME_FIELDS = ("title", "title_english", "title_japanese")


def search(queryset: AnimeQuerySet, text: str) -> AnimeQuerySet:
    """The titles of ``queryset`` in whose names every word of ``text`` occurs.

    A name is a title in any language or a synonym; upper and lower case are the same. Best first: a name that
    is the text, then a name that begins with it, then what is popular. An empty text leaves ``queryset`` as
    it is.
    """
    words = _words(text)
    if not words:
        return queryset
    for word in words:
        queryset = queryset.filter(_in_a_name("icontains", word))
    whole = " ".join(words)
    match = Case(
        When(_in_a_name("iexact", whole), then=Value(0)),
        When(_in_a_name("istartswith", whole), then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return queryset.order_by(match, F("members").desc(nulls_last=True), "id")


def _words(text: str) -> list[str]:
    # Postgres takes no NUL in a string.
    return text.replace("\0", " ")[:MAX_TEXT_CHARS].split()[:MAX_WORDS]


def _in_a_name(lookup: str, text: str) -> Q:
    spellings = _spellings(text)
    conditions = [Q((f"{field}__{lookup}", spelling)) for field in NAME_FIELDS for spelling in spellings]
    synonyms = Synonym.objects.filter(
        reduce(or_, (Q((f"title__{lookup}", spelling)) for spelling in spellings)), anime=OuterRef("pk")
    )
    return reduce(or_, conditions) | Q(Exists(synonyms))


def _spellings(text: str) -> set[str]:
    """``text`` in the cases a name may be written in.

    SQLite, and Postgres in a C locale, take only ASCII letters of either case for the same.
    """
    if text.isascii():
        return {text}
    return {text.lower(), text.upper(), text.title()}
