"""Who has not opted in meets no adult title: not by its page, its cover, its neighbours or somebody's reasons."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import Anime
from recommendations.models import ModelVersion
from recommendations.selectors.profiles import imported_profile
from recommendations.services.recommend import ListOptions, recommend
from tests.factories import AnimeFactory, EntryFactory, ProfileFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def grown_up(client: Client) -> Client:
    adult = Client()
    adult.force_login(UserFactory(show_adult=True))
    return adult


def test_neither_page_nor_cover_tell_the_name(client: Client, grown_up: Client) -> None:
    anime = AnimeFactory(is_adult=True, title="Unspeakable")
    cover = reverse("anime_cover", args=[anime.pk])
    assert "Unspeakable" not in client.get(anime.get_absolute_url()).content.decode()
    assert client.get(cover).status_code == 404
    assert "Unspeakable" in grown_up.get(anime.get_absolute_url()).content.decode()
    shown = grown_up.get(cover)
    assert "Unspeakable" in shown.content.decode()
    assert "private" in shown["Cache-Control"]


def test_neighbours_are_asked_for_by_those_who_see_them(
    client: Client, grown_up: Client, champion: ModelVersion
) -> None:
    anime = Anime.objects.by_popularity()[0]
    first = client.get(f"/api/v1/anime/{anime.pk}/similar/").json()["results"][0]["anime"]["id"]
    Anime.objects.filter(pk=first).update(is_adult=True)
    address = f"/api/v1/anime/{anime.pk}/similar/"
    assert first not in [found["anime"]["id"] for found in client.get(address).json()["results"]]
    assert first in [found["anime"]["id"] for found in grown_up.get(address).json()["results"]]
    assert client.get(f"/api/v1/anime/{first}/similar/").status_code == 404


def test_reasons_of_a_data_set_s_member_name_none(client: Client, grown_up: Client, champion: ModelVersion) -> None:
    member = ProfileFactory(imported=True)
    known = list(Anime.objects.by_popularity()[:6])
    for anime in known:
        EntryFactory(profile=member, anime=anime, rating=10)
    Anime.objects.filter(pk__in=[anime.pk for anime in known]).update(is_adult=True)
    page = reverse("member_detail", args=[member.external_id])
    assert not any(anime.title in client.get(page).content.decode() for anime in known)
    assert any(anime.title in grown_up.get(page).content.decode() for anime in known)
    shown = recommend(profile=imported_profile(member.external_id), options=ListOptions())
    assert all(listed.reasons for listed in shown.results)
