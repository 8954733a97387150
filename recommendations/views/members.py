"""The reference system's way in: the id of a member of an imported data set, and a list comes out."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.options import shows_adult
from recommendations.forms import MemberForm
from recommendations.models import Profile, ProfileSource
from recommendations.selectors.library import library_entries, rated_count
from recommendations.selectors.profiles import imported_profile
from recommendations.services.recommend import ListOptions, list_filter, recommend
from recommendations.views.lists import cards_of

LIST_TITLES = 10
RATED_SHOWN = 10
EXAMPLES = 6


@require_safe
def member_lookup(request: HttpRequest) -> HttpResponse:
    """The form; with an id that exists it leads to the member's page."""
    if "id" not in request.GET:
        return _lookup_page(request, MemberForm(), status=200)
    form = MemberForm(request.GET)
    if not form.is_valid():
        return _lookup_page(request, form, status=400)
    member_id = form.cleaned_data["id"].strip()
    if imported_profile(member_id) is None:
        return _unknown(request, member_id)
    return redirect("member_detail", external_id=member_id)


@require_safe
def member_detail(request: HttpRequest, external_id: str) -> HttpResponse:
    """A member's list beside what is recommended to them; nobody can change it."""
    profile = imported_profile(external_id)
    if profile is None:
        return _unknown(request, external_id)
    adult = shows_adult(request)
    options = ListOptions(k=LIST_TITLES, filter=list_filter(show_adult=adult))
    shown = recommend(profile=profile, options=options)
    best = library_entries(profile, ordering="rating")
    if not adult:
        best = best.filter(anime__is_adult=False)
    return render(
        request,
        "recommendations/member_detail.html",
        {
            "member": profile,
            "is_invented": profile.source == ProfileSource.SAMPLE,
            "list": shown,
            "cards": cards_of(shown, None),
            "rated": best[:RATED_SHOWN],
            "entry_count": library_entries(profile).count(),
            "rated_count": rated_count(profile),
            "form": MemberForm(),
        },
    )


def _unknown(request: HttpRequest, member_id: str) -> HttpResponse:
    form = MemberForm({"id": member_id})
    form.add_error(
        "id", _("No imported member has the id “%(id)s”. Try one of those below.") % {"id": member_id[:40]}
    )
    return _lookup_page(request, form, status=404)


def _lookup_page(request: HttpRequest, form: MemberForm, *, status: int) -> HttpResponse:
    examples = Profile.objects.imported().order_by("created", "external_id")[:EXAMPLES]
    return render(request, "recommendations/member_lookup.html", {"form": form, "examples": examples}, status=status)
