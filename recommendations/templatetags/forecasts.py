"""The little picture of a predicted rating: where it lies from 1 to 10, and how far off it may be."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from recommendations.services.predictions import ToldRating

register = template.Library()

# The scale in units of the drawing: where 1 and 10 stand.
FIRST, LAST = 12.0, 188.0
LOWEST, HIGHEST = 1, 10


@register.inclusion_tag("recommendations/_scale.html")
def rating_scale(told: ToldRating, given: int | str | None = None) -> dict[str, Any]:
    """A scale from 1 to 10 with what is ``told``, how far off it may be and, where there is one, the rating that was
    ``given`` (an empty text is none: templates say so where there is no entry). Coordinates are text: a drawing knows
    no decimal commas."""
    words = _("On a scale from 1 to 10: %(rating)s, most likely %(low)s to %(high)s") % {
        "rating": number_format(told.rating, 1),
        "low": number_format(told.low, 1),
        "high": number_format(told.high, 1),
    }
    own = int(given) if given else None
    if own is not None:
        words = _("%(scale)s; you gave %(given)d") % {"scale": words, "given": own}
    low, high = _place(told.low), _place(told.high)
    return {
        "words": words,
        "ends": (_drawn(FIRST), _drawn(LAST)),
        "ticks": [_drawn(_place(rating)) for rating in range(LOWEST, HIGHEST + 1)],
        "low": _drawn(low),
        "width": _drawn(max(high - low, 1.0)),
        "rating": _drawn(_place(told.rating)),
        "given": "" if own is None else _drawn(_place(own)),
    }


def _place(rating: float) -> float:
    return FIRST + (LAST - FIRST) * (rating - LOWEST) / (HIGHEST - LOWEST)


def _drawn(number: float) -> str:
    return f"{number:.1f}"
