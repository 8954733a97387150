"""The first page: what this is, rating at once without an account, and a list that changes with each rating."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from accounts.options import shows_adult
from catalog.selectors import CatalogueFilter
from recommendations.forms import MemberForm
from recommendations.selectors.profiles import current_profile, library
from recommendations.selectors.starters import informative_titles
from recommendations.services.recommend import FEW_ENTRIES, ListOptions, recommend
from recommendations.views.lists import cards_of, is_partial, listed_before

GRID_TITLES = 12
MAX_GRIDS = 8
PREVIEW_TITLES = 6
RATED_SHOWN = 12


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The page; for htmx the preview or the grid alone."""
    profile = current_profile(request)
    adult = shows_adult(request)
    context: dict[str, object] = {"few": FEW_ENTRIES}
    preview_only, grid_only = is_partial(request, "preview"), is_partial(request, "grid")
    if not grid_only:
        options = ListOptions(k=PREVIEW_TITLES, filter=CatalogueFilter(released_only=True, show_adult=adult))
        shown = recommend(profile=profile, options=options)
        entries = library(profile)
        context |= {
            "list": shown,
            "cards": cards_of(shown, listed_before(request)),
            "rated": [entry for entry in entries if entry.rating][:RATED_SHOWN],
            "rated_count": sum(entry.rating is not None for entry in entries),
        }
    if not preview_only:
        typed = request.GET.get("more", "0")
        grid = min(int(typed), MAX_GRIDS) if typed.isascii() and typed.isdigit() and len(typed) < 4 else 0
        titles = informative_titles(profile=profile, count=GRID_TITLES * (grid + 1), show_adult=adult)
        titles = titles[GRID_TITLES * grid :]
        context |= {"titles": titles, "next_grid": grid + 1 if len(titles) == GRID_TITLES else 0}
    context["member_form"] = MemberForm()
    template = "recommendations/home.html"
    if preview_only:
        template = "recommendations/_preview.html"
    elif grid_only:
        template = "recommendations/_grid.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response
