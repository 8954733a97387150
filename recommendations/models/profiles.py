"""The unit of recommendation: what somebody rated, watched, planned or hid."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ProfileSource(models.TextChoices):
    SITE = "site", _("This site")
    SAMPLE = "sample", _("Invented member of the sample")
    MAL = "mal", _("Member of a public MyAnimeList data set")


class ProfileQuerySet(models.QuerySet["Profile"]):
    def imported(self) -> Self:
        """Members of a data set, whom nobody can sign in as."""
        return self.exclude(source=ProfileSource.SITE)


class Profile(models.Model):
    """The list of a user, of a visitor without an account, or of a member of an imported data set.

    A user's has ``user``; a visitor's has neither user nor ``external_id`` and is known to one session only;
    an imported member's has ``source`` and ``external_id``. ``version`` grows with every change, so that
    what was computed from an older state is never taken for current.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="profile"
    )
    source = models.CharField(max_length=10, choices=ProfileSource, default=ProfileSource.SITE)
    external_id = models.CharField(max_length=40, blank=True)
    version = models.PositiveIntegerField(default=0)
    created = models.DateTimeField(auto_now_add=True)

    objects = ProfileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id"],
                condition=~models.Q(external_id=""),
                name="profile_one_per_imported_member",
            ),
            models.CheckConstraint(
                condition=models.Q(source="site", external_id="")
                | (~models.Q(source="site") & ~models.Q(external_id="") & models.Q(user=None)),
                name="profile_is_of_one_kind",
            ),
        ]

    def __str__(self) -> str:
        if self.user_id is not None:
            return str(self.user)
        if self.external_id:
            return f"{self.get_source_display()} {self.external_id}"
        return f"visitor {str(self.id)[:8]}"

    @property
    def is_imported(self) -> bool:
        return self.source != ProfileSource.SITE
