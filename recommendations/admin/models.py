"""Model versions in the admin: what each is worth, what the gate said, and which of them serves."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from recommendations import tasks
from recommendations.admin.base import ReadOnlyAdmin, ask, because, moment, person, reason_given
from recommendations.admin.decisions import promotion, rejection, rolls_back, version_of
from recommendations.admin.figures import check_rows, mode_rows, number, other_rows
from recommendations.models import JobCause, ModelStatus, ModelVersion
from recommendations.selectors import operations
from recommendations.services.registry import activate, reject

SENTENCE_CHARS = 90
STATUS_COLOURS = {
    ModelStatus.CANDIDATE.value: "info",
    ModelStatus.CHAMPION.value: "success",
    ModelStatus.RETIRED.value: "default",
    ModelStatus.REJECTED.value: "warning",
    ModelStatus.BROKEN.value: "danger",
}


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Versions are made by training or published; here it is decided which of them serves."""

    list_display = [
        "version", "status_label", "ndcg", "discovery", "coverage", "sentence", "published", "champion_since",
        "decided_by",
    ]  # fmt: skip
    list_filter = ["status", "created"]
    list_select_related = ["decided_by"]
    list_per_page = 50
    list_fullwidth = True
    search_fields = ["version", "fingerprint", "sha256", "git_revision"]
    actions = ["make_champion", "reject_version"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<path:object_id>/promote/", view(self.promote_view), name="modelversion_promote"),
            path("<path:object_id>/reject/", view(self.reject_view), name="modelversion_reject"),
        ]
        return [*own, *super().get_urls()]

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("recommendations.change_modelversion")

    # --- The list -------------------------------------------------------------------------------------------

    @display(description=gettext_lazy("status"), ordering="status", label=STATUS_COLOURS)
    def status_label(self, model: ModelVersion) -> tuple[str, str]:
        return model.status, model.get_status_display()

    @display(description=gettext_lazy("NDCG@10, plain"))
    def ndcg(self, model: ModelVersion) -> str:
        return number(model.metrics.get("plain_ndcg@10"))

    @display(description=gettext_lazy("discovery"))
    def discovery(self, model: ModelVersion) -> str:
        return number(model.metrics.get("discovery_ndcg@10"))

    @display(description=gettext_lazy("coverage"))
    def coverage(self, model: ModelVersion) -> str:
        return number(model.metrics.get("plain_coverage"), 0)

    @display(description=gettext_lazy("verdict"))
    def sentence(self, model: ModelVersion) -> str:
        """The first sentence of the verdict."""
        first, dot, _rest = model.verdict.partition(". ")
        return Truncator(first + dot.strip()).chars(SENTENCE_CHARS)

    @display(description=gettext_lazy("published"), ordering="created")
    def published(self, model: ModelVersion) -> str:
        return moment(model.created)

    @display(description=gettext_lazy("activated"), ordering="activated")
    def champion_since(self, model: ModelVersion) -> str:
        return moment(model.activated)

    @admin.action(description=gettext_lazy("Make champion (also: roll back to it)"), permissions=["decide"])
    def make_champion(self, request: HttpRequest, models: QuerySet[ModelVersion]) -> HttpResponse | None:
        return self._ask_about_one(request, models, "admin:modelversion_promote")

    @admin.action(description=gettext_lazy("Reject"), permissions=["decide"])
    def reject_version(self, request: HttpRequest, models: QuerySet[ModelVersion]) -> HttpResponse | None:
        return self._ask_about_one(request, models, "admin:modelversion_reject")

    def _ask_about_one(
        self, request: HttpRequest, models: QuerySet[ModelVersion], question: str
    ) -> HttpResponse | None:
        chosen = list(models.values_list("pk", flat=True)[:2])
        if len(chosen) != 1:
            self.message_user(request, _("Select exactly one model."), messages.ERROR)
            return None
        return redirect(question, chosen[0])

    # --- The page -------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        model = self.get_object(request, object_id)
        context = {} if model is None else self._card(request, model)
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def _card(self, request: HttpRequest, model: ModelVersion) -> dict[str, Any]:
        acts = LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(ModelVersion), object_id=str(model.pk)
        )
        return {
            "model": model,
            "status_colour": STATUS_COLOURS[model.status],
            "may_decide": self.has_decide_permission(request),
            "is_champion": model.status == ModelStatus.CHAMPION,
            "is_rejected": model.status == ModelStatus.REJECTED,
            "rolls_back": rolls_back(model, operations.champion()),
            "checks": check_rows(model.judged.get("checks", [])),
            "params": json.dumps(model.params, indent=2, ensure_ascii=False) if model.params else "",
            "mode_rows": mode_rows(model.metrics),
            "other_rows": other_rows(model.metrics),
            "runs": model.jobs.select_related("created_by").defer("log"),
            "acts": acts.select_related("user").order_by("-action_time")[:20],
        }

    # --- Deciding -------------------------------------------------------------------------------------------

    def promote_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, and on POST make the version champion."""
        model = self._to_decide(request, object_id)
        back = reverse("admin:recommendations_modelversion_change", args=[model.pk])
        question = promotion(model, operations.champion(), back)
        if request.method != "POST" or question.refused:
            return ask(self, request, model, question, status=409 if request.method == "POST" else 200)
        try:
            done = self._promote(request, model)
        except ValueError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect(back)
        if not done:
            self.message_user(
                request, _("The champion has changed since you were asked. Look again."), messages.ERROR
            )
            return ask(self, request, model, promotion(model, operations.champion(), back), status=409)
        tasks.score_all(JobCause.PROMOTION)
        self.message_user(request, _("Model %s is champion.") % model.version)
        return redirect(back)

    @transaction.atomic
    def _promote(self, request: HttpRequest, model: ModelVersion) -> bool:
        """Make ``model`` champion and note it, unless the champion is not any more the one that the person saw."""
        # Locked: nobody else decides between the look and the act.
        champion = ModelVersion.objects.select_for_update().champion().first()
        if request.POST.get("beside") != version_of(champion):
            return False
        act = "Rolled back to" if rolls_back(model, champion) else "Promoted"
        words = because(f"{act} {model.version}, in place of {version_of(champion) or 'none'}", reason_given(request))
        self._note(request, activate(model, by=person(request)), words)
        return True

    def reject_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, and on POST reject the version. What the gate had said of it stays readable."""
        model = self._to_decide(request, object_id)
        back = reverse("admin:recommendations_modelversion_change", args=[model.pk])
        question = rejection(model, back)
        if request.method != "POST" or question.refused:
            return ask(self, request, model, question, status=409 if request.method == "POST" else 200)
        reason = reason_given(request)
        words = because(f"Rejected {model.version}, which was {model.get_status_display().lower()}", reason)
        verdict = f"Rejected by {request.user.get_username()}: {reason or 'no reason was given'}."
        if model.verdict:
            verdict += f" Before that: {model.verdict}"
        try:
            with transaction.atomic():
                self._note(request, reject(model, verdict, by=person(request)), words)
        except ValueError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, _("Model %s is rejected.") % model.version)
        return redirect(back)

    def _to_decide(self, request: HttpRequest, object_id: str) -> ModelVersion:
        if not self.has_decide_permission(request):
            raise PermissionDenied
        model: ModelVersion = self.row_or_404(request, object_id)
        return model

    def _note(self, request: HttpRequest, model: ModelVersion, words: str) -> None:
        """Keep who did what and why: in the audit log, and with the version."""
        line = f"{timezone.now():%Y-%m-%d %H:%M} {request.user.get_username()}: {words}"
        model.note = f"{model.note}\n{line}".strip()
        model.save(update_fields=["note"])
        self.log_change(request, model, words)
