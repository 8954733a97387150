"""Questions one asks of the catalogue, chainable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F

if TYPE_CHECKING:
    pass


class AnimeQuerySet(models.QuerySet["Anime"]):
    def for_everyone(self) -> Self:
        """Without adult titles, which only people who opted in see."""
        return self.filter(is_adult=False)

    def visible_to(self, *, show_adult: bool) -> Self:
        return self if show_adult else self.for_everyone()

    def released(self) -> Self:
        return self.exclude(status="upcoming")

    def by_popularity(self) -> Self:
        return self.order_by(F("members").desc(nulls_last=True), "id")

    def with_facts(self) -> Self:
        """With what a card shows, in three queries whatever the number of titles."""
        return self.select_related("franchise").prefetch_related("genres", "studios")
