"""Whoever leaves takes a long list along without anybody having to read it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import ApiToken, User
from accounts.services import delete_accounts
from catalog.models import Anime
from recommendations.models import HiddenTitle, ListEntry, Profile
from recommendations.services.entries import hide
from recommendations.services.profiles import profile_of_user
from tests.factories import AnimeFactory, EntryFactory, UserFactory

pytestmark = pytest.mark.django_db

LONG = 3000
ADMIN_DELETE = "admin:accounts_user_delete"


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one for each entry that is read from the database."""
    rows: list[int] = []
    from_db = ListEntry.from_db

    def counting(*args: Any) -> ListEntry:
        rows.append(1)
        return from_db(*args)

    monkeypatch.setattr(ListEntry, "from_db", counting)
    return rows


def with_list(length: int, **user: Any) -> User:
    member = UserFactory(**user)
    profile = profile_of_user(member)
    titles = Anime.objects.bulk_create(AnimeFactory.build_batch(length))
    ListEntry.objects.bulk_create(ListEntry(profile=profile, anime=anime) for anime in titles)
    hide(profile=profile, anime=AnimeFactory())
    ApiToken.issue(member, "my app")
    return member


def queries_of_deleting(user: User) -> int:
    with CaptureQueriesContext(connection) as queries:
        delete_accounts([user])
    return len(queries)


def test_a_long_list_costs_as_many_statements_as_a_short_one_and_loads_nothing(loaded: list[int]) -> None:
    short, long = with_list(2), with_list(LONG)
    kept = EntryFactory()
    assert queries_of_deleting(long) == queries_of_deleting(short)
    assert not loaded
    assert list(ListEntry.objects.values_list("pk", flat=True)) == [kept.pk]
    assert (Profile.objects.count(), HiddenTitle.objects.count(), ApiToken.objects.count()) == (1, 0, 0)


def test_the_page_for_it_loads_nothing_either(client: Client, loaded: list[int]) -> None:
    client.force_login(with_list(LONG, username="mika"))
    response = client.post(reverse("account_delete"), {"username": "mika"})
    assert response.status_code == 302
    assert not ListEntry.objects.exists()
    assert not loaded


class TestAdmin:
    def test_asks_with_numbers_and_deletes_without_reading_the_list(self, client: Client, loaded: list[int]) -> None:
        client.force_login(UserFactory(admin=True))
        member = with_list(LONG, username="mika")
        page = client.get(reverse(ADMIN_DELETE, args=[member.pk]))
        html = page.content.decode()
        assert "mika" in html
        assert "list entries" in html.lower()
        assert str(LONG) in html
        assert len(html) < 200_000
        client.post(reverse(ADMIN_DELETE, args=[member.pk]), {"post": "yes"})
        assert not User.objects.filter(pk=member.pk).exists()
        assert not ListEntry.objects.exists()
        assert not loaded

    def test_several_at_once(self, client: Client, loaded: list[int]) -> None:
        client.force_login(UserFactory(admin=True))
        members = [with_list(20), with_list(30)]
        chosen = {"action": "delete_selected", "_selected_action": [member.pk for member in members]}
        asked = client.post(reverse("admin:accounts_user_changelist"), chosen)
        assert "50" in asked.content.decode()
        client.post(reverse("admin:accounts_user_changelist"), {**chosen, "post": "yes"})
        assert not ListEntry.objects.exists()
        assert User.objects.count() == 1
        assert not loaded

    def test_who_may_not_delete_tokens_may_not_delete_who_has_one(self, client: Client) -> None:
        staff = UserFactory(is_staff=True)
        staff.user_permissions.set(
            Permission.objects.filter(codename__in=["view_user", "delete_user", "change_user"])
        )
        client.force_login(staff)
        member = with_list(1)
        assert "api token" in client.get(reverse(ADMIN_DELETE, args=[member.pk])).content.decode().lower()
        assert client.post(reverse(ADMIN_DELETE, args=[member.pk]), {"post": "yes"}).status_code == 403
        assert User.objects.filter(pk=member.pk).exists()
