"""Models and jobs for admins. Lists of people are private and are not shown here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from accounts.models import User
from recommendations import tasks
from recommendations.models import Job, ModelStatus, ModelVersion
from recommendations.services.jobs import AlreadyRunningError
from recommendations.services.registry import activate
from recommendations.services.training import start_training


class ReadOnlyAdmin(ModelAdmin):
    """Rows that the system writes: to look at, not to edit."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ["version", "status", "created", "activated", "ndcg"]
    list_filter = ["status"]
    search_fields = ["version", "fingerprint"]
    actions = ["make_champion"]

    def has_activate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("recommendations.change_modelversion")

    @admin.display(description="NDCG@10")
    def ndcg(self, model: ModelVersion) -> str:
        value = model.metrics.get("plain_ndcg@10")
        return "" if value is None else f"{value:.3f}"

    @admin.action(
        description=gettext_lazy("Make the selected model the champion (also: roll back to it)"),
        permissions=["activate"],
    )
    def make_champion(self, request: HttpRequest, models: QuerySet[ModelVersion]) -> None:
        chosen = list(models)
        if len(chosen) != 1:
            self.message_user(request, _("Select exactly one model."), messages.ERROR)
            return
        if chosen[0].status == ModelStatus.BROKEN:
            self.message_user(request, _("This model is broken and cannot serve."), messages.ERROR)
            return
        model = activate(chosen[0])
        self.log_change(request, model, "made champion")
        tasks.score_all()
        self.message_user(request, _("Model %s is champion.") % model.version)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Long work and where it stands. Adding a job starts a training."""

    list_display = ["kind", "state", "percent", "message", "created", "finished"]
    list_filter = ["kind", "state"]
    exclude = ["payload"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).select_related("parent", "created_by")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("recommendations.add_job")

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
        try:
            job = start_training(created_by=_user(request))
        except AlreadyRunningError as error:
            self.message_user(request, str(error), messages.WARNING)
        else:
            tasks.enqueue(job)
            self.log_addition(request, job, "queued a training")
            self.message_user(request, _("A training is queued."))
        return redirect("admin:recommendations_job_changelist")

    def get_fieldsets(self, request: HttpRequest, obj: Job | None = None) -> Any:
        if obj is not None:
            return super().get_fieldsets(request, obj)
        description = _("Saving queues a training on all ratings. The new model serves as soon as it is published.")
        return [(_("Train a new model"), {"fields": [], "description": description})]


def _user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
