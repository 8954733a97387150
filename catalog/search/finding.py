"""Titles by name: what is called so, and where hardly anything is, what is called much the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from catalog.folding import folded, has_ideographs, spaced, squeezed, words_of
from catalog.models import Anime, AnimeName
from catalog.querysets import MOST_MEMBERS, AnimeQuerySet
from catalog.search.dialects import Dialect, dialect
from catalog.search.likeness import likeness_to

MAX_TEXT_CHARS = 200
MAX_WORDS = 10
# A text of so few letters occurs everywhere, and a word of so few in the middle of most others.
SHORT_TEXT_CHARS, SHORT_WORD_CHARS = 2, 3

# How a title was found; less is better. ALIKE and above: one more for every STEP less alike.
EXACT, BEGINS, WORDS, INSIDE, ALIKE = range(5)
STEP = 0.05
# From which likeness (0 to 1) on a name may be what was meant, and from which it is still worth a question.
ALIKE_FROM, CLOSE_FROM = 0.74, 0.6
# With fewer titles that have the words in a name, those with names like them are added.
FEW_TITLES = 5
NEAREST_NAMES = 200


def search(queryset: AnimeQuerySet, text: str) -> AnimeQuerySet:
    """The titles of ``queryset`` that are called ``text``, best first.

    A name is a title in any language or a synonym. It answers where every word of ``text`` occurs in it, in any
    order; a text of one or two letters has to begin it, or end it as a word. Where no name has the text as it is
    spelt, and hardly any its letters inside others, names that are spelt much like it answer, too.

    Best first: a name that is the text, one that begins with it, one with words that begin with its words, any
    other, then by how alike they are; among equals what is popular. Every title has that as ``match``. An empty
    text leaves ``queryset`` as it is. Costs one query, or two where it has to look for names that are alike.
    """
    wanted = words_of(text[:MAX_TEXT_CHARS])[:MAX_WORDS]
    if not wanted:
        return queryset
    language = dialect()
    names = _literal(language, wanted)
    whole = squeezed(wanted)
    first = list(names[: 4 * FEW_TITLES])
    called = {name.anime_id for name in first}
    if len(called) >= FEW_TITLES or any(_is_spelt_so(name, wanted) for name in first):
        cases = [
            When(pk__in=_titles(Q(squeezed=whole)), then=Value(EXACT)),
            When(pk__in=_titles(language.beginning(whole)), then=Value(BEGINS)),
        ]
        if not _is_short(whole):
            beginnings = language.holding([f" {spaced(word)}" for word in wanted])
            cases.append(When(pk__in=_titles(beginnings), then=Value(WORDS)))
        return _ordered(queryset.filter(pk__in=names.values("anime_id")), cases)
    steps: dict[int, list[int]] = defaultdict(list)
    for anime_id, likeness in _alike(language, wanted, ALIKE_FROM).items():
        if anime_id not in called:
            steps[ALIKE + round((1 - likeness) / STEP)].append(anime_id)
    ids = called.union(*steps.values())
    return _ordered(
        queryset.filter(pk__in=ids),
        [When(pk__in=some, then=Value(step)) for step, some in sorted(steps.items())],
    )


def closest(text: str, *, show_adult: bool, most: int = 3) -> list[Anime]:
    """The titles whose names come closest to ``text``, however far that is; none for nonsense. Two queries."""
    wanted = words_of(text[:MAX_TEXT_CHARS])[:MAX_WORDS]
    if not wanted:
        return []
    near = _alike(dialect(), wanted, CLOSE_FROM)
    titles = Anime.objects.visible_to(show_adult=show_adult).filter(pk__in=near)
    return sorted(titles, key=lambda anime: (-near[anime.pk], -(anime.members or 0), anime.pk))[:most]


def comes_close(titles: Sequence[Anime]) -> bool:
    """Whether ``titles`` of a search only have names like the text."""
    return bool(titles) and all(getattr(anime, "match", EXACT) >= ALIKE for anime in titles)


def _literal(language: Dialect, wanted: Sequence[str]) -> QuerySet[AnimeName]:
    """The names that have the words ``wanted``, or begin with them as one."""
    whole = squeezed(wanted)
    begins = language.beginning(whole)
    if _is_short(whole):
        ending = folded([whole])
        return AnimeName.objects.filter(begins | language.holding([ending]) & Q(folded__endswith=ending))
    return AnimeName.objects.filter(begins | language.holding([_part(word) for word in wanted]))


def _is_spelt_so(name: AnimeName, wanted: Sequence[str]) -> bool:
    """Whether ``name`` begins with the words ``wanted``, or has them all: then nothing was mistyped."""
    return name.squeezed.startswith(squeezed(wanted)) or all(folded([word]) in name.folded for word in wanted)


def _is_short(text: str) -> bool:
    return len(text) <= SHORT_TEXT_CHARS and not has_ideographs(text)


def _part(word: str) -> str:
    """What of a folded name answers ``word``."""
    text = spaced(word)
    if has_ideographs(word):
        return text if len(text) > 1 else f" {text} "
    return text if len(text) > SHORT_WORD_CHARS else f" {text}"


def _alike(language: Dialect, wanted: Sequence[str], least: float) -> dict[int, float]:
    """The titles with a name that is at least so much like the words ``wanted``, and how much it is."""
    if _is_short(squeezed(wanted)):
        return {}
    likeness = likeness_to([part for word in wanted for part in spaced(word).split()])
    # The shortest words are those that half of all names have.
    telling = [word for word in wanted if not _is_short(word)]
    found: dict[int, float] = {}
    for anime_id, name in language.nearest(telling or wanted, NEAREST_NAMES):
        found[anime_id] = max(found.get(anime_id, 0.0), likeness(name.split()))
    return {anime_id: value for anime_id, value in found.items() if value >= least}


def _titles(names: Q) -> QuerySet[AnimeName, int]:
    return AnimeName.objects.filter(names).values_list("anime_id", flat=True)


def _ordered(titles: AnimeQuerySet, cases: list[When]) -> AnimeQuerySet:
    match = Case(*cases, default=Value(INSIDE), output_field=IntegerField())
    # Without a case it is a constant number, which in an ORDER BY means a column.
    order = ("match", MOST_MEMBERS, "id") if cases else (MOST_MEMBERS, "id")
    return titles.annotate(match=match).order_by(*order)
