"""What single filters of a list let through: to say which of them keeps titles away."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Count, Exists, OuterRef, Q

from catalog.models import Anime
from catalog.selectors import CatalogueFilter, browse


def allowed_by(anime: Anime, filters: Mapping[str, CatalogueFilter]) -> dict[str, bool]:
    """Whether each of ``filters`` allows ``anime``: one query."""
    if not filters:
        return {}
    names = {f"filter_{number}": name for number, name in enumerate(filters)}
    tests = {
        alias: Exists(browse(filters[name]).order_by().filter(pk=OuterRef("pk"))) for alias, name in names.items()
    }
    found = Anime.objects.filter(pk=anime.pk).annotate(**tests).values(*tests).first() or {}
    return {name: bool(found.get(alias)) for alias, name in names.items()}


def title_counts(filters: Mapping[str, CatalogueFilter]) -> dict[str, int]:
    """How many titles each of ``filters`` allows: one query."""
    if not filters:
        return {}
    names = {f"filter_{number}": name for number, name in enumerate(filters)}
    counts = {
        alias: Count("pk", filter=Q(pk__in=browse(filters[name]).order_by().values("pk")))
        for alias, name in names.items()
    }
    found = Anime.objects.aggregate(**counts)
    return {name: found[alias] for alias, name in names.items()}
