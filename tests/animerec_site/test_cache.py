"""A Redis that is away makes the site slower, never broken."""

from __future__ import annotations

import socket
import time

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from animerec_site.settings.base import redis_cache
from tests.factories import PASSWORD, AnimeFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def redis_is_away():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with override_settings(CACHES={"default": redis_cache(f"redis://127.0.0.1:{port}/0")}):
        yield


@pytest.mark.usefixtures("redis_is_away")
def test_pages_answer_soon_without_redis(client: Client) -> None:
    anime = AnimeFactory(title="Planetes")
    user = UserFactory()
    started = time.monotonic()
    for path in ("/", "/anime/", "/for-you/", "/api/v1/anime/", anime.get_absolute_url()):
        response = client.get(path)
        assert response.status_code == 200
        assert "Planetes" in response.content.decode()
    signed_in = client.post(reverse("account_login"), {"login": user.username, "password": PASSWORD})
    assert signed_in.status_code == 302
    assert time.monotonic() - started < 5
