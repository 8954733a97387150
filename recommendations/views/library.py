"""The person's own list: what stands on it, by status, to be changed in place."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from django_htmx.http import replace_url

from recommendations.models import ListStatus
from recommendations.selectors.library import hidden_titles, status_counts
from recommendations.selectors.profiles import LIBRARY_ORDERINGS, current_profile
from recommendations.selectors.profiles import library as library_entries
from recommendations.views.lists import is_partial

ENTRIES_PER_PAGE = 60
SORTS = {
    "updated": gettext_lazy("Last changed"),
    "rating": gettext_lazy("Rating"),
    "title": gettext_lazy("Title"),
    "year": gettext_lazy("Year"),
}
HIDDEN = "hidden"


@require_safe
def library(request: HttpRequest) -> HttpResponse:
    """``status`` (one of the list's, or *hidden*), ``sort``, ``q`` and ``page`` are in the URL."""
    problems = []
    status = request.GET.get("status", "")
    if status and status not in ListStatus.values and status != HIDDEN:
        problems.append(_("There is no status “%(value)s”: this is the whole list.") % {"value": status[:20]})
        status = ""
    sort = request.GET.get("sort", "updated")
    if sort not in LIBRARY_ORDERINGS:
        problems.append(_("The list cannot be sorted by “%(value)s”.") % {"value": sort[:20]})
        sort = "updated"
    text = request.GET.get("q", "").replace("\0", "")[:200].strip()
    profile = current_profile(request)
    counts = status_counts(profile)
    rows: list[Any]
    if status == HIDDEN:
        rows = hidden_titles(profile, text=text)
    else:
        rows = library_entries(profile, status=status, ordering=sort, text=text)
    page = Paginator(rows, ENTRIES_PER_PAGE).get_page(request.GET.get("page"))
    state = {"status": status, "sort": "" if sort == "updated" else sort, "q": text}
    query = urlencode({name: value for name, value in state.items() if value})
    partial = is_partial(request, "entries")
    response = render(
        request,
        "recommendations/_library_entries.html" if partial else "recommendations/library.html",
        {
            "page": page,
            "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
            "problems": problems,
            "status": status,
            "sort": sort,
            "text": text,
            "sorts": [(name, str(label)) for name, label in SORTS.items()],
            "tabs": [("", _("All"), sum(counts.statuses.values()))]
            + [(value, str(label), counts.statuses.get(value, 0)) for value, label in ListStatus.choices]
            + [(HIDDEN, _("Not interested"), counts.hidden)],
            "statuses": ListStatus.choices,
            "query": f"{query}&" if query else "",
        },
    )
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    if partial:
        replace_url(response, f"{request.path}?{query}" if query else request.path)
    return response
