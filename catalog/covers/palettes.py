"""What a genre looks like: its colours and its motif."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Palette:
    """``ground`` to ``deep`` is the background from top to bottom, ``form`` and ``glow`` draw the motif.

    ``deep`` is dark enough for the title, which is always set in a light colour.
    """

    ground: str
    deep: str
    form: str
    glow: str


@dataclass(frozen=True, slots=True)
class Look:
    motif: str
    palettes: tuple[Palette, ...]


FALLBACK = Look("rings", (Palette("#49505c", "#1c2026", "#d8b26e", "#eef0f3"),))

# In order of how much a label says about a title: the first that a title has decides.
LOOKS: dict[str, Look] = {
    "horror": Look(
        "slits",
        (
            Palette("#30282b", "#0d090b", "#c4202b", "#e9ded6"),
            Palette("#4a2a1e", "#150a06", "#e8742c", "#f3e2d4"),
            Palette("#1f2a2a", "#080d0e", "#a6192e", "#cfd8d3"),
        ),
    ),
    "mecha": Look(
        "panels",
        (
            Palette("#35566b", "#101c26", "#f26a21", "#d7e6ee"),
            Palette("#7a3b33", "#260f0c", "#f7c04a", "#fbe9dc"),
            Palette("#5a5f6e", "#1a1d25", "#e23e3e", "#f1efe6"),
        ),
    ),
    "space": Look(
        "orbits",
        (
            Palette("#123a63", "#060f1f", "#f3b95f", "#dfeeff"),
            Palette("#4a2f6e", "#150b26", "#8fe0d2", "#f0e8ff"),
        ),
    ),
    "music": Look(
        "bars",
        (Palette("#7d3fb8", "#2a0d4a", "#ffab2e", "#ffe3f2"), Palette("#c2385f", "#451026", "#ffd07a", "#fff0e6")),
    ),
    "sports": Look(
        "speed",
        (
            Palette("#e0693f", "#5f2212", "#ffe6cf", "#1f4757"),
            Palette("#3b5fa0", "#101f42", "#ffe08a", "#ffece0"),
            Palette("#1e7d73", "#0a2f2e", "#f7d354", "#e8fff6"),
        ),
    ),
    "samurai": Look("seigaiha", (Palette("#8a4b2a", "#2c140b", "#e8cfae", "#c4202b"),)),
    "historical": Look(
        "seigaiha",
        (Palette("#7c6a3f", "#2a2312", "#efe0b8", "#b53a2a"), Palette("#39586b", "#121f28", "#e6d8b8", "#c95a3a")),
    ),
    "sci-fi": Look(
        "orbits",
        (
            Palette("#12506b", "#061a26", "#41c5cb", "#e4f9f5"),
            Palette("#7a3352", "#270d1c", "#ffc27a", "#ffe9f0"),
            Palette("#2c6b66", "#0a2221", "#ffe08a", "#defaf5"),
            Palette("#3b3f7d", "#10112b", "#ff8f6b", "#e7e6ff"),
        ),
    ),
    "mystery": Look(
        "rings",
        (
            Palette("#24466e", "#0a1629", "#e6c15e", "#dfe9f5"),
            Palette("#7a4a2c", "#26130a", "#f0cf8e", "#fbeedd"),
            Palette("#2f6a5a", "#0b221d", "#f3b36b", "#e2f7ee"),
            Palette("#4f3a63", "#190f24", "#d98fb2", "#f0e6f7"),
        ),
    ),
    "psychological": Look(
        "rings",
        (Palette("#5d6470", "#16181d", "#e05a47", "#f4f1ea"), Palette("#2f5a55", "#0c1f1e", "#e6c15e", "#e3f3ee")),
    ),
    "thriller": Look("slits", (Palette("#26435c", "#0a141d", "#e8a33d", "#dce8f0"),)),
    "romance": Look(
        "petals",
        (
            Palette("#d2526a", "#561830", "#ffd9cd", "#fff1ec"),
            Palette("#7f5aa8", "#2c1a45", "#ffd7ea", "#fff0fa"),
            Palette("#c98a3f", "#4d2c0e", "#fff2d9", "#ffe3c2"),
            Palette("#e08a76", "#6b2a33", "#fff0e0", "#ffe0e8"),
        ),
    ),
    "shoujo": Look("petals", (Palette("#c06aa0", "#4a1c45", "#ffdff0", "#fff4fa"),)),
    "supernatural": Look(
        "flames",
        (
            Palette("#702052", "#22061c", "#fb9133", "#ffdcec"),
            Palette("#43397d", "#14102e", "#ff9ec4", "#f0eaff"),
            Palette("#1f4f5c", "#081c22", "#8fe3c8", "#e6fff6"),
        ),
    ),
    "fantasy": Look(
        "peaks",
        (
            Palette("#4a409b", "#181340", "#f5bd3c", "#e3daff"),
            Palette("#2f5f8a", "#0c1e33", "#f6e0a6", "#dcefff"),
            Palette("#8a3f5c", "#2f0f20", "#ffcf9a", "#ffe9f1"),
            Palette("#27705a", "#0a2a22", "#f0d38a", "#e4fbef"),
        ),
    ),
    "adventure": Look(
        "peaks",
        (
            Palette("#2a8290", "#0c343e", "#f4bd54", "#fff0d0"),
            Palette("#3f6b3a", "#13260f", "#ffd98a", "#f0ffe4"),
            Palette("#b7682c", "#43200c", "#ffe0a3", "#fff4de"),
        ),
    ),
    "slice-of-life": Look(
        "hills",
        (
            Palette("#7fae6a", "#2a4a2c", "#f6ecd2", "#ffffff"),
            Palette("#c58aa0", "#4d2a3a", "#fff1e6", "#ffffff"),
            Palette("#7aaec2", "#274657", "#fdf0d5", "#ffffff"),
        ),
    ),
    "school": Look(
        "hills",
        (
            Palette("#e2a75c", "#5d3517", "#fff3dc", "#ffffff"),
            Palette("#6f93c9", "#22355a", "#fff1cf", "#ffffff"),
        ),
    ),
    "kids": Look("confetti", (Palette("#3d9bb8", "#10424f", "#ffd45c", "#ff8a70"),)),
    "comedy": Look(
        "confetti",
        (
            Palette("#dc8a2e", "#5c2c10", "#fff0cd", "#8a2f1d"),
            Palette("#c25468", "#4a1723", "#ffe2a8", "#ffb0a0"),
            Palette("#5b74b8", "#1c2850", "#ffe28a", "#ff9f8a"),
            Palette("#3a8f86", "#0f3a37", "#ffdc73", "#ff9470"),
        ),
    ),
    "drama": Look(
        "sun",
        (
            Palette("#6b6f8d", "#222338", "#e6c3b4", "#f4ece6"),
            Palette("#3f6f75", "#122729", "#f3d6b0", "#f6fbf8"),
            Palette("#b0604f", "#3c1a18", "#f8d8a8", "#fff0e2"),
        ),
    ),
    "action": Look(
        "rays",
        (
            Palette("#c0342b", "#4f0f14", "#ffb95f", "#ffe6bf"),
            Palette("#8a2f5a", "#2f0c20", "#ffd07a", "#ffe8f3"),
            Palette("#1f6a66", "#082322", "#ffd98a", "#e4fff9"),
            Palette("#2d4a63", "#0d1823", "#f2c14e", "#fff4da"),
        ),
    ),
}

ALIASES = {
    "suspense": "thriller",
    "gore": "horror",
    "vampire": "horror",
    "girls-love": "romance",
    "boys-love": "romance",
    "josei": "romance",
    "magic": "fantasy",
    "demons": "supernatural",
    "military": "action",
    "police": "mystery",
    "detective": "mystery",
    "martial-arts": "samurai",
    "cars": "sports",
    "racing": "sports",
    "team-sports": "sports",
    "combat-sports": "sports",
    "parody": "comedy",
    "gourmet": "slice-of-life",
    "iyashikei": "slice-of-life",
    "super-power": "action",
    "shounen": "action",
    "seinen": "drama",
    "award-winning": "drama",
}


def looks_of(genre_slugs: Iterable[str]) -> list[Look]:
    """The looks that fit a title with these genres, the most telling first; never empty."""
    slugs = set(genre_slugs)
    slugs |= {ALIASES[slug] for slug in slugs if slug in ALIASES}
    return [look for genre, look in LOOKS.items() if genre in slugs] or [FALLBACK]
