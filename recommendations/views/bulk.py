"""Changing many entries of one's list at once, and taking that back."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from recommendations.library_forms import REMOVE, BulkForm, too_many
from recommendations.models import BulkChange, ListStatus, Profile
from recommendations.selectors.library import library_entries
from recommendations.selectors.profiles import current_profile
from recommendations.services.bulk import MAX_BULK_ENTRIES, remove_many, set_many, undo_many
from recommendations.views.answers import Undo, answer_problem, next_url

# The library listens to this and fetches itself anew.
LIBRARY_CHANGED = "library-changed"


@require_POST
def bulk_change(request: HttpRequest) -> HttpResponse:
    """Set or remove what :class:`BulkForm` names; ids that are not on the person's own list have no effect."""
    form = BulkForm(request.POST)
    if not form.is_valid():
        return answer_problem(request, form.problems())
    profile = current_profile(request)
    anime_ids = _chosen(form, profile)
    if len(anime_ids) > MAX_BULK_ENTRIES:
        return answer_problem(request, [too_many(len(anime_ids))])
    change: BulkChange | None = None
    if profile is not None and form.cleaned_data["do"] == REMOVE:
        change = remove_many(profile=profile, anime_ids=anime_ids)
    elif profile is not None:
        change = set_many(profile=profile, anime_ids=anime_ids, changes=form.changes())
    if change is None:
        return answer_problem(request, [_("None of these titles is on your list. Nothing was changed.")])
    undo = Undo(reverse("bulk_undo"), (("change", str(change.pk)),))
    return _answer(request, _in_words(change, form.changes()), undo)


@require_POST
def bulk_undo(request: HttpRequest) -> HttpResponse:
    """Take the change with the id ``change`` back, if it is the last one of the person's own list."""
    try:
        change_id = uuid.UUID(request.POST.get("change", ""))
    except ValueError:
        return answer_problem(request, [_("This does not say which change to take back.")])
    profile = current_profile(request)
    undone = None if profile is None else undo_many(profile=profile, change_id=change_id)
    if undone is None:
        return answer_problem(request, [_("This change cannot be taken back any more.")], status=404)
    message = ngettext(
        "%(number)d title is as it was.", "%(number)d titles are as they were.", undone.restored
    ) % {"number": undone.restored}  # fmt: skip
    if undone.kept:
        message += " " + ngettext(
            "%(number)d has been changed since and stays as it is.",
            "%(number)d have been changed since and stay as they are.",
            undone.kept,
        ) % {"number": undone.kept}  # fmt: skip
    return _answer(request, message, None)


def _chosen(form: BulkForm, profile: Profile | None) -> list[int]:
    state = form.cleaned_data.get("state")
    if state is None:
        ids: list[int] = form.cleaned_data["anime_ids"]
        return ids
    return list(library_entries(profile, state.filter()).values_list("anime_id", flat=True))


def _in_words(change: BulkChange, changes: dict[str, Any]) -> str:
    number = change.size
    if change.removed:
        return ngettext(
            "%(number)d title is off your list.", "%(number)d titles are off your list.", number
        ) % {"number": number}  # fmt: skip
    words = [str(ListStatus(changes["status"]).label)] if "status" in changes else []
    if "rating" in changes:
        rating = changes["rating"]
        words.append(_("not rated") if rating is None else _("rated %d") % rating)
    return ngettext("%(number)d title: %(state)s.", "%(number)d titles: %(state)s.", number) % {
        "number": number,
        "state": ", ".join(words),
    }


def _answer(request: HttpRequest, message: str, undo: Undo | None) -> HttpResponse:
    if not request.htmx:  # type: ignore[attr-defined]
        messages.success(request, message)
        return HttpResponseRedirect(next_url(request, fallback=reverse("library")))
    response = render(request, "recommendations/_library_said.html", {"message": message, "undo": undo})
    return trigger_client_event(response, LIBRARY_CHANGED)
