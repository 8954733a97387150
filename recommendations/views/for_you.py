"""The list for the person in front of the page: ten titles new to them, and what to continue with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from django_htmx.http import replace_url

from accounts.options import shows_adult
from catalog.models import Anime
from ml.types import FranchiseMode
from recommendations.forms import FilterPart, ListForm
from recommendations.selectors.filters import title_counts
from recommendations.selectors.profiles import current_profile
from recommendations.services.engine import current_engine
from recommendations.services.recommend import (
    FEW_ENTRIES,
    ListOptions,
    Read,
    RecommendationList,
    list_filter,
    reader,
    recommend_lists,
)
from recommendations.services.starters import titles_to_rate
from recommendations.unseen import unseen_titles
from recommendations.views.lists import DEPTH, cards_of, cause_of, change_since, is_partial, listed_before

LIST_TITLES = 10
CONTINUE_TITLES = 6
STARTERS = 3
# Of more filters than this nobody needs to be told which one to take back.
MAX_FILTERS_WEIGHED = 12


@require_safe
def for_you(request: HttpRequest) -> HttpResponse:
    """All controls are in the URL. htmx gets the lists alone."""
    adult = shows_adult(request)
    form = ListForm(request.GET, show_adult=adult)
    profile = current_profile(request)
    person = reader(profile)
    options = form.options(k=LIST_TITLES, depth=DEPTH, show_adult=adult)
    wanted = [options]
    if profile is not None and options.franchise is FranchiseMode.NEW:
        wanted.append(_continue_options(show_adult=adult))
    before = listed_before(request)
    change = change_since(request, profile, before)
    starters = _starters(request, person, show_adult=adult)
    also = [*starters, *([] if change is None else [change.anime_id])]
    shown, *shelf = recommend_lists(profile=profile, options=wanted, person=person, also=also)
    query = form.query()
    partial = is_partial(request, "lists")
    context: dict[str, Any] = {
        "form": form,
        "problems": form.problems(),
        "list": shown,
        "version": profile.version if profile else 0,
        "cards": cards_of(shown, before, cause_of(change, before, shown.titles)),
        "continue_cards": cards_of(shelf[0]) if shelf else [],
        "few": FEW_ENTRIES,
        "wanted": LIST_TITLES,
        "starters": _not_listed(starters, shown) if shown.is_general else [],
        "query": query,
        "state": form.state(),
        "list_url": f"{request.path}?{query}" if query else request.path,
        "model": _model(),
    }
    if len(shown.results) < LIST_TITLES:
        context["take_back"] = _take_back(form, show_adult=adult)
        context["only_next"] = options.franchise is FranchiseMode.NEXT and form.query(franchise=None)
    response = render(request, "recommendations/_lists.html" if partial else "recommendations/for_you.html", context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    if partial:
        replace_url(response, context["list_url"])
    return response


def _continue_options(*, show_adult: bool) -> ListOptions:
    """The shelf holds what comes next, whatever the dials and filters say about new titles."""
    return ListOptions(k=CONTINUE_TITLES, franchise=FranchiseMode.NEXT, filter=list_filter(show_adult=show_adult))


def _starters(request: HttpRequest, person: Read, *, show_adult: bool) -> list[int]:
    """Where little is known of the person: what to ask about, some more than needed, since the list may hold them."""
    if len(person()) >= FEW_ENTRIES:
        return []
    return titles_to_rate(
        person=person(), count=STARTERS + LIST_TITLES, unseen=unseen_titles(request), show_adult=show_adult
    )


def _not_listed(starters: list[int], shown: RecommendationList) -> list[Anime]:
    listed = {one.anime.pk for one in shown.results}
    titles = [shown.titles[pk] for pk in starters if pk in shown.titles and pk not in listed]
    return titles[:STARTERS]


def _take_back(form: ListForm, *, show_adult: bool) -> FilterPart | None:
    """The filter without which the catalogue has most to offer."""
    parts = form.parts(show_adult=show_adult)
    if not parts or len(parts) > MAX_FILTERS_WEIGHED:
        return None
    counts = title_counts({part.active.rest: part.without for part in parts})
    return max(parts, key=lambda part: counts[part.active.rest])


def _model() -> dict[str, Any]:
    """When the model was made, and from how many ratings of how many people; empty without one."""
    engine = current_engine()
    if engine is None:
        return {}
    info = engine.recommender.info
    return {"made": datetime.fromisoformat(info.created) if info.created else None, "data": info.data}
