"""Errors that no view has answered: a page for people, problem details for apps."""

from __future__ import annotations

import re
import sys
from http import HTTPStatus

from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import Resolver404

from accounts.options import shows_adult
from accounts.theme import theme_of
from catalog.models import Anime
from catalog.search import search

API_PREFIX = "/api/"
TITLES_PREFIX = "/anime/"
TITLES_MEANT = 6
RETRY_AFTER_SECONDS = 30


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API_PREFIX):
        too_big = isinstance(exception, RequestDataTooBig)
        return _problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_big else HTTPStatus.BAD_REQUEST)
    return _plain_page(request, HTTPStatus.BAD_REQUEST)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _plain_page(request, HTTPStatus.FORBIDDEN, template="403_csrf.html")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Nothing is there; where an address names a title in words, titles that are called so are offered."""
    if request.path.startswith(API_PREFIX):
        return _problem(HTTPStatus.NOT_FOUND)
    wanted = _title_in(request.path) if isinstance(exception, Resolver404) else ""
    titles: list[Anime] = []
    if wanted:
        visible = Anime.objects.visible_to(show_adult=_shows_adult(request))
        titles = list(search(visible, wanted)[:TITLES_MEANT])
    return render(request, "404.html", {"wanted": wanted, "titles": titles}, status=HTTPStatus.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 where the error is that the database is away: that is nobody's mistake and passes."""
    # Django calls this while it handles the error.
    away = _is_database_away(sys.exception())
    status = HTTPStatus.SERVICE_UNAVAILABLE if away else HTTPStatus.INTERNAL_SERVER_ERROR
    response = _problem(status) if request.path.startswith(API_PREFIX) else _plain_page(request, status)
    if away:
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _is_database_away(error: BaseException | None) -> bool:
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    try:
        return connection.connection is None or not connection.is_usable()
    except DatabaseError:
        return True


def _title_in(path: str) -> str:
    """The words of an address such as ``/anime/1/cowboy-bebop/``, which other sites have."""
    words = re.split(r"[\W_]+", path.removeprefix(TITLES_PREFIX)) if path.startswith(TITLES_PREFIX) else []
    if words and words[0].isdigit():
        words = words[1:]
    return " ".join(filter(None, words))


def _shows_adult(request: HttpRequest) -> bool:
    # The error may have come before the middleware that knows who asks.
    return hasattr(request, "user") and shows_adult(request)


def _plain_page(request: HttpRequest, status: HTTPStatus, *, template: str = "") -> HttpResponse:
    """A page that needs neither the database nor anything else that may be broken."""
    page = render_to_string(template or f"{status.value}.html", {"theme": theme_of(request)})
    return HttpResponse(page, status=status)


def _problem(status: HTTPStatus) -> JsonResponse:
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": status.description}
    return JsonResponse(body, status=status, content_type="application/problem+json")
