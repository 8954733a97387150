"""What every page may need to know about the person in front of it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from accounts.models import TitleLanguage
from accounts.theme import theme_of


def site(request: HttpRequest) -> dict[str, Any]:
    """``title_language``: in which language titles are shown. ``theme``: auto, light or dark. ``here``: the
    address of the page that the person sees, which plain forms come back to (htmx requests have their own)."""
    user = getattr(request, "user", None)
    signed_in = user is not None and user.is_authenticated
    htmx = getattr(request, "htmx", None)
    return {
        "title_language": user.title_language if signed_in else TitleLanguage.ROMAJI.value,  # type: ignore[union-attr]
        "theme": theme_of(request),
        "here": (htmx and htmx.current_url_abs_path) or request.get_full_path(),
    }
