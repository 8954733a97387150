"""Browsing, the candidates of a list, and how many queries each costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from catalog.selectors import (
    CatalogueFilter,
    anime_by_ids,
    browse,
    candidate_ids,
    filter_choices,
    franchise_titles,
)
from tests.factories import AnimeFactory, FranchiseFactory, GenreFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def _titles() -> None:
    AnimeFactory(id=1, title="Gundam", genres=["Mecha", "Drama"], type="TV", year=1979, episodes=43, members=50)
    AnimeFactory(
        id=2, title="akira", genres=["Action"], type="Movie", year=1988, episodes=1, members=90, community_rating=8.2,
        age_rating="R", duration_minutes=124,
    )  # fmt: skip
    AnimeFactory(
        id=3, title="Code Geass", genres=["Mecha", "Action"], year=2006, episodes=25, members=70, duration_minutes=24,
        is_recap=False,
    )  # fmt: skip
    AnimeFactory(id=4, title="Facts unknown", type="", year=None, episodes=None, members=None, community_rating=None)
    AnimeFactory(id=5, title="For adults", genres=["Mecha"], is_adult=True, members=60)
    AnimeFactory(
        id=6,
        title="To come",
        status="upcoming",
        year=2030,
        members=10,
        episodes=None,
        duration_minutes=5,
        is_recap=True,
    )


def listed(chosen: CatalogueFilter) -> list[int]:
    candidates = candidate_ids(chosen)
    assert candidates is not None
    return candidates.tolist()


FILTERS = [
    ({}, [1, 2, 3, 4, 6]),
    ({"show_adult": True}, [1, 2, 3, 4, 5, 6]),
    ({"released_only": True}, [1, 2, 3, 4]),
    ({"genres": ("mecha",)}, [1, 3]),
    ({"genres": ("mecha", "action")}, [3]),
    ({"genres": ("mecha",), "show_adult": True}, [1, 3, 5]),
    ({"genres_out": ("mecha",)}, [2, 4, 6]),
    ({"genres_out": ("mecha", "action")}, [4, 6]),
    ({"genres": ("no-such-genre",)}, []),
    ({"types": ("Movie",)}, [2]),
    ({"types": ("Movie", "TV")}, [1, 2, 3, 6]),
    ({"year_min": 1988}, [2, 3, 6]),
    ({"year_max": 1988}, [1, 2]),
    ({"year_min": 1980, "year_max": 2010}, [2, 3]),
    ({"episodes_max": 25}, [2, 3]),
    ({"minutes_max": 124}, [2]),
    ({"minutes_max": 123}, []),
    ({"minutes_max": 600}, [2, 3]),
    ({"without_recaps": True}, [1, 2, 3, 4]),
    ({"age_ratings": ("R", "R+")}, [2]),
]


@pytest.mark.usefixtures("_titles")
class TestFilter:
    @pytest.mark.parametrize(("options", "ids"), FILTERS)
    def test_browse_and_candidates_agree(self, options: dict[str, Any], ids: list[int]) -> None:
        chosen = CatalogueFilter(**options)
        assert sorted(browse(chosen).values_list("pk", flat=True)) == ids
        candidates = candidate_ids(chosen)
        if options == {"show_adult": True}:
            assert candidates is None  # every title
        else:
            assert candidates is not None
            assert candidates.dtype == np.int64
            assert candidates.tolist() == ids

    @pytest.mark.parametrize(
        ("ordering", "ids"),
        [
            ("popular", [2, 3, 1, 6, 4]),
            ("rating", [2, 1, 3, 6, 4]),
            ("year", [6, 3, 2, 1, 4]),
            ("title", [2, 3, 4, 1, 6]),
            ("relevance", [2, 3, 1, 6, 4]),
        ],
    )
    def test_orderings_put_what_is_unknown_last(self, ordering: str, ids: list[int]) -> None:
        assert list(browse(CatalogueFilter(), ordering=ordering).values_list("pk", flat=True)) == ids

    def test_an_ordering_that_does_not_exist(self) -> None:
        with pytest.raises(ValueError, match="no ordering 'random'"):
            browse(CatalogueFilter(), ordering="random")

    def test_a_text_narrows_and_may_order(self) -> None:
        assert list(browse(CatalogueFilter(), text="gund").values_list("pk", flat=True)) == [1]
        AnimeFactory(id=7, title="Turn A Gundam", members=500)
        assert list(browse(CatalogueFilter(), text="gundam").values_list("pk", flat=True)) == [7, 1]
        ordered = browse(CatalogueFilter(), text="gundam", ordering="relevance")
        assert list(ordered.values_list("pk", flat=True)) == [1, 7]

    def test_running_times_beyond_a_small_number(self) -> None:
        AnimeFactory(id=7, title="Sazae-san", episodes=7_000, duration_minutes=24)
        AnimeFactory(id=8, title="Longer than can be", episodes=32_767, duration_minutes=32_767)
        assert listed(CatalogueFilter(minutes_max=7_000 * 24)) == [2, 3, 7]

    def test_candidates_are_cached_by_filter(self, django_assert_num_queries: Any) -> None:
        mecha = CatalogueFilter(genres=("mecha",))
        with django_assert_num_queries(1):
            assert listed(mecha) == [1, 3]
        with django_assert_num_queries(0):
            assert listed(CatalogueFilter(genres=("mecha",))) == [1, 3]
        with django_assert_num_queries(1):
            assert listed(CatalogueFilter(genres=("action",))) == [2, 3]

    def test_no_candidate_at_all_is_not_every_candidate(self) -> None:
        nothing = CatalogueFilter(year_min=2099)
        assert [listed(nothing), listed(nothing)] == [[], []]


class TestLookUp:
    def test_titles_come_with_their_facts_in_three_queries(self, django_assert_num_queries: Any) -> None:
        for number in range(1, 6):
            AnimeFactory(id=number, genres=["Action", "Drama"], studios=["Bones"], franchise=FranchiseFactory())
        with django_assert_num_queries(3):
            titles = anime_by_ids(np.array([5, 1, 2, 999]))
            shown = {
                pk: ([genre.name for genre in anime.genres.all()], anime.studios.all()[0].name, str(anime.franchise))
                for pk, anime in titles.items()
            }
        assert set(shown) == {1, 2, 5}
        assert shown[5][:2] == (["Action", "Drama"], "Bones")

    def test_nothing_to_look_up(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            assert anime_by_ids([]) == {}

    def test_a_franchise_in_order_without_what_is_not_for_everyone(self) -> None:
        saga = FranchiseFactory()
        second = AnimeFactory(id=1, franchise=saga, franchise_order=2)
        first = AnimeFactory(id=2, franchise=saga, franchise_order=1)
        adult = AnimeFactory(id=3, franchise=saga, franchise_order=3, is_adult=True)
        assert franchise_titles(second, show_adult=False) == [first, second]
        assert franchise_titles(second, show_adult=True) == [first, second, adult]
        assert franchise_titles(AnimeFactory(), show_adult=True) == []


class TestChoices:
    def test_what_some_title_has(self, django_assert_num_queries: Any) -> None:
        GenreFactory(name="Unused")
        AnimeFactory(genres=["Drama", "Action"], age_rating="R", duration_minutes=24)
        AnimeFactory(genres=["Drama"], age_rating="G")
        with django_assert_num_queries(1):
            everyone, members = filter_choices()
        assert everyone == members
        assert everyone.genres == (("action", "Action"), ("drama", "Drama"))
        assert everyone.age_ratings == ("G", "R")
        assert everyone.has_minutes
        with django_assert_num_queries(0):
            filter_choices()

    def test_what_only_adult_titles_have_is_not_for_everyone(self) -> None:
        AnimeFactory(genres=["Drama"], age_rating="R")
        AnimeFactory(genres=["Drama", "Hentai"], age_rating="Rx", is_adult=True, duration_minutes=24)
        everyone, members = filter_choices()
        assert everyone.genres == (("drama", "Drama"),)
        assert members.genres == (("drama", "Drama"), ("hentai", "Hentai"))
        assert (everyone.age_ratings, members.age_ratings) == (("R",), ("R", "Rx"))
        assert (everyone.has_minutes, members.has_minutes) == (False, True)

    def test_an_empty_catalogue_has_none(self) -> None:
        everyone, members = filter_choices()
        assert everyone == members
        assert (everyone.genres, everyone.age_ratings, everyone.has_minutes) == ((), (), False)
