"""The page of a member who wants to be seen."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.options import shows_adult
from recommendations.models import ListStatus
from recommendations.selectors.people import public_list, public_member

TITLES_SHOWN = 10


@require_safe
def person(request: HttpRequest, username: str) -> HttpResponse:
    """Their counts, what they rated best and changed last. A private member's page is as if there were no member."""
    member = public_member(username)
    if member is None:
        raise Http404
    shown = public_list(member, show_adult=shows_adult(request), limit=TITLES_SHOWN)
    counts = [(str(label), shown.statuses.get(value, 0)) for value, label in ListStatus.choices]
    context = {
        "member": member,
        "shown": shown,
        "total": sum(shown.statuses.values()),
        "counts": [(label, number) for label, number in counts if number],
    }
    return render(request, "recommendations/person.html", context)
