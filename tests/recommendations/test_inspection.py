"""Versions in the store are looked at, broken ones marked, mended ones taken back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.conf import settings

from recommendations.models import ModelStatus, ModelVersion
from recommendations.services import store
from recommendations.services.inspection import inspect_versions
from recommendations.services.registry import publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(sample_bundle: Path) -> ModelVersion:
    shutil.rmtree(settings.MODEL_STORE, ignore_errors=True)
    return publish(sample_bundle)


def status(model: ModelVersion) -> str:
    model.refresh_from_db()
    return model.status


def cut_short(model: ModelVersion) -> Path:
    array = max((Path(settings.MODEL_STORE) / model.location).glob("*.npy"), key=lambda path: path.stat().st_size)
    array.chmod(0o644)
    array.write_bytes(array.read_bytes()[:-1])
    return array


def test_a_version_that_is_cut_short_is_marked_and_taken_back_when_it_is_whole(
    model: ModelVersion, sample_bundle: Path
) -> None:
    assert inspect_versions() == []
    assert status(model) == ModelStatus.CANDIDATE
    array = cut_short(model)
    assert inspect_versions() == [model]
    assert status(model) == ModelStatus.BROKEN
    assert array.name in model.note
    assert inspect_versions() == [model]
    assert model.note.count("Broken") == 1
    publish(sample_bundle)
    assert inspect_versions() == []
    assert status(model) == ModelStatus.RETIRED


def test_the_champion_keeps_its_status(model: ModelVersion) -> None:
    ModelVersion.objects.update(status=ModelStatus.CHAMPION)
    cut_short(model)
    assert inspect_versions() == []
    assert status(model) == ModelStatus.CHAMPION


def test_a_store_that_is_away_says_nothing_of_anybody(model: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(location: str) -> None:
        raise store.StoreError("no route to host")

    monkeypatch.setattr(store, "check", away)
    assert inspect_versions() == []
    assert status(model) == ModelStatus.CANDIDATE
