"""How titles look on every page: their name in the person's language, their cover, their facts in one line."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.covers import COVER_HEIGHT, COVER_WIDTH
from catalog.models import Anime
from catalog.titles import cover_version, title_in

register = template.Library()


@register.filter
def display_title(anime: Anime, language: str) -> str:
    """The title in ``language`` (a :class:`accounts.models.TitleLanguage` value), else the Latin one."""
    return title_in(anime, language)


@register.filter
def other_titles(anime: Anime, language: str) -> list[str]:
    """The other names of ``anime``, without the one that is shown large."""
    shown = title_in(anime, language)
    names = [anime.title, anime.title_english, anime.title_japanese]
    return [name for name in dict.fromkeys(names) if name and name != shown]


@register.inclusion_tag("catalog/_cover.html", takes_context=True)
def cover(context: Any, anime: Anime, lazy: bool = True) -> dict[str, Any]:
    """The cover of ``anime``: the catalogue's image, else the drawn one. Beside a title, so it needs no text."""
    language = context.get("title_language", "")
    drawn = reverse("anime_cover", args=[anime.pk]) + f"?v={cover_version(anime, language)}"
    if language and title_in(anime, language) != anime.title:
        drawn += f"&t={language}"
    return {
        "source": anime.image_url or drawn,
        "fallback": drawn if anime.image_url else "",
        "width": COVER_WIDTH,
        "height": COVER_HEIGHT,
        "lazy": lazy,
    }


@register.filter
def facts(anime: Anime) -> list[str]:
    """What stands below a title: type, year, length."""
    found = [str(anime.get_type_display())] if anime.type else []
    if anime.year:
        found.append(str(anime.year))
    if anime.status == "upcoming":
        found.append(_("not yet aired"))
    elif anime.episodes == 1 and anime.duration_minutes:
        found.append(_("%(minutes)d min") % {"minutes": anime.duration_minutes})
    elif anime.episodes and anime.episodes > 1:
        found.append(ngettext("%(count)d episode", "%(count)d episodes", anime.episodes) % {"count": anime.episodes})
    return found
