"""Answering a change: a fragment and a toast for htmx, a message and a redirect for a plain form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import reswap, retarget, trigger_client_event

from catalog.models import Anime
from recommendations.models import ListEntry

# Lists on the page that depend on the profile listen to this and fetch themselves anew.
PROFILE_CHANGED = "profile-changed"
# The library has lost its row by the time a removal is undone: it listens to this.
UNDONE = "undone"
PARTS = ("rating", "panel", "row")


@dataclass(frozen=True, slots=True)
class Undo:
    """The form that takes a change back: where it posts to, and what."""

    action: str
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What a request has changed: the entry as it is now (``None`` = not on the list) and how to go back."""

    anime: Anime
    entry: ListEntry | None
    message: str
    undo: Undo | None = None
    hidden: bool = False


def answer_change(request: HttpRequest, change: Change) -> HttpResponse:
    """Show ``change``. htmx says with ``part`` which fragment it replaces; other forms send ``next``."""
    if not request.htmx:  # type: ignore[attr-defined]
        messages.success(request, change.message)
        return HttpResponseRedirect(next_url(request, fallback=change.anime.get_absolute_url()))
    part = request.POST.get("part", "")
    response = render(
        request,
        "recommendations/_changed.html",
        {"change": change, "part": part if part in PARTS else "", "anime": change.anime, "entry": change.entry},
    )
    trigger_client_event(response, PROFILE_CHANGED)
    if "undo" in request.POST:
        trigger_client_event(response, UNDONE)
    return response


def answer_problem(
    request: HttpRequest, problems: Iterable[str], *, status: int = 400, anime: Anime | None = None
) -> HttpResponse:
    """Say what is wrong; nothing was changed. htmx shows it as a toast and leaves the page as it is."""
    context = {"problems": list(problems), "anime": anime, "next": next_url(request, fallback="/")}
    if not request.htmx:  # type: ignore[attr-defined]
        return render(request, "recommendations/problem.html", context, status=status)
    response = render(request, "recommendations/_problem.html", context, status=status)
    return retarget(reswap(response, "innerHTML"), "#toasts")


def next_url(request: HttpRequest, *, fallback: str) -> str:
    """Where the form wants to go back to, if that is on this site."""
    wanted = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if allowed else fallback
