"""How many questions a page asks the database: a fixed number, whatever the size of catalogue and list."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User
from catalog.models import Anime
from recommendations.models import ModelVersion
from recommendations.services.profiles import profile_of_user
from tests.factories import AnimeFactory, EntryFactory, FranchiseFactory, UserFactory

pytestmark = pytest.mark.django_db

FOR_YOU_LIMIT = ANIME_LIMIT = 10
HOME_LIMIT = 12
BROWSE_LIMIT = 8


@pytest.fixture(autouse=True)
def _as_served(settings: Settings) -> None:
    # Which model is champion is asked every few seconds, not at every request.
    settings.CHAMPION_CHECK_SECONDS = 3600


@pytest.fixture
def member(champion: ModelVersion) -> User:
    """A member with ten titles of the sample on their list."""
    user = UserFactory()
    rate_more(user, 10)
    return user


def rate_more(user: User, count: int) -> None:
    profile = profile_of_user(user)
    unrated = Anime.objects.exclude(entries__profile=profile).by_popularity()[:count]
    for anime in unrated:
        EntryFactory(profile=profile, anime=anime)


def test_for_you(client: Client, member: User, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    client.force_login(member)
    client.get(reverse("for_you"))
    for _size in range(2):
        cache.clear()
        with django_assert_max_num_queries(FOR_YOU_LIMIT):
            response = client.get(reverse("for_you"))
        assert len(response.context["cards"]) == 10
        rate_more(member, 60)
        AnimeFactory.create_batch(40, genres=["Mecha"], studios=["Sunrise"])


@pytest.mark.parametrize("ratings", [2, 10])
def test_for_you_at_its_worst(
    client: Client, champion: ModelVersion, ratings: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """With filters, a shelf, nothing cached, something to say about what moved, and titles to rate offered."""
    client.force_login(user := UserFactory())
    rate_more(user, ratings)
    page = client.get(reverse("for_you"))
    anime = page.context["cards"][0].listed.anime
    before = f"{page.context['version']}:{','.join(map(str, page.context['list'].places))}"
    client.post(reverse("entry_set", args=[anime.pk]), {"status": "planned"})
    query = {"before": before, "year_min": "1990", "genre_out": "mecha", "planned": "1"}
    cache.clear()
    with django_assert_max_num_queries(FOR_YOU_LIMIT):
        page = client.get(reverse("for_you"), query)
    assert len(page.context["cards"]) == 10
    assert bool(page.context["starters"]) is (ratings < 5)
    cache.clear()
    with django_assert_max_num_queries(FOR_YOU_LIMIT):
        page = client.get(reverse("for_you"), {"year_min": "2099", "genre": "mecha"})
    assert page.context["take_back"]


@pytest.mark.parametrize("ratings", [2, 10])
def test_for_you_that_falls_short_and_moves(
    client: Client, champion: ModelVersion, ratings: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """As htmx asks for it after a change: too few titles, a filter to take back, a shelf, and what moved and why."""
    client.force_login(user := UserFactory())
    rate_more(user, ratings)
    headers = {"HX-Request": "true", "HX-Target": "lists"}
    query = {"year_min": "2022", "type": "Movie", "planned": "1"}
    page = client.get(reverse("for_you"), query)
    anime = page.context["cards"][0].listed.anime
    query["before"] = f"{page.context['version']}:{','.join(map(str, page.context['list'].places))}"
    client.post(reverse("entry_set", args=[anime.pk]), {"status": "completed"}, headers=headers)
    for _size in range(2):
        cache.clear()
        with django_assert_max_num_queries(FOR_YOU_LIMIT):
            page = client.get(reverse("for_you"), query, headers=headers)
        assert 0 < len(page.context["cards"]) < 10
        assert page.context["take_back"]
        assert any(card.moved for card in page.context["cards"])
        assert bool(page.context["starters"]) is (ratings < 4)
        AnimeFactory.create_batch(40, genres=["Mecha"], studios=["Sunrise"], year=1990)


def test_anime_page(client: Client, member: User, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    client.force_login(member)
    franchise = FranchiseFactory()
    anime = Anime.objects.by_popularity()[0]
    anime.franchise = franchise
    anime.save()
    AnimeFactory(franchise=franchise)
    client.get(anime.get_absolute_url())
    for _size in range(2):
        cache.clear()
        with django_assert_max_num_queries(ANIME_LIMIT):
            response = client.get(anime.get_absolute_url())
        assert response.context["by_fans"]
        assert response.context["parts"]
        AnimeFactory.create_batch(30, franchise=franchise, genres=["Mecha"])


def test_browse(client: Client, member: User, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    client.force_login(member)
    for _size in range(2):
        cache.clear()
        with django_assert_max_num_queries(BROWSE_LIMIT):
            response = client.get(reverse("anime_list"), {"q": "a", "genre": "action"})
        assert len(response.context["page"].object_list) > 10
        AnimeFactory.create_batch(40, genres=["Action"])


def test_library(client: Client, member: User, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    client.force_login(member)
    for _size in range(2):
        with django_assert_max_num_queries(8):
            client.get(reverse("library"))
        rate_more(member, 40)


def test_home_of_a_visitor(
    client: Client, champion: ModelVersion, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.get(reverse("home"))
    cache.clear()
    with django_assert_max_num_queries(HOME_LIMIT):
        client.get(reverse("home"))


def test_home_of_a_member(
    client: Client, member: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(member)
    page = client.get(reverse("home"))
    shown = [tile.anime.pk for tile in page.context["tiles"]]
    before = f"{page.context['version']}:{','.join(map(str, page.context['list'].places))}"
    for _size in range(2):
        client.post(reverse("entry_rate", args=[shown[0]]), {"rating": "9"})
        client.post(reverse("unseen"), {"anime_id": shown[1]})
        cache.clear()
        with django_assert_max_num_queries(HOME_LIMIT):
            client.get(reverse("home"), {"shown": ",".join(map(str, shown)), "before": before})
        for part in ("preview", "grid", "more-tiles"):
            cache.clear()
            headers = {"HX-Request": "true", "HX-Target": part}
            with django_assert_max_num_queries(HOME_LIMIT):
                client.get(reverse("home"), {"shown": shown, "before": before}, headers=headers)
        rate_more(member, 60)
        AnimeFactory.create_batch(40, genres=["Mecha"], studios=["Sunrise"])


def test_haven_t_seen(client: Client, member: User, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    client.force_login(member)
    shown = [tile.anime.pk for tile in client.get(reverse("home")).context["tiles"]]
    for headers in ({}, {"HX-Request": "true"}):
        cache.clear()
        with django_assert_max_num_queries(HOME_LIMIT):
            client.post(reverse("unseen"), {"anime_id": shown.pop(), "shown": shown}, headers=headers)
