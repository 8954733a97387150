"""Publishing, activating, rejecting, rolling back."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from ml.artifacts import read_manifest, verify_bundle
from recommendations.models import ModelStatus, ModelVersion
from recommendations.services import store
from recommendations.services.registry import activate, publish, reject

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_process")]


def test_publishing_twice_is_the_same_as_once(sample_bundle):
    first = publish(sample_bundle)
    second = publish(sample_bundle)
    assert first == second
    assert first.status == ModelStatus.CANDIDATE
    assert first.fingerprint
    assert first.metrics
    assert first.sha256 == first.location == read_manifest(sample_bundle).sha256
    assert first.size_bytes == sum(path.stat().st_size for path in sample_bundle.iterdir())
    assert verify_bundle(Path(settings.MODEL_STORE) / first.location).version == first.version


def test_publishing_fills_in_what_rows_of_older_releases_lack(small_bundle):
    bundle = small_bundle("one")
    model = publish(bundle)
    ModelVersion.objects.filter(pk=model.pk).update(sha256="", size_bytes=None, note="good")
    again = publish(bundle)
    assert (again.sha256, again.size_bytes, again.note) == (model.sha256, model.size_bytes, "good")


def test_where_the_store_fails_there_is_no_row(small_bundle, settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.MODEL_STORE = str(tmp_path / "file" / "store")
    with pytest.raises(store.BundleError, match="file/store"):
        publish(small_bundle("one"))
    assert not ModelVersion.objects.exists()


def test_there_is_one_champion_and_rolling_back_is_activating_the_older_one(small_bundle):
    first, second = publish(small_bundle("one")), publish(small_bundle("two"))
    for model in (first, second, first):
        assert activate(model).status == ModelStatus.CHAMPION
        assert ModelVersion.objects.champion().get() == model
    assert dict(ModelVersion.objects.values_list("version", "status")) == {
        first.version: ModelStatus.CHAMPION,
        second.version: ModelStatus.RETIRED,
    }


def test_the_database_allows_one_champion(small_bundle):
    activate(publish(small_bundle("one")))
    second = publish(small_bundle("two"))
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.filter(pk=second.pk).update(status=ModelStatus.CHAMPION)


def test_who_activated_and_when_is_kept(small_bundle):
    person = User.objects.create(username="ada")
    model = activate(publish(small_bundle("one")), by=person)
    assert (model.decided_by, model.decided) == (person, model.activated)
    assert activate(model).decided_by == person, "the champion is not activated again"


def test_what_was_deleted_cannot_be_activated_until_it_is_published_again(small_bundle):
    champion = activate(publish(small_bundle("one")))
    bundle = small_bundle("two")
    model = publish(bundle)
    ModelVersion.objects.filter(pk=model.pk).update(pruned=timezone.now())
    with pytest.raises(ValueError, match=rf"model {model.version}: its files were deleted on .*publish"):
        activate(model)
    assert ModelVersion.objects.champion().get() == champion
    assert activate(publish(bundle)).status == ModelStatus.CHAMPION


def test_a_candidate_can_be_rejected_and_the_champion_cannot(small_bundle):
    person = User.objects.create(username="ada")
    champion, candidate = activate(publish(small_bundle("one"))), publish(small_bundle("two"))
    rejected = reject(candidate, "worse for newcomers", by=person)
    rejected.refresh_from_db()
    assert (rejected.status, rejected.verdict) == (ModelStatus.REJECTED, "worse for newcomers")
    assert rejected.decided_by == person
    assert rejected.decided is not None
    with pytest.raises(ValueError, match="is the champion"):
        reject(champion, "do not like it")
    assert ModelVersion.objects.champion().get() == champion


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
