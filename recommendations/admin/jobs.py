"""Runs in the admin: a list with progress, a page that follows a run, starting a training, cancelling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display

from recommendations import tasks
from recommendations.admin.base import Question, ReadOnlyAdmin, ask, because, moment, person, reason_given
from recommendations.admin.figures import mode_rows, other_rows
from recommendations.models import Job, JobKind, JobState
from recommendations.models.jobs import UNFINISHED
from recommendations.selectors import operations
from recommendations.services import jobs
from recommendations.services.scoring import start_scoring
from recommendations.services.training import start_training

MESSAGE_CHARS = 120
STATE_COLOURS = {
    JobState.QUEUED.value: "warning",
    JobState.RUNNING.value: "info",
    JobState.SUCCEEDED.value: "success",
    JobState.FAILED.value: "danger",
    JobState.CANCELLED.value: "default",
}


class ShardFilter(admin.SimpleListFilter):
    """A scoring of a large site has hundreds of shards: they are shown to whoever asks for them."""

    title = gettext_lazy("shards")
    parameter_name = "shards"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("with", _("With the shards"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield choice if choice["query_string"] != "?" else {**choice, "display": _("Without the shards")}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        asked = self.value() or "kind__exact" in request.GET
        return queryset if asked else queryset.exclude(kind=JobKind.SCORE_SHARD)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Long work and where it stands. Adding a job starts a training."""

    list_display = ["run", "state_label", "progress", "words", "cause", "began", "ended", "created_by"]
    list_filter = [ShardFilter, "kind", "state", "cause"]
    list_select_related = ["created_by"]
    list_per_page = 50
    list_fullwidth = True
    exclude = ["payload"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).select_related("parent", "created_by", "model_version")

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("<path:object_id>/live/", self.admin_site.admin_view(self.live_view), name="job_live"),
            path("<path:object_id>/cancel/", self.admin_site.admin_view(self.cancel_view), name="job_cancel"),
        ]
        return [*own, *super().get_urls()]

    @display(description=gettext_lazy("run"), ordering="kind")
    def run(self, job: Job) -> str:
        return f"{job.get_kind_display()} #{job.pk}"

    @display(description=gettext_lazy("state"), ordering="state", label=STATE_COLOURS)
    def state_label(self, job: Job) -> tuple[str, str]:
        return job.state, job.get_state_display()

    @display(description=gettext_lazy("progress"), ordering="percent")
    def progress(self, job: Job) -> str:
        return format_html(
            '<progress class="op-progress" max="100" value="{0}" aria-label="{1}"></progress> {0} %',
            job.percent,
            _("Progress"),
        )

    @display(description=gettext_lazy("message"))
    def words(self, job: Job) -> str:
        return Truncator(job.message).chars(MESSAGE_CHARS)

    @display(description=gettext_lazy("created"), ordering="created")
    def began(self, job: Job) -> str:
        return moment(job.created)

    @display(description=gettext_lazy("finished"), ordering="finished")
    def ended(self, job: Job) -> str:
        return moment(job.finished)

    # --- Starting -------------------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("recommendations.add_job")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("recommendations.change_job")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            context = {
                "title": _("Train a new model"),
                "show_save_and_add_another": False,
                "show_save_and_continue": False,
            }
            return super().add_view(request, form_url, {**context, **(extra_context or {})})
        self.train(request)
        return redirect("admin:recommendations_job_changelist")

    def train(self, request: HttpRequest) -> None:
        """Queue a training, and say so."""
        try:
            job = start_training(created_by=person(request))
        except jobs.AlreadyRunningError as error:
            self.message_user(request, str(error), messages.WARNING)
            return
        tasks.enqueue(job)
        self.log_addition(request, job, f"Queued training #{job.pk}")
        self.message_user(request, _("A training is queued."))

    def score(self, request: HttpRequest) -> None:
        """Queue the scoring of all lists with the champion, and say so."""
        champion = operations.champion()
        if champion is None:
            self.message_user(request, _("No model is champion: there is nothing to score with."), messages.ERROR)
            return
        try:
            job, shards = start_scoring(created_by=person(request))
        except jobs.AlreadyRunningError as error:
            self.message_user(request, str(error), messages.WARNING)
            return
        tasks.enqueue(*shards)
        self.log_addition(request, job, f"Queued scoring #{job.pk} of all lists with {champion.version}")
        words = ngettext(
            "The scoring of all lists is queued, in %(n)s shard.",
            "The scoring of all lists is queued, in %(n)s shards.",
            len(shards),
        )
        self.message_user(request, words % {"n": len(shards)})

    def get_fieldsets(self, request: HttpRequest, obj: Job | None = None) -> Any:
        if obj is not None:
            return super().get_fieldsets(request, obj)
        description = _(
            "Saving queues a training on all ratings. The gate compares the new model with the champion; it serves "
            "as soon as it has passed."
        )
        return [(_("Train a new model"), {"fields": [], "description": description})]

    # --- Looking on, and cancelling -------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        job = self.get_object(request, object_id)
        context = {} if job is None else self._panel(request, job)
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What the page of a run asks for again and again while the run goes on."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = self.row_or_404(request, object_id)
        return render(request, "admin/recommendations/job/_panel.html", self._panel(request, job))

    def _panel(self, request: HttpRequest, job: Job) -> dict[str, Any]:
        return {
            "job": job,
            "goes_on": job.state in UNFINISHED,
            "state_colour": STATE_COLOURS[job.state],
            "may_cancel": self.has_cancel_permission(request) and job.kind != JobKind.SCORE_SHARD,
            "mode_rows": mode_rows(job.metrics),
            "other_rows": other_rows(job.metrics),
            "shards": operations.shard_counts(job) if job.kind == JobKind.SCORE else [],
        }

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, and on POST cancel the run."""
        if not self.has_cancel_permission(request):
            raise PermissionDenied
        job = self.row_or_404(request, object_id)
        back = reverse("admin:recommendations_job_change", args=[job.pk])
        question = _cancelling(job, back)
        if request.method != "POST" or question.refused:
            return ask(self, request, job, question, status=409 if request.method == "POST" else 200)
        if jobs.cancel(job.pk, by=person(request)):
            words = f"Cancelled {job.get_kind_display().lower()} #{job.pk} at {job.percent} %"
            self.log_change(request, job, because(words, reason_given(request)))
            self.message_user(request, _("The run is cancelled."))
        else:
            self.message_user(request, _("The run had ended before it could be cancelled."), messages.WARNING)
        return redirect(back)


def _cancelling(job: Job, back: str) -> Question:
    refused = ""
    if job.kind == JobKind.SCORE_SHARD:
        refused = _("A shard is part of a scoring: cancel the scoring instead.")
    elif job.state not in UNFINISHED:
        refused = _("This run has ended: %(state)s.") % {"state": job.get_state_display()}
    if job.kind == JobKind.TRAIN:
        consequences = [
            _("The training stops within seconds, and what it has worked out is lost."),
            _("The champion stays the champion. Another training can be started at once."),
        ]
    else:
        consequences = [
            _("Shards that are not finished stop; lists that were scored already stay."),
            _("Stored lists that are out of date stay so until the next scoring. Pages make theirs afresh anyway."),
        ]
    return Question(
        title=_("Cancel %(run)s?") % {"run": f"{job.get_kind_display().lower()} #{job.pk}"},
        button=_("Cancel the run"),
        back=back,
        consequences=consequences,
        refused=refused,
        destroys=True,
    )
