"""The catalogue in the admin: every page opens, and costs the same however much it shows."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import Anime, Franchise, Genre, Studio
from tests.factories import AnimeFactory, EntryFactory, FranchiseFactory, UserFactory

pytestmark = pytest.mark.django_db
MODELS = [Anime, Genre, Studio, Franchise]


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(UserFactory(admin=True))
    return client


def address(model: type, page: str, *args: Any) -> str:
    return reverse(f"admin:catalog_{model.__name__.lower()}_{page}", args=args)


def catalogue(titles: int) -> None:
    saga = FranchiseFactory(name="Saga")
    for number in range(1, titles + 1):
        AnimeFactory(
            franchise=saga, franchise_order=number, genres=["Action", f"Genre {number}"],
            studios=[f"Studio {number}"], synonyms=[f"Also {number}"],
        )  # fmt: skip


def test_every_model_that_an_administrator_edits_is_registered() -> None:
    assert set(MODELS) <= set(admin.site._registry)


@pytest.mark.parametrize("model", MODELS)
def test_every_page_opens(staff: Client, model: Any) -> None:
    catalogue(3)
    row = model.objects.first()
    for page in (
        address(model, "changelist"),
        address(model, "changelist") + "?q=a",
        address(model, "add"),
        address(model, "change", row.pk),
        address(model, "delete", row.pk),
        address(model, "history", row.pk),
    ):
        assert staff.get(page).status_code == 200, page


@pytest.mark.parametrize("model", MODELS)
def test_a_list_costs_the_same_however_long_it_is(staff: Client, model: Any) -> None:
    counts = []
    for titles in (2, 20):
        catalogue(titles)
        staff.get(address(model, "changelist"))  # what is cached on the first visit
        with CaptureQueriesContext(
            connection,
        ) as queries:
            staff.get(address(model, "changelist"))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8


def test_a_franchise_page_costs_the_same_however_many_titles_it_has(staff: Client) -> None:
    counts = []
    for titles in (2, 20):
        catalogue(titles)
        franchise = Franchise.objects.latest("pk")
        with CaptureQueriesContext(connection) as queries:
            page = staff.get(address(Franchise, "change", franchise.pk))
        assert page.content.decode().count("-franchise_order") >= titles
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_watch_order_is_edited_on_the_franchise(staff: Client) -> None:
    saga = FranchiseFactory(name="Saga")
    first, second = (AnimeFactory(id=number, franchise=saga, franchise_order=number) for number in (1, 2))
    form = {
        "name": "Saga",
        "anime-TOTAL_FORMS": 2,
        "anime-INITIAL_FORMS": 2,
        "anime-0-id": first.pk,
        "anime-0-franchise": saga.pk,
        "anime-0-franchise_order": 2,
        "anime-1-id": second.pk,
        "anime-1-franchise": saga.pk,
        "anime-1-franchise_order": 1,
    }
    response = staff.post(address(Franchise, "change", saga.pk), form)
    assert response.status_code == 302, response.context["errors"]
    assert dict(Anime.objects.values_list("pk", "franchise_order")) == {1: 2, 2: 1}


def test_the_id_of_a_title_stays(staff: Client) -> None:
    AnimeFactory(id=7)
    page = staff.get(address(Anime, "change", 7)).content.decode()
    assert 'name="title"' in page
    assert 'name="id"' not in page
    assert 'name="id"' in staff.get(address(Anime, "add")).content.decode()


def test_a_title_is_found_by_synonym_and_by_id(staff: Client) -> None:
    AnimeFactory(id=5114, title="Hagane", synonyms=["Steel"])
    AnimeFactory(id=1, title="Other")
    for text in ("steel", "5114", "hagane"):
        page = staff.get(address(Anime, "changelist"), {"q": text}).content.decode()
        assert "Hagane" in page
        assert "Other" not in page


def test_nobody_else_gets_in(client: Client) -> None:
    client.force_login(UserFactory())
    assert client.get(address(Anime, "changelist")).status_code in (302, 403)


def test_what_a_deletion_takes_along_is_counted_not_listed(staff: Client, django_assert_max_num_queries: Any) -> None:
    anime = AnimeFactory(title="On many lists", synonyms=["Everywhere"])
    EntryFactory.create_batch(40, anime=anime)
    with django_assert_max_num_queries(20):
        page = staff.get(address(Anime, "delete", anime.pk)).content.decode()
    assert "list entries: 40" in page.lower()
    assert page.count("List entry") == 0
    staff.post(address(Anime, "delete", anime.pk), {"post": "yes"})
    assert not Anime.objects.exists()
