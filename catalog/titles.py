"""Which of its names a title shows, and which version of its cover."""

from __future__ import annotations

from hashlib import blake2s

from catalog.models import Anime

# Raise this when covers are drawn differently: browsers keep them for a year.
COVER_DESIGN = 2


def title_in(anime: Anime, language: str) -> str:
    """The title in ``language`` (romaji, english, japanese); the Latin one where there is none."""
    if language == "english":
        return anime.title_english or anime.title
    if language == "japanese":
        return anime.title_japanese or anime.title
    return anime.title


def cover_version(anime: Anime, language: str = "") -> str:
    """A short text that differs when the cover of ``anime`` may look different."""
    facts = (COVER_DESIGN, title_in(anime, language), anime.type, anime.year, anime.updated.isoformat())
    return blake2s("\n".join(map(str, facts)).encode(), digest_size=6).hexdigest()
