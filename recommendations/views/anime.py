"""The page of one title, seen by one person."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.options import shows_adult
from catalog.models import Anime
from recommendations.models import HiddenTitle, Profile
from recommendations.selectors.profiles import current_profile, entries_by_anime
from recommendations.services.recommend import similar_titles

SIMILAR_TITLES = 6
LAST = 10_000


@require_safe
def anime_detail(request: HttpRequest, anime_id: int) -> HttpResponse:
    adult = shows_adult(request)
    profile = current_profile(request)
    titles = _with_franchise(anime_id, profile)
    anime = next((title for title in titles if title.pk == anime_id), None)
    if anime is None:
        raise Http404(_("The catalogue has no title with the id %(id)d.") % {"id": anime_id})
    if anime.is_adult and not adult:
        return render(request, "recommendations/anime_adult.html")
    parts = [part for part in titles if adult or not part.is_adult]
    entries = entries_by_anime(profile, [part.pk for part in parts])
    similar = similar_titles(anime=anime, k=SIMILAR_TITLES, show_adult=adult)
    return render(
        request,
        "recommendations/anime_detail.html",
        {
            "anime": anime,
            "entry": entries.get(anime.pk),
            "hidden": anime.hidden,  # type: ignore[attr-defined]
            "parts": [(part, entries.get(part.pk)) for part in parts] if len(parts) > 1 else [],
            "by_fans": [found for found in similar if found.by == "fans"],
            "by_content": [found for found in similar if found.by == "content"],
        },
    )


def _with_franchise(anime_id: int, profile: Profile | None) -> list[Anime]:
    """The title and its whole franchise in watch order, each with ``hidden``: whether the person hid it."""
    franchise = Anime.objects.filter(pk=anime_id).values("franchise")
    titles = Anime.objects.filter(Q(pk=anime_id) | Q(franchise__in=franchise)).with_facts()
    titles = titles.annotate(hidden=Exists(HiddenTitle.objects.filter(profile=profile, anime=OuterRef("pk"))))
    return sorted(titles, key=lambda part: (part.franchise_order or LAST, part.year or LAST, part.pk))
