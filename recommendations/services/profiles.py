"""Profiles come into being with the first entry and change hands when a visitor signs in."""

from __future__ import annotations

import uuid

from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import HttpRequest

from accounts.models import User
from recommendations.models import HiddenTitle, ListEntry, Profile
from recommendations.selectors.profiles import current_profile
from recommendations.visitor import remember_visitor


def profile_of_user(user: User) -> Profile:
    """The profile of ``user``, made on first use."""
    return Profile.objects.get_or_create(user=user)[0]


def writable_profile(request: HttpRequest) -> Profile:
    """The profile that this request may write to, made if need be; a visitor's is noted in the session."""
    if request.user.is_authenticated:
        return profile_of_user(request.user)
    profile = current_profile(request)
    if profile is None:
        profile = Profile.objects.create()
        remember_visitor(request, profile.id)
    return profile


def touch(profile: Profile) -> None:
    """Count a change of ``profile``: lists computed before are no longer current."""
    Profile.objects.filter(pk=profile.pk).update(version=F("version") + 1)
    profile.refresh_from_db(fields=["version"])


@transaction.atomic
def claim_visitor_profile(*, user: User, visitor_profile_id: uuid.UUID) -> Profile:
    """Give ``user`` what a visitor put on their list; where both have an entry, the user's own stays.

    Twice is the same as once: a profile that is gone, or belongs to somebody, is left alone.
    """
    visitor = Profile.objects.select_for_update().filter(pk=visitor_profile_id, user=None, external_id="").first()
    own = Profile.objects.select_for_update().filter(user=user).first()
    if visitor is None:
        return own or profile_of_user(user)
    if own is None:
        visitor.user = user
        try:
            with transaction.atomic():
                visitor.save(update_fields=["user"])
        except IntegrityError:  # a request beside this one has just made the user's own profile
            own = Profile.objects.select_for_update().get(user=user)
        else:
            return visitor
    visitor.entries.exclude(anime__in=ListEntry.objects.filter(profile=own).values("anime")).update(profile=own)
    visitor.hidden_titles.exclude(anime__in=HiddenTitle.objects.filter(profile=own).values("anime")).update(
        profile=own
    )
    visitor.delete()
    touch(own)
    return own
