"""The operations page: who serves, what is wrong, what runs, how the versions compare, and who did what."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from recommendations.admin.figures import charts, mode_rows, number
from recommendations.admin.jobs import STATE_COLOURS, JobAdmin
from recommendations.admin.workers import ask_workers
from recommendations.models import Job, ModelVersion
from recommendations.models.jobs import UNFINISHED
from recommendations.selectors import operations, serving

ACTS_SHOWN = 10
# Of a training: the first rows of its metrics; its own page has them all.
FIGURES_SHOWN = 2
# How often the page looks again: while something runs, and while nothing does.
BUSY_SECONDS, IDLE_SECONDS = 3, 30


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The whole page."""
    _check(request, "view_job")
    live = _live(request)
    context = {
        **admin.site.each_context(request),
        **live,
        "title": _("Operations"),
        "charts": charts(operations.newest_versions()),
        "acts": _acts(),
    }
    return render(request, "admin/recommendations/operations.html", context)


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """What the page asks for again and again. When a version has come or the champion changed, all is shown anew."""
    _check(request, "view_job")
    context = _live(request)
    response = render(request, "admin/recommendations/operations_live.html", context)
    if request.GET.get("seen", context["seen"]) != context["seen"]:
        response["HX-Refresh"] = "true"
    return response


@require_safe
def workers(request: HttpRequest) -> HttpResponse:
    """What the queue and the workers say. Apart from the rest, because it takes seconds, and longest if they are
    away."""
    _check(request, "view_job")
    return render(request, "admin/recommendations/operations_workers.html", {"queue": ask_workers()})


@require_POST
def train(request: HttpRequest) -> HttpResponse:
    """Queue a training."""
    _check(request, "add_job")
    _job_admin().train(request)
    return redirect("admin_operations")


@require_POST
def score(request: HttpRequest) -> HttpResponse:
    """Queue the scoring of all lists."""
    _check(request, "add_job")
    _job_admin().score(request)
    return redirect("admin_operations")


def _live(request: HttpRequest) -> dict[str, Any]:
    champion = operations.champion()
    training = operations.last_training()
    runs = operations.last_runs()
    newest = ModelVersion.objects.values_list("pk", flat=True).order_by("-created").first()
    goes_on = any(run.state in UNFINISHED for run in runs)
    return {
        "champion": champion,
        **_figures(champion, training),
        "predecessor": serving.predecessor() if champion is not None else None,
        "alarms": operations.alarms(champion, training),
        "processes": list(serving.living_processes()),
        "training": training,
        "training_goes_on": training is not None and training.state in UNFINISHED,
        "training_colour": STATE_COLOURS[training.state] if training is not None else "",
        "counts": operations.unfinished_counts(),
        "runs": [(run, STATE_COLOURS[run.state], run.state in UNFINISHED) for run in runs],
        "goes_on": goes_on,
        "seen": f"{newest}.{champion.pk if champion is not None else None}",
        "seconds": BUSY_SECONDS if goes_on else IDLE_SECONDS,
        "may_start": request.user.has_perm("recommendations.add_job"),
        "may_cancel": request.user.has_perm("recommendations.change_job"),
        "may_decide": request.user.has_perm("recommendations.change_modelversion"),
        "may_see_models": request.user.has_perms(["recommendations.view_modelversion"]),
    }


def _figures(champion: ModelVersion | None, training: Job | None) -> dict[str, Any]:
    metrics = {} if champion is None else champion.metrics
    so_far = [] if training is None else mode_rows(training.metrics)
    return {
        "champion_plain": number(metrics.get("plain_ndcg@10")),
        "champion_discovery": number(metrics.get("discovery_ndcg@10")),
        "champion_coverage": number(metrics.get("plain_coverage"), 0),
        "training_figures": so_far[:FIGURES_SHOWN],
    }


def _acts() -> QuerySet[LogEntry]:
    types = ContentType.objects.get_for_models(Job, ModelVersion).values()
    rows = LogEntry.objects.filter(content_type__in=list(types)).select_related("user", "content_type")
    return rows.order_by("-action_time")[:ACTS_SHOWN]


def _job_admin() -> JobAdmin:
    found = admin.site.get_model_admin(Job)
    assert isinstance(found, JobAdmin)  # noqa: S101 - registered beside it
    return found


def _check(request: HttpRequest, codename: str) -> None:
    if not request.user.has_perm(f"recommendations.{codename}"):
        raise PermissionDenied


urlpatterns = [
    path("operations/", admin.site.admin_view(page), name="admin_operations"),
    path("operations/live/", admin.site.admin_view(live), name="admin_operations_live"),
    path("operations/workers/", admin.site.admin_view(workers), name="admin_operations_workers"),
    path("operations/train/", admin.site.admin_view(train), name="admin_operations_train"),
    path("operations/score/", admin.site.admin_view(score), name="admin_operations_score"),
]
