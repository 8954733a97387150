"""What a request may see, by the options of whoever makes it."""

from __future__ import annotations

from django.http import HttpRequest


def shows_adult(request: HttpRequest) -> bool:
    """Whether this person has opted in to adult titles; visitors have not."""
    return bool(request.user.is_authenticated and request.user.show_adult)
