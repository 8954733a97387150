"""Leases: one worker at a time, and a dead one's work is taken up."""

from datetime import timedelta

import pytest
from django.utils import timezone

from recommendations.models import Job, JobKind, JobState
from recommendations.services import jobs
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def expire(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_only_one_unfinished_training_can_exist():
    job = jobs.create_job(JobKind.TRAIN)
    with pytest.raises(jobs.AlreadyRunningError) as raised:
        jobs.create_job(JobKind.TRAIN)
    assert raised.value.job == job
    jobs.fail(jobs.claim(job.pk), message="no")
    assert jobs.create_job(JobKind.TRAIN).pk != job.pk


def test_a_job_is_claimed_once():
    job = jobs.create_job(JobKind.TRAIN)
    assert jobs.claim(job.pk).state == JobState.RUNNING
    assert jobs.claim(job.pk) is None


def shard() -> Job:
    return Job.objects.create(kind=JobKind.SCORE_SHARD)


def test_a_shard_whose_worker_died_is_stale_and_can_be_claimed_again():
    first = jobs.claim(shard().pk)
    assert not Job.objects.stale().exists()
    expire(first)
    assert Job.objects.stale().get() == first
    second = jobs.claim(first.pk)
    assert second.attempts == 2
    # The worker that was thought dead comes back: it must notice, and must not end the other one's job.
    with pytest.raises(jobs.LeaseLostError):
        jobs.heartbeat(first, percent=50)
    jobs.fail(first, message="too late")
    second.refresh_from_db()
    assert (second.state, second.message) == (JobState.RUNNING, "")


def test_a_job_that_kills_every_worker_is_given_up():
    job = shard()
    for _ in range(jobs.MAX_ATTEMPTS):
        expire(jobs.claim(job.pk))
    assert jobs.claim(job.pk) is None
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "3 attempts" in job.message


def test_a_training_whose_worker_died_is_marked_with_its_log_and_makes_way():
    first = jobs.claim(jobs.create_job(JobKind.TRAIN).pk)
    jobs.heartbeat(first, percent=37, stage="ease", message="solving", log="what it said")
    with pytest.raises(jobs.AlreadyRunningError):
        jobs.create_job(JobKind.TRAIN)
    expire(first)
    second = jobs.create_job(JobKind.TRAIN)
    first.refresh_from_db()
    assert (first.state, first.log) == (JobState.FAILED, "what it said")
    assert "died at 37 % (ease)" in first.message
    assert jobs.claim(first.pk) is None
    with pytest.raises(jobs.LeaseLostError):
        jobs.heartbeat(first)
    assert jobs.claim(second.pk) is not None


def test_only_old_messages_are_taken_for_lost():
    job = shard()
    now = timezone.now()
    assert job in Job.objects.stale(now)
    Job.objects.update(enqueued=now)
    assert job not in Job.objects.stale(now - timedelta(minutes=1))
    assert job in Job.objects.stale(now + timedelta(minutes=1))


def test_cancelling_ends_a_job_with_its_children_and_whoever_works_on_it_notices():
    parent = jobs.create_job(JobKind.SCORE)
    child = jobs.claim(Job.objects.create(kind=JobKind.SCORE_SHARD, parent=parent).pk)
    done = Job.objects.create(kind=JobKind.SCORE_SHARD, parent=parent, state=JobState.SUCCEEDED)
    assert jobs.cancel(parent.pk, by=UserFactory(username="rin"))
    parent.refresh_from_db()
    assert (parent.state, parent.message) == (JobState.CANCELLED, "Cancelled by rin")
    with pytest.raises(jobs.LeaseLostError):
        jobs.heartbeat(child)
    done.refresh_from_db()
    assert done.state == JobState.SUCCEEDED
    assert not jobs.cancel(parent.pk)


def test_a_worker_that_is_being_stopped_hands_its_training_over(monkeypatch):
    monkeypatch.setenv(jobs.WORKER_VARIABLE, "host-a:1")
    first = jobs.claim(jobs.create_job(JobKind.TRAIN).pk)
    assert jobs.hand_over("host-b:1") == []
    assert jobs.hand_over("host-a:1") == [first]
    with pytest.raises(jobs.LeaseLostError):
        jobs.heartbeat(first)
    monkeypatch.setenv(jobs.WORKER_VARIABLE, "host-b:1")
    second = jobs.claim(first.pk)
    assert (second.attempts, second.worker) == (2, "host-b:1")


def test_old_jobs_are_forgotten():
    long_ago = timezone.now() - timedelta(days=8)
    old = Job.objects.create(kind=JobKind.SCORE_SHARD, state=JobState.SUCCEEDED, finished=long_ago)
    training = Job.objects.create(kind=JobKind.TRAIN, state=JobState.FAILED, finished=long_ago)
    unfinished = shard()
    jobs.forget_old_jobs()
    assert set(Job.objects.all()) == {training, unfinished}
    assert old not in Job.objects.all()


def test_a_heartbeat_renews_the_lease_and_notes_progress():
    job = jobs.claim(jobs.create_job(JobKind.TRAIN).pk)
    expire(job)
    jobs.heartbeat(job, percent=40, message="Fitting EASE")
    job.refresh_from_db()
    assert job.lease_until > timezone.now()
    assert (job.percent, job.message) == (40, "Fitting EASE")
