"""The parameters by which the API narrows the catalogue, checked and documented in one place."""

from __future__ import annotations

from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext as _
from rest_framework import serializers

from catalog.importers.values import MAX_ID, MAX_SMALL, YEARS
from catalog.models import AgeRating, AnimeType, Genre
from catalog.selectors import ORDERINGS, RELEVANCE, CatalogueFilter


class AnimeListQuery(serializers.Serializer[dict[str, Any]]):
    """``genre`` and ``type`` may be repeated."""

    search = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="Words of a name; may be misspelt."
    )
    genre = serializers.ListField(
        child=serializers.CharField(max_length=60),
        required=False,
        help_text="Names or slugs of genres that a title must all have; may be repeated.",
    )
    type = serializers.ListField(
        child=serializers.ChoiceField(choices=AnimeType.choices),
        required=False,
        help_text="Types of which a title must have one; may be repeated.",
    )
    year_min = serializers.IntegerField(min_value=YEARS[0], max_value=YEARS[1], required=False)
    year_max = serializers.IntegerField(min_value=YEARS[0], max_value=YEARS[1], required=False)
    episodes_max = serializers.IntegerField(min_value=1, max_value=MAX_SMALL, required=False)
    minutes_max = serializers.IntegerField(
        min_value=1,
        max_value=MAX_ID,
        required=False,
        help_text="Running time of all episodes together; titles of which it is unknown are left out.",
    )
    age_rating = serializers.ListField(
        child=serializers.ChoiceField(choices=AgeRating.choices),
        required=False,
        help_text="Age ratings of which a title must have one; may be repeated.",
    )
    ordering = serializers.ChoiceField(
        choices=[*ORDERINGS, RELEVANCE],
        required=False,
        help_text="Default: relevance with a search, otherwise popular.",
    )

    def validate_genre(self, names: list[str]) -> list[str]:
        slugs = [slugify(name) for name in names]
        known = set(Genre.objects.filter(slug__in=slugs).values_list("slug", flat=True))
        unknown = [name for name, slug in zip(names, slugs, strict=True) if slug not in known]
        if unknown:
            raise serializers.ValidationError(_("There is no genre “%s”.") % "”, “".join(unknown))
        return slugs

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "year_min" in attrs and "year_max" in attrs and attrs["year_min"] > attrs["year_max"]:
            raise serializers.ValidationError({"year_max": _("This lies before year_min.")})
        return attrs

    def chosen_filter(self, *, show_adult: bool) -> CatalogueFilter:
        given = self.validated_data
        return CatalogueFilter(
            genres=tuple(sorted(set(given.get("genre", ())))),
            types=tuple(sorted(set(given.get("type", ())))),
            year_min=given.get("year_min"),
            year_max=given.get("year_max"),
            episodes_max=given.get("episodes_max"),
            minutes_max=given.get("minutes_max"),
            age_ratings=tuple(sorted(set(given.get("age_rating", ())))),
            show_adult=show_adult,
        )

    def chosen_text(self) -> str:
        return self.validated_data.get("search", "")

    def chosen_ordering(self) -> str:
        return self.validated_data.get("ordering") or (RELEVANCE if self.chosen_text() else "popular")
