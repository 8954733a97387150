"""Long work under a lease. The job row is the truth: whoever holds its lease works, and nobody else.

A worker that dies stops renewing. A shard of scoring is then taken up again, because doing it twice does no harm; a
training is marked failed, because what killed it (memory, most often) would kill it again, and the next one is a run
of its own. ``attempts`` is the fencing token: a worker that comes back late finds that its attempt is no longer the
current one and stops.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import User
from recommendations.models import Job, JobCause, JobKind, JobState
from recommendations.models.jobs import SHARD_KINDS, UNFINISHED, JobQuerySet

MAX_ATTEMPTS = 3
# Set by a worker for its children, so that they go by one name.
WORKER_VARIABLE = "ANIMEREC_WORKER"
LOG_CHARS_KEPT = 40_000
# Of these a second attempt is a new job.
NOT_RETRIED = (JobKind.TRAIN,)


class AlreadyRunningError(Exception):
    """There is an unfinished job of this kind; ``job`` is it."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"{job} is not finished yet")
        self.job = job


class LeaseLostError(Exception):
    """Somebody else has taken the job over, or it was ended or cancelled: stop working on it."""


def create_job(
    kind: JobKind,
    *,
    payload: Mapping[str, object] | None = None,
    created_by: User | None = None,
    cause: JobCause = JobCause.PERSON,
) -> Job:
    """Queue a job that may exist once at a time; raises :class:`AlreadyRunningError`."""
    fail_abandoned()
    try:
        with transaction.atomic():
            return Job.objects.create(kind=kind, payload=dict(payload or {}), created_by=created_by, cause=cause)
    except IntegrityError:
        raise AlreadyRunningError(Job.objects.unfinished().get(kind=kind)) from None


def claim(job_id: int) -> Job | None:
    """Take the lease of a queued or stale job; ``None`` if it is finished or somebody works on it.

    A job that has already been tried ``MAX_ATTEMPTS`` times is marked failed instead.
    """
    fail_abandoned()
    now = timezone.now()
    free = Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING, lease_until__lt=now)
    Job.objects.filter(free, pk=job_id, attempts__gte=MAX_ATTEMPTS).update(
        state=JobState.FAILED, finished=now, message=f"given up after {MAX_ATTEMPTS} attempts"
    )
    claimed = Job.objects.filter(free, pk=job_id).update(
        state=JobState.RUNNING,
        worker=worker_name(),
        attempts=F("attempts") + 1,
        started=now,
        lease_until=now + lease_length(),
        percent=0,
        stage="",
        message="",
        log="",
        metrics={},
    )
    return Job.objects.get(pk=job_id) if claimed else None


def worker_name() -> str:
    """The name of this worker, ``host:pid``."""
    return os.environ.get(WORKER_VARIABLE) or f"{socket.gethostname()}:{os.getpid()}"


def lease_length() -> timedelta:
    return timedelta(seconds=settings.JOB_LEASE_SECONDS)


def fail_abandoned() -> list[Job]:
    """Mark trainings failed whose worker has given no sign of life for a whole lease. Their log stays as it was."""
    failed = []
    now = timezone.now()
    for job in Job.objects.filter(kind__in=NOT_RETRIED, state=JobState.RUNNING, lease_until__lt=now):
        message = f"The worker died at {job.percent} % ({job.stage or 'start'}): no sign of life for a whole lease"
        if (
            _mine(job)
            .filter(lease_until__lt=now)
            .update(state=JobState.FAILED, message=message, finished=now, lease_until=None)
        ):
            failed.append(job)
    return failed


def heartbeat(
    job: Job,
    *,
    percent: int | None = None,
    message: str | None = None,
    stage: str | None = None,
    metrics: Mapping[str, float] | None = None,
    log: str | None = None,
) -> None:
    """Renew the lease and note progress; raises :class:`LeaseLostError` where the lease is not ours any more."""
    changes: dict[str, object] = {"lease_until": timezone.now() + lease_length()}
    if percent is not None:
        changes["percent"] = percent
    if message is not None:
        changes["message"] = message[:500]
    if stage is not None:
        changes["stage"] = stage[:40]
    if metrics is not None:
        changes["metrics"] = dict(metrics)
    if log is not None:
        changes["log"] = log[-LOG_CHARS_KEPT:]
    if not _mine(job).update(**changes):
        raise LeaseLostError(f"{job} is no longer ours (attempt {job.attempts})")


def succeed(job: Job, *, message: str = "", model_version_id: int | None = None) -> None:
    _mine(job).update(
        state=JobState.SUCCEEDED,
        percent=100,
        message=message[:500],
        model_version_id=model_version_id,
        finished=timezone.now(),
        lease_until=None,
    )


def fail(job: Job, *, message: str, log: str | None = None) -> None:
    """End the job as failed with the reason in one line and the log for the admin."""
    changes: dict[str, object] = {} if log is None else {"log": log[-LOG_CHARS_KEPT:]}
    _mine(job).update(
        state=JobState.FAILED, message=message[:500], finished=timezone.now(), lease_until=None, **changes
    )


def release(job: Job) -> None:
    """Give an unfinished job back: this process is being stopped, and the next one may take it up at once."""
    _mine(job).update(state=JobState.QUEUED, lease_until=None)


def hand_over(worker: str) -> list[Job]:
    """Give the trainings of a worker that is being stopped back to the queue: they notice at the next heartbeat and
    stop, and another worker begins anew. Shards are short enough to be ended."""
    handed = []
    for job in Job.objects.filter(kind__in=NOT_RETRIED, state=JobState.RUNNING, worker=worker):
        if _mine(job).update(state=JobState.QUEUED, lease_until=None, message="Its worker is being stopped"):
            handed.append(job)
    return handed


def cancel(job_id: int, *, by: User | None = None) -> bool:
    """End a job that is not finished, with its children; whoever works on it notices at the next heartbeat.

    ``False``: it had ended before."""
    words = "Cancelled" if by is None else f"Cancelled by {by.get_username()}"
    ended = {"state": JobState.CANCELLED, "message": words, "finished": timezone.now(), "lease_until": None}
    with transaction.atomic():
        done = Job.objects.filter(pk=job_id, state__in=UNFINISHED).update(**ended)
        if done:
            Job.objects.filter(parent=job_id, state__in=UNFINISHED).update(**ended)
    return bool(done)


def forget_old_jobs() -> None:
    """Delete shards a week after their end, and all else after a year."""
    for kinds, days in ((SHARD_KINDS, 7), (JobKind.values, 365)):
        Job.objects.filter(kind__in=kinds, finished__lt=timezone.now() - timedelta(days=days)).delete()


def _mine(job: Job) -> JobQuerySet:
    return Job.objects.filter(pk=job.pk, attempts=job.attempts, state=JobState.RUNNING)
