"""Leases: one worker at a time, and a dead one's work is taken up."""

from datetime import timedelta

import pytest
from django.utils import timezone

from recommendations.models import Job, JobKind, JobState
from recommendations.services import jobs

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


def test_a_job_whose_worker_died_is_stale_and_can_be_claimed_again():
    first = jobs.claim(jobs.create_job(JobKind.TRAIN).pk)
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
    job = jobs.create_job(JobKind.TRAIN)
    for _ in range(jobs.MAX_ATTEMPTS):
        expire(jobs.claim(job.pk))
    assert jobs.claim(job.pk) is None
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "3 attempts" in job.message


def test_a_heartbeat_renews_the_lease_and_notes_progress():
    job = jobs.claim(jobs.create_job(JobKind.TRAIN).pk)
    expire(job)
    jobs.heartbeat(job, percent=40, message="Fitting EASE")
    job.refresh_from_db()
    assert job.lease_until > timezone.now()
    assert (job.percent, job.message) == (40, "Fitting EASE")
