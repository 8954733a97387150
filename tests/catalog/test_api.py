"""GET /api/v1/anime/ and /api/v1/anime/{id}/."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from tests.factories import AnimeFactory, FranchiseFactory, UserFactory

pytestmark = pytest.mark.django_db
LIST = "/api/v1/anime/"


@pytest.fixture
def api() -> APIClient:
    return APIClient()


def ids(response: Any) -> list[int]:
    assert response.status_code == 200, response.content
    return [anime["id"] for anime in response.json()["results"]]


class TestList:
    def test_shape(self, api: APIClient) -> None:
        AnimeFactory(
            id=5114, title="Hagane", title_english="Steel", title_japanese="鋼", type="TV", episodes=64, year=2009,
            season="spring", genres=["Drama", "Action"], studios=["Bones"], age_rating="R", community_rating=9.26,
            members=793665, image_url="https://example.org/5114.jpg",
        )  # fmt: skip
        answer = api.get(LIST).json()
        assert answer == {
            "count": 1,
            "next": None,
            "previous": None,
            "results": [
                {
                    "id": 5114,
                    "title": "Hagane",
                    "title_english": "Steel",
                    "title_japanese": "鋼",
                    "type": "TV",
                    "episodes": 64,
                    "year": 2009,
                    "season": "spring",
                    "genres": ["Action", "Drama"],
                    "studios": ["Bones"],
                    "age_rating": "R",
                    "community_rating": 9.26,
                    "members": 793665,
                    "image_url": "https://example.org/5114.jpg",
                    "url": "/anime/5114/",
                }
            ],
        }

    def test_pages(self, api: APIClient) -> None:
        for number in range(1, 31):
            AnimeFactory(id=number, members=1000 - number)
        first = api.get(LIST)
        assert ids(first) == list(range(1, 26))
        assert first.json()["count"] == 30
        assert first.json()["previous"] is None
        assert ids(api.get(first.json()["next"])) == list(range(26, 31))
        assert ids(api.get(LIST, {"page_size": 7, "page": 2})) == list(range(8, 15))

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("search=akira", [2]),
            ("search=", [3, 2, 1]),
            ("genre=action", [3, 2]),
            ("genre=Action", [3, 2]),
            ("genre=Slice of Life", [1]),
            ("genre=action&genre=mecha", [3]),
            ("type=Movie", [2]),
            ("type=Movie&type=OVA", [2, 1]),
            ("year_min=1988", [3, 2]),
            ("year_max=1988&year_min=1988", [2]),
            ("ordering=title", [2, 3, 1]),
            ("ordering=year", [3, 2, 1]),
            ("ordering=rating", [2, 3, 1]),
            ("search=koda&ordering=title", [2, 3, 1]),
            ("search=akria", [2]),
            ("episodes_max=12", [2]),
            ("minutes_max=120", [2]),
            ("minutes_max=119", []),
            ("minutes_max=9000", [3, 2]),
            ("age_rating=R", [2]),
            ("age_rating=R&age_rating=PG-13", [3, 2, 1]),
        ],
    )
    def test_filters(self, api: APIClient, query: str, expected: list[int]) -> None:
        AnimeFactory(
            id=1, title="Yokohama", genres=["Slice of Life"], type="OVA", year=None, members=1, community_rating=None,
            episodes=None, duration_minutes=30, synonyms=["Koda 1"],
        )  # fmt: skip
        AnimeFactory(
            id=2, title="Akira", genres=["Action"], type="Movie", year=1988, members=20, community_rating=9,
            age_rating="R", episodes=1, duration_minutes=120, synonyms=["Koda 2"],
        )  # fmt: skip
        AnimeFactory(
            id=3, title="Code Geass", genres=["Action", "Mecha"], year=2006, members=30, community_rating=8,
            episodes=25, duration_minutes=24, synonyms=["Koda 3"],
        )  # fmt: skip
        assert ids(api.get(f"{LIST}?{query}")) == expected

    def test_a_search_puts_the_best_match_first(self, api: APIClient) -> None:
        AnimeFactory(id=1, title="The Naruto Show", members=500)
        AnimeFactory(id=2, title="Naruto", members=5)
        assert ids(api.get(LIST, {"search": "naruto"})) == [2, 1]

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("genre=no-such", "genre"),
            ("genre=!", "genre"),
            ("type=Radio", "type"),
            ("year_min=soon", "year_min"),
            ("year_max=99999", "year_max"),
            ("year_min=2010&year_max=2000", "year_max"),
            ("episodes_max=0", "episodes_max"),
            ("minutes_max=0", "minutes_max"),
            ("minutes_max=an hour", "minutes_max"),
            ("minutes_max=99999999999999999999", "minutes_max"),
            ("age_rating=18", "age_rating"),
            ("ordering=random", "ordering"),
            ("page=0", "page"),
            ("page=x", "page"),
            ("page_size=101", "page_size"),
            ("page_size=-5", "page_size"),
            (f"search={'x' * 201}", "search"),
            ("search=a%00b", "search"),
        ],
    )
    def test_a_parameter_that_does_not_fit_is_a_problem_that_names_it(
        self, api: APIClient, query: str, field: str
    ) -> None:
        AnimeFactory()
        response = api.get(f"{LIST}?{query}")
        assert response.status_code == 400
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["errors"][0]["field"].split("[")[0].split(".")[0] == field

    def test_a_page_beyond_the_last(self, api: APIClient) -> None:
        response = api.get(LIST, {"page": 2})
        assert response.status_code == 404
        assert response["Content-Type"] == "application/problem+json"

    def test_adult_titles_only_for_members_who_opted_in(self, api: APIClient) -> None:
        AnimeFactory(id=1, members=2)
        AnimeFactory(id=2, members=1, is_adult=True)
        assert ids(api.get(LIST)) == [1]
        api.force_authenticate(UserFactory(show_adult=False))
        assert ids(api.get(LIST)) == [1]
        api.force_authenticate(UserFactory(show_adult=True))
        assert ids(api.get(LIST)) == [1, 2]

    @pytest.mark.parametrize("titles", [2, 20])
    def test_few_queries_whatever_the_number_of_titles(
        self, api: APIClient, titles: int, django_assert_num_queries: Any
    ) -> None:
        for _title in range(titles):
            AnimeFactory(genres=["Action", "Drama"], studios=["Bones"], franchise=FranchiseFactory())
        # The count, the titles, their genres, their studios.
        with django_assert_num_queries(4):
            assert len(ids(api.get(LIST))) == titles
        # And whether there is such a genre, and such a name.
        with django_assert_num_queries(6):
            ids(api.get(LIST, {"genre": "action", "search": "anime"}))
        with django_assert_num_queries(7):  # and which names are like it
            assert len(ids(api.get(LIST, {"genre": "action", "search": "anmie"}))) == titles


class TestDetail:
    def test_adds_what_a_list_does_not_show(self, api: APIClient) -> None:
        saga = FranchiseFactory(name="Steel")
        AnimeFactory(id=2, title="Second", franchise=saga, franchise_order=2, type="Movie", year=2011)
        AnimeFactory(id=3, franchise=saga, franchise_order=3, is_adult=True)
        AnimeFactory(
            id=1, title="First", franchise=saga, franchise_order=1, year=2009, synopsis="Two brothers.",
            synonyms=["FMA"], source="Manga", status="finished", aired_from=date(2009, 4, 5), aired_to=None,
            duration_minutes=24,
        )  # fmt: skip
        answer = api.get(f"{LIST}1/").json()
        assert answer["synopsis"] == "Two brothers."
        assert (answer["synonyms"], answer["source"], answer["airing_status"]) == (["FMA"], "Manga", "finished")
        assert (answer["aired_from"], answer["aired_to"], answer["duration_minutes"]) == ("2009-04-05", None, 24)
        assert answer["franchise"] == {
            "name": "Steel",
            "titles": [
                {"id": 1, "title": "First", "type": "TV", "year": 2009},
                {"id": 2, "title": "Second", "type": "Movie", "year": 2011},
            ],
        }

    def test_a_title_of_no_franchise(self, api: APIClient) -> None:
        AnimeFactory(id=1)
        assert api.get(f"{LIST}1/").json()["franchise"] is None

    @pytest.mark.parametrize("anime_id", ["7", "0", "99999999999999999999"])
    def test_a_title_that_is_not_there(self, api: APIClient, anime_id: str) -> None:
        response = api.get(f"{LIST}{anime_id}/")
        assert response.status_code == 404
        assert response.json()["title"] == "Not Found"

    def test_an_adult_title_is_not_there_for_everyone(self, api: APIClient) -> None:
        AnimeFactory(id=1, is_adult=True)
        assert api.get(f"{LIST}1/").status_code == 404
        api.force_authenticate(UserFactory(show_adult=True))
        assert api.get(f"{LIST}1/").status_code == 200

    @pytest.mark.parametrize("parts", [1, 8])
    def test_five_queries_whatever_belongs_to_it(
        self, api: APIClient, parts: int, django_assert_num_queries: Any
    ) -> None:
        saga = FranchiseFactory()
        for number in range(1, parts + 1):
            AnimeFactory(id=number, franchise=saga, franchise_order=number, genres=["A", "B"], synonyms=["X", "Y"])
        # The title with its franchise, genres, studios, synonyms, the titles of the franchise.
        with django_assert_num_queries(5):
            assert len(api.get(f"{LIST}1/").json()["franchise"]["titles"]) == parts


def test_reading_is_all_there_is(client: Client) -> None:
    user = UserFactory(admin=True)
    api = APIClient()
    api.force_authenticate(user)
    for method in ("post", "put", "patch", "delete"):
        assert getattr(api, method)(LIST).status_code == 405
