"""The list for the person in front of the page: ten titles new to them, and what to continue with."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from django_htmx.http import replace_url

from accounts.options import shows_adult
from ml.types import FranchiseMode
from recommendations.forms import ListForm
from recommendations.selectors.profiles import current_profile
from recommendations.services.recommend import FEW_ENTRIES, ListOptions, recommend_lists
from recommendations.views.lists import cards_of, is_partial, listed_before

LIST_TITLES = 10
CONTINUE_TITLES = 6


@require_safe
def for_you(request: HttpRequest) -> HttpResponse:
    """All controls are in the URL. htmx gets the lists alone."""
    form = ListForm(request.GET)
    profile = current_profile(request)
    options = form.options(k=LIST_TITLES, show_adult=shows_adult(request))
    wanted = [options]
    if profile is not None and options.franchise is FranchiseMode.NEW:
        wanted.append(_continue_options(options))
    shown, *shelf = recommend_lists(profile=profile, options=wanted)
    query = form.query()
    partial = is_partial(request, "lists")
    response = render(
        request,
        "recommendations/_lists.html" if partial else "recommendations/for_you.html",
        {
            "form": form,
            "problems": form.problems(),
            "list": shown,
            "cards": cards_of(shown, listed_before(request)),
            "continue_cards": cards_of(shelf[0], None) if shelf else [],
            "few": FEW_ENTRIES,
            "list_url": f"{request.path}?{query}" if query else request.path,
        },
    )
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    if partial:
        replace_url(response, f"{request.path}?{query}" if query else request.path)
    return response


def _continue_options(options: ListOptions) -> ListOptions:
    """The shelf holds what comes next, whatever the dials and filters say about new titles."""
    kept = ListOptions().filter
    return ListOptions(
        k=CONTINUE_TITLES,
        franchise=FranchiseMode.NEXT,
        filter=replace(kept, show_adult=options.filter.show_adult, released_only=True),
    )
