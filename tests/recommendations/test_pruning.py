"""Old versions lose their files; what serves, and what a rollback needs, never does."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from fsspec.implementations.memory import MemoryFileSystem
from pytest_django import Settings

from recommendations.models import ModelStatus, ModelVersion
from recommendations.services import store
from recommendations.services.engine import current_engine
from recommendations.services.pruning import prune_models
from recommendations.services.registry import activate, publish

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_process")]
Make = Callable[[str], Path]


@pytest.fixture(autouse=True, params=["folder", "memory"])
def _place(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.MODEL_STORE = str(tmp_path / "store") if request.param == "folder" else "memory://animerec/models"
    settings.MODEL_CACHE = tmp_path / "cache"
    yield
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


@pytest.fixture
def versions(small_bundle: Make) -> list[ModelVersion]:
    """Five candidates, the oldest first, the newest two days old."""
    models = []
    for number in range(5):
        model = publish(small_bundle(str(number)))
        ModelVersion.objects.filter(pk=model.pk).update(created=timezone.now() - timedelta(days=6 - number))
        models.append(model)
    return models


def present(models: list[ModelVersion]) -> list[int]:
    """Which of the versions have files in the store; the rows have to say the same."""
    stored = store.sizes()
    marked = set(ModelVersion.objects.filter(pruned__isnull=False).values_list("location", flat=True))
    assert {model.location for model in models} - set(stored) == marked
    return [number for number, model in enumerate(models) if model.location in stored]


def test_the_champion_the_one_before_it_and_the_newest_stay(versions: list[ModelVersion]) -> None:
    for number in (1, 0, 2, 0):  # at last a rollback: 0 is champion again, 2 was before it
        activate(versions[number])
    assert [model.version for model in prune_models(keep=1)] == [versions[1].version, versions[3].version]
    assert present(versions) == [0, 2, 4]
    assert ModelVersion.objects.count() == 5, "the rows stay"
    assert prune_models(keep=1) == []
    assert prune_models(keep=0) == [versions[4]]
    assert present(versions) == [0, 2]


def test_how_many_are_kept_is_a_setting(versions: list[ModelVersion], settings: Settings) -> None:
    settings.MODEL_VERSIONS_KEPT = 3
    prune_models()
    assert present(versions) == [2, 3, 4]


def test_a_young_candidate_waits_for_a_decision(versions: list[ModelVersion]) -> None:
    ModelVersion.objects.filter(pk__in=[versions[0].pk, versions[1].pk]).update(created=timezone.now())
    ModelVersion.objects.filter(pk=versions[1].pk).update(status=ModelStatus.REJECTED)
    prune_models(keep=0)
    assert present(versions) == [0]


def test_a_rollback_after_pruning_works_and_one_to_deleted_files_says_why(versions: list[ModelVersion]) -> None:
    activate(versions[0])
    activate(versions[4])
    prune_models(keep=0)
    with pytest.raises(ValueError, match="its files were deleted"):
        activate(versions[2])
    assert activate(versions[0]).status == ModelStatus.CHAMPION


def test_what_a_failing_store_keeps_is_deleted_the_next_time(
    versions: list[ModelVersion], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(location: str) -> None:
        raise store.StoreError(f"{location}: {errno.errorcode[errno.EIO]}")

    with monkeypatch.context() as patch:
        patch.setattr(store, "delete", fail)
        assert len(prune_models(keep=4)) == 1
    assert "files of old models cannot be deleted" in caplog.text
    assert len(store.sizes()) == 5
    assert prune_models(keep=4) == []
    assert present(versions) == [1, 2, 3, 4]


def test_copies_in_the_cache_go_too_but_not_what_may_be_needed(
    sample_bundle: Path, versions: list[ModelVersion], settings: Settings
) -> None:
    cache = Path(settings.MODEL_CACHE)
    served = activate(publish(sample_bundle))
    assert current_engine() is not None
    activate(versions[0])
    activate(versions[1])
    for model in versions:
        store.fetch(model.location, cache)
    prune_models(keep=10)
    assert {path.name for path in cache.iterdir()} == {
        versions[1].location,  # the champion, which is no recommender and cannot be loaded
        versions[0].location,  # the one before it
        served.location,  # what this process still serves
    }
