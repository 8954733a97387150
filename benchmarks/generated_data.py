"""A data set of any size that behaves like the public one: made from random numbers, no title or member is real.

What is modelled, with figures of the 2016 set: how popular the titles are by rank, how long lists are, how ratings
are spread; that people have tastes (a few themes each, as titles have) and watch several parts of a franchise.
So there is something to learn, and fitting, tuning and early stopping run as they do on real lists.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

# Share of all lists that hold the title of this rank, among 12,294 titles.
RANKS = (1, 2, 11, 31, 101, 301, 1001, 2001, 3001, 5001, 7001, 12294)
LIST_SHARES = (0.51, 0.40, 0.31, 0.22, 0.136, 0.075, 0.027, 0.010, 0.004, 0.001, 2.5e-4, 2e-5)
# Choosing one title after the other, none twice, levels the shares; so the chances have to differ by more than these.
STEEPNESS = 1.4
# Entries of a list, by share of the members that have no more: 100 on average.
LENGTH_SHARES = (0.0, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99, 1.0)
LENGTHS = (1, 2, 4, 15, 51, 125, 249, 357, 687, 1584)
FRANCHISE_SIZES = (1, 2, 3, 4, 6, 10, 20)
FRANCHISE_SHARES = (0.62, 0.19, 0.08, 0.05, 0.03, 0.02, 0.01)
THEMES = (
    "Action", "Adventure", "Comedy", "Drama", "Fantasy", "Historical", "Horror", "Kids", "Magic", "Mecha", "Military",
    "Music", "Mystery", "Psychological", "Romance", "School", "Sci-Fi", "Shoujo", "Shounen", "Slice of Life", "Space",
    "Sports", "Supernatural", "Thriller",
)  # fmt: skip
TYPES = ("TV", "OVA", "Movie", "Special", "ONA", "Music")
TYPE_SHARES = (0.31, 0.27, 0.19, 0.14, 0.05, 0.04)
# How strongly tastes pull, beside the popularity of titles; and a person's leaning to a whole franchise.
TASTE_STRENGTH = 1.3
FRANCHISE_STRENGTH = 1.0
UNRATED_SHARE = 0.2
WRITTEN_SHARE = 0.45
SYNOPSIS_WORDS = 60
WORDS_A_THEME = 40
COMMON_WORDS = 3000
BLOCK_MEMBERS = 256


@dataclass(frozen=True, slots=True)
class Titles:
    """n titles: ``appeal`` float32 (n,), the logarithm of how likely one is chosen; ``themes`` float32 (n, themes);
    ``franchise`` int (n,), numbered from 0; ``quality`` float32 (n,), what it adds to a rating."""

    appeal: np.ndarray
    themes: np.ndarray
    franchise: np.ndarray
    quality: np.ndarray


def write_generated(directory: Path, members: int, titles: int, seed: int) -> int:
    """Write ``anime.csv``, ``anime_with_synopsis.csv``, ``franchises.json`` and ``rating.csv`` of the 2016 layout,
    with about 100 entries a member; the number of entries is returned."""
    directory.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    made = make_titles(titles, rng)
    anime_ids = np.sort(rng.choice(3 * titles, size=titles, replace=False)) + 1
    lists, rows, ratings = make_entries(made, members, rng)
    pd.DataFrame({"user_id": lists + 1, "anime_id": anime_ids[rows], "rating": ratings}).to_csv(
        directory / "rating.csv", index=False
    )
    _write_titles(directory, made, anime_ids, np.bincount(rows, minlength=titles), rng)
    return len(rows)


def make_titles(count: int, rng: np.random.Generator) -> Titles:
    sizes = rng.choice(FRANCHISE_SIZES, p=FRANCHISE_SHARES, size=count)
    franchise = np.repeat(np.arange(count), sizes)[:count]
    groups = int(franchise[-1]) + 1
    # Parts of a franchise are about as popular as one another and have the same themes.
    standing = rng.normal(size=groups)[franchise] + 0.5 * rng.normal(size=count)
    rank = np.empty(count)
    rank[np.argsort(-standing)] = np.arange(1, count + 1) * (RANKS[-1] / count)
    appeal = STEEPNESS * np.interp(np.log(rank), np.log(RANKS), np.log(LIST_SHARES))
    themes = rng.gamma(0.12, size=(groups, len(THEMES)))
    themes /= np.linalg.norm(themes, axis=1, keepdims=True) + 1e-9
    quality = 0.5 * rng.normal(size=groups)[franchise] + 0.2 * rng.normal(size=count) + 0.08 * (appeal + 5)
    return Titles(
        appeal.astype(np.float32), themes[franchise].astype(np.float32), franchise, quality.astype(np.float32)
    )


def make_entries(titles: Titles, members: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Member (from 0), row of the title and rating (1 to 10, -1 = not rated) of every entry, all int."""
    count = len(titles.appeal)
    wanted = list_lengths(members, count, rng)
    groups = int(titles.franchise.max()) + 1
    lists, rows, ratings = [], [], []
    for start in range(0, members, BLOCK_MEMBERS):
        sizes = wanted[start : start + BLOCK_MEMBERS]
        tastes = rng.gamma(0.25, size=(len(sizes), len(THEMES))).astype(np.float32)
        tastes /= np.linalg.norm(tastes, axis=1, keepdims=True) + 1e-9
        likeness = tastes @ titles.themes.T
        likeness = (likeness - likeness.mean()) / likeness.std()
        leaning = FRANCHISE_STRENGTH * rng.standard_normal((len(sizes), groups), dtype=np.float32)
        worth = titles.appeal + TASTE_STRENGTH * likeness + leaning[:, titles.franchise]
        # The highest of log weights with Gumbel noise are a draw without replacement in proportion to the weights.
        worth -= np.log(rng.standard_exponential(worth.shape, dtype=np.float32) + np.float32(1e-20))
        bias = rng.normal(0, 0.9, size=len(sizes))
        for person, size in enumerate(sizes):
            chosen = np.argpartition(worth[person], count - size)[count - size :]
            rating = 7.2 + bias[person] + titles.quality[chosen] + 0.4 * likeness[person, chosen]
            rating = np.rint(rating + rng.normal(0, 0.8, size=size)).clip(1, 10).astype(np.int64)
            rating[rng.random(size) < UNRATED_SHARE] = -1
            lists.append(np.full(size, start + person))
            rows.append(np.sort(chosen))
            ratings.append(rating)
    return np.concatenate(lists), np.concatenate(rows), np.concatenate(ratings)


