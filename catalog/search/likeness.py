"""How much a name is like what somebody typed: 1 for the same, 0 for nothing in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from catalog.folding import squeezed

# A last word of fewer letters begins too many words to be taken for the beginning of one.
MIN_BEGINNING_CHARS = 3
# Words of which this much is not the same have nothing to do with each other.
LEAST = 0.6


def likeness_to(wanted: Sequence[str]) -> Callable[[Sequence[str]], float]:
    """A function from the words of a name to how well they answer the words ``wanted``, from 0 to 1.

    Word by word, whatever their order and whatever else the name has; or all of it without spaces, whichever is
    better. Words weigh as much as they have letters. The last word may be unfinished.
    """
    whole = squeezed(wanted)
    *finished, last = wanted
    # Many of the names share their words.
    word_alike = cache(alike)

    def likeness(name: Sequence[str]) -> float:
        if not name:
            return 0.0
        points = sum(len(word) * max(word_alike(word, other) for other in name) for word in finished)
        endings = [word_alike(last, other) for other in name]
        if len(last) >= MIN_BEGINNING_CHARS:
            endings += [word_alike(last, other[: len(last)]) for other in name]
        by_word = (points + len(last) * max(endings)) / len(whole)
        return max(by_word, alike(whole, squeezed(name), least=max(by_word, LEAST)))

    return likeness


def alike(one: str, other: str, *, least: float = LEAST) -> float:
    """How alike two texts are, from 0 to 1; 0 where that is less than ``least``."""
    longer = max(len(one), len(other))
    most_changes = int((1 - least) * longer)
    # What only the longer has must be dropped, and a letter that the other has not must be replaced.
    common = sum(min(one.count(letter), other.count(letter)) for letter in set(one))
    if longer - common > most_changes:
        return 0.0
    changes = distance(one, other, most_changes)
    return 0.0 if changes > most_changes else 1 - changes / longer


def distance(one: str, other: str, most: int) -> int:
    """How many letters to add, drop, replace or swap with their neighbour (optimal string alignment).

    Any number above ``most`` means only that there are more.
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        before, above, row = row, before, [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
        # A swap reaches back by two rows.
        if min(row) > most and min(before) > most:
            return most + 1
    return row[-1]
