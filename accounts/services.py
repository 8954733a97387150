"""Leaving: an account goes with all that hangs on it, in a few statements whatever the length of the list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import router, transaction
from django.db.models import Model
from django.db.models.deletion import Collector

from accounts.models import User


@transaction.atomic
def delete_accounts(users: Iterable[User]) -> None:
    """Delete ``users`` with lists, tokens and signed-in devices.

    Django deletes what nothing else hangs on (the entries of a list) by one statement that loads no row.
    """
    for user in users:
        signed_in = UserSession.objects.filter(user=user).values("session_key")
        Session.objects.filter(session_key__in=signed_in).delete()
        user.delete()


def rows_deleted_with(users: Iterable[User]) -> Counter[type[Model]]:
    """How many rows of which model :func:`delete_accounts` would delete: counted, not loaded."""
    users = list(users)
    collector = Collector(using=router.db_for_write(User))
    collector.collect(users)
    rows: Counter[type[Model]] = Counter({model: len(found) for model, found in collector.data.items()})
    for queryset in collector.fast_deletes:
        rows[queryset.model] += queryset.count()
    return +rows
