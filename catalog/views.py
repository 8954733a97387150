"""Browsing the catalogue, and the covers that are drawn for titles without an image."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django_htmx.http import replace_url

from accounts.models import TitleLanguage
from accounts.options import shows_adult
from catalog.covers import Subject, draw_cover
from catalog.forms import BrowseForm
from catalog.models import Anime
from catalog.selectors import browse
from catalog.titles import cover_version, title_in

TITLES_PER_PAGE = 24
YEAR_SECONDS = 365 * 24 * 3600


@require_safe
def anime_list(request: HttpRequest) -> HttpResponse:
    """Browse, search, filter and sort; the whole state is in the URL. htmx gets the results alone."""
    form = BrowseForm(request.GET)
    problems = form.problems()
    titles = browse(
        form.catalogue_filter(show_adult=shows_adult(request), released_only=False),
        text=form.value("q") or "",
        ordering=form.ordering(),
    )
    paginator = Paginator(titles, TITLES_PER_PAGE)
    typed_page = request.GET.get("page", "1")
    page = paginator.get_page(typed_page)
    if str(page.number) != typed_page:
        problems.append(
            _("There is no page “%(page)s”: this is page %(number)d.")
            % {"page": typed_page[:20], "number": page.number}
        )
    query = form.query()
    partial = bool(request.htmx) and request.htmx.target == "results"  # type: ignore[attr-defined]
    response = render(
        request,
        "catalog/_results.html" if partial else "catalog/anime_list.html",
        {
            "form": form,
            "page": page,
            "pages": paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
            "problems": problems,
            "query": f"{query}&" if query else "",
        },
    )
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    if partial:
        shown = form.query(page=page.number if page.number > 1 else None)
        replace_url(response, f"{request.path}?{shown}" if shown else request.path)
    return response


@require_safe
def anime_cover(request: HttpRequest, anime_id: int) -> HttpResponse:
    """The drawn cover. Under the address that pages use (``v`` is its version) a browser keeps it for a year."""
    anime = get_object_or_404(Anime.objects.prefetch_related("genres"), pk=anime_id)
    # Asked of the session only where it matters: everybody else's covers are the same for all.
    if anime.is_adult and not shows_adult(request):
        raise Http404
    language = request.GET.get("t", "")
    if language not in TitleLanguage.values:
        language = ""
    picture = draw_cover(
        Subject(
            seed=anime.pk,
            title=title_in(anime, language),
            type=anime.type,
            year=anime.year,
            genre_slugs=tuple(genre.slug for genre in anime.genres.all()),
        )
    )
    response = HttpResponse(picture, content_type="image/svg+xml")
    audience = "private" if anime.is_adult else "public"
    if request.GET.get("v") == cover_version(anime, language):
        patch_cache_control(response, **{audience: True}, max_age=YEAR_SECONDS, immutable=True)
    else:
        patch_cache_control(response, **{audience: True}, max_age=300)
    return response
