"""What every test may ask for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command

from recommendations.models import ModelVersion
from recommendations.services.engine import forget_engine
from recommendations.services.registry import activate, publish


def pytest_configure() -> None:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


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


@pytest.fixture(scope="session")
def sample_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's own sample, written once a run: its catalogue and the ratings of 400 invented members."""
    out = tmp_path_factory.mktemp("sample") / "data"
    run_python("-m", "catalog.sample", "--out", str(out), "--members", "400", "--seed", "1")
    return out


@pytest.fixture(scope="session")
def sample_bundle(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained on the sample: the one short training of the suite."""
    out = tmp_path_factory.mktemp("model") / "bundle"
    run_python("-m", "ml", "train", "--data", str(sample_dir), "--out", str(out), "--seed", "1")
    return out


@pytest.fixture
def sample_catalogue(db: None, sample_dir: Path) -> None:
    """The sample's titles in the database, without its members."""
    call_command("import_catalog", str(sample_dir), verbosity=0)


@pytest.fixture
def champion(sample_catalogue: None, sample_bundle: Path) -> Iterator[ModelVersion]:
    """The sample's model as the champion of a site that holds the sample's titles."""
    forget_engine()
    yield activate(publish(sample_bundle))
    forget_engine()


def run_python(*arguments: str) -> None:
    """Run Python in a process of its own; its output is shown where it fails."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
