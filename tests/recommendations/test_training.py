"""Training from the site's own data: snapshot, process, publication, and what is left after a failure."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from recommendations.models import Job, JobState, ModelStatus, ModelVersion, TopList
from recommendations.services import jobs, training
from recommendations.services.engine import current_engine, forget_engine
from recommendations.services.training import TrainingError, run_training, start_training

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_process():
    forget_engine()
    yield
    forget_engine()


def test_training_makes_a_champion_of_what_the_database_holds(
    sample_catalogue, sample_dir, django_capture_on_commit_callbacks
):
    call_command("import_ratings", str(sample_dir), "--source", "sample", verbosity=0)
    with django_capture_on_commit_callbacks(execute=True):
        call_command("train")
    model = ModelVersion.objects.champion().get()
    assert current_engine().version == model.version
    job = Job.objects.get(kind="train")
    assert (job.state, job.percent) == (JobState.SUCCEEDED, 100)
    # The scoring that follows a promotion gave every member a list of titles that they do not know.
    scoring = Job.objects.get(kind="score")
    assert (scoring.state, scoring.percent) == (JobState.SUCCEEDED, 100)
    assert TopList.objects.filter(model_version=model).count() == 400
    stored = TopList.objects.select_related("profile").first()
    seen = set(stored.profile.entries.values_list("anime_id", flat=True))
    assert stored.items
    assert not seen & {anime_id for anime_id, _score in stored.items}
    assert list(Path(settings.TRAINING_DIR).iterdir()) == []


def test_a_training_that_fails_says_why_and_leaves_the_champion_alone(champion):
    # The catalogue is there, but nobody has watched anything: there is nothing to learn from.
    job = start_training()
    with pytest.raises(TrainingError):
        run_training(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "exit code 2" in job.message
    assert ModelVersion.objects.champion().get() == champion
    assert list(Path(settings.TRAINING_DIR).iterdir()) == []
    assert start_training().pk != job.pk


def test_a_training_that_takes_too_long_is_ended(settings, sample_catalogue, sample_dir):
    call_command("import_ratings", str(sample_dir), "--source", "sample", verbosity=0)
    settings.TRAINING_TIME_LIMIT_SECONDS = 0
    job = start_training()
    with pytest.raises(TrainingError, match="longer than 0 s"):
        run_training(job.pk)
    assert not ModelVersion.objects.exists()


def test_an_attempt_that_lost_its_lease_publishes_nothing(monkeypatch, champion):
    job = start_training()

    def taken_over(snapshot, bundle, report):
        Job.objects.filter(pk=job.pk).update(attempts=2)
        report(50, "still there?")

    monkeypatch.setattr(training, "_train", taken_over)
    with pytest.raises(jobs.LeaseLostError):
        run_training(job.pk)
    assert ModelVersion.objects.get() == champion
    assert champion.status == ModelStatus.CHAMPION


def test_a_job_that_is_done_is_not_done_again():
    job = start_training()
    jobs.fail(jobs.claim(job.pk), message="no")
    assert run_training(job.pk) is None


def test_a_training_that_is_interrupted_can_be_taken_up_at_once(monkeypatch, champion):
    def interrupted(snapshot, bundle, report):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "_train", interrupted)
    job = start_training()
    with pytest.raises(KeyboardInterrupt):
        run_training(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.QUEUED
    assert list(Path(settings.TRAINING_DIR).iterdir()) == []
    assert jobs.claim(job.pk).attempts == 2
