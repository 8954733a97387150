"""Counting who watched what together by shards of people, each in whichever worker is free.

A shard is a range of profile ids. It is counted by `python -m ml gram` into a file of its own in ``GRAM_DIR``, a
folder that all workers share; whoever takes the parent job after the last shard adds the files. Of each shard the
file of its last attempt is added, so a shard whose worker died is simply taken up by another.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import uuid
from contextlib import ExitStack, suppress
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.models import User
from recommendations.models import Job, JobCause, JobKind, JobState, Profile
from recommendations.models.jobs import UNFINISHED
from recommendations.services import jobs
from recommendations.services.child import ChildError, Limits, run_child
from recommendations.services.judges import is_judge, judge_share
from recommendations.services.run import Run
from recommendations.services.scoring import shards_of_profiles
from recommendations.services.snapshot import RATINGS, lists_of, opened, watched, write_anime
from recommendations.services.training import list_changes

logger = logging.getLogger(__name__)

# Where on the way from 0 to 100 percent a stage begins: of a shard, and the adding of shards.
EXPORT, COUNT, ADD = 0, 30, 90
ADDED = "sum.gram"


class CountingError(Exception):
    """A counting did not end in a file; ``str()`` is one line for people."""


def start_counting(
    *, created_by: User | None = None, cause: JobCause = JobCause.PERSON, training: Job | None = None
) -> tuple[Job, list[Job]]:
    """Queue the counting of all lists: the job, and one child a shard (the corpus, if there is one, is one of them).
    The caller enqueues the children. ``training``: the one that waits for it.

    Raises :class:`jobs.AlreadyRunningError` while a counting is unfinished, :class:`CountingError` if there is nobody
    to count.
    """
    payload = {
        "profiles": Profile.objects.count(),
        "changes": list_changes(),
        "training": None if training is None else training.pk,
    }
    most = settings.COUNTING_SHARD_PROFILES
    shards: list[dict[str, object]] = [
        {"first": str(shard.first), "last": str(shard.last), "before": most * number}
        for number, shard in enumerate(shards_of_profiles(most))
    ]
    if settings.TRAINING_CORPUS:
        shards.append({"corpus": settings.TRAINING_CORPUS})
    if not shards:
        raise CountingError("there is nobody whose list could be counted")
    with transaction.atomic():
        parent = jobs.create_job(JobKind.COUNT, created_by=created_by, cause=cause, payload=payload)
        children = Job.objects.bulk_create(
            [Job(kind=JobKind.COUNT_SHARD, parent=parent, cause=cause, payload=shard) for shard in shards],
            batch_size=settings.WRITE_BATCH_ROWS,
        )
    return parent, children


def run_counting_shard(job_id: int) -> Path | None:
    """Count one shard; answer its file, ``None`` if the job is not free to be taken or was cancelled on the way."""
    job = jobs.claim(job_id)
    if job is None:
        return None
    run = Run(job)
    # The name of a training's folder: what a worker that is killed leaves there is removed in the same way.
    folder = Path(settings.TRAINING_DIR) / f"job-{job.pk}"
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        file = _count(job, folder, run)
    except jobs.LeaseLostError:
        logger.warning("counting job %s was cancelled or ended by somebody else; this attempt stops", job.pk)
        return None
    except Exception as error:
        jobs.fail(job, message=_words(error), log=run.log)
        raise
    except BaseException:  # the worker is being shut down
        jobs.release(job)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    jobs.succeed(job, message=f"Counted into {file.name}")
    _note_progress(_parent(job).pk)
    return file


def counted_countings() -> list[Job]:
    """Countings of which every shard has ended: their shards can be added."""
    at_work = Job.objects.unfinished().filter(parent=OuterRef("pk"))
    return list(Job.objects.filter(kind=JobKind.COUNT, state=JobState.QUEUED).exclude(Exists(at_work)))


def run_counting(job_id: int) -> Path | None:
    """Add what the shards of counting ``job_id`` have counted; answer the file, whose path the job's payload then
    holds under ``gram``. ``None``: shards are still at work, or the job is not free to be taken."""
    if Job.objects.unfinished().filter(parent=job_id).exists():
        return None
    job = jobs.claim(job_id)
    if job is None:
        return None
    run = Run(job)
    try:
        file = _add(job, run)
    except jobs.LeaseLostError:
        return None
    except Exception as error:
        jobs.fail(job, message=_words(error), log=run.log)
        raise
    except BaseException:  # the worker is being shut down
        jobs.release(job)
        raise
    Job.objects.filter(pk=job.pk).update(payload={**job.payload, "gram": str(file)})
    jobs.succeed(job, message=f"Added {job.children.count()} shards into {file}")
    _remove_all_but(file.parent)
    return file


def count_before(training_id: int) -> list[Job] | None:
    """What a training has to wait for: jobs to enqueue, or none where they are under way already. ``None``: it may
    begin. A training whose counting has failed is ended as failed."""
    training = Job.objects.get(pk=training_id)
    if not settings.TRAINING_SHARDED or training.state != JobState.QUEUED or "counted" in training.payload:
        return None
    counting = Job.objects.filter(kind=JobKind.COUNT, payload__training=training.pk).order_by("-pk").first()
    if counting is None:
        try:
            return start_counting(created_by=training.created_by, cause=JobCause(training.cause), training=training)[
                1
            ]
        except jobs.AlreadyRunningError:
            return []  # somebody else's; the sweep sends the training again
        except CountingError as error:
            _fail(training_id, str(error))
            return []
    if counting.state in UNFINISHED:
        return []
    if counting.state != JobState.SUCCEEDED:
        _fail(training_id, f"{counting}. {counting.message}")
        return []
    counted = {name: counting.payload[name] for name in ("gram", "profiles", "changes")}
    Job.objects.filter(pk=training_id).update(payload={**training.payload, "counted": counted})
    return None


def training_after(counting_id: int) -> list[Job]:
    """The training that waits for counting ``counting_id``, if that has ended."""
    counting = Job.objects.get(pk=counting_id)
    training_id = counting.payload.get("training")
    if training_id is None or counting.state in UNFINISHED:
        return []
    return list(Job.objects.filter(pk=training_id, state=JobState.QUEUED))


def _count(job: Job, folder: Path, run: Run) -> Path:
    counting = _parent(job)
    shared = _shared(counting)
    shared.mkdir(parents=True, exist_ok=True)
    run.begin("export", EXPORT, COUNT, "Exporting lists")
    ratings = job.payload.get("corpus")
    if ratings is None:
        ratings = folder / RATINGS
        _export_lists(job, counting.payload["profiles"], ratings, run)
    run.begin("count", COUNT, 100, "Counting who watched what together")
    file = _file_of(job, shared)
    _run_ml("Counting", run, "--data", str(_catalogue(shared)), "--ratings", str(ratings), "--out", str(file),
            "--params", str(settings.TRAINING_PARAMS))  # fmt: skip
    return file


def _add(job: Job, run: Run) -> Path:
    shared = _shared(job)
    shards = list(job.children.order_by("pk"))
    failed = [shard for shard in shards if shard.state != JobState.SUCCEEDED]
    if failed:
        raise CountingError(f"{len(failed)} of {len(shards)} shards failed, the first: {failed[0].message}")
    run.begin("add", ADD, 100, f"Adding {len(shards)} shards")
    files = [_file_of(shard, shared) for shard in shards]
    _run_ml("Adding", run, "--add", *map(str, files), "--out", str(shared / ADDED))
    for file in files:
        file.unlink(missing_ok=True)
    return shared / ADDED


def _run_ml(name: str, run: Run, *arguments: str) -> None:
    limits = Limits(settings.TRAINING_TIME_LIMIT_SECONDS, settings.TRAINING_MEMORY_LIMIT_MIB)
    command = ["-m", "ml", "gram", *arguments, "--progress", "json", "--end-with-parent"]
    run_child(name, command, limits, on_line=run.on_line, on_look=run.on_look)


def _export_lists(job: Job, profiles: int, path: Path, run: Run) -> None:
    """The lists of a shard, without those of judges. Members are numbered through all shards."""
    share = judge_share(profiles)
    first, last = uuid.UUID(job.payload["first"]), uuid.UUID(job.payload["last"])
    with ExitStack() as stack:
        writer = opened(stack, path)
        lists = lists_of(watched().filter(profile__pk__range=(first, last)))
        for member, (key, lines) in enumerate(lists, start=int(job.payload["before"]) + 1):
            if not is_judge(key, share):
                writer.writerows((member, *line) for line in lines)
            run.on_look()


def _catalogue(shared: Path) -> Path:
    """The folder of the titles as the first shard found them: all shards must count the same."""
    folder = shared / "catalogue"
    if not folder.is_dir():
        aside = Path(tempfile.mkdtemp(prefix=".catalogue.", dir=shared))
        write_anime(aside / "anime.csv")
        with suppress(OSError):  # another shard was quicker: a folder that holds something is not replaced
            aside.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def _parent(shard: Job) -> Job:
    assert shard.parent is not None  # noqa: S101 - shards have one
    return shard.parent


def _shared(counting: Job) -> Path:
    return Path(settings.GRAM_DIR) / f"count-{counting.pk}-{counting.created:%Y%m%d%H%M%S}"


def _file_of(shard: Job, shared: Path) -> Path:
    """By attempt: a worker that was thought dead and comes back writes where nobody reads."""
    return shared / f"shard-{shard.pk}-{shard.attempts}.gram"


def _remove_all_but(folder: Path) -> None:
    """Delete what older countings left: only one is under way at a time, and its training is the only one."""
    for old in folder.parent.glob("count-*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)


def _note_progress(counting_id: int) -> None:
    states = list(Job.objects.filter(parent=counting_id).values_list("state", flat=True))
    ended = sum(state not in UNFINISHED for state in states)
    Job.objects.filter(pk=counting_id, state=JobState.QUEUED).update(
        percent=ADD * ended // max(1, len(states)), message=f"{ended} of {len(states)} shards counted"
    )


def _fail(training_id: int, message: str) -> None:
    job = jobs.claim(training_id)
    if job is not None:
        jobs.fail(job, message=message)


def _words(error: Exception) -> str:
    known = isinstance(error, ChildError | CountingError)
    return str(error) if known else f"{type(error).__name__}: {error}"
