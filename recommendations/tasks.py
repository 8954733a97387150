"""Celery tasks: each takes an id and calls one service. Messages may be lost or come twice; jobs may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.db import transaction

from recommendations.models import Job, JobKind
from recommendations.services import jobs
from recommendations.services.scoring import finish_scorings, run_shard, start_scoring
from recommendations.services.training import run_training


@shared_task
def train(job_id: int) -> None:
    if run_training(job_id) is not None:
        score_all()


@shared_task
def score_shard(job_id: int) -> None:
    run_shard(job_id)


_TASKS = {JobKind.TRAIN: train, JobKind.SCORE_SHARD: score_shard}


def enqueue(*queued: Job) -> None:
    """Tell the workers of ``queued`` once the open transaction, if any, is committed."""
    for job in queued:
        task = _TASKS.get(JobKind(job.kind))
        if task is not None:
            # Robust: while the broker is away the job stays queued, for the next worker that starts.
            transaction.on_commit(_wake_up_call(task, job.pk), robust=True)


def _wake_up_call(task: Any, job_id: int) -> Callable[[], None]:
    # Not functools.partial: Django names a robust function when it fails.
    def call() -> None:
        task.delay(job_id)

    return call


def score_all() -> None:
    """Score every profile with the champion, unless that is under way already."""
    try:
        _parent, shards = start_scoring()
    except jobs.AlreadyRunningError:
        return
    enqueue(*shards)


@worker_ready.connect
def requeue_stale_jobs(**_kwargs: Any) -> None:
    """A worker that died took its messages along: whoever starts next picks the jobs up again."""
    finish_scorings()
    enqueue(*Job.objects.stale())
