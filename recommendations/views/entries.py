"""Changing one's own list. Every view takes a plain form or an htmx request, and says how to undo it."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import TitleLanguage
from catalog.models import Anime
from catalog.titles import title_in
from recommendations.changes import HIDDEN, RATED, REMOVED, UNHIDDEN, note_change
from recommendations.forms import EntryForm, RatingForm
from recommendations.models import ListEntry, Profile
from recommendations.selectors.profiles import current_profile, entries_by_anime
from recommendations.services import entries as service
from recommendations.services.profiles import writable_profile
from recommendations.views.answers import Change, Undo, answer_change, answer_problem

Action = Callable[[HttpRequest, Anime], HttpResponse]


def _on_a_title(action: Action) -> Callable[[HttpRequest, int], HttpResponse]:
    """A POST view on the title of the URL; an unknown one is said to be unknown."""

    @require_POST
    def view(request: HttpRequest, anime_id: int) -> HttpResponse:
        anime = Anime.objects.filter(pk=anime_id).first()
        if anime is None:
            problem = _("The catalogue has no title with the id %(id)d. Nothing was changed.") % {"id": anime_id}
            return answer_problem(request, [problem], status=404)
        with transaction.atomic():
            return action(request, anime)

    return view


def _rate(request: HttpRequest, anime: Anime) -> HttpResponse:
    form = RatingForm(request.POST)
    if not form.is_valid():
        return answer_problem(request, _problems(form), anime=anime)
    rating = form.cleaned_data["rating"]
    profile = writable_profile(request)
    before = _entry(profile, anime)
    entry = service.rate(profile=profile, anime=anime, rating=rating)
    note_change(request, profile, anime.pk, RATED, rating)
    message = _("You gave %(title)s %(rating)d.") % {"title": _name(request, anime), "rating": rating}
    return answer_change(request, Change(anime, entry, message, _undo(anime, before)))


def _set(request: HttpRequest, anime: Anime) -> HttpResponse:
    form = EntryForm(request.POST)
    if not form.is_valid():
        return answer_problem(request, _problems(form), anime=anime)
    profile = writable_profile(request)
    before = _entry(profile, anime)
    changes = form.changes()
    entry = service.set_entry(profile=profile, anime=anime, changes=changes)
    note_change(request, profile, anime.pk, RATED if changes.get("rating") else entry.status, entry.rating)
    words = [str(entry.get_status_display()), _("rated %d") % entry.rating if entry.rating else ""]
    message = _("%(title)s: %(state)s.") % {
        "title": _name(request, anime),
        "state": ", ".join(word for word in words if word),
    }
    return answer_change(request, Change(anime, entry, message, _undo(anime, before)))


def _remove(request: HttpRequest, anime: Anime) -> HttpResponse:
    profile = current_profile(request)
    before = None if profile is None else _entry(profile, anime)
    if profile is None or not service.remove_entry(profile=profile, anime=anime):
        message = _("%(title)s was not on your list.")
    else:
        note_change(request, profile, anime.pk, REMOVED)
        message = _("%(title)s is off your list.")
    message %= {"title": _name(request, anime)}
    return answer_change(request, Change(anime, None, message, _undo(anime, before) if before else None))


def _hide(request: HttpRequest, anime: Anime) -> HttpResponse:
    profile = writable_profile(request)
    service.hide(profile=profile, anime=anime)
    note_change(request, profile, anime.pk, HIDDEN)
    message = _("%(title)s will not be suggested again.") % {"title": _name(request, anime)}
    undo = Undo(reverse("unhide", args=[anime.pk]))
    return answer_change(request, Change(anime, _entry(profile, anime), message, undo, hidden=True))


def _unhide(request: HttpRequest, anime: Anime) -> HttpResponse:
    profile = current_profile(request)
    if profile is not None:
        service.unhide(profile=profile, anime=anime)
        note_change(request, profile, anime.pk, UNHIDDEN)
    message = _("%(title)s may be suggested again.") % {"title": _name(request, anime)}
    return answer_change(request, Change(anime, _entry(profile, anime), message))


def _entry(profile: Profile | None, anime: Anime) -> ListEntry | None:
    return entries_by_anime(profile, [anime.pk]).get(anime.pk)


def _problems(form: EntryForm | RatingForm) -> list[str]:
    return [str(problem) for problems in form.errors.values() for problem in problems]


def _undo(anime: Anime, before: ListEntry | None) -> Undo:
    """Back to ``before``, the entry as it was read before the change."""
    if before is None:
        return Undo(reverse("entry_remove", args=[anime.pk]))
    state = {
        "rating": before.rating,
        "status": before.status,
        "started": before.started,
        "finished": before.finished,
    }
    fields = tuple((name, "" if value is None else str(value)) for name, value in state.items())
    return Undo(reverse("entry_set", args=[anime.pk]), fields)


def _name(request: HttpRequest, anime: Anime) -> str:
    user = request.user
    return title_in(anime, user.title_language if user.is_authenticated else TitleLanguage.ROMAJI)


entry_rate = _on_a_title(_rate)
entry_set = _on_a_title(_set)
entry_remove = _on_a_title(_remove)
hide = _on_a_title(_hide)
unhide = _on_a_title(_unhide)
