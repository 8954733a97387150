"""What moved in a list since it was last shown, and why."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import Anime
from recommendations.models import ModelVersion, Profile
from recommendations.services import entries
from recommendations.views.lists import DEPTH

pytestmark = pytest.mark.django_db

PAGES = [("for_you", "lists"), ("home", "preview")]


def before_of(page: Any) -> str:
    return re.findall(r'name="before"\s+form="nowhere"\s+value="([^"]+)"', page.content.decode())[0]


def again(client: Client, name: str, target: str, before: str, **query: str) -> Any:
    headers = {"HX-Request": "true", "HX-Target": target}
    return client.get(reverse(name), {"before": before, **query}, headers=headers)


def text_of(page: Any) -> str:
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode().replace("&nbsp;", " ")))
    return words.replace("\xa0", " ")


def rate(client: Client, anime_id: int, rating: int) -> None:
    client.post(reverse("entry_rate", args=[anime_id]), {"rating": rating})


@pytest.mark.parametrize(("name", "target"), PAGES)
def test_it_is_measured_in_a_longer_list_than_is_shown(
    client: Client, champion: ModelVersion, name: str, target: str
) -> None:
    page = client.get(reverse(name))
    version, _colon, ids = before_of(page).partition(":")
    places = [int(anime_id) for anime_id in ids.split(",")]
    assert version == "0"
    assert len(places) == len(set(places)) == DEPTH
    shown = [card.listed.anime.pk for card in page.context["cards"]]
    assert places[: len(shown)] == shown
    rate(client, 30, 9)
    for card in (fresh := again(client, name, target, before_of(page))).context["cards"]:
        pk = card.listed.anime.pk
        assert card.is_new == (pk not in places)
        assert card.moved == (places.index(pk) + 1 - card.listed.rank if pk in places else 0)
    risen = [card for card in fresh.context["cards"] if card.moved > 0 and card.listed.anime.pk not in shown]
    assert risen, "what came from below the shown places is told by how far, not as new"


@pytest.mark.parametrize(("name", "target"), PAGES)
def test_it_names_the_rating(client: Client, champion: ModelVersion, name: str, target: str) -> None:
    rate(client, 30, 9)
    rate(client, 80, 9)
    before = before_of(client.get(reverse(name)))
    rate(client, 1535, 9)
    fresh = again(client, name, target, before)
    up = [card for card in fresh.context["cards"] if card.moved > 0]
    down = [card for card in fresh.context["cards"] if card.moved < 0]
    assert up
    assert down
    assert all(card.cause is not None and card.cause.anime.pk == 1535 for card in up)
    assert all(card.cause is None for card in down)
    text = text_of(fresh)
    assert f"up {up[0].moved}: you gave Death Note 9" in text
    assert f"down {-down[0].moved} " in text


def test_of_several_changes_only_those_titles_name_the_last_that_it_speaks_for(
    client: Client, champion: ModelVersion
) -> None:
    before = before_of(client.get(reverse("for_you")))
    for anime_id, rating in {30: 9, 80: 10, 16498: 9, 1535: 9}.items():
        rate(client, anime_id, rating)
    cards = again(client, "for_you", "lists", before).context["cards"]
    moved = [card for card in cards if card.moved > 0 or card.is_new]
    named = [card for card in moved if card.cause]
    assert 0 < len(named) < len(moved)
    for card in moved:
        reasons = {reason.anime.pk for reason in card.listed.reasons if reason.anime}
        assert (card.cause is not None) == (1535 in reasons)


@pytest.mark.parametrize(
    ("address", "fields", "words"),
    [
        ("hide", {}, "you hid {}"),
        ("entry_set", {"status": "planned"}, "you plan to watch {}"),
        ("entry_set", {"status": "dropped"}, "you dropped {}"),
        ("entry_set", {"status": "completed"}, "you have seen {}"),
        ("entry_set", {"status": "completed", "rating": "8"}, "you gave {} 8"),
    ],
)
def test_other_changes_are_named_too(
    client: Client, champion: ModelVersion, address: str, fields: dict[str, str], words: str
) -> None:
    rate(client, 30, 9)
    page = client.get(reverse("for_you"))
    first = page.context["cards"][0].listed.anime
    client.post(reverse(address, args=[first.pk]), fields)
    fresh = again(client, "for_you", "lists", before_of(page))
    assert words.format(first.title) in text_of(fresh)


def test_what_is_taken_back_is_named_as_well(client: Client, champion: ModelVersion) -> None:
    rate(client, 30, 9)
    rate(client, 80, 9)
    before = before_of(client.get(reverse("for_you")))
    client.post(reverse("entry_remove", args=[80]))
    assert "Mobile Suit Gundam is off your list" in text_of(again(client, "for_you", "lists", before))


def test_a_change_made_elsewhere_has_no_name(client: Client, champion: ModelVersion) -> None:
    rate(client, 30, 9)
    before = before_of(client.get(reverse("for_you")))
    # As an app does by the API, beside the session.
    entries.rate(profile=Profile.objects.get(), anime=Anime.objects.get(pk=80), rating=10)
    cards = again(client, "for_you", "lists", before).context["cards"]
    assert any(card.moved for card in cards)
    assert all(card.cause is None for card in cards)


def test_on_a_first_look_and_with_other_controls_nothing_has_moved(client: Client, champion: ModelVersion) -> None:
    rate(client, 30, 9)
    assert 'class="moved' not in client.get(reverse("for_you")).content.decode()
    assert 'class="moved' not in client.get(reverse("for_you"), {"novelty": "1"}).content.decode()


def test_the_places_beyond_ten_change_nothing_about_the_ten(client: Client, champion: ModelVersion) -> None:
    """The page asks for more places than the API: the same dials give the same ten."""
    for anime_id in (30, 80, 1535):
        rate(client, anime_id, 9)
    ratings = [{"anime_id": anime_id, "rating": 9} for anime_id in (30, 80, 1535)]
    for dials in ({"novelty": 1.0}, {"novelty": 0.1}, {"diversity": 0.7}, {"balance": 0.9}):
        page = client.get(reverse("for_you"), {name: str(value) for name, value in dials.items()})
        api = client.post(
            "/api/v1/recommendations/", {"ratings": ratings, **dials}, content_type="application/json"
        ).json()
        assert [card.listed.anime.pk for card in page.context["cards"]] == [
            result["anime"]["id"] for result in api["results"]
        ]
