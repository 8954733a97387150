"""Liveness and readiness, answered before the host check and the HTTPS redirect: probes know no host name."""

from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from recommendations.services.engine import engine_status


class HealthMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz/live":
            return JsonResponse({"status": "ok"})
        if request.path == "/healthz/ready":
            return self.ready()
        return self.get_response(request)

    @staticmethod
    def ready() -> JsonResponse:
        """200 where requests can be served; ``model`` says whether lists are personal ("ok") or fall back."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            model = engine_status()
        except (DatabaseError, InterfaceError):  # the latter: the connection was cut
            return JsonResponse({"status": "down", "database": "unreachable"}, status=503)
        status = "ok" if model["state"] == "ok" else "degraded"
        return JsonResponse({"status": status, "database": "ok", "model": model})
