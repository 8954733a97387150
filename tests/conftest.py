"""What every test may ask for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache


def pytest_configure() -> None:
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)


def pytest_unconfigure() -> None:
    shutil.rmtree(settings.VAR_DIR, ignore_errors=True)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """`REQUIRE_SERVICES=1` (CI): nothing may be skipped, so a skip is reported as a failure."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and os.environ.get("REQUIRE_SERVICES") == "1" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although REQUIRE_SERVICES=1: {report.longrepr}"


@pytest.fixture(autouse=True)
def _clear_cache() -> Iterator[None]:
    """No test sees what another cached. On Redis only keys of this run's own prefix are deleted."""
    yield
    if settings.REDIS_URL:
        client = cache._cache.get_client()  # type: ignore[attr-defined]
        keys = list(client.scan_iter(match=f"{settings.CACHES['default']['KEY_PREFIX']}:*"))
        if keys:
            client.delete(*keys)
    else:
        cache.clear()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real MyAnimeList data named by ANIMEREC_DATA, or a skip that says what is missing."""
    value = os.environ.get("ANIMEREC_DATA", "")
    if not value:
        pytest.skip("ANIMEREC_DATA is not set: no real MyAnimeList data on this machine")
    path = Path(value)
    if not (path / "mal2016" / "rating.csv").is_file():
        pytest.skip(f"ANIMEREC_DATA={value} holds no mal2016/rating.csv")
    return path
