"""API errors as problem details (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler


def problem_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: the same status and headers, the body of RFC 9457.

    Validation errors carry ``errors``: a list of ``{"field": dotted path, "message": ...}``.
    """
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, Http404):
        error = exceptions.NotFound(str(error) or None)
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(response.status_code).phrase,
        "status": response.status_code,
    }
    if isinstance(error, exceptions.ValidationError):
        problem["errors"] = list(_flatten(error.detail))
        problem["detail"] = "; ".join(
            f"{item['field']}: {item['message']}" if item["field"] else item["message"]
            for item in problem["errors"][:5]
        )
    elif isinstance(error, exceptions.APIException):
        problem["detail"] = str(error.detail)
    response.data = problem
    response.content_type = "application/problem+json"
    return response


def _flatten(detail: Any, path: str = "") -> Any:
    if isinstance(detail, dict):
        for key, value in detail.items():
            name = "" if key == "non_field_errors" else str(key)
            yield from _flatten(value, ".".join(part for part in (path, name) if part))
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            nested = isinstance(value, dict | list)
            yield from _flatten(value, f"{path}[{index}]" if nested else path)
    else:
        yield {"field": path, "message": str(detail)}
