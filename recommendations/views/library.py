"""The person's own list: what stands on it, by status, to be changed in place or many at once."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django_htmx.http import replace_url

from catalog.models import AnimeType
from recommendations.library_forms import HIDDEN, RATED_CHOICES, SORTS, LibraryState
from recommendations.models import HiddenTitle, ListEntry, ListStatus
from recommendations.selectors.library import (
    Counts,
    change_to_undo,
    hidden_titles,
    library_entries,
    status_counts,
)
from recommendations.selectors.profiles import current_profile
from recommendations.services.bulk import MAX_BULK_ENTRIES
from recommendations.views.lists import is_partial

ENTRIES_PER_PAGE = 60


@require_safe
def library(request: HttpRequest) -> HttpResponse:
    """The part that :class:`LibraryState` and ``page`` name in the URL; htmx gets it without the frame."""
    state = LibraryState.of(request.GET)
    profile = current_profile(request)
    counts = status_counts(profile)
    rows: QuerySet[ListEntry] | QuerySet[HiddenTitle]
    if state.is_hidden:
        rows = hidden_titles(profile, text=state.text)
    else:
        rows = library_entries(profile, state.filter(), ordering=state.sort)
    page: Page[Any] = Paginator(rows, ENTRIES_PER_PAGE).get_page(request.GET.get("page"))
    query = state.query()
    shown = state.query(page=str(page.number) if page.number > 1 else "")
    address = f"{request.path}?{shown}" if shown else request.path
    partial = is_partial(request, "entries")
    response = render(
        request,
        "recommendations/_library_entries.html" if partial else "recommendations/library.html",
        {
            "page": page,
            "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
            "problems": state.problems,
            "state": state,
            "partial": partial,
            "sorts": SORTS,
            "rated_choices": RATED_CHOICES,
            "types": AnimeType.choices,
            "statuses": ListStatus.choices,
            "tabs": _tabs(state, counts),
            "here": address,
            "query": f"{query}&" if query else "",
            "state_query": query,
            "shown_ids": ",".join(str(row.anime_id) for row in page.object_list),
            "all_at_once": page.paginator.count <= MAX_BULK_ENTRIES,
            "change_to_undo": change_to_undo(profile),
        },
    )
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    if partial:
        replace_url(response, address)
    return response


def _tabs(state: LibraryState, counts: Counts) -> list[tuple[str, str, int, str]]:
    """The shelves: value, label, number of titles, and the query string that leads there."""
    shelves = [
        ("", _("All"), sum(counts.statuses.values())),
        *((value, str(label), counts.statuses.get(value, 0)) for value, label in ListStatus.choices),
        (HIDDEN, _("Not interested"), counts.hidden),
    ]
    return [(value, label, number, state.query(status=value)) for value, label, number in shelves]
