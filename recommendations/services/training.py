"""Training in operation: a snapshot, `python -m ml train` in a process of its own, a candidate, and its verdict."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from django.conf import settings
from django.db.models import Sum

from accounts.models import User
from recommendations.models import Job, JobCause, JobKind, JobState, ModelVersion, Profile
from recommendations.services import gate, jobs
from recommendations.services.child import ChildError, Limits, run_child
from recommendations.services.registry import publish
from recommendations.services.run import Listener, Run
from recommendations.services.snapshot import export_snapshot

logger = logging.getLogger(__name__)

# Where on the way from 0 to 100 percent each stage begins.
SNAPSHOT, TRAIN, PUBLISH, GATE, DECIDE = 0, 5, 88, 90, 99


class TrainingError(Exception):
    """Training did not end in a model. ``str()`` is one line for people, ``log`` what the run said until then."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


def start_training(*, created_by: User | None = None, cause: JobCause = JobCause.PERSON) -> Job:
    """Queue a training; raises :class:`jobs.AlreadyRunningError` while one is unfinished. The caller enqueues it."""
    return jobs.create_job(JobKind.TRAIN, created_by=created_by, cause=cause)


def run_training(job_id: int, *, on_progress: Listener | None = None) -> ModelVersion | None:
    """Do the training ``job_id``; its model is champion or rejected then, with the verdict. ``None``: the job is not
    free to be taken, or was cancelled on the way.

    A failure ends the job as failed, with its log, and raises :class:`TrainingError`.
    """
    job = jobs.claim(job_id)
    if job is None:
        return None
    run = Run(job, on_progress)
    remove_leftovers()
    folder = Path(settings.TRAINING_DIR) / f"job-{job.pk}"
    try:
        model = _train(job, folder, run)
    except jobs.LeaseLostError:
        logger.warning("training job %s was cancelled or ended by somebody else; this attempt stops", job.pk)
        return None
    except ChildError as error:
        jobs.fail(job, message=str(error), log=run.log)
        raise TrainingError(str(error), run.log) from error
    except Exception as error:
        jobs.fail(job, message=f"{type(error).__name__}: {error}", log=run.log)
        raise
    except BaseException:  # Ctrl-C, or the worker is being shut down
        jobs.release(job)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    jobs.succeed(job, message=model.verdict, model_version_id=model.pk)
    return model


def new_changes() -> int:
    """How many changes of lists there were since the last training that ended well began."""
    last = Job.objects.filter(kind=JobKind.TRAIN, state=JobState.SUCCEEDED).order_by("-started").first()
    return list_changes() - (last.payload.get("changes", 0) if last else 0)


def remove_leftovers() -> None:
    """Delete what trainings that were killed left in this machine's ``TRAINING_DIR``."""
    for folder in Path(settings.TRAINING_DIR).glob("job-*"):
        running = Job.objects.filter(state=JobState.RUNNING, pk=_number(folder))
        if not running.exists():
            shutil.rmtree(folder, ignore_errors=True)


def _train(job: Job, folder: Path, run: Run) -> ModelVersion:
    shutil.rmtree(folder, ignore_errors=True)  # what an attempt that was stopped left behind
    run.begin("snapshot", SNAPSHOT, TRAIN, "Exporting a snapshot")
    # What was counted beforehand by shards of people, if anything was: then the snapshot holds a sample of them.
    counted = job.payload.get("counted", {})
    Job.objects.filter(pk=job.pk).update(payload={**job.payload, "changes": counted.get("changes", list_changes())})
    counts = export_snapshot(
        folder / "snapshot",
        sample_members=settings.TRAINING_SAMPLE_MEMBERS if counted else None,
        profiles=counted.get("profiles"),
    )
    words = "{ratings:,} ratings of {anime:,} titles; {judges:,} members judge".format(**counts)
    run.begin("train", TRAIN, PUBLISH, words)
    arguments = [
        "-m", "ml", "train", "--data", str(folder / "snapshot"), "--out", str(folder / "bundle"),
        "--params", str(settings.TRAINING_PARAMS), "--progress", "json", "--end-with-parent",
        *(["--join", settings.TRAINING_CORPUS] if settings.TRAINING_CORPUS else []),
        *(["--gram", counted["gram"]] if counted else []),
    ]  # fmt: skip
    limits = Limits(settings.TRAINING_TIME_LIMIT_SECONDS, settings.TRAINING_MEMORY_LIMIT_MIB)
    run_child("Training", arguments, limits, on_line=run.on_line, on_look=run.on_look)
    run.begin("publish", PUBLISH, GATE, "Putting the model into the store")
    model = publish(folder / "bundle", created_by=job.created_by)
    run.begin("gate", GATE, DECIDE, f"Judging {model.version} beside the champion")
    verdict = gate.judge(model, folder / "snapshot", folder / "verdict.json", run)
    run.begin("decide", DECIDE, DECIDE, verdict["words"])
    return gate.decide(model, verdict, by=job.created_by)


def list_changes() -> int:
    """Grows by one with every change of a list."""
    return Profile.objects.aggregate(changes=Sum("version"))["changes"] or 0


def _number(folder: Path) -> int:
    digits = folder.name.removeprefix("job-")
    return int(digits) if digits.isdecimal() else 0
