"""Long work under a lease. The job row is the truth: whoever holds its lease works, and nobody else.

A worker that dies stops renewing; its job turns stale and is taken up again. ``attempts`` is the fencing
token: a worker that comes back late finds that its attempt is no longer the current one and stops.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import User
from recommendations.models import Job, JobKind, JobState
from recommendations.models.jobs import JobQuerySet

MAX_ATTEMPTS = 3


class AlreadyRunningError(Exception):
    """There is an unfinished job of this kind; ``job`` is it."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"{job} is not finished yet")
        self.job = job


class LeaseLostError(Exception):
    """Somebody else has taken the job over, or it was ended: stop working on it."""


def create_job(kind: JobKind, *, payload: dict[str, object] | None = None, created_by: User | None = None) -> Job:
    """Queue a job that may exist once at a time; raises :class:`AlreadyRunningError`."""
    try:
        with transaction.atomic():
            return Job.objects.create(kind=kind, payload=payload or {}, created_by=created_by)
    except IntegrityError:
        raise AlreadyRunningError(Job.objects.unfinished().get(kind=kind)) from None


def claim(job_id: int) -> Job | None:
    """Take the lease of a queued or stale job; ``None`` if it is finished or somebody works on it.

    A job that has already been tried ``MAX_ATTEMPTS`` times is marked failed instead.
    """
    now = timezone.now()
    free = Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING, lease_until__lt=now)
    Job.objects.filter(free, pk=job_id, attempts__gte=MAX_ATTEMPTS).update(
        state=JobState.FAILED, finished=now, message=f"given up after {MAX_ATTEMPTS} attempts"
    )
    claimed = Job.objects.filter(free, pk=job_id).update(
        state=JobState.RUNNING,
        attempts=F("attempts") + 1,
        started=now,
        lease_until=now + lease_length(),
        percent=0,
        message="",
    )
    return Job.objects.get(pk=job_id) if claimed else None


def lease_length() -> timedelta:
    return timedelta(seconds=settings.JOB_LEASE_SECONDS)


def heartbeat(job: Job, *, percent: int | None = None, message: str | None = None) -> None:
    """Renew the lease and note progress; raises :class:`LeaseLostError` where the lease is not ours any more."""
    changes: dict[str, object] = {"lease_until": timezone.now() + lease_length()}
    if percent is not None:
        changes["percent"] = percent
    if message is not None:
        changes["message"] = message[:500]
    if not _mine(job).update(**changes):
        raise LeaseLostError(f"{job} is no longer ours (attempt {job.attempts})")


def succeed(job: Job, *, message: str = "") -> None:
    _mine(job).update(
        state=JobState.SUCCEEDED, percent=100, message=message[:500], finished=timezone.now(), lease_until=None
    )


def fail(job: Job, *, message: str, log: str = "") -> None:
    """End the job as failed with the reason in one line and the log for the admin."""
    _mine(job).update(
        state=JobState.FAILED, message=message[:500], log=log, finished=timezone.now(), lease_until=None
    )


def release(job: Job) -> None:
    """Give an unfinished job back: this process is being stopped, and the next one may take it up at once."""
    _mine(job).update(state=JobState.QUEUED, lease_until=None)


def _mine(job: Job) -> JobQuerySet:
    return Job.objects.filter(pk=job.pk, attempts=job.attempts, state=JobState.RUNNING)
