"""Celery tasks: each takes an id or nothing and calls a service. Messages may be lost or come twice; jobs may not."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.signals import worker_init, worker_ready, worker_shutting_down
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from recommendations.models import Job, JobCause, JobKind, ModelStatus
from recommendations.services import jobs
from recommendations.services.counting import (
    count_before,
    counted_countings,
    run_counting,
    run_counting_shard,
    training_after,
)
from recommendations.services.engine import forget_old_processes
from recommendations.services.inspection import inspect_versions
from recommendations.services.pruning import prune_models
from recommendations.services.scoring import ended_with_an_older_model, finish_scorings, run_shard, start_scoring
from recommendations.services.training import new_changes, remove_leftovers, run_training, start_training


@shared_task
def train(job_id: int) -> None:
    awaited = count_before(job_id)
    if awaited is not None:
        enqueue(*awaited)  # the end of the counting enqueues this training again
        return
    model = run_training(job_id)
    if model is not None and model.status == ModelStatus.CHAMPION:
        score_all(JobCause.PROMOTION)
        prune_models()


@shared_task
def score_shard(job_id: int) -> None:
    run_shard(job_id)
    if ended_with_an_older_model(job_id):
        score_all(JobCause.PROMOTION)


@shared_task
def count_shard(job_id: int) -> None:
    try:
        run_counting_shard(job_id)
    finally:
        enqueue(*counted_countings())


@shared_task
def add_counts(job_id: int) -> None:
    try:
        run_counting(job_id)
    finally:
        enqueue(*training_after(job_id))


@shared_task
def nightly() -> None:
    """Train on what people rated today."""
    train_now(JobCause.SCHEDULE)


@shared_task
def score() -> None:
    """Store the lists of all whose stored ones are out of date."""
    score_all(JobCause.SCHEDULE)
    prune_models()
    inspect_versions()
    jobs.forget_old_jobs()


@shared_task
def sweep() -> None:
    """Every minute: see to jobs whose worker died or whose message was lost."""
    jobs.fail_abandoned()
    finish_scorings()
    sent_before = timezone.now() - timedelta(seconds=settings.QUEUE_PATIENCE_SECONDS)
    enqueue(*Job.objects.stale(sent_before))
    forget_old_processes()


@shared_task
def train_after_changes() -> None:
    """Train when people have changed their lists often enough since the last time."""
    if 0 < settings.TRAIN_AFTER_CHANGES <= new_changes():
        train_now(JobCause.RATINGS)


_TASKS = {
    JobKind.TRAIN: train,
    JobKind.SCORE_SHARD: score_shard,
    JobKind.COUNT: add_counts,
    JobKind.COUNT_SHARD: count_shard,
}


def enqueue(*queued: Job) -> None:
    """Tell the workers of ``queued`` once the open transaction, if any, is committed."""
    sent = [job for job in queued if JobKind(job.kind) in _TASKS]
    Job.objects.filter(pk__in=[job.pk for job in sent]).update(enqueued=timezone.now())
    for job in sent:
        # Robust: while the broker is away the job stays queued, and the sweep sends it again.
        transaction.on_commit(_wake_up_call(_TASKS[JobKind(job.kind)], job.pk), robust=True)


def _wake_up_call(task: Any, job_id: int) -> Callable[[], None]:
    # Not functools.partial: Django names a robust function when it fails.
    def call() -> None:
        task.delay(job_id)

    return call


def train_now(cause: JobCause) -> None:
    """Queue a training, unless one is under way already."""
    try:
        job = start_training(cause=cause)
    except jobs.AlreadyRunningError:
        return
    enqueue(job)


def score_all(cause: JobCause = JobCause.PERSON) -> None:
    """Score every profile with the champion, unless that is under way already."""
    try:
        _parent, shards = start_scoring(cause=cause)
    except jobs.AlreadyRunningError:
        return
    enqueue(*shards)


@worker_init.connect
def name_worker(**_kwargs: Any) -> None:
    """Before the children are forked, so that all go by the name of their parent."""
    os.environ[jobs.WORKER_VARIABLE] = f"{socket.gethostname()}:{os.getpid()}"


@worker_shutting_down.connect
def hand_over_trainings(**_kwargs: Any) -> None:
    """A training would outlast the patience of whoever stops this worker: another one takes it."""
    enqueue(*jobs.hand_over(jobs.worker_name()))


@worker_ready.connect
def requeue_stale_jobs(**_kwargs: Any) -> None:
    """A worker that died took its messages along: whoever starts next picks the jobs up again."""
    jobs.fail_abandoned()
    remove_leftovers()
    finish_scorings()
    enqueue(*Job.objects.stale())
