"""Where a member is signed in, and signing the other devices out."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.templatetags.devices import device
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Mobile/15E148 Safari/604.1"
)
PAGE = "usersessions_list"


@pytest.fixture
def user() -> User:
    return UserFactory(username="mika")


def signed_in(user: User, browser: str) -> Client:
    client = Client(headers={"User-Agent": browser})
    client.post(reverse("account_login"), {"login": user.username, "password": PASSWORD})
    return client


def is_signed_in(client: Client) -> bool:
    return client.get(reverse("account")).status_code == 200


def test_one_s_own_devices_in_words(user: User) -> None:
    desk, _phone, _other = signed_in(user, FIREFOX), signed_in(user, PHONE), signed_in(UserFactory(), "curl/8.0")
    html = desk.get(reverse(PAGE)).content.decode()
    assert "Firefox on Linux" in html
    assert "Safari on iPhone" in html
    assert "curl" not in html
    assert html.count("This one") == 1


def test_signing_the_others_out(user: User) -> None:
    desk, phone, other = signed_in(user, FIREFOX), signed_in(user, PHONE), signed_in(UserFactory(), FIREFOX)
    answer = desk.post(reverse(PAGE), follow=True)
    assert "Signed out of all other sessions" in answer.content.decode()
    assert "You are signed in nowhere else" in answer.content.decode()
    assert (is_signed_in(desk), is_signed_in(phone), is_signed_in(other)) == (True, False, True)


def test_a_device_that_signed_out_is_not_listed(user: User) -> None:
    desk, phone = signed_in(user, FIREFOX), signed_in(user, PHONE)
    phone.post(reverse("account_logout"))
    assert "iPhone" not in desk.get(reverse(PAGE)).content.decode()


def test_only_for_members(client: Client) -> None:
    for ask in (client.get, client.post):
        assert ask(reverse(PAGE))["Location"].startswith(reverse("account_login"))


def test_another_site_cannot_sign_anybody_out(user: User) -> None:
    desk, phone = Client(enforce_csrf_checks=True), signed_in(user, PHONE)
    desk.force_login(user)
    assert desk.post(reverse(PAGE)).status_code == 403
    assert is_signed_in(phone)


def test_the_account_page_leads_there(client: Client, user: User) -> None:
    client.force_login(user)
    assert reverse(PAGE) in client.get(reverse("account")).content.decode()


def test_deleting_the_account_ends_them_all(user: User) -> None:
    desk, phone = signed_in(user, FIREFOX), signed_in(user, PHONE)
    desk.post(reverse("account_delete"), {"username": "mika"})
    assert not is_signed_in(phone)
    assert not Session.objects.filter(session_key=phone.session.session_key).exists()


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (PHONE, "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/130.0.0.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/130.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.0", "curl/8.0"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_in_words(user_agent: str, words: str) -> None:
    assert device(user_agent) == words
