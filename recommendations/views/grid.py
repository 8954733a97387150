"""The grid of titles to rate: it goes on from what was answered, and "haven't seen" is an answer, too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.options import shows_adult
from catalog.models import Anime
from catalog.titles import title_in
from ml.types import Profile as ScoringProfile
from recommendations.models import ListEntry
from recommendations.selectors.profiles import current_profile, entries_by_anime
from recommendations.services.recommend import reader
from recommendations.services.starters import titles_to_rate
from recommendations.unseen import forget_unseen, remember_unseen, unseen_titles
from recommendations.views.answers import Undo, answer_problem, next_url
from recommendations.views.lists import is_number, numbers

# So many titles without an answer stand in the grid, as long as there are any ...
OPEN_TILES = 12
# ... and so many altogether, before somebody asks for others.
MAX_TILES = 48


@dataclass(frozen=True, slots=True)
class Tile:
    """A title of the grid, and what the person has of it on their list."""

    anime: Anime
    entry: ListEntry | None = None


def grid_tiles(
    request: HttpRequest, person: ScoringProfile, shown: Sequence[int], entries: dict[int, ListEntry] | None = None
) -> list[Tile]:
    """The titles ``shown``, those that were not seen each replaced by another at its place, and after them as many
    more as it takes to have ``OPEN_TILES`` without an answer. ``entries``: those of the person, by anime id."""
    adult = shows_adult(request)
    unseen = unseen_titles(request)
    gone = set(unseen)
    on_list = {int(anime_id) for anime_id in person.anime_ids}
    kept = [anime_id for anime_id in shown if anime_id not in gone]
    room = min(OPEN_TILES - sum(anime_id not in on_list for anime_id in kept), MAX_TILES - len(kept))
    wanted = max(room, len(shown) - len(kept))
    fresh = iter(
        titles_to_rate(person=person, count=wanted, shown=kept, unseen=unseen, show_adult=adult) if wanted else ()
    )
    ids = [next(fresh, None) if anime_id in gone else anime_id for anime_id in shown]
    ids += fresh
    found = Anime.objects.visible_to(show_adult=adult).released().in_bulk([pk for pk in ids if pk is not None])
    entries = entries or {}
    return [Tile(found[pk], entries.get(pk)) for pk in ids if pk is not None and pk in found]


def shown_tiles(sent: Iterable[str]) -> list[int]:
    """The ids that the page says it shows: fields of one or more each; malformed ones count as nothing."""
    ids = [anime_id for text in list(sent)[:MAX_TILES] for anime_id in numbers(text, most=MAX_TILES)]
    return list(dict.fromkeys(ids))[:MAX_TILES]


def home_url(tiles: Sequence[Tile]) -> str:
    """The address of the home page with this grid: where plain forms come back to."""
    return f"{reverse('home')}?shown={','.join(str(tile.anime.pk) for tile in tiles)}" if tiles else reverse("home")


@require_POST
def unseen(request: HttpRequest) -> HttpResponse:
    """Note that titles (``anime_id``, one or more) were not seen, or with ``undo`` that they may be asked about
    again. htmx gets another title for a tile, or the whole grid; a plain form goes back to the page."""
    before = shown_tiles(request.POST.getlist("shown"))
    profile = current_profile(request)
    entries = entries_by_anime(profile, before)
    if "none" in request.POST:
        # Scripts know the grid as it is now; the form itself knows it as it was when the page came.
        asked = before if request.htmx else shown_tiles([request.POST["none"]])  # type: ignore[attr-defined]
        sent = [str(anime_id) for anime_id in asked if anime_id not in (entries or entries_by_anime(profile, asked))]
    else:
        sent = request.POST.getlist("anime_id")[:MAX_TILES]
    ids = [int(text) for text in sent if is_number(text)]
    titles = list(Anime.objects.visible_to(show_adult=shows_adult(request)).filter(pk__in=ids))
    if not ids or len(titles) < len(set(sent)):
        return answer_problem(request, [_problem(sent, titles)])
    undo = "undo" in request.POST
    (forget_unseen if undo else remember_unseen)(request, ids)
    message = _message(request, titles, undo=undo)
    if not request.htmx:  # type: ignore[attr-defined]
        messages.success(request, message)
        return HttpResponseRedirect(next_url(request, fallback=reverse("home") + "#rate"))
    one_tile = not undo and request.htmx.target != "grid"  # type: ignore[attr-defined]
    # Who knows none of them gets a grid of others; who takes that back gets the one before.
    shown = before if one_tile or undo else [anime_id for anime_id in before if anime_id not in set(ids)]
    tiles = grid_tiles(request, reader(profile)(), shown, entries)
    other = next((tile for tile in tiles if tile.anime.pk not in before), None)
    return render(
        request,
        "recommendations/_unseen.html",
        {
            "tile": other if one_tile else None,
            "tiles": None if one_tile else tiles,
            "message": message,
            "part": "grid",
            "undo": None if undo else _undo(ids, before),
            "here": home_url(tiles),
        },
    )


def _problem(sent: Sequence[str], titles: Sequence[Anime]) -> str:
    known = {str(title.pk) for title in titles}
    unknown = [text[:20] for text in dict.fromkeys(sent) if text not in known]
    if not unknown:
        return _("No title was named. Nothing was changed.")
    return _("The catalogue has no title with the id “%(id)s”. Nothing was changed.") % {"id": ", ".join(unknown[:3])}


def _undo(ids: Sequence[int], shown: Sequence[int]) -> Undo:
    fields = [("anime_id", str(anime_id)) for anime_id in ids]
    return Undo(reverse("unseen"), (*fields, ("shown", ",".join(map(str, shown)))))


def _message(request: HttpRequest, titles: Sequence[Anime], *, undo: bool) -> str:
    if undo:
        return _("You may be asked about it again.") if len(titles) == 1 else _("You may be asked about them again.")
    if len(titles) == 1:
        language = request.user.title_language if request.user.is_authenticated else ""
        return _("Noted: you have not seen %(title)s.") % {"title": title_in(titles[0], language)}
    count = len(titles)
    return ngettext("Noted: %(count)d title not seen.", "Noted: %(count)d titles not seen.", count) % {"count": count}
