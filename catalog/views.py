"""Browsing the catalogue, and the covers that are drawn for titles without an image."""

from __future__ import annotations

from django.core.paginator import Page, Paginator
from django.db.models import Count, Window
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
from catalog.querysets import AnimeQuerySet
from catalog.search import closest, comes_close
from catalog.selectors import browse
from catalog.titles import cover_version, title_in

TITLES_PER_PAGE = 24
YEAR_SECONDS = 365 * 24 * 3600


class SearchPaginator(Paginator):
    """The titles of a page and the number of all in one query: a search has to look at all of them anyway."""

    def __init__(self, titles: AnimeQuerySet, typed_page: str) -> None:
        super().__init__(titles, TITLES_PER_PAGE)
        self._number = int(typed_page) if typed_page.isascii() and typed_page.isdigit() and len(typed_page) < 6 else 1
        start = max(self._number - 1, 0) * TITLES_PER_PAGE
        counted = titles.annotate(number_found=Window(Count("*")))
        self._titles = list(counted[start : start + TITLES_PER_PAGE])
        if self._titles:
            self.count = self._titles[0].number_found
        elif start == 0:
            self.count = 0

    def page(self, number: int | str) -> Page[Anime]:
        if self._titles and number == self._number:
            return Page(self._titles, self._number, self)
        return super().page(number)


@require_safe
def anime_list(request: HttpRequest) -> HttpResponse:
    """Browse, search, filter and sort; the whole state is in the URL. htmx gets the results alone."""
    adult = shows_adult(request)
    form = BrowseForm(request.GET, show_adult=adult)
    problems = form.problems()
    text = form.value("q") or ""
    titles = browse(form.catalogue_filter(show_adult=adult, released_only=False), text=text, ordering=form.ordering())
    typed_page = request.GET.get("page", "1")
    paginator: Paginator[Anime] = SearchPaginator(titles, typed_page) if text else Paginator(titles, TITLES_PER_PAGE)
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
            "text": text,
            "comes_close": comes_close(list(page.object_list)),
            # Filters may be what keeps a title away, so the text alone is looked for.
            "closest": closest(text, show_adult=adult) if text and not paginator.count else [],
            "problems": problems,
            "query": f"{query}&" if query else "",
            "partial": partial,
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
