"""The options of a list that the API shares with the page."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from catalog.models import Anime
from recommendations.models import ModelVersion

pytestmark = pytest.mark.django_db


def ask(**options: Any) -> Any:
    ratings = [{"anime_id": 30, "rating": 9}, {"anime_id": 1535, "status": "planned"}]
    return APIClient().post("/api/v1/recommendations/", {"ratings": ratings, "k": 100, **options}, format="json")


def test_planned_titles_in_or_out(champion: ModelVersion) -> None:
    listed = {planned: [one["anime"]["id"] for one in ask(planned=planned).json()["results"]] for planned in (0, 1)}
    assert 1535 in listed[1]
    assert 1535 not in listed[0]
    assert 1535 not in [one["anime"]["id"] for one in ask().json()["results"]]


def test_minutes_and_no_recaps(champion: ModelVersion) -> None:
    Anime.objects.filter(type="Movie").update(episodes=1, duration_minutes=80)
    first = Anime.objects.get(pk=ask(minutes_max=90, k=1).json()["results"][0]["anime"]["id"])
    assert first.duration_minutes == 80
    Anime.objects.filter(pk=first.pk).update(is_recap=True)
    assert first.pk not in [one["anime"]["id"] for one in ask(minutes_max=91, franchise="off").json()["results"]]


@pytest.mark.parametrize(("name", "value"), [("planned", "perhaps"), ("minutes_max", 0), ("minutes_max", "long")])
def test_bad_options_are_named(name: str, value: object) -> None:
    answer = ask(**{name: value})
    assert answer.status_code == 400
    assert name in answer.content.decode()
