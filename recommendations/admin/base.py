"""What the admin pages of this app have in common: rows to look at, and acts that ask before they are done."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from unfold.admin import ModelAdmin

from accounts.models import User

MAX_REASON_CHARS = 500


class ReadOnlyAdmin(ModelAdmin):
    """Rows that the system writes: to look at, not to edit. What may be done with them are acts of their own."""

    class Media:
        css = {"all": ["css/admin.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def row_or_404(self, request: HttpRequest, object_id: str) -> Any:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404(f"{self.opts.verbose_name}: no row {object_id!r}")
        return row


@dataclass(frozen=True, slots=True)
class Question:
    """An act before it is done.

    ``consequences``: sentences that say what it does. ``warnings``: what speaks against it. ``refused``: why it
    cannot be done; empty if it can. ``hidden``: what the form sends along, such as what the person saw when asked.
    """

    title: str
    button: str
    back: str
    consequences: list[str]
    refused: str = ""
    warnings: list[str] = field(default_factory=list)
    hidden: dict[str, str] = field(default_factory=dict)
    destroys: bool = False


def ask(
    admin: ModelAdmin, request: HttpRequest, row: Model, question: Question, *, status: int = 200
) -> HttpResponse:
    """The confirmation page. It changes nothing; its form posts to the same address."""
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": question.title,
        "original": row,
        "question": question,
        "reason": request.POST.get("reason", ""),
        "max_reason_chars": MAX_REASON_CHARS,
    }
    return render(request, "admin/recommendations/confirm.html", context, status=status)


def reason_given(request: HttpRequest) -> str:
    """The reason that the person typed, on one line; empty if none."""
    return " ".join(request.POST.get("reason", "").split())[:MAX_REASON_CHARS]


def because(words: str, reason: str) -> str:
    """A sentence for the audit log."""
    return f"{words}. Reason: {reason}" if reason else f"{words}. No reason was given"


def moment(value: datetime | None) -> str:
    """A date and time that is short enough for a column."""
    return "" if value is None else date_format(timezone.localtime(value), "j M Y, H:i")


def person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
