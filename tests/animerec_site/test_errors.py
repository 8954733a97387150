"""Error pages: they say what to do, in either theme, and the worst of them need nothing that may be broken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from catalog.models import Anime
from catalog.names import keep_names
from tests.factories import AnimeFactory, UserFactory

pytestmark = pytest.mark.django_db

HOME_VIEW = "recommendations.views.home.current_profile"


def raising(error: Exception):
    def broken(*args: object, **kwargs: object) -> None:
        raise error

    return broken


@pytest.fixture
def lenient(client: Client) -> Client:
    client.raise_request_exception = False
    return client


@pytest.fixture
def database_is_away(transactional_db: None) -> Iterator[None]:
    """Every new connection fails as it does where nobody listens."""
    settings = connection.settings_dict
    before = {name: settings[name] for name in ("NAME", "HOST", "PORT")}
    connection.close()
    if connection.vendor == "sqlite":
        settings["NAME"] = "/nowhere/at/all.sqlite3"
    else:
        settings.update(HOST="127.0.0.1", PORT="1")
    with pytest.raises(OperationalError):
        connection.cursor()
    yield
    connection.close()
    settings.update(before)


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (SuspiciousOperation("odd"), 400, "made no sense to us"),
        (PermissionDenied("no"), 403, "not open to you"),
        (RuntimeError("a secret"), 500, "Something broke on our side"),
    ],
)
def test_pages_in_every_theme(
    lenient: Client, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, words: str, theme: str
) -> None:
    monkeypatch.setattr(HOME_VIEW, raising(error))
    lenient.cookies["theme"] = theme
    page = lenient.get("/")
    html = page.content.decode()
    assert page.status_code == status
    assert words in html
    assert (f'data-theme="{theme}"' in html) == (theme != "auto")
    assert "secret" not in html


def test_a_forged_theme_is_ignored(lenient: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HOME_VIEW, raising(RuntimeError()))
    lenient.cookies["theme"] = 'dark" onload="alert(1)'
    assert "onload" not in lenient.get("/").content.decode()


def test_a_form_from_elsewhere(client: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["theme"] = "dark"
    page = strict.post(reverse("theme"), {"theme": "light"})
    assert page.status_code == 403
    assert "Please send that again" in page.content.decode()
    assert 'data-theme="dark"' in page.content.decode()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_too_many_attempts(client: Client, theme: str) -> None:
    client.cookies["theme"] = theme
    # By ever other names: the limit of an address, not that of one name, which the form itself answers.
    for attempt in range(60):
        page = client.post(reverse("account_login"), {"login": f"somebody{attempt}", "password": "wrong"})
        if page.status_code == 429:
            break
    assert page.status_code == 429
    assert "a little too often" in page.content.decode()
    assert f'data-theme="{theme}"' in page.content.decode()


class TestNotFound:
    @pytest.fixture(autouse=True)
    def titles(self) -> None:
        AnimeFactory(id=1, title="Cowboy Bebop")
        AnimeFactory(id=2, title="Cowboy Bebop: the Secret", is_adult=True)
        AnimeFactory(id=3, title="Monster")
        keep_names(Anime.objects.values_list("pk", flat=True))

    @pytest.mark.parametrize(
        "path",
        ["/anime/cowboy-bebop/", "/anime/1/Cowboy_Bebop", "/anime/999/cowboy%20bebop/", "/anime/cowbuy-bebop"],
    )
    def test_an_address_in_words_offers_what_is_spelt_like_it(self, client: Client, path: str) -> None:
        page = client.get(path)
        html = page.content.decode()
        assert page.status_code == 404
        assert "Were you after one of these?" in html
        assert 'href="/anime/1/"' in html
        assert "Monster" not in html
        assert "the Secret" not in html
        assert 'name="q"' in html

    def test_the_words_stand_in_the_search_field(self, client: Client) -> None:
        assert 'value="no such title"' in client.get("/anime/no-such_title/").content.decode()

    def test_adult_titles_for_those_who_opted_in(self, client: Client) -> None:
        client.force_login(UserFactory(show_adult=True))
        assert "the Secret" in client.get("/anime/cowboy-bebop/").content.decode()

    @pytest.mark.parametrize("path", ["/cowboy-bebop/", "/anime/999999/", "/anime/9999/cover.svg", "/anime/---/"])
    def test_elsewhere_it_offers_the_search(self, client: Client, path: str) -> None:
        page = client.get(path)
        assert page.status_code == 404
        assert "Were you after" not in page.content.decode()
        assert 'role="search"' in page.content.decode()

    @pytest.mark.parametrize("path", ["/anime/%00/", "/anime/" + "x" * 3000 + "/", "/anime/<script>/"])
    def test_addresses_that_no_database_takes(self, client: Client, path: str) -> None:
        page = client.get(path)
        assert page.status_code == 404
        assert "<script>/" not in page.content.decode()

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_in_every_theme(self, client: Client, theme: str) -> None:
        client.cookies["theme"] = theme
        assert f'data-theme="{theme}"' in client.get("/nowhere/").content.decode()


@pytest.mark.usefixtures("database_is_away")
class TestDatabaseIsAway:
    @pytest.mark.parametrize("theme", ["light", "dark"])
    @pytest.mark.parametrize("path", ["/anime/", "/library/", "/for-you/", "/accounts/login/", "/anime/some-title/"])
    def test_people_get_a_page_and_when_to_come_back(self, lenient: Client, path: str, theme: str) -> None:
        lenient.cookies["theme"] = theme
        lenient.cookies["sessionid"] = "x" * 32
        page = lenient.get(path)
        html = page.content.decode()
        assert page.status_code == 503
        assert int(page["Retry-After"]) > 0
        assert "Back in a moment" in html
        assert f'data-theme="{theme}"' in html

    def test_so_does_who_sends_something(self, lenient: Client) -> None:
        assert lenient.post("/entries/1/rate/", {"rating": "9"}).status_code == 503

    @pytest.mark.parametrize("path", ["/api/v1/anime/", "/api/v1/me/list/"])
    def test_apps_get_a_problem(self, lenient: Client, path: str) -> None:
        answer = lenient.get(path, headers={"Authorization": "Bearer arec_x"})
        assert answer.status_code == 503
        assert int(answer["Retry-After"]) > 0
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == 503


def test_a_database_that_answers_with_an_error_is_a_mistake_of_ours(
    lenient: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HOME_VIEW, raising(OperationalError("no such column")))
    page = lenient.get("/")
    assert page.status_code == 500
    assert "Retry-After" not in page
