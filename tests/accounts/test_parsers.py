"""Bodies that an app must not get far with."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


def post(body: str):
    client = APIClient(raise_request_exception=False)
    return client.post("/api/v1/recommendations/", body, content_type="application/json")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("[" * 100_000, id="nested too deeply"),
        pytest.param(r'{"ratings": [], "type": ["\ud800"]}', id="half a surrogate pair"),
        pytest.param('{"ratings": [', id="cut off"),
        pytest.param('{"ratings": [], "balance": NaN}', id="no number"),
    ],
)
def test_a_malformed_body_is_a_bad_request(body: str) -> None:
    response = post(body)
    assert response.status_code == 400
    assert response.json()["detail"].startswith("JSON parse error")


def test_a_body_that_is_too_large_is_refused(settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    response = post('{"ratings": [' + " " * 1000 + "]}")
    assert response.status_code == 413
    assert response["Content-Type"] == "application/problem+json"
    assert post('{"ratings": []}').status_code == 200
