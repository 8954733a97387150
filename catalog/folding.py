"""Names as search compares them: what people spell in different ways becomes the same.

``Steins;Gate``, ``Pokémon``, ``Shōnen`` and ``Shounen``, ``Spice & Wolf`` and ``spice and wolf``: names of titles and
what somebody types go through :func:`words_of`, and only its answers are compared. Whoever changes what it does
runs ``manage.py rebuild_names`` afterwards.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

FOLDED_CHARS, SQUEEZED_CHARS = 650, 300

# Combining marks of the alphabets; the marks of kana are others and tell sounds apart.
_MARKS = re.compile("[\u0300-\u036f]")
_NO_WORD = re.compile(r"[\W_]+")
_WRITTEN_OUT = str.maketrans({
    "&": " and ", "×": "x", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i",
    # "Howl's" is one word.
    **dict.fromkeys("'’‘`´ʼ", ""),
    # Katakana and hiragana are two scripts for the same sounds.
    **{chr(code): chr(code - 0x60) for code in range(0x30A1, 0x30F7)},
})  # fmt: skip
# Chinese characters, kana and Korean syllables: written without spaces, each tells as much as a few letters.
_IDEOGRAPHS = "\u3005-\u3007\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
_IDEOGRAPH = re.compile(f"[{_IDEOGRAPHS}]")
# The long vowels of Japanese: ō is written o, ou, or (where a word begins) oo; ū is written u or uu.
_LONG_O = re.compile(r"^oo+u?|ou+")
_LONG_U = re.compile(r"uu+")


def words_of(text: str) -> list[str]:
    """The words of ``text`` without case, accents, punctuation and ways to write long vowels.

    A text of signs alone ("!!!") is one word as it is; an empty text has none.
    """
    # Postgres takes no NUL in a string.
    text = text.replace("\0", " ")
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_WRITTEN_OUT)
    plain = unicodedata.normalize("NFC", _MARKS.sub("", plain)).translate(_WRITTEN_OUT)
    words = [_sound(word) for word in _NO_WORD.sub(" ", plain).split()]
    if words:
        return words
    signs = "".join(text.split())
    return [signs] if signs else []


def folded(words: Sequence[str]) -> str:
    """``words`` as one text: a space before and after each word, and around each ideograph."""
    return f" {' '.join(spaced(word) for word in words)} "


def squeezed(words: Sequence[str]) -> str:
    """``words`` without spaces, since people set them in different places ("dragonball", "full metal")."""
    return "".join(words)


def spaced(word: str) -> str:
    """``word`` with its ideographs apart, so that one or two of them are as easy to find as a word is."""
    return " ".join(_IDEOGRAPH.sub(r" \g<0> ", word).split())


def has_ideographs(word: str) -> bool:
    return _IDEOGRAPH.search(word) is not None


def _sound(word: str) -> str:
    # The particle を is spelt "wo" and "o".
    return "o" if word == "wo" else _LONG_U.sub("u", _LONG_O.sub("o", word))
