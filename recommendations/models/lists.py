"""What stands on a person's list, and what they do not want to see."""

from __future__ import annotations

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models import Anime
from recommendations.models.profiles import Profile


class ListStatus(models.TextChoices):
    """The values are those of :class:`ml.types.Status`."""

    WATCHING = "watching", _("Watching")
    COMPLETED = "completed", _("Completed")
    ON_HOLD = "on_hold", _("On hold")
    DROPPED = "dropped", _("Dropped")
    PLANNED = "planned", _("Plan to watch")


class ListEntry(models.Model):
    """One title on one list: a status and, perhaps, a rating from 1 to 10 (NULL = not rated)."""

    # No index of its own: that of the unique constraint below begins with the profile.
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="entries", db_index=False)
    anime = models.ForeignKey(Anime, on_delete=models.CASCADE, related_name="entries")
    rating = models.PositiveSmallIntegerField(
        _("rating"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(10)]
    )
    status = models.CharField(_("status"), max_length=10, choices=ListStatus, default=ListStatus.COMPLETED)
    started = models.DateField(_("started"), null=True, blank=True)
    finished = models.DateField(_("finished"), null=True, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("list entry")
        verbose_name_plural = _("list entries")
        constraints = [
            models.UniqueConstraint(fields=["profile", "anime"], name="entry_once_per_profile_and_anime"),
            models.CheckConstraint(
                condition=models.Q(rating=None) | models.Q(rating__range=(1, 10)), name="entry_rating_1_to_10"
            ),
            models.CheckConstraint(condition=models.Q(status__in=ListStatus.values), name="entry_status_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.anime}: {self.rating or self.get_status_display()}"


class HiddenTitle(models.Model):
    """ "Not interested": never listed again, without pretending that it was watched or dropped."""

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="hidden_titles", db_index=False)
    anime = models.ForeignKey(Anime, on_delete=models.CASCADE, related_name="+")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["profile", "anime"], name="hidden_once_per_profile_and_anime")]

    def __str__(self) -> str:
        return f"{self.profile} hides {self.anime}"


class BulkChange(models.Model):
    """The last change of many entries of a list at once, kept so that it can be taken back.

    ``before`` is ``[[anime_id, rating, status, started, finished], ...]``; ``created`` is also the ``updated``
    of every entry that was changed, which tells those that have been changed since.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    profile = models.OneToOneField(Profile, on_delete=models.CASCADE, related_name="bulk_change")
    removed = models.BooleanField()
    size = models.PositiveIntegerField()
    before = models.JSONField()
    created = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.profile}: {self.size} entries at once"
