"""The poster: background, motif, a texture that tells the type, the title."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from xml.sax.saxutils import escape

from catalog.covers.lettering import LINE_HEIGHT, Lettering, set_title, width_em
from catalog.covers.motifs import MOTIFS
from catalog.covers.palettes import looks_of

COVER_WIDTH, COVER_HEIGHT = 300, 450
MARGIN = 22
TITLE_HEIGHT = 172
TITLE_COLOUR = "#fffaf2"
# By how much a serif that stands in for those below may be broader than the estimate of a line.
BROADER = 1.25
SERIF = (
    "Iowan Old Style, Palatino Linotype, Palatino, P052, Noto Serif CJK JP, Hiragino Mincho ProN, Georgia, "
    "DejaVu Serif Condensed, serif"
)
SANS = "system-ui, Segoe UI, Roboto, Noto Sans, sans-serif"

# A pattern tile of each type, laid over the picture so lightly that one feels it rather than sees it.
TEXTURES = {
    "TV": (4, '<path d="M0 .5h4" stroke="#fff" stroke-width="1"/>'),
    "Movie": (9, '<circle cx="4.5" cy="4.5" r="1.6" fill="#fff"/>'),
    "OVA": (7, '<path d="M-1 8L8-1" stroke="#fff" stroke-width="1"/>'),
    "ONA": (8, '<path d="M0 .5h8M.5 0v8" stroke="#fff" stroke-width=".8"/>'),
    "Special": (12, '<path d="M6 3v6M3 6h6" stroke="#fff" stroke-width="1"/>'),
    "Music": (14, '<path d="M0 7q3.5-6 7 0t7 0" fill="none" stroke="#fff" stroke-width="1"/>'),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a cover is drawn from. ``seed`` makes two titles of one genre look different."""

    seed: int
    title: str
    type: str = ""
    year: int | None = None
    genre_slugs: tuple[str, ...] = ()


def draw_cover(subject: Subject) -> str:
    """A complete SVG document of 300 x 450; the same subject always gives the same picture."""
    random = Random(subject.seed)  # noqa: S311 - a picture, not a secret
    # Mostly the look of the most telling genre, now and then the next: a shelf of one genre stays lively.
    looks = looks_of(subject.genre_slugs)
    look = looks[1] if len(looks) > 1 and random.random() < 0.3 else looks[0]
    colours = random.choice(look.palettes)
    picture = MOTIFS[look.motif](random, colours)
    lettering = set_title(subject.title, width=COVER_WIDTH - 2 * MARGIN, height=TITLE_HEIGHT)
    shade_top = COVER_HEIGHT - lettering.height - 112
    tile, mark = TEXTURES.get(subject.type, TEXTURES["TV"])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {COVER_WIDTH} {COVER_HEIGHT}" '
        f'width="{COVER_WIDTH}" height="{COVER_HEIGHT}"><defs>'
        f'<linearGradient id="b" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="{colours.ground}"/>'
        f'<stop offset="0.62" stop-color="{colours.ground}"/><stop offset="1" stop-color="{colours.deep}"/>'
        f'</linearGradient><linearGradient id="s" x1="0" y1="0" x2="0" y2="1">'
        f'<stop offset="0" stop-color="{colours.deep}" stop-opacity="0"/>'
        f'<stop offset="0.5" stop-color="{colours.deep}" stop-opacity="0.94"/>'
        f'<stop offset="1" stop-color="{colours.deep}"/></linearGradient>'
        f'<pattern id="t" width="{tile}" height="{tile}" patternUnits="userSpaceOnUse">{mark}</pattern></defs>'
        f'<rect width="300" height="450" fill="url(#b)"/>{picture}'
        f'<rect width="300" height="450" fill="url(#t)" opacity="0.07"/>'
        f'<rect y="{shade_top:.0f}" width="300" height="{COVER_HEIGHT - shade_top:.0f}" fill="url(#s)"/>'
        f"{_caption(subject)}{_title(lettering)}</svg>"
    )


def _caption(subject: Subject) -> str:
    words = " · ".join(str(fact) for fact in (subject.type.upper(), subject.year) if fact)
    if not words:
        return ""
    return (
        f'<text x="{MARGIN}" y="34" font-family="{SANS}" font-size="13" font-weight="600" letter-spacing="1.6" '
        f'fill="{TITLE_COLOUR}" opacity="0.92">{escape(words)}</text>'
    )


def _title(lettering: Lettering) -> str:
    step = lettering.size * LINE_HEIGHT
    first = COVER_HEIGHT - MARGIN - 6 - step * (len(lettering.lines) - 1)
    lines = "".join(
        f'<text x="{MARGIN}" y="{first + step * index:.1f}"{_held(line, lettering.size)}>{escape(line)}</text>'
        for index, line in enumerate(lettering.lines)
    )
    return (
        f'<g font-family="{SERIF}" font-size="{lettering.size}" font-weight="700" fill="{TITLE_COLOUR}">{lines}</g>'
    )


def _held(line: str, size: int) -> str:
    """A line that a broader font would push over the edge is held to the width that was estimated."""
    width = width_em(line) * size
    return (
        ""
        if width * BROADER <= COVER_WIDTH - 2 * MARGIN
        else f' textLength="{width:.0f}" lengthAdjust="spacingAndGlyphs"'
    )
