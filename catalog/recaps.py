"""Which titles only tell again what others have told, by their names."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.folding import squeezed, words_of
from catalog.models import AnimeType

# As the names are folded: "soushuuhen" and "sōshūhen" both are "soshuhen".
RECAP_WORDS = frozenset({"recap", "recaps", "soshuhen"})
# Both common spellings of the same word in Japanese.
RECAP_SIGNS = ("総集編", "総集篇")
# A series may be called so and tell something new; a film or special of that name does not.
COMPILATION_WORDS = frozenset({"digest", "compilation"})


def looks_like_recap(names: Iterable[str], type: str) -> bool:
    """Whether one of the ``names`` of a title of ``type`` says that it is a recap.

    It does where it has the word "recap(s)", "soushuuhen" (also in Japanese); and for all but series also with
    "digest" or "compilation". Never for music. A "Special Edition" or "Remix" may have new scenes, or be new
    altogether, and stays in.
    """
    if type == AnimeType.MUSIC:
        return False
    telling = RECAP_WORDS if type in ("", AnimeType.TV, AnimeType.ONA) else RECAP_WORDS | COMPILATION_WORDS
    for name in names:
        words = words_of(name)
        if not telling.isdisjoint(words) or any(sign in squeezed(words) for sign in RECAP_SIGNS):
            return True
    return False
