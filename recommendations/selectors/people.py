"""What a member lets everybody see of their list."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from accounts.models import User, Visibility
from recommendations.models import ListEntry
from recommendations.selectors.library import LIBRARY_ORDERINGS


def public_member(username: str) -> User | None:
    """The member of this name, if they may sign in and have made their list public."""
    if "\0" in username:  # Postgres takes no NUL in a string
        return None
    return User.objects.filter(username=username, is_active=True, visibility=Visibility.PUBLIC).first()


@dataclass(frozen=True, slots=True)
class PublicList:
    """How many titles of each status, how many of all with a rating, the best rated and the last changed ones."""

    statuses: dict[str, int]
    rated: int
    best: list[ListEntry]
    recent: list[ListEntry]


def public_list(member: User, *, show_adult: bool, limit: int) -> PublicList:
    """The list of ``member`` as somebody else sees it, ``limit`` titles of each kind: three queries.

    What the member has hidden is no part of it; without ``show_adult`` adult titles are not even counted.
    """
    entries = ListEntry.objects.filter(profile__user=member)
    if not show_adult:
        entries = entries.filter(anime__is_adult=False)
    counts = entries.values_list("status").annotate(titles=Count("pk"), rated=Count("rating")).order_by()
    rows = list(counts)
    shown = entries.select_related("anime")
    return PublicList(
        statuses={status: titles for status, titles, _rated in rows},
        rated=sum(rated for _status, _titles, rated in rows),
        best=list(shown.filter(rating__isnull=False).order_by("-rating", *LIBRARY_ORDERINGS["updated"])[:limit]),
        recent=list(shown.order_by(*LIBRARY_ORDERINGS["updated"])[:limit]),
    )
