"""People who sign in, their options, and the tokens of their apps."""

import hashlib
import secrets
from datetime import timedelta
from typing import Self

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class TitleLanguage(models.TextChoices):
    ROMAJI = "romaji", _("Romaji")
    ENGLISH = "english", _("English")
    JAPANESE = "japanese", _("Japanese")


class Theme(models.TextChoices):
    AUTO = "auto", _("Like my device")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class Visibility(models.TextChoices):
    PRIVATE = "private", _("Nobody but me")
    PUBLIC = "public", _("Everybody, on a page of my own")


class User(AbstractUser):
    """A member of the site."""

    title_language = models.CharField(
        _("title language"), max_length=10, choices=TitleLanguage, default=TitleLanguage.ROMAJI
    )
    show_adult = models.BooleanField(_("show adult titles"), default=False)
    # The database knows the defaults of these two: the release before, which does not, must still sign people up.
    theme = models.CharField(
        _("theme"), max_length=10, choices=Theme, blank=True, default="", db_default="",
        help_text=_("Empty: never chosen, the browser's own choice counts."),
    )  # fmt: skip
    visibility = models.CharField(
        _("who sees the list"), max_length=10, choices=Visibility, default=Visibility.PRIVATE,
        db_default=Visibility.PRIVATE,
    )  # fmt: skip

    class Meta(AbstractUser.Meta):
        pass


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def usable(self) -> Self:
        """Tokens that have not expired, of people who may sign in."""
        now = timezone.now()
        return self.filter(models.Q(expires=None) | models.Q(expires__gt=now), user__is_active=True)


class ApiToken(models.Model):
    """A personal API token. The token itself is shown once; only its SHA-256 is stored."""

    # "last used" is a help for people, not a log: writing it on every request would cost a write per read.
    LAST_USED_RESOLUTION = timedelta(minutes=10)

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created = models.DateTimeField(auto_now_add=True)
    last_used = models.DateTimeField(null=True, blank=True, editable=False)
    expires = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.name} ({self.user})"

    @staticmethod
    def digest_of(token: str) -> str:
        # A token has 256 random bits, so a plain hash cannot be searched; a slow one would tax every request.
        return hashlib.sha256(token.encode()).hexdigest()

    @classmethod
    def issue(cls, user: User, name: str) -> tuple["ApiToken", str]:
        """Store a new token of ``user``; return the row and the token, which nobody can read again."""
        token = f"arec_{secrets.token_urlsafe(32)}"
        return cls.objects.create(user=user, name=name, digest=cls.digest_of(token)), token
