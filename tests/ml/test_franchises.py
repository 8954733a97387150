"""Order within franchises, and the three modes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ml.models.profiles import ProfileBatch
from ml.models.titles import Titles
from ml.reading import read_catalogue
from ml.serving.franchises import FranchiseIndex
from ml.training.titles import describe_titles
from ml.types import Entry, FranchiseMode, Profile, Status
from tests.ml.worlds import ANIME_COLUMNS, write_csv

COLUMNS = (*ANIME_COLUMNS, "aired_from", "franchise_order")
SAGA = (  # one franchise, by date: 30 (1995), 10 (1997), 20 (2001), a special of 1996, a recap of 1998
    (10, "Saga II", "Drama", "TV", 12, 7, 500, "1997-04-01", ""),
    (20, "Saga III", "Drama", "Movie", 1, 7, 500, "2001-01-01", ""),
    (30, "Saga", "Drama", "TV", 26, 7, 300, "1995-10-04", ""),
    (40, "Saga at Christmas", "Drama", "Special", 1, 7, 100, "1996-12-24", ""),
    (50, "Saga Recap", "Drama", "Movie", 1, 7, 100, "1998-01-01", ""),
)
ALONE = (60, "Alone", "Drama", "TV", 12, 7, 50, "2000-01-01", "")
PAIR = (
    (70, "Pair", "Drama", "TV", 12, 7, 50, "2003-01-01", ""),
    (80, "Pair 2", "Drama", "TV", 12, 7, 50, "2005-01-01", ""),
)


def titles_of(directory: Path, rows: Sequence[tuple[object, ...]], groups: Sequence[Sequence[int]]) -> Titles:
    write_csv(directory / "anime.csv", COLUMNS, list(rows))
    franchises = [{"name": str(number), "ids": list(ids)} for number, ids in enumerate(groups)]
    (directory / "franchises.json").write_text(json.dumps(franchises))
    catalogue = read_catalogue(directory)
    return describe_titles(catalogue, np.ones(len(catalogue)), marginal_share=0.5, ova_episodes=3)


def in_order(titles: Titles, of: int) -> list[int]:
    """The franchise of a title, in order."""
    franchise = titles.franchise[titles.rows_of(np.array([of]))[0]]
    rows = np.flatnonzero(titles.franchise == franchise)
    return titles.anime_ids[rows[np.argsort(titles.order[rows])]].tolist()


@pytest.fixture
def titles(tmp_path: Path) -> Titles:
    return titles_of(tmp_path, (*SAGA, ALONE, *PAIR), [(10, 20, 30, 40, 50), (70, 80)])


def offered(
    titles: Titles,
    mode: FranchiseMode,
    entries: Sequence[Entry],
    *,
    scores: dict[int, float] | None = None,
    hidden: Sequence[int] = (),
    barred: Sequence[int] = (),
    include_planned: bool = False,
) -> dict[int, float]:
    """What a mode offers, with scores; a title scores its id / 100 unless told otherwise."""
    profile = Profile.of(entries)
    batch, _ = ProfileBatch.of([profile], titles.anime_ids)
    values = np.array([(scores or {}).get(int(i), int(i) / 100) for i in titles.anime_ids], dtype=np.float32)
    planned = {entry.anime_id for entry in entries if entry.status is Status.PLANNED and include_planned}
    gone = {entry.anime_id for entry in entries} - planned | set(hidden) | set(barred)
    eligible = ~np.isin(titles.anime_ids, list(gone))
    offer = FranchiseIndex(titles).offer(
        mode, values, eligible, batch, titles.rows_of(np.array(hidden, dtype=np.int64)), include_planned
    )
    return {
        int(titles.anime_ids[row]): round(float(score), 4)
        for row, score in zip(offer.rows, offer.scores, strict=True)
    }


def test_by_date_main_parts_first(titles: Titles) -> None:
    assert in_order(titles, 10) == [30, 10, 20, 40, 50]


def test_by_the_curated_order_where_there_is_one(tmp_path: Path) -> None:
    rows = [(*row[:8], place) for row, place in zip(SAGA, (1, 2, 3, 4, 5), strict=True)]
    titles = titles_of(tmp_path, rows, [(10, 20, 30, 40, 50)])
    assert in_order(titles, 10) == [10, 20, 30, 40, 50]


def test_by_id_without_dates_and_not_with_what_few_have_seen(tmp_path: Path) -> None:
    rows = (
        (5, "Tale Movie", "Drama", "Movie", 1, 7, 90, "", ""),
        (6, "Tale Zero", "Drama", "OVA", 6, 7, 1000, "", ""),
        (7, "Tale", "Drama", "TV", 24, 7, 900, "", ""),
        (8, "Tale 2", "Drama", "TV", 24, 7, 950, "", ""),
        (9, "Tale Summary", "Drama", "TV", 1, 7, 950, "", ""),
    )
    titles = titles_of(tmp_path, rows, [(5, 6, 7, 8, 9)])
    assert in_order(titles, 7) == [7, 8, 6, 5, 9]


def test_a_part_that_is_not_out_yet_comes_last(tmp_path: Path) -> None:
    rows = [*SAGA[:3], (5, "Saga IV", "Drama", "TV", "", "", "", "", "")]
    assert in_order(titles_of(tmp_path, rows, [(5, 10, 20, 30)]), 5) == [30, 10, 20, 5]


def test_a_franchise_of_specials_has_a_start_too(tmp_path: Path) -> None:
    rows = [(3, "Short Special", "", "Special", 1, 7, 9, "", ""), (4, "Song", "", "Music", 1, 7, 9, "", "")]
    titles = titles_of(tmp_path, rows, [(3, 4)])
    assert titles.main.tolist() == [False, True], "a music video is the nearest to a main part that there is"
    assert in_order(titles, 3) == [4, 3]


def test_off_offers_everything_else(titles: Titles) -> None:
    assert set(offered(titles, FranchiseMode.OFF, [Entry(30, 9)])) == {10, 20, 40, 50, 60, 70, 80}


def test_new_offers_the_start_of_each_untouched_franchise_at_the_score_of_its_best_part(titles: Titles) -> None:
    assert offered(titles, FranchiseMode.NEW, []) == {30: 0.5, 60: 0.6, 70: 0.8}


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.DROPPED, Status.WATCHING, Status.PLANNED])
def test_new_leaves_out_what_is_touched(titles: Titles, status: Status) -> None:
    assert set(offered(titles, FranchiseMode.NEW, [Entry(20, status=status)])) == {60, 70}


def test_new_leaves_out_the_franchise_of_a_hidden_title(titles: Titles) -> None:
    assert set(offered(titles, FranchiseMode.NEW, [], hidden=[80])) == {30, 60}


def test_new_may_list_what_is_planned_if_asked(titles: Titles) -> None:
    planned = [Entry(70, status=Status.PLANNED)]
    assert set(offered(titles, FranchiseMode.NEW, planned)) == {30, 60}
    assert set(offered(titles, FranchiseMode.NEW, planned, include_planned=True)) == {30, 60, 70}


def test_new_starts_with_the_first_part_that_the_filter_allows(titles: Titles) -> None:
    assert offered(titles, FranchiseMode.NEW, [], barred=[30, 50]) == {10: 0.4, 60: 0.6, 70: 0.8}


def test_next_is_the_part_after_what_is_watched(titles: Titles) -> None:
    assert set(offered(titles, FranchiseMode.NEXT, [Entry(30, 9), Entry(60, 9)])) == {10}
    assert set(offered(titles, FranchiseMode.NEXT, [Entry(30, 9), Entry(10)])) == {20}


def test_next_fills_a_gap_but_does_not_go_back_before_the_start(titles: Titles) -> None:
    assert set(offered(titles, FranchiseMode.NEXT, [Entry(30, 9), Entry(20)])) == {10}
    assert set(offered(titles, FranchiseMode.NEXT, [Entry(10, 9)])) == {20}


def test_next_offers_specials_after_the_main_parts(titles: Titles) -> None:
    watched = [Entry(30, 9), Entry(10), Entry(20)]
    assert set(offered(titles, FranchiseMode.NEXT, watched)) == {40}
    assert set(offered(titles, FranchiseMode.NEXT, [Entry(40, 9)])) == {30}, "only a special is watched"


def test_next_offers_nothing_of_a_dropped_franchise(titles: Titles) -> None:
    dropped = [Entry(30, 9), Entry(10, 4, Status.DROPPED), Entry(70, 8, Status.WATCHING)]
    assert set(offered(titles, FranchiseMode.NEXT, dropped)) == {80}


def test_a_plan_alone_starts_nothing(titles: Titles) -> None:
    assert offered(titles, FranchiseMode.NEXT, [Entry(70, status=Status.PLANNED)]) == {}


def test_next_passes_over_a_hidden_part(titles: Titles) -> None:
    assert set(offered(titles, FranchiseMode.NEXT, [Entry(30, 9)], hidden=[10])) == {20}