def list_lengths(members: int, titles: int, rng: np.random.Generator) -> np.ndarray:
    """How many entries each list has: int (members,), few long and many short."""
    lengths = np.exp(np.interp(rng.random(members), LENGTH_SHARES, np.log(LENGTHS)))
    return np.rint(lengths).clip(1, titles // 2).astype(np.int64)


def _write_titles(
    directory: Path, titles: Titles, anime_ids: np.ndarray, lists: np.ndarray, rng: np.random.Generator
) -> None:
    count = len(anime_ids)
    strongest = np.argsort(-titles.themes, axis=1)[:, :3]
    genres = [
        ", ".join(THEMES[theme] for theme in own if titles.themes[row, theme] > 0.2) or THEMES[own[0]]
        for row, own in enumerate(strongest)
    ]
    types = rng.choice(TYPES, p=TYPE_SHARES, size=count)
    names = [f"Title {anime_id}" for anime_id in anime_ids]
    score = (7 + titles.quality).clip(1, 10).round(2)
    pd.DataFrame(
        {
            "anime_id": anime_ids,
            "name": names,
            "genre": genres,
            "type": types,
            "episodes": np.where(types == "TV", 12, 1),
            "rating": score,
            "members": lists * 50 + 5,
        }
    ).to_csv(directory / "anime.csv", index=False)
    common = np.array([f"word{number}" for number in range(COMMON_WORDS)])
    usual = 1 / np.arange(1, COMMON_WORDS + 1)
    texts = []
    written = np.flatnonzero(rng.random(count) < WRITTEN_SHARE)
    for row in written:
        of_themes = rng.choice(strongest[row, :2], size=SYNOPSIS_WORDS // 4)
        themed = [f"{THEMES[theme].lower()}{rng.integers(WORDS_A_THEME)}" for theme in of_themes]
        texts.append(" ".join([*themed, *rng.choice(common, p=usual / usual.sum(), size=SYNOPSIS_WORDS)]))
    pd.DataFrame(
        {
            "MAL_ID": anime_ids[written],
            "Name": [names[row] for row in written],
            "Score": score[written],
            "Genres": [genres[row] for row in written],
            "sypnopsis": texts,
        }
    ).to_csv(directory / "anime_with_synopsis.csv", index=False)
    groups = pd.Series(anime_ids).groupby(titles.franchise).apply(list)
    named = [{"name": f"Franchise {number}", "ids": ids} for number, ids in groups.items() if len(ids) > 1]
    (directory / "franchises.json").write_text(json.dumps(named), encoding="utf-8")
