"""Long work and where it stands. The row is the truth; a queue message is only a wake-up call."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class JobKind(models.TextChoices):
    TRAIN = "train", _("Training")
    SCORE = "score", _("Scoring of all profiles")
    SCORE_SHARD = "score_shard", _("Scoring of one shard")
    COUNT = "count", _("Counting for a training")
    COUNT_SHARD = "count_shard", _("Counting of one shard")


class JobState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class JobCause(models.TextChoices):
    """What a job was started by."""

    PERSON = "person", _("A person")
    SCHEDULE = "schedule", _("The schedule")
    RATINGS = "ratings", _("New ratings")
    PROMOTION = "promotion", _("A new champion")


SHARD_KINDS = (JobKind.SCORE_SHARD, JobKind.COUNT_SHARD)
UNFINISHED = (JobState.QUEUED, JobState.RUNNING)


class JobQuerySet(models.QuerySet["Job"]):
    def unfinished(self) -> Self:
        return self.filter(state__in=UNFINISHED)

    def stale(self, sent_before: datetime | None = None) -> Self:
        """Jobs nobody works on: running past their lease, or queued with a message that may be lost.

        ``sent_before``: of the queued ones only those whose last message is older."""
        queued = models.Q(state=JobState.QUEUED)
        if sent_before is not None:
            queued &= models.Q(enqueued=None) | models.Q(enqueued__lt=sent_before)
        return self.filter(queued | models.Q(state=JobState.RUNNING, lease_until__lt=timezone.now()))


class Job(models.Model):
    """One training, or the scoring of all profiles or the counting of their lists, or of one shard of them."""

    kind = models.CharField(_("kind"), max_length=12, choices=JobKind)
    state = models.CharField(_("state"), max_length=10, choices=JobState, default=JobState.QUEUED)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="children")
    cause = models.CharField(_("cause"), max_length=10, choices=JobCause, default=JobCause.PERSON)
    payload = models.JSONField(default=dict, blank=True)
    stage = models.CharField(_("stage"), max_length=40, blank=True)
    percent = models.PositiveSmallIntegerField(_("percent"), default=0)
    message = models.CharField(_("message"), max_length=500, blank=True)
    log = models.TextField(_("log"), blank=True)
    metrics = models.JSONField(_("metrics so far"), default=dict, blank=True)
    model_version = models.ForeignKey(
        "recommendations.ModelVersion", null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs",
        verbose_name=_("model version"),
    )  # fmt: skip
    worker = models.CharField(_("worker"), max_length=100, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    created = models.DateTimeField(_("created"), auto_now_add=True)
    enqueued = models.DateTimeField(_("last sent to the queue"), null=True, blank=True)
    started = models.DateTimeField(_("started"), null=True, blank=True)
    finished = models.DateTimeField(_("finished"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind"],
                condition=models.Q(kind__in=["train", "score", "count"], state__in=["queued", "running"]),
                name="job_one_of_a_kind_at_a_time",
            )
        ]
        indexes = [models.Index(fields=["state", "lease_until"], name="job_by_state")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}: {self.get_state_display()}"
