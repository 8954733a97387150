"""Questions one asks of the catalogue, chainable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Value
from django.db.models.functions import Coalesce

if TYPE_CHECKING:
    from catalog.models import Anime  # noqa: F401 - named in a string below


# Titles of which the fact is unknown come last, in both dialects, by an index that both can build.
MOST_MEMBERS = Coalesce("members", Value(0)).desc()
BEST_RATED = Coalesce("community_rating", Value(0.0)).desc()


class AnimeQuerySet(models.QuerySet["Anime"]):
    def for_everyone(self) -> Self:
        """Without adult titles, which only people who opted in see."""
        return self.filter(is_adult=False)

    def visible_to(self, *, show_adult: bool) -> Self:
        return self if show_adult else self.for_everyone()

    def released(self) -> Self:
        return self.exclude(status="upcoming")

    def by_popularity(self) -> Self:
        return self.order_by(MOST_MEMBERS, "id")

    def with_facts(self) -> Self:
        """With what a card shows, in three queries whatever the number of titles."""
        return self.select_related("franchise").prefetch_related("genres", "studios")
