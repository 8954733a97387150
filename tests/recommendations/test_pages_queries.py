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
    with django_assert_max_num_queries(12):
        client.get(reverse("home"))
