"""The library page: the database filters, sorts and leafs; the page holds what is to be seen and no more."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import Anime
from catalog.names import keep_names
from recommendations.models import ListEntry, Profile
from recommendations.selectors.library import rated_count, rated_entries
from recommendations.services.bulk import set_many
from recommendations.services.entries import hide
from recommendations.services.profiles import profile_of_user
from tests.factories import AnimeFactory, EntryFactory, UserFactory
from tests.recommendations.test_pages_markup import check_page

pytestmark = pytest.mark.django_db

PARTIAL = {"HX-Request": "true", "HX-Target": "entries"}


@pytest.fixture
def mine(client: Client) -> Profile:
    user = UserFactory()
    client.force_login(user)
    profile = profile_of_user(user)
    for title, kind, rating, status in (
        ("Akira", "Movie", 9, "completed"),
        ("Bleach", "TV", None, "planned"),
        ("Chobits", "TV", 4, "completed"),
        ("Durarara", "TV", None, "watching"),
    ):
        EntryFactory(profile=profile, anime=AnimeFactory(title=title, type=kind), rating=rating, status=status)
    return profile


def titles(client: Client, **query: str) -> list[str]:
    page = client.get(reverse("library"), {"sort": "title", **query}).context["page"]
    return [row.anime.title for row in page.object_list]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, ["Akira", "Bleach", "Chobits", "Durarara"]),
        ({"type": "TV"}, ["Bleach", "Chobits", "Durarara"]),
        ({"rated": "rated"}, ["Akira", "Chobits"]),
        ({"rated": "unrated"}, ["Bleach", "Durarara"]),
        ({"rated": "rated", "type": "TV", "status": "completed"}, ["Chobits"]),
        ({"type": "Music"}, []),
    ],
)
def test_filters_add_up(client: Client, mine: Profile, query: dict[str, str], shown: list[str]) -> None:
    assert titles(client, **query) == shown


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"rated": "twice"}, "filtered by “twice”"),
        ({"type": "Opera"}, "no type “Opera”"),
        ({"status": "loved"}, "no status “loved”"),
        ({"sort": "taste"}, "sorted by “taste”"),
    ],
)
def test_a_filter_that_does_not_exist_is_named_and_the_rest_stands(
    client: Client, mine: Profile, query: dict[str, str], message: str
) -> None:
    page = client.get(reverse("library"), query)
    assert message in page.content.decode()
    assert page.context["page"].paginator.count == 4


def test_the_text_finds_what_the_catalogue_s_search_finds(client: Client, mine: Profile) -> None:
    anime = AnimeFactory(title="Shingeki no Kyojin", title_english="Attack on Titan", synonyms=["SnK"])
    EntryFactory(profile=mine, anime=anime)
    keep_names(Anime.objects.values_list("pk", flat=True))
    for text in ("attack TITAN", "kyojin", "snk", "atack on titan"):
        assert titles(client, q=text) == ["Shingeki no Kyojin"], text
    assert titles(client, q="akira", type="TV") == []


def test_an_empty_selection_leads_back(client: Client, mine: Profile) -> None:
    html = client.get(reverse("library"), {"type": "Music"}).content.decode()
    assert "Nothing found" in html
    assert "Show the whole list" in html


def test_tabs_keep_the_other_filters_and_htmx_gets_them_anew(client: Client, mine: Profile) -> None:
    html = client.get(reverse("library"), {"type": "TV", "sort": "title"}, headers=PARTIAL).content.decode()
    assert 'href="?status=watching&amp;type=TV&amp;sort=title"' in html
    assert 'id="tabs"' in html
    assert 'hx-swap-oob="true"' in html
    assert "hx-swap-oob" not in client.get(reverse("library")).content.decode().split("</nav>")[1]


def test_the_fragment_refreshes_the_page_that_is_shown(client: Client, mine: Profile) -> None:
    for _number in range(60):
        EntryFactory(profile=mine, anime=AnimeFactory(type="TV"))
    asked = {"type": "TV", "page": "2", "q": ""}
    answer = client.get(
        reverse("library"), asked, headers={**PARTIAL, "HX-Current-URL": "http://testserver/library/"}
    )
    assert answer["HX-Replace-Url"] == "/library/?type=TV&page=2"
    assert 'hx-get="/library/?type=TV&amp;page=2"' in answer.content.decode()


def test_a_long_list_is_not_read_whole(client: Client, mine: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    long = Anime.objects.bulk_create(AnimeFactory.build_batch(2000))
    ListEntry.objects.bulk_create(ListEntry(profile=mine, anime=anime, rating=8) for anime in long)
    loaded = []
    from_db = ListEntry.from_db

    def counting(*args: Any) -> ListEntry:
        loaded.append(1)
        return from_db(*args)

    monkeypatch.setattr(ListEntry, "from_db", counting)
    for query in ({}, {"sort": "title", "page": "7"}, {"rated": "rated", "sort": "year"}):
        loaded.clear()
        page = client.get(reverse("library"), query).context["page"]
        assert page.paginator.count > 2000
        assert len(loaded) == 60
    loaded.clear()
    assert client.get(reverse("home")).context["rated_count"] == 2002
    assert len(loaded) == 12
    loaded.clear()
    assert len(rated_entries(mine, 12)) == 12
    assert rated_count(mine) == 2002
    assert len(loaded) == 12


def test_a_fixed_number_of_queries(client: Client, mine: Profile) -> None:
    set_many(profile=mine, anime_ids=ListEntry.objects.values_list("anime", flat=True), changes={"rating": 3})
    hide(profile=mine, anime=AnimeFactory())
    counts = []
    for _size in range(2):
        for query in ({}, {"status": "hidden"}, {"type": "TV", "rated": "rated", "sort": "year"}):
            with CaptureQueriesContext(connection) as queries:
                client.get(reverse("library"), query)
            counts.append(len(queries))
        for _number in range(30):
            EntryFactory(profile=mine, rating=5)
            hide(profile=mine, anime=AnimeFactory())
    assert max(counts) <= 8, counts


def test_what_is_rated_of_a_list(mine: Profile) -> None:
    assert {entry.anime.title for entry in rated_entries(mine, 10)} == {"Akira", "Chobits"}
    assert rated_count(mine) == 2
    assert rated_entries(None, 10) == []
    assert rated_count(None) == 0


class TestMarkup:
    def test_it_keeps_the_rules_of_every_page(self, client: Client, mine: Profile) -> None:
        set_many(profile=mine, anime_ids=ListEntry.objects.values_list("anime", flat=True), changes={"rating": 3})
        hide(profile=mine, anime=AnimeFactory())
        for query in ("", "?status=hidden", "?type=Music", "?rated=rated"):
            check_page(client, f"/library/{query}")

    def test_every_row_can_be_ticked_into_the_form_and_says_what_it_is(self, client: Client, mine: Profile) -> None:
        html = client.get(reverse("library")).content.decode()
        assert html.count('form="bulk"') == 4
        assert 'aria-label="Tick Akira"' in html
        assert 'id="bulk"' in html

    def test_all_at_once_is_offered_where_there_is_more_than_a_page(
        self, client: Client, mine: Profile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert 'value="all"' not in client.get(reverse("library")).content.decode()
        for _number in range(60):
            EntryFactory(profile=mine)
        assert "All on this list (64)" in client.get(reverse("library")).content.decode()
        monkeypatch.setattr("recommendations.views.library.MAX_BULK_ENTRIES", 63)
        assert 'value="all"' not in client.get(reverse("library")).content.decode()
