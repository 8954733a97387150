"""Training: a snapshot, `python -m ml train` in a process of its own, a published bundle.

The process is its own because TensorFlow is not fork-safe and gives memory back only by ending.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from accounts.models import User
from recommendations.models import Job, JobKind, ModelVersion
from recommendations.services import jobs
from recommendations.services.registry import activate, publish
from recommendations.services.snapshot import export_snapshot

logger = logging.getLogger(__name__)

Progress = Callable[[int, str], None]

# The snapshot takes this share of the progress bar, the training process the rest.
SNAPSHOT_PERCENT = 5
LOG_LINES_KEPT = 200
HEARTBEAT_SECONDS = 10.0
KILL_GRACE_SECONDS = 10


class TrainingError(Exception):
    """Training did not end in a bundle. ``str()`` is one line for people, ``log`` the process's last lines."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


def start_training(*, created_by: User | None = None) -> Job:
    """Queue a training; raises :class:`jobs.AlreadyRunningError` while one is unfinished. The caller enqueues it."""
    return jobs.create_job(JobKind.TRAIN, created_by=created_by)


def run_training(job_id: int, *, on_progress: Progress | None = None) -> ModelVersion | None:
    """Do the training ``job_id`` and make its model the champion; ``None`` if the job is not free to be taken.

    A failure ends the job as failed, with its log, and raises :class:`TrainingError`.
    """
    job = jobs.claim(job_id)
    if job is None:
        return None

    def report(percent: int, message: str) -> None:
        jobs.heartbeat(job, percent=percent, message=message)
        if on_progress is not None:
            on_progress(percent, message)

    folder = Path(settings.TRAINING_DIR) / f"job-{job.pk}"
    shutil.rmtree(folder, ignore_errors=True)  # what an attempt that was killed left behind
    try:
        report(0, "Exporting a snapshot")
        counts = export_snapshot(folder / "snapshot")
        report(SNAPSHOT_PERCENT, f"{counts['ratings']:,} ratings of {counts['anime']:,} titles")
        _train(folder / "snapshot", folder / "bundle", report)
        model = activate(publish(folder / "bundle", created_by=job.created_by))
    except jobs.LeaseLostError:
        logger.warning("training job %s was taken over or ended; this attempt stops", job.pk)
        raise
    except TrainingError as error:
        jobs.fail(job, message=str(error), log=error.log)
        raise
    except Exception as error:
        jobs.fail(job, message=f"{type(error).__name__}: {error}")
        raise
    except BaseException:  # Ctrl-C, or the worker is being shut down
        jobs.release(job)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    jobs.succeed(job, message=f"Model {model.version} is champion")
    return model


def _train(snapshot: Path, bundle: Path, report: Progress) -> None:
    """Run the training process; pass on its progress; end it when the lease is lost or time is up."""
    command = [
        sys.executable, "-m", "ml", "train", "--data", str(snapshot), "--out", str(bundle),
        "--params", str(settings.TRAINING_PARAMS), "--progress", "json",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        log = _follow(process, report)
    finally:
        if process.poll() is None:
            _end(process)
    if process.returncode != 0:
        last = log[-1] if log else "no output"
        raise TrainingError(f"Training ended with exit code {process.returncode}: {last}", "\n".join(log))


def _follow(process: subprocess.Popen[str], report: Progress) -> deque[str]:
    """Read the process's lines until it ends, renewing the lease also while it says nothing."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stderr is not None  # noqa: S101 - asked for above
        for line in process.stderr:
            lines.put(line.rstrip("\n"))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    log: deque[str] = deque(maxlen=LOG_LINES_KEPT)
    percent, message = SNAPSHOT_PERCENT, "Training starts"
    deadline = time.monotonic() + settings.TRAINING_TIME_LIMIT_SECONDS
    while True:
        try:
            line = lines.get(timeout=HEARTBEAT_SECONDS)
        except queue.Empty:
            line = ""
        if line is None:
            process.wait()
            return log
        if time.monotonic() > deadline:
            limit = settings.TRAINING_TIME_LIMIT_SECONDS
            raise TrainingError(f"Training took longer than {limit} s and was ended", "\n".join(log))
        progress = _parse_progress(line)
        if progress is None:
            if line:
                log.append(line)
        else:
            percent = SNAPSHOT_PERCENT + int(progress[0] * (100 - SNAPSHOT_PERCENT) / 100)
            message = progress[1]
        report(min(percent, 99), message)


def _parse_progress(line: str) -> tuple[float, str] | None:
    if not line.startswith("{"):
        return None
    try:
        fields = json.loads(line)
        return float(fields["percent"]), str(fields["message"])
    except (ValueError, KeyError, TypeError):
        return None


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(KILL_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
