"""Training from the site's own data: snapshot, process, publication, and what is left after a failure."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from recommendations import tasks
from recommendations.models import Job, JobCause, JobKind, JobState, ModelStatus, ModelVersion, TopList
from recommendations.services import jobs, training
from recommendations.services.child import run_child
from recommendations.services.engine import current_engine, forget_engine
from recommendations.services.entries import rate
from recommendations.services.training import TrainingError, run_training, start_training
from tests.factories import AnimeFactory, ProfileFactory

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
    assert (job.state, job.percent, job.model_version) == (JobState.SUCCEEDED, 100, model)
    assert job.metrics["plain_ndcg@10"] > job.metrics["popularity_plain_ndcg@10"]
    assert "weights of the parts" in job.log
    assert model.verdict.startswith(("Promoted", "Passed")), model.verdict
    assert model.judged["beside"] is None
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


def test_an_attempt_that_was_cancelled_publishes_nothing(monkeypatch, champion):
    job = start_training()

    def cancelled(name, arguments, limits, **listeners):
        assert jobs.cancel(job.pk)
        run_child(name, ["-c", "import time; time.sleep(60)"], limits, **listeners)

    monkeypatch.setattr(training, "run_child", cancelled)
    assert run_training(job.pk) is None
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    assert ModelVersion.objects.get() == champion
    assert champion.status == ModelStatus.CHAMPION
    assert list(Path(settings.TRAINING_DIR).iterdir()) == []


def test_a_job_that_is_done_is_not_done_again():
    job = start_training()
    jobs.fail(jobs.claim(job.pk), message="no")
    assert run_training(job.pk) is None


def test_a_training_that_is_interrupted_can_be_taken_up_at_once(monkeypatch, champion):
    def interrupted(*arguments, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "run_child", interrupted)
    job = start_training()
    with pytest.raises(KeyboardInterrupt):
        run_training(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.QUEUED
    assert list(Path(settings.TRAINING_DIR).iterdir()) == []
    assert jobs.claim(job.pk).attempts == 2


def test_leftovers_of_a_killed_training_are_deleted_and_those_of_a_running_one_are_not(db):
    running = jobs.claim(start_training().pk)
    for name in (f"job-{running.pk}", "job-999999", "something-else"):
        (Path(settings.TRAINING_DIR) / name).mkdir(parents=True)
    training.remove_leftovers()
    kept = {path.name for path in Path(settings.TRAINING_DIR).iterdir()}
    assert kept == {f"job-{running.pk}", "something-else"}
    for name in kept:
        (Path(settings.TRAINING_DIR) / name).rmdir()


def test_changes_of_lists_are_counted_since_the_last_training_and_lead_to_one(settings):
    settings.TRAIN_AFTER_CHANGES = 3
    profile = ProfileFactory()
    for _ in range(2):
        rate(profile=profile, anime=AnimeFactory(), rating=8)
    assert training.new_changes() == 2
    tasks.train_after_changes()
    assert not Job.objects.exists()
    rate(profile=profile, anime=AnimeFactory(), rating=8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "enqueue", lambda *queued: None)
        tasks.train_after_changes()
        tasks.train_after_changes()
    job = Job.objects.get()
    assert (job.kind, job.cause) == (JobKind.TRAIN, JobCause.RATINGS)
    Job.objects.update(state=JobState.SUCCEEDED, started=timezone.now(), payload={"changes": 3})
    assert training.new_changes() == 0
