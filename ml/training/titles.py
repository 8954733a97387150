"""Order within franchises, and traits: what serving knows of titles besides scores."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ml.models.titles import Titles
from ml.reading import Catalogue

# Words in a title that mark what nobody needs to have seen before the next part.
SIDE_PART = re.compile(
    r"recap|summary|summaries|sous?huuhen|digest|compilation|picture drama|specials?\b|pilot\b|\bpv\b"
    r"|commercial|trailer|preview|\bcm\b|\bmini\b|omake|bonus|music video",
    re.IGNORECASE,
)
CORE_TYPES = ("TV", "Movie")
SERIES_TYPES = ("OVA", "ONA")


def describe_titles(catalogue: Catalogue, liked: np.ndarray, marginal_share: float, ova_episodes: int) -> Titles:
    """``liked``: how many members liked each title, (n,). ``marginal_share``: without dates, a part that has
    fewer members than this share of its franchise's most watched part is not the one to start with.
    ``ova_episodes``: an OVA or ONA of at least so many episodes is a main part."""
    frame = catalogue.frame
    main = _main_parts(frame, ova_episodes)
    trait_ptr, traits, names = _traits(frame)
    return Titles(
        anime_ids=catalogue.anime_ids,
        franchise=frame["franchise"].to_numpy().astype(np.int32),
        order=_order(frame, main, marginal_share),
        main=main,
        trait_ptr=trait_ptr,
        traits=traits,
        trait_share=_trait_share(trait_ptr, traits, len(names), liked),
        trait_names=names,
    )


def _main_parts(frame: pd.DataFrame, ova_episodes: int) -> np.ndarray:
    franchise = frame["franchise"].to_numpy()
    side = frame["title"].str.contains(SIDE_PART).to_numpy(dtype=bool)
    core = frame["type"].isin(CORE_TYPES).to_numpy() & ~side
    series = frame["type"].isin(SERIES_TYPES).to_numpy() & ~side
    long = frame["episodes"].fillna(0).to_numpy() >= ova_episodes

    def lacks(parts: np.ndarray) -> np.ndarray:
        """Titles of franchises in which none of ``parts`` is."""
        return (np.bincount(franchise, parts, minlength=franchise.max() + 1) == 0)[franchise]

    main = core | (series & (long | lacks(core)))
    main |= lacks(main) & ~side
    return main | lacks(main)


def _order(frame: pd.DataFrame, main: np.ndarray, marginal_share: float) -> np.ndarray:
    """Position of every title within its franchise, int32: main parts first.

    By the curated watch order or by date where all main parts that anybody has seen have one (a part without is
    not out yet). Else by id, which on MyAnimeList grows about with time, what few have seen after the rest and
    OVAs after series and films.
    """
    franchise = frame["franchise"].to_numpy()
    count = franchise.max() + 1
    members = frame["members"].fillna(0).to_numpy()
    seen_parts = main & (members > 0)

    def complete(known: np.ndarray) -> np.ndarray:
        """Titles of franchises of which every seen main part is ``known`` (and some title is)."""
        lacking = np.bincount(franchise, seen_parts & ~known, minlength=count) > 0
        present = np.bincount(franchise, known, minlength=count) > 0
        return (present & ~lacking)[franchise]

    curated = frame["franchise_order"].fillna(np.inf).to_numpy()
    aired = frame["aired"].fillna(np.inf).to_numpy()
    by_curated = complete(np.isfinite(curated))
    by_date = ~by_curated & complete(np.isfinite(aired))
    place = np.select([by_curated, by_date], [curated, aired], np.inf)
    by_id = ~by_curated & ~by_date
    most = np.zeros(count)
    np.maximum.at(most, franchise, members)
    marginal = by_id & (members < marginal_share * most[franchise])
    side_type = by_id & ~frame["type"].isin(CORE_TYPES).to_numpy()
    by_order = np.lexsort((frame["anime_id"].to_numpy(), place, side_type, marginal, ~main, franchise))
    first = np.r_[True, franchise[by_order][1:] != franchise[by_order][:-1]]
    start = np.maximum.accumulate(np.where(first, np.arange(len(by_order)), 0))
    order = np.empty(len(by_order), dtype=np.int32)
    order[by_order] = np.arange(len(by_order)) - start
    return order


def _traits(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    numbers: dict[str, int] = {}
    lists = []
    for genres, studios, type_ in zip(frame["genres"], frame["studios"], frame["type"], strict=True):
        names = [*genres, *(f"studio {studio}" for studio in studios), *([type_] if type_ else [])]
        lists.append([numbers.setdefault(name, len(numbers)) for name in dict.fromkeys(names)])
    trait_ptr = np.cumsum([0, *(len(part) for part in lists)]).astype(np.int64)
    return trait_ptr, np.array([n for part in lists for n in part], dtype=np.int32), tuple(numbers)


def _trait_share(trait_ptr: np.ndarray, traits: np.ndarray, count: int, liked: np.ndarray) -> np.ndarray:
    weight = liked.astype(np.float64) + 1e-9
    held = np.bincount(traits, np.repeat(weight, np.diff(trait_ptr)), minlength=count)
    return (held / weight.sum()).astype(np.float32)
