"""The account page and what belongs to it."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import ApiToken, User
from recommendations.models import ListEntry, Profile
from recommendations.services.entries import hide
from recommendations.services.profiles import profile_of_user
from tests.factories import PASSWORD, AnimeFactory, EntryFactory, UserFactory

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "quite another password"


@pytest.fixture
def user(client: Client) -> User:
    user = UserFactory(username="mika")
    client.force_login(user)
    return user


@pytest.mark.parametrize("name", ["account", "account_delete", "account_export"])
def test_only_for_members(client: Client, name: str) -> None:
    response = client.get(reverse(name))
    assert response["Location"] == f"{reverse('account_login')}?next={reverse(name)}"


class TestOptions:
    def test_saved(self, client: Client, user: User) -> None:
        sent = {"title_language": "english", "show_adult": "on", "visibility": "public"}
        client.post(reverse("account_options"), sent)
        user.refresh_from_db()
        assert (user.title_language, user.show_adult, user.visibility) == ("english", True, "public")

    @pytest.mark.parametrize("wrong", [{"title_language": "klingon"}, {"visibility": "friends"}, {"visibility": ""}])
    def test_bad_input_changes_nothing(self, client: Client, user: User, wrong: dict[str, str]) -> None:
        sent = {"title_language": "english", "show_adult": "on", "visibility": "public", **wrong}
        response = client.post(reverse("account_options"), sent)
        assert response.status_code == 400
        assert "errorlist" in response.content.decode()
        user.refresh_from_db()
        assert (user.title_language, user.show_adult, user.visibility) == ("romaji", False, "private")

    def test_nobody_is_public_before_they_say_so(self) -> None:
        assert User.objects.create_user("new").visibility == "private"


class TestTheme:
    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_it_is_kept_for_visitors_too(self, client: Client, theme: str) -> None:
        response = client.post(reverse("theme"), {"theme": theme, "next": "/library/"})
        assert response["Location"] == "/library/"
        assert f'data-theme="{theme}"' in client.get("/library/").content.decode()

    def test_like_the_device(self, client: Client) -> None:
        client.post(reverse("theme"), {"theme": "dark"})
        client.post(reverse("theme"), {"theme": "auto"})
        assert "data-theme=" not in client.get("/library/").content.decode()

    def test_a_theme_that_is_not_there(self, client: Client) -> None:
        response = client.post(reverse("theme"), {"theme": "pink"}, follow=True)
        assert "There is no such theme" in response.content.decode()
        assert "theme" not in client.cookies

    def test_a_forged_cookie_is_ignored(self, client: Client) -> None:
        client.cookies["theme"] = 'dark" onload="alert(1)'
        assert "onload" not in client.get("/library/").content.decode()

    def test_a_new_device_begins_with_the_theme_of_the_account(self, client: Client, user: User) -> None:
        client.post(reverse("theme"), {"theme": "dark"})
        device = Client()
        device.cookies["theme"] = "light"
        assert 'data-theme="light"' in device.get("/library/").content.decode()
        device.post(reverse("account_login"), {"login": "mika", "password": PASSWORD})
        assert 'data-theme="dark"' in device.get("/library/").content.decode()

    def test_who_signs_up_keeps_the_theme_of_their_browser(self, client: Client) -> None:
        client.post(reverse("theme"), {"theme": "dark"})
        new = {"username": "mika", "email": "", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
        client.post(reverse("account_signup"), new)
        assert User.objects.get(username="mika").theme == "dark"
        assert 'data-theme="dark"' in client.get("/library/").content.decode()

    def test_a_visitor_s_choice_is_nobody_else_s(self, client: Client) -> None:
        user = UserFactory()
        client.post(reverse("theme"), {"theme": "dark"})
        user.refresh_from_db()
        assert user.theme == ""

    def test_it_never_leads_to_another_site(self, client: Client) -> None:
        assert client.post(reverse("theme"), {"theme": "dark", "next": "//evil.example"})["Location"] == "/"


class TestTokens:
    def test_shown_once_and_it_works(self, client: Client, user: User) -> None:
        response = client.post(reverse("token_create"), {"name": "my app"})
        token = response.context["issued_token"]
        assert token in response.content.decode()
        assert "no-store" in response["Cache-Control"]
        assert token not in client.get(reverse("account")).content.decode()
        assert Client().get("/api/v1/me/list/", headers={"Authorization": f"Bearer {token}"}).status_code == 200

    @pytest.mark.parametrize("name", ["", "x" * 101])
    def test_a_bad_name(self, client: Client, user: User, name: str) -> None:
        response = client.post(reverse("token_create"), {"name": name})
        assert response.status_code == 400
        assert not ApiToken.objects.exists()
        assert f'value="{name}"' in response.content.decode() or not name

    def test_not_more_than_anyone_needs(self, client: Client, user: User) -> None:
        for number in range(20):
            ApiToken.issue(user, f"app {number}")
        response = client.post(reverse("token_create"), {"name": "one more"})
        assert response.status_code == 400
        assert "Revoke one" in response.content.decode()
        assert user.api_tokens.count() == 20

    def test_revoked(self, client: Client, user: User) -> None:
        row, token = ApiToken.issue(user, "my app")
        client.post(reverse("token_revoke", args=[row.pk]))
        assert Client().get("/api/v1/me/list/", headers={"Authorization": f"Bearer {token}"}).status_code == 401

    def test_nobody_revokes_another_s(self, client: Client, user: User) -> None:
        row, _token = ApiToken.issue(UserFactory(), "not mine")
        assert client.post(reverse("token_revoke", args=[row.pk])).status_code == 404
        assert ApiToken.objects.filter(pk=row.pk).exists()
        assert "not mine" not in client.get(reverse("account")).content.decode()


def test_export(client: Client, user: User) -> None:
    profile = profile_of_user(user)
    EntryFactory(profile=profile, anime=AnimeFactory(title="Monster"), rating=9, finished="2020-02-29")
    hide(profile=profile, anime=(hidden := AnimeFactory()))
    EntryFactory(anime=AnimeFactory(title="Of somebody else"))
    _row, token = ApiToken.issue(user, "my app")
    response = client.get(reverse("account_export"))
    content = response.json()
    assert "attachment" in response["Content-Disposition"]
    assert content["account"]["username"] == "mika"
    assert (content["account"]["theme"], content["account"]["visibility"]) == ("", "private")
    assert [(entry["title"], entry["rating"], entry["finished"]) for entry in content["list"]] == [
        ("Monster", 9, "2020-02-29")
    ]
    assert [entry["anime_id"] for entry in content["hidden"]] == [hidden.pk]
    assert token not in response.content.decode()
    assert user.password not in response.content.decode()


class TestDelete:
    def test_asked_first(self, client: Client, user: User) -> None:
        assert "Type your username" in client.get(reverse("account_delete")).content.decode()
        assert User.objects.filter(pk=user.pk).exists()

    @pytest.mark.parametrize("typed", ["", "Mika", "somebody"])
    def test_a_wrong_name_deletes_nothing(self, client: Client, user: User, typed: str) -> None:
        response = client.post(reverse("account_delete"), {"username": typed})
        assert response.status_code == 400
        assert User.objects.filter(pk=user.pk).exists()
        assert f'value="{typed}"' in response.content.decode() or not typed

    def test_everything_of_theirs_is_gone_and_nothing_else(self, client: Client, user: User) -> None:
        EntryFactory(profile=profile_of_user(user))
        ApiToken.issue(user, "my app")
        kept = EntryFactory()
        response = client.post(reverse("account_delete"), {"username": "mika"}, follow=True)
        assert "are deleted" in response.content.decode()
        assert not User.objects.filter(username="mika").exists()
        assert not ApiToken.objects.exists()
        assert list(ListEntry.objects.all()) == [kept]
        assert Profile.objects.count() == 1
        assert client.get(reverse("account")).status_code == 302


class TestSigningIn:
    @pytest.mark.parametrize(
        "name",
        ["account_login", "account_signup", "account_reset_password", "account_reset_password_done"],
    )
    def test_entrances_are_pages_of_the_site(self, client: Client, name: str) -> None:
        html = client.get(reverse(name)).content.decode()
        assert 'class="site-header"' in html
        assert "css/base.css" in html

    @pytest.mark.parametrize(
        "name", ["account_email", "account_change_password", "account_logout", "usersessions_list"]
    )
    def test_members_pages_are_pages_of_the_site(self, client: Client, user: User, name: str) -> None:
        html = client.get(reverse(name)).content.decode()
        assert 'class="site-header"' in html
        assert "css/base.css" in html

    def test_a_wrong_password_keeps_the_name(self, client: Client) -> None:
        UserFactory(username="mika")
        response = client.post(reverse("account_login"), {"login": "mika", "password": "wrong"})
        html = response.content.decode()
        assert 'value="mika"' in html
        assert "errorlist" in html

    def test_too_many_attempts(self, client: Client) -> None:
        UserFactory(username="mika")
        for _attempt in range(12):
            response = client.post(reverse("account_login"), {"login": "mika", "password": "wrong"})
        html = response.content.decode()
        assert response.status_code == 429 or "Too many" in html

    def test_a_password_that_was_forgotten(self, client: Client) -> None:
        user = UserFactory(username="mika")
        client.post(reverse("account_reset_password"), {"email": user.email})
        link = next(word for word in mail.outbox[0].body.split() if "/password/reset/key/" in word)
        page = client.get(link.removeprefix("http://testserver").removeprefix("http://example.com"), follow=True)
        assert 'name="password1"' in page.content.decode()
        client.post(page.redirect_chain[-1][0], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
        assert client.login(username="mika", password=NEW_PASSWORD)

    def test_a_changed_password(self, client: Client, user: User) -> None:
        client.post(
            reverse("account_change_password"),
            {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
        )
        assert Client().login(username="mika", password=NEW_PASSWORD)
