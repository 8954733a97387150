"""A visitor becomes a member, and what they rated goes with them."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from catalog.models import Anime
from recommendations.account_adapter import AccountAdapter
from recommendations.models import ListEntry, Profile
from recommendations.services.profiles import profile_of_user
from tests.factories import PASSWORD, AnimeFactory, EntryFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def titles() -> list[Anime]:
    return AnimeFactory.create_batch(3)


def rate(client: Client, anime: Anime, rating: int) -> None:
    client.post(reverse("entry_rate", args=[anime.pk]), {"rating": rating})


def ratings_of(user: User) -> dict[int, int | None]:
    return dict(ListEntry.objects.filter(profile__user=user).values_list("anime_id", "rating"))


def test_signing_up_keeps_what_a_visitor_rated(client: Client, titles: list[Anime]) -> None:
    for rating, anime in enumerate(titles, start=7):
        rate(client, anime, rating)
    response = client.post(
        reverse("account_signup"),
        {"username": "mika", "email": "mika@example.org", "password1": PASSWORD, "password2": PASSWORD},
    )
    assert response.status_code == 302
    assert response["Location"] == reverse("for_you")
    assert ratings_of(User.objects.get(username="mika")) == {anime.pk: 7 + i for i, anime in enumerate(titles)}
    library = client.get(reverse("library"))
    assert library.context["page"].paginator.count == 3
    assert "Kept for this browser only" not in library.content.decode()


def test_signing_in_merges_and_the_member_s_own_entry_stays(client: Client, titles: list[Anime]) -> None:
    user = UserFactory()
    EntryFactory(profile=profile_of_user(user), anime=titles[0], rating=10)
    rate(client, titles[0], 2)
    rate(client, titles[1], 6)
    client.post(reverse("account_login"), {"login": user.username, "password": PASSWORD})
    assert ratings_of(user) == {titles[0].pk: 10, titles[1].pk: 6}
    assert Profile.objects.count() == 1


def test_after_signing_out_the_browser_knows_nothing_of_the_list(client: Client, titles: list[Anime]) -> None:
    user = UserFactory()
    client.force_login(user)
    rate(client, titles[0], 9)
    client.post(reverse("account_logout"))
    assert client.get(reverse("library")).context["page"].paginator.count == 0


def test_two_visitors_have_lists_of_their_own(titles: list[Anime]) -> None:
    one, other = Client(), Client()
    rate(one, titles[0], 9)
    assert other.get(reverse("library")).context["page"].paginator.count == 0
    rate(other, titles[0], 3)
    assert list(ListEntry.objects.order_by("rating").values_list("rating", flat=True)) == [3, 9]


def test_a_refused_sign_up_keeps_the_ratings_and_what_was_typed(client: Client, titles: list[Anime]) -> None:
    rate(client, titles[0], 9)
    response = client.post(
        reverse("account_signup"),
        {"username": "mika", "email": "mika@example.org", "password1": "123", "password2": "123"},
    )
    assert response.status_code == 200
    assert 'value="mika"' in response.content.decode()
    assert "too short" in response.content.decode()
    assert client.get(reverse("library")).context["page"].paginator.count == 1


def test_signing_up_twice_at_once_is_one_account(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    # The second of two requests has found the name free, too.
    monkeypatch.setattr(AccountAdapter, "clean_username", lambda self, username, shallow=False: username)
    form = {"username": "mika", "email": "", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post(reverse("account_signup"), form)["Location"] == reverse("for_you")
    second = Client().post(reverse("account_signup"), form, follow=True)
    assert second.redirect_chain == [(reverse("account_login"), 302)]
    assert "has just been taken" in second.content.decode()
    assert User.objects.count() == 1


def test_a_member_id_that_no_database_takes_is_unknown(client: Client) -> None:
    assert client.get("/members/%00/").status_code == 404


def test_a_visitor_s_ratings_go_one_after_the_other(client: Client, titles: list[Anime]) -> None:
    """The first one starts the session: a second one beside it would start another, and one would be lost."""
    page = titles[0].get_absolute_url()
    assert 'hx-sync="body:queue all"' in client.get(page).content.decode()
    client.force_login(UserFactory())
    assert 'hx-sync="body:queue all"' not in client.get(page).content.decode()
