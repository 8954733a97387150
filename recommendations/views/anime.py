"""The page of one title, seen by one person."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.options import shows_adult
from catalog.models import Anime
from recommendations.models import HiddenTitle, Profile
from recommendations.selectors.histogram import rating_histogram
from recommendations.selectors.profiles import current_profile, entries_by_anime
from recommendations.services.predictions import forecast_rating
from recommendations.services.recommend import neighbours_of, shown_neighbours
from recommendations.views.lists import is_partial

SIMILAR_TITLES = 6
LAST = 10_000


@require_safe
def anime_detail(request: HttpRequest, anime_id: int) -> HttpResponse:
    """The page; for htmx what is expected of a rating alone."""
    adult = shows_adult(request)
    profile = current_profile(request)
    only_forecast = is_partial(request, "forecast")
    neighbours = [] if only_forecast else neighbours_of(anime_id, SIMILAR_TITLES)
    titles = _titles(anime_id, profile, [neighbour.anime_id for neighbour in neighbours])
    anime = titles.get(anime_id)
    if anime is None:
        raise Http404(_("The catalogue has no title with the id %(id)d.") % {"id": anime_id})
    if anime.is_adult and not adult:
        return _varying(render(request, "recommendations/anime_adult.html"))
    parts = [part for part in _franchise_of(anime, titles.values()) if adult or not part.is_adult]
    entries = entries_by_anime(profile, [part.pk for part in parts])
    context: dict[str, object] = {
        "anime": anime,
        "entry": entries.get(anime.pk),
        "forecast": forecast_rating(profile=profile, anime=anime),
    }
    if only_forecast:
        return _varying(render(request, "recommendations/_forecast.html", context))
    similar = shown_neighbours(neighbours, titles, k=SIMILAR_TITLES, show_adult=adult)
    context |= {
        "hidden": anime.hidden,  # type: ignore[attr-defined]
        "parts": [(part, entries.get(part.pk)) for part in parts] if len(parts) > 1 else [],
        "by_fans": [found for found in similar if found.by == "fans"],
        "by_content": [found for found in similar if found.by == "content"],
        "histogram": rating_histogram(anime.pk),
    }
    return _varying(render(request, "recommendations/anime_detail.html", context))


def _titles(anime_id: int, profile: Profile | None, also: list[int]) -> dict[int, Anime]:
    """The title with its whole franchise and the titles ``also``, by id, each with ``hidden``: whether the person hid
    it. One question for all of them."""
    franchise = Anime.objects.filter(pk=anime_id).values("franchise")
    titles = Anime.objects.filter(Q(pk=anime_id) | Q(franchise__in=franchise) | Q(pk__in=also)).with_facts()
    titles = titles.annotate(hidden=Exists(HiddenTitle.objects.filter(profile=profile, anime=OuterRef("pk"))))
    return {title.pk: title for title in titles}


def _franchise_of(anime: Anime, titles: Iterable[Anime]) -> list[Anime]:
    """The title and its franchise among ``titles``, in watch order."""
    franchise = anime.franchise_id
    parts = [part for part in titles if part.pk == anime.pk or (franchise and part.franchise_id == franchise)]
    return sorted(parts, key=lambda part: (part.franchise_order or LAST, part.year or LAST, part.pk))


def _varying(response: HttpResponse) -> HttpResponse:
    """Caches must not take the fragment for the page."""
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response
