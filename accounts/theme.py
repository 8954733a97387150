"""Light or dark: a cookie says what this browser shows, the account what a new browser begins with.

The cookie alone decides how a page looks, so that visitors can choose as well and a page that says that the
database is away still looks as it should.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase

from accounts.models import Theme, User

THEME_COOKIE = "theme"
THEME_SECONDS = 365 * 24 * 3600


def theme_of(request: HttpRequest) -> str:
    """The theme that this browser shows: auto, light or dark."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return theme if theme in Theme.values else Theme.AUTO.value


def keep_theme(response: HttpResponseBase, theme: str, request: HttpRequest) -> None:
    """Let the browser of ``request`` show ``theme`` from now on."""
    response.set_cookie(THEME_COOKIE, theme, max_age=THEME_SECONDS, samesite="Lax", secure=request.is_secure())


def bring_theme(response: HttpResponseBase, user: User, request: HttpRequest) -> None:
    """On signing in the account's theme wins; an account that has none takes that of the browser."""
    if user.theme:
        keep_theme(response, user.theme, request)
    elif request.COOKIES.get(THEME_COOKIE) in Theme.values:
        user.theme = request.COOKIES[THEME_COOKIE]
        user.save(update_fields=["theme"])
