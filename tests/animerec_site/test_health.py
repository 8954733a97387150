"""What probes are told."""

from __future__ import annotations

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("error", [OperationalError("cannot connect"), InterfaceError("connection was cut")])
def test_without_a_database_the_site_lives_but_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def cursor() -> None:
        raise error

    monkeypatch.setattr(connection, "cursor", cursor)
    assert client.get("/healthz/live").status_code == 200
    ready = client.get("/healthz/ready")
    assert ready.status_code == 503
    assert ready.json() == {"status": "down", "database": "unreachable"}


def test_without_a_model_it_is_ready_and_says_so(client: Client) -> None:
    ready = client.get("/healthz/ready", headers={"Host": "10.0.0.7"})
    assert ready.status_code == 200
    assert ready.json()["status"] == "degraded"
