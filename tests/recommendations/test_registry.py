"""Publishing, activating, rolling back, and what a process serves from."""

import shutil
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from ml.artifacts import open_arrays, read_manifest, write_bundle
from ml.types import Profile
from recommendations.models import ModelStatus, ModelVersion
from recommendations.services.engine import bundle_path, current_engine, engine_status, forget_engine
from recommendations.services.registry import activate, publish

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_process():
    forget_engine()
    shutil.rmtree(settings.MODEL_STORE, ignore_errors=True)
    shutil.rmtree(settings.MODEL_CACHE, ignore_errors=True)
    yield
    forget_engine()


@pytest.fixture
def other_bundle(sample_bundle: Path, tmp_path: Path) -> Path:
    """A second, different model: the same arrays under another note in the manifest."""
    manifest = read_manifest(sample_bundle)
    description = {
        key: value for key, value in manifest.content.items() if key not in ("files", "format", "checksum")
    }
    out = tmp_path / "other"
    write_bundle(out, open_arrays(sample_bundle, manifest), {**description, "created": "2001-01-01T00:00:00+00:00"})
    return out


def damage(model: ModelVersion) -> None:
    """Turn over one bit of the largest array."""
    array = max(bundle_path(model).glob("*.npy"), key=lambda path: path.stat().st_size)
    array.chmod(0o644)
    content = bytearray(array.read_bytes())
    content[-1] ^= 1
    array.write_bytes(content)


def test_publishing_twice_is_the_same_as_once(sample_bundle):
    first = publish(sample_bundle)
    second = publish(sample_bundle)
    assert first == second
    assert first.status == ModelStatus.CANDIDATE
    assert first.fingerprint
    assert first.metrics
    assert (bundle_path(first) / "manifest.json").is_file()


def test_the_champion_serves_and_rolling_back_is_activating_the_older_one(sample_bundle, other_bundle):
    first, second = publish(sample_bundle), publish(other_bundle)
    assert engine_status() == {"state": "none"}
    activate(first)
    assert current_engine().version == first.version
    activate(second)
    assert current_engine().version == second.version
    activate(first)
    assert current_engine().version == first.version
    assert dict(ModelVersion.objects.values_list("version", "status")) == {
        first.version: ModelStatus.CHAMPION,
        second.version: ModelStatus.RETIRED,
    }


def test_the_database_allows_one_champion(sample_bundle, other_bundle):
    activate(publish(sample_bundle))
    second = publish(other_bundle)
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.filter(pk=second.pk).update(status=ModelStatus.CHAMPION)


def test_a_damaged_champion_is_refused_and_the_one_before_keeps_serving(sample_bundle, other_bundle):
    first, second = activate(publish(sample_bundle)), publish(other_bundle)
    assert current_engine().version == first.version
    damage(second)
    activate(second)
    assert current_engine().version == first.version
    status = engine_status()
    assert (status["state"], status["version"]) == ("stale", first.version)
    assert second.version in status["problem"]


def test_what_a_process_has_mapped_survives_the_loss_of_the_store(sample_bundle):
    model = activate(publish(sample_bundle))
    recommender = current_engine().recommender
    shutil.rmtree(bundle_path(model))
    assert len(recommender.recommend(Profile.of([])).results) == 10


def test_without_any_model_there_is_no_engine():
    assert current_engine() is None


@pytest.mark.parametrize("content", [None, "%PDF-1.4", "{}", '{"format": 1}'])
def test_the_command_refuses_what_is_no_bundle(tmp_path, content):
    bundle = tmp_path / "bundle"
    if content is not None:
        bundle.mkdir()
        (bundle / "manifest.json").write_text(content)
    with pytest.raises(CommandError, match=r"manifest\.json") as raised:
        call_command("publish_model", str(bundle), "--activate")
    assert raised.value.returncode == 2
    assert not ModelVersion.objects.exists()


def test_the_command_publishes_and_activates(sample_bundle, capsys):
    call_command("publish_model", str(sample_bundle), "--activate")
    assert capsys.readouterr().out.split() == [ModelVersion.objects.champion().get().version, "champion"]
