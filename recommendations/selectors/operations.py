"""What admins look at: what is wrong and what to do about it, what runs, and how the versions compare."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recommendations.models import Job, JobKind, JobState, ModelVersion
from recommendations.selectors import serving

# What the operations page shows of each, so that it costs the same however long a site has been running.
VERSIONS_SHOWN = 20
RUNS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Alarm:
    """What is wrong, and what to do about it."""

    words: str
    remedy: str


def champion() -> ModelVersion | None:
    """The champion, and who decided it."""
    return ModelVersion.objects.champion().select_related("decided_by").first()


def newest_versions() -> list[ModelVersion]:
    """The newest versions, oldest first, without their bulky columns."""
    rows = ModelVersion.objects.defer("params", "judged", "note", "verdict")
    return list(rows.order_by("-created")[:VERSIONS_SHOWN])[::-1]


def last_training() -> Job | None:
    """The training that is under way or, if there is none, the last one."""
    rows = Job.objects.filter(kind=JobKind.TRAIN).select_related("model_version", "created_by")
    return rows.order_by("-created").first()


def last_runs() -> list[Job]:
    """The newest trainings and scorings; of a scoring not each shard."""
    rows = Job.objects.exclude(kind=JobKind.SCORE_SHARD).select_related("model_version", "created_by")
    return list(rows.defer("log", "payload").order_by("-created")[:RUNS_SHOWN])


def unfinished_counts() -> dict[str, int]:
    """How many jobs are queued and how many are running; a scoring counts by its shards."""
    rows = (
        Job.objects.unfinished().exclude(kind=JobKind.SCORE).order_by().values_list("state").annotate(n=Count("pk"))
    )
    found = dict(rows)
    return {state.value: found.get(state.value, 0) for state in (JobState.QUEUED, JobState.RUNNING)}


def shard_counts(job: Job) -> list[tuple[str, int]]:
    """How many shards of a scoring are in which state, in words; empty for a job that has none."""
    found = dict(job.children.order_by().values_list("state").annotate(n=Count("pk")))
    return [(str(state.label), found[state.value]) for state in JobState if state.value in found]


def alarms(now_champion: ModelVersion | None, training: Job | None) -> list[Alarm]:
    """What admins have to see to. ``now_champion``, ``training``: of :func:`champion` and :func:`last_training`."""
    found = [
        Alarm(
            words, _("Roll back to the version before, or publish the bundle again; the process follows by itself.")
        )
        for words in serving.alarms()
    ]
    if now_champion is None:
        found.append(
            Alarm(
                _("No model is champion: lists show what most people like."),
                _("Train a model, or make one of the versions champion."),
            )
        )
    if training is not None and training.state == JobState.FAILED:
        found.append(
            Alarm(
                _("The last training failed: %(why)s") % {"why": training.message},
                _("The champion serves on. Read the log of the run, and train again."),
            )
        )
    return found + _nobody_takes_jobs()


def _nobody_takes_jobs() -> list[Alarm]:
    now = timezone.now()
    waiting = Job.objects.exclude(kind=JobKind.SCORE).filter(
        state=JobState.QUEUED, created__lt=now - timedelta(seconds=settings.QUEUE_PATIENCE_SECONDS)
    )
    # Where somebody works the others only wait their turn.
    if Job.objects.filter(state=JobState.RUNNING, lease_until__gte=now).exists() or not (count := waiting.count()):
        return []
    minutes = settings.QUEUE_PATIENCE_SECONDS // 60
    words = ngettext(
        "%(count)s job has been waiting for more than %(minutes)s minutes, and no worker takes it.",
        "%(count)s jobs have been waiting for more than %(minutes)s minutes, and no worker takes them.",
        count,
    )
    remedy = _("See whether the worker and the broker run; jobs are taken up again by themselves.")
    return [Alarm(words % {"count": count, "minutes": minutes}, remedy)]
