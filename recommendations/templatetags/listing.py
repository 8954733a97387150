"""The rating widget, and why a title is listed, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from catalog.models import Anime
from catalog.titles import title_in
from recommendations.changes import HIDDEN, RATED, REMOVED, UNHIDDEN
from recommendations.models import ListEntry, ListStatus
from recommendations.selectors.profiles import current_profile, entries_by_anime
from recommendations.services.recommend import Listed, ShownReason
from recommendations.services.standing import ShownStanding
from recommendations.views.lists import Cause

register = template.Library()

RATINGS = tuple(range(1, 11))
NAMED_IN_HEADLINE = 2
# Beside "liked by many people" the headline names only titles that carried at least this share.
NAMED_SHARE = 0.1


# Which fragment a change answers with, and what it takes the place of.
# On a list nothing does: the list fetches itself anew.
_TARGETS = {"rating": ("this", "outerHTML"), "panel": ("#own", "outerHTML"), "list": ("this", "none")}


@register.inclusion_tag("recommendations/_rating.html", takes_context=True)
def rating_widget(context: Any, anime: Anime, entry: ListEntry | None, part: str = "rating") -> dict[str, Any]:
    """The one way to rate: ten radio buttons in a form."""
    return {
        "anime": anime,
        "entry": entry,
        "part": part,
        "target": _TARGETS[part][0],
        "swap": _TARGETS[part][1],
        "title": title_in(anime, context.get("title_language", "")),
        "here": context.get("here", "/"),
        "csrf_token": context.get("csrf_token"),
        "user": context.get("user"),
    }


@register.simple_tag
def pips(anime_id: int, rating: int | None) -> SafeString:
    """The ten radio buttons. Made here and not in a template: a page has hundreds, and its blanks would be
    most of its weight."""
    chosen = mark_safe(" checked")
    return format_html_join(
        "",
        '<label class="pip"><input type="radio" id="a{id}-{value}" name="rating" value="{value}" required{checked}>'
        "<span>{value}</span></label>",
        ({"id": anime_id, "value": value, "checked": chosen if value == rating else ""} for value in RATINGS),
    )


@register.simple_tag
def list_statuses() -> list[tuple[str, str]]:
    """The statuses an entry may have, with their names."""
    return [(value, str(label)) for value, label in ListStatus.choices]


@register.simple_tag
def rating_values() -> tuple[int, ...]:
    return RATINGS


@register.simple_tag(takes_context=True)
def own_entries(context: Any, titles: Iterable[Anime]) -> dict[int, ListEntry]:
    """What the person in front of the page has of ``titles`` on their list, by anime id: one query."""
    profile = current_profile(context["request"])
    return entries_by_anime(profile, [anime.pk for anime in titles])


@register.filter
def at(entries: dict[int, ListEntry], anime_id: int) -> ListEntry | None:
    return entries.get(anime_id)


@register.filter
def rated_reasons(listed: Listed) -> list[ShownReason]:
    """The reasons that are titles of the person's list."""
    return [reason for reason in listed.reasons if reason.kind == "rated" and reason.anime is not None]


@register.filter
def shared_reasons(listed: Listed | ShownStanding) -> list[ShownReason]:
    """The reasons that say how much they carried: titles of the person's list and, without a title, popularity."""
    return [reason for reason in listed.reasons if reason.share and (reason.anime or reason.kind == "popular")]


@register.filter
def trait_reasons(listed: Listed | ShownStanding) -> list[str]:
    """What the title has in common with what the person likes."""
    return [trait for reason in listed.reasons for trait in reason.traits]


@register.filter
def percent(share: float) -> str:
    """0.184 as "18 %"."""
    return _("%(number)d %%") % {"number": round(100 * share)}


@register.filter
def unlocalised(number: float) -> str:
    """A number as HTML attributes want it, whatever the language of the page."""
    return f"{number:.3f}"


@register.filter
def signed(number: float) -> str:
    """1.84 as "+1.8"."""
    return f"{number:+.1f}".replace("-", "−")


@register.simple_tag(takes_context=True)
def moved_because(context: Any, cause: Cause) -> SafeString:
    """The change that moved a title: "you gave Monster 9"."""
    title = title_in(cause.anime, context.get("title_language", ""))
    kind = cause.change.kind
    if kind == RATED and cause.change.rating is not None:
        return format_html(_("you gave <b>{}</b>&nbsp;{}"), title, cause.change.rating)
    words = {
        REMOVED: _("<b>{}</b> is off your list"),
        HIDDEN: _("you hid <b>{}</b>"),
        UNHIDDEN: _("<b>{}</b> may be listed again"),
        ListStatus.PLANNED: _("you plan to watch <b>{}</b>"),
        ListStatus.DROPPED: _("you dropped <b>{}</b>"),
    }
    return format_html(words.get(kind, _("you have seen <b>{}</b>")), title)


@register.simple_tag(takes_context=True)
def headline_reason(context: Any, listed: Listed, third_person: bool = False) -> SafeString:
    """One sentence that says why ``listed`` is listed, beginning with what carried most."""
    language = context.get("title_language", "")
    rated = rated_reasons(listed)
    popular = listed.reasons[0].kind == "popular"
    if popular:
        rated = [reason for reason in rated if reason.share >= NAMED_SHARE]
    rated = rated[:NAMED_IN_HEADLINE]
    # "gave Monster 9 and watched Pluto" is no sentence to read ten times: only reasons of the first one's kind.
    rated = [reason for reason in rated if (reason.rating is None) == (rated[0].rating is None)]
    if rated:
        named = [_what_was_given(reason, language) for reason in rated]
        both = format_html(_("{} and {}"), *named) if len(named) == 2 else named[0]
        return format_html(_headline(popular, rated[0].rating is not None, third_person), both)
    traits = trait_reasons(listed)
    if traits and not popular:
        pattern = _("Close to what they like: {}") if third_person else _("Close to what you like: {}")
        return format_html(pattern, ", ".join(traits))
    return mark_safe(conditional_escape(_("Liked by many people")))  # noqa: S308 - escaped in this line


def _headline(popular: bool, given: bool, third_person: bool) -> str:
    """The sentence around the titles that are named: "given" a rating, or watched."""
    if popular and given:
        return (
            _("Liked by many people, and they gave {}")
            if third_person
            else _("Liked by many people, and you gave {}")
        )
    if popular:
        return (
            _("Liked by many people, and they watched {}")
            if third_person
            else _("Liked by many people, and you watched {}")
        )
    if given:
        return _("Because they gave {}") if third_person else _("Because you gave {}")
    return _("Because they watched {}") if third_person else _("Because you watched {}")


def _what_was_given(reason: ShownReason, language: str) -> SafeString:
    assert reason.anime is not None  # noqa: S101 - rated_reasons keeps only those with a title
    title = title_in(reason.anime, language)
    if reason.rating is None:
        return format_html("<b>{}</b>", title)
    return format_html("<b>{}</b>&nbsp;{}", title, reason.rating)
