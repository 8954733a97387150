"""Setting a title: how wide text is, and how large it may be so that it fits its box.

An SVG in an ``<img>`` cannot measure text, so widths are estimated from the proportions of a bold book serif.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

SIZES = (46, 41, 36, 32, 28, 25, 22, 19, 17)
LINE_HEIGHT = 1.1
_NARROW = frozenset("iljtfrI.,:;'!|()[]-")
_BROAD = frozenset("mwMWQO@%&")


@dataclass(frozen=True, slots=True)
class Lettering:
    lines: tuple[str, ...]
    size: int

    @property
    def height(self) -> float:
        return len(self.lines) * self.size * LINE_HEIGHT


def width_em(text: str) -> float:
    """The estimated width of ``text`` in units of its size."""
    return sum(_character_width(character) for character in text)


def set_title(title: str, *, width: float, height: float) -> Lettering:
    """``title`` in the largest size in which it fits; in the smallest one it is cut with an ellipsis."""
    for size in SIZES:
        lines = _wrap(title, width / size)
        if lines is not None and len(lines) * size * LINE_HEIGHT <= height:
            return Lettering(tuple(lines), size)
    size = SIZES[-1]
    lines = _wrap(title, width / size, break_words=True) or []
    room = int(height // (size * LINE_HEIGHT))
    if len(lines) > room:
        lines = lines[:room]
        while lines[-1] and width_em(lines[-1] + "…") > width / size:
            lines[-1] = lines[-1][:-1]
        lines[-1] = lines[-1].rstrip() + "…"
    return Lettering(tuple(lines), size)


def _character_width(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return 1.02
    if character == " ":
        return 0.26
    if character in _NARROW:
        return 0.34
    if character in _BROAD:
        return 0.92
    if character.isupper():
        return 0.73
    return 0.56


def _wrap(text: str, width: float, *, break_words: bool = False) -> list[str] | None:
    """``text`` in lines of at most ``width`` em; ``None`` where a word is too long and may not be broken."""
    lines: list[str] = []
    line = ""
    for word in _words(text, width, break_words=break_words):
        if width_em(word.strip()) > width:
            return None
        if line and width_em((line + word).strip()) > width:
            lines.append(line.strip())
            line = ""
        line += word
    if line.strip():
        lines.append(line.strip())
    return lines


def _words(text: str, width: float, *, break_words: bool) -> list[str]:
    """Pieces between which a line may break: words, single wide characters, and parts of endless words."""
    pieces: list[str] = []
    for word in text.split():
        start = len(pieces)
        for character in word:
            wide = unicodedata.east_asian_width(character) in "WF"
            fresh = len(pieces) == start or wide or (break_words and width_em(pieces[-1] + character) > width)
            if fresh:
                pieces.append(character)
            else:
                pieces[-1] += character
        pieces[-1] += " "
    return pieces
