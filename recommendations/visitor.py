"""A visitor without an account: their session, and nothing else, knows the id of their profile."""

import uuid

from django.http import HttpRequest

SESSION_KEY = "visitor_profile"


def visitor_profile_id(request: HttpRequest) -> uuid.UUID | None:
    """The id this session remembers, if any. It comes from our own signed session, never from the URL."""
    value = request.session.get(SESSION_KEY)
    return uuid.UUID(value) if value else None


def remember_visitor(request: HttpRequest, profile_id: uuid.UUID) -> None:
    request.session[SESSION_KEY] = str(profile_id)


def forget_visitor(request: HttpRequest) -> None:
    request.session.pop(SESSION_KEY, None)
