"""Errors that no view has answered: a page for people, problem details for apps."""

from __future__ import annotations

from http import HTTPStatus

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

API_PREFIX = "/api/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API_PREFIX):
        too_big = isinstance(exception, RequestDataTooBig)
        return _problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_big else HTTPStatus.BAD_REQUEST)
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API_PREFIX):
        return _problem(HTTPStatus.NOT_FOUND)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(API_PREFIX):
        return _problem(HTTPStatus.INTERNAL_SERVER_ERROR)
    return defaults.server_error(request)


def _problem(status: HTTPStatus) -> JsonResponse:
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": status.description}
    return JsonResponse(body, status=status, content_type="application/problem+json")
