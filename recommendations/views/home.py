"""The first page: what this is, rating at once without an account, and a list that changes with each rating."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from accounts.options import shows_adult
from recommendations.forms import MemberForm
from recommendations.models import Profile
from recommendations.selectors.library import rated_entries
from recommendations.selectors.profiles import current_profile, entries_by_anime
from recommendations.services.recommend import FEW_ENTRIES, ListOptions, Read, list_filter, reader, recommend_lists
from recommendations.views.grid import grid_tiles, home_url, shown_tiles
from recommendations.views.lists import DEPTH, cards_of, cause_of, change_since, is_partial, listed_before

PREVIEW_TITLES = 6
RATED_SHOWN = 12
# What htmx asks for alone, by the id of the element that it replaces.
PARTS = {"preview": "_preview.html", "grid": "_grid.html", "more-tiles": "_more_tiles.html"}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The page; for htmx the preview, the grid, or what is missing in the grid. ``shown`` is the grid so far."""
    part = next((name for name in PARTS if is_partial(request, name)), "")
    profile = current_profile(request)
    person = reader(profile)
    context: dict[str, Any] = {"few": FEW_ENTRIES, "member_form": MemberForm()}
    if part in ("", "preview"):
        context |= _preview(request, profile, person)
    if part != "preview":
        shown = shown_tiles(request.GET.getlist("shown"))
        # What comes new into the grid is not on the person's list.
        tiles = grid_tiles(request, person(), shown, entries_by_anime(profile, shown) if shown else {})
        context |= {"tiles": tiles, "here": home_url(tiles)}
        if part == "more-tiles":
            context["tiles"] = [tile for tile in tiles if tile.anime.pk not in shown]
    template = f"recommendations/{PARTS[part] if part else 'home.html'}"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def _preview(request: HttpRequest, profile: Profile | None, person: Read) -> dict[str, Any]:
    options = ListOptions(k=PREVIEW_TITLES, depth=DEPTH, filter=list_filter(show_adult=shows_adult(request)))
    before = listed_before(request)
    change = change_since(request, profile, before)
    also = [] if change is None else [change.anime_id]
    [shown] = recommend_lists(profile=profile, options=[options], person=person, also=also)
    cause = cause_of(change, before, shown.titles)
    return {
        "list": shown,
        "version": profile.version if profile else 0,
        "cards": cards_of(shown, before, cause),
        "rated": rated_entries(profile, RATED_SHOWN),
        "rated_count": int(np.count_nonzero(~np.isnan(person().ratings))),
    }
