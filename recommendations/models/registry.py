"""Published models, the one pointer to the champion, and the lists that batch scoring stored."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from recommendations.models.profiles import Profile


class ModelStatus(models.TextChoices):
    CANDIDATE = "candidate", _("Candidate")
    CHAMPION = "champion", _("Champion")
    RETIRED = "retired", _("Retired")
    REJECTED = "rejected", _("Rejected")
    BROKEN = "broken", _("Broken")


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def champion(self) -> Self:
        return self.filter(status=ModelStatus.CHAMPION)


class ModelVersion(models.Model):
    """A bundle in the model store. The row with status *champion* is the only pointer to what serves."""

    version = models.CharField(_("version"), max_length=64, unique=True)
    status = models.CharField(_("status"), max_length=10, choices=ModelStatus, default=ModelStatus.CANDIDATE)
    location = models.CharField(
        _("location"), max_length=500, help_text=_("The bundle's folder, relative to the model store.")
    )
    sha256 = models.CharField(_("SHA-256 of the manifest"), max_length=64, blank=True)
    size_bytes = models.PositiveBigIntegerField(_("size in bytes"), null=True, blank=True)
    fingerprint = models.CharField(_("data fingerprint"), max_length=64, blank=True)
    git_revision = models.CharField(max_length=40, blank=True)
    params = models.JSONField(_("parameters"), default=dict, blank=True)
    metrics = models.JSONField(_("metrics"), default=dict, blank=True)
    note = models.TextField(_("note"), blank=True)
    verdict = models.TextField(_("verdict"), blank=True, help_text=_("What the gate said of it, in words."))
    judged = models.JSONField(
        _("judged"), default=dict, blank=True, help_text=_("What the gate measured, beside the champion of then.")
    )
    decided = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        verbose_name=_("decided by"),
    )  # fmt: skip
    pruned = models.DateTimeField(_("files deleted"), null=True, blank=True)
    created = models.DateTimeField(_("published"), auto_now_add=True)
    activated = models.DateTimeField(_("activated"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("model version")
        ordering = ["-created"]
        constraints = [
            models.UniqueConstraint(
                fields=["status"], condition=models.Q(status="champion"), name="model_one_champion"
            )
        ]

    def __str__(self) -> str:
        return f"{self.version} ({self.get_status_display()})"


class ServingProcess(models.Model):
    """What a process serves from, as it last said: how admins see that all follow the champion, and an alarm."""

    name = models.CharField(_("process"), max_length=100, unique=True, help_text=_("host:pid"))
    version = models.CharField(_("serves version"), max_length=64, blank=True)
    problem = models.TextField(_("problem"), blank=True)
    started = models.DateTimeField(_("started"), auto_now_add=True)
    seen = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("serving process")
        verbose_name_plural = _("serving processes")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TopList(models.Model):
    """The list that batch scoring stored for a profile: for exports, and for when no model can be loaded.

    ``items`` is ``[[anime_id, score], ...]`` best first, with the site's default options.
    """

    profile = models.OneToOneField(Profile, on_delete=models.CASCADE, related_name="top_list")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="top_lists")
    profile_version = models.PositiveIntegerField()
    items = models.JSONField()
    created = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"top list of {self.profile}"
