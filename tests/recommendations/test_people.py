"""The page of a member who wants to be seen: only then, only what they mean to show, and only for a while."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from recommendations.services.entries import hide
from recommendations.services.profiles import profile_of_user
from tests.factories import AnimeFactory, EntryFactory, UserFactory
from tests.recommendations.test_pages_markup import check_page

pytestmark = pytest.mark.django_db


@pytest.fixture
def mika() -> User:
    """A public member: two rated titles, a planned one, an adult one and one that is hidden."""
    user = UserFactory(username="mika", visibility="public", email="mika@secret.example")
    profile = profile_of_user(user)
    EntryFactory(profile=profile, anime=AnimeFactory(title="Monster"), rating=10)
    EntryFactory(profile=profile, anime=AnimeFactory(title="Bleach"), rating=3, status="dropped")
    EntryFactory(profile=profile, anime=AnimeFactory(title="Planetes"), rating=None, status="planned")
    EntryFactory(profile=profile, anime=AnimeFactory(title="Adult Title", is_adult=True), rating=9)
    hide(profile=profile, anime=AnimeFactory(title="Never Again"))
    return user


def page(client: Client, name: str = "mika") -> str:
    response = client.get(reverse("person", args=[name]))
    assert response.status_code == 200
    return response.content.decode()


def without_tokens(response: Any) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())


def test_counts_best_rated_and_last_changed(client: Client, mika: User) -> None:
    html = page(client)
    assert "3 titles, 2 rated." in html
    best, recent = html.split('id="recent-title"')
    assert best.index("Monster") < best.index("Bleach")
    assert "Planetes" not in best
    assert recent.index("Planetes") < recent.index("Bleach") < recent.index("Monster")
    assert "Plan to watch" in recent


def test_what_is_not_shown(client: Client, mika: User) -> None:
    html = page(client)
    assert "Never Again" not in html
    assert "secret.example" not in html
    assert '<meta name="robots" content="noindex">' in html


def test_adult_titles_only_for_those_who_opted_in(client: Client, mika: User) -> None:
    assert "Adult Title" not in page(client)
    client.force_login(UserFactory())
    assert "Adult Title" not in page(client)
    client.force_login(UserFactory(show_adult=True))
    assert "Adult Title" in page(client)
    assert "4 titles, 3 rated." in page(client)


@pytest.mark.parametrize("change", [{"visibility": "private"}, {"is_active": False}])
def test_a_page_that_is_not_open_is_like_one_that_does_not_exist(
    client: Client, mika: User, change: dict[str, object]
) -> None:
    User.objects.filter(pk=mika.pk).update(**change)
    closed, unknown = (client.get(reverse("person", args=[name])) for name in ("mika", "nobody"))
    assert closed.status_code == unknown.status_code == 404
    assert without_tokens(closed).replace("mika", "nobody") == without_tokens(unknown)


@pytest.mark.parametrize("name", ["Mika", "mika ", "%00", "mika%00", "..", "x" * 400])
def test_only_the_very_name(client: Client, mika: User, name: str) -> None:
    assert client.get(f"/people/{name}/").status_code == 404


def test_a_member_without_a_list(client: Client) -> None:
    UserFactory(username="new", visibility="public")
    assert "There is nothing on this list" in page(client, "new")


def test_it_goes_with_the_account(client: Client, mika: User) -> None:
    client.force_login(mika)
    client.post(reverse("account_delete"), {"username": "mika"})
    assert client.get("/people/mika/").status_code == 404


def test_the_account_page_leads_there_once_it_is_public(client: Client, mika: User) -> None:
    client.force_login(mika)
    assert "/people/mika/" in client.get(reverse("account")).content.decode()
    assert "This is what others see" in page(client)
    client.post(reverse("account_options"), {"title_language": "romaji", "visibility": "private"})
    assert "/people/mika/" not in client.get(reverse("account")).content.decode()
    assert client.get("/people/mika/").status_code == 404


def test_names_with_signs(client: Client) -> None:
    UserFactory(username="mi.ka+1@x_y-z", visibility="public")
    assert "mi.ka+1@x_y-z" in page(client, "mi.ka+1@x_y-z")


def test_a_fixed_number_of_queries(client: Client, mika: User) -> None:
    counts = []
    for _size in range(2):
        with CaptureQueriesContext(connection) as queries:
            page(client)
        counts.append(len(queries))
        for _number in range(30):
            EntryFactory(profile=profile_of_user(mika))
    assert counts[0] == counts[1] <= 4


def test_it_keeps_the_rules_of_every_page(client: Client, mika: User) -> None:
    check_page(client, "/people/mika/")
    client.force_login(mika)
    check_page(client, "/people/mika/")
    check_page(client, "/accounts/sessions/")
