"""What every answer of the site has in common: encoding, language, errors, headers."""

from __future__ import annotations

import gzip

import pytest
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


def test_pages_are_compressed_for_browsers_that_can(client: Client) -> None:
    plain = client.get(reverse("anime_list"))
    packed = client.get(reverse("anime_list"), headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert len(packed.content) < len(plain.content) / 2
    assert "Accept-Encoding" in packed["Vary"]
    assert b"</html>" in gzip.decompress(packed.content)


def test_the_language_is_the_site_s_own_whatever_the_browser_speaks(client: Client) -> None:
    page = client.get(reverse("account_login"), headers={"Accept-Language": "de"}).content.decode()
    assert '<html lang="en"' in page
    assert "Passwort" not in page


@pytest.mark.parametrize("path", ["/api/v1/nothing/", "/api/v1/anime/x/", "/api/v2/"])
def test_apps_learn_in_json_that_there_is_nothing(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == 404


def test_a_crash_of_the_api_is_a_problem_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.api.views.browse", None)
    client.raise_request_exception = False
    response = client.get("/api/v1/anime/")
    assert response.status_code == 500
    assert response["Content-Type"] == "application/problem+json"
    assert "browse" not in response.content.decode()


def test_the_documentation_of_the_api_needs_nothing_inline(client: Client) -> None:
    page = client.get(reverse("api_docs"))
    assert "'unsafe-inline'" not in page["Content-Security-Policy"]
    assert "<script>" not in page.content.decode()
    assert "<style>" not in page.content.decode()
    script = client.get(reverse("api_docs"), {"script": ""})
    assert script["Content-Type"].startswith("application/javascript")
    assert reverse("api_schema") in script.content.decode()
