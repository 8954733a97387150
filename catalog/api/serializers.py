"""Titles as the API shows them. Give them with ``AnimeQuerySet.with_facts()``, or each costs two queries."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.models import AgeRating, AiringStatus, Anime, AnimeType, Franchise, Season

# "" = unknown; the model's own choices do not name it.
UNKNOWN = [("", "unknown")]


class AnimeSerializer(serializers.ModelSerializer[Anime]):
    """A title. Unknown numbers are null, unknown texts empty."""

    id = serializers.IntegerField(read_only=True, help_text="The MyAnimeList id.")
    type = serializers.ChoiceField(choices=UNKNOWN + AnimeType.choices, read_only=True)
    season = serializers.ChoiceField(choices=UNKNOWN + Season.choices, read_only=True)
    age_rating = serializers.ChoiceField(choices=UNKNOWN + AgeRating.choices, read_only=True)
    genres: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(
        slug_field="name", many=True, read_only=True
    )
    studios: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(
        slug_field="name", many=True, read_only=True
    )
    url = serializers.SerializerMethodField(help_text="The page of the title, relative to the site.")

    class Meta:
        model = Anime
        fields: tuple[str, ...] = (
            "id", "title", "title_english", "title_japanese", "type", "episodes", "year", "season", "genres",
            "studios", "age_rating", "community_rating", "members", "image_url", "url",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.URI_REF)
    def get_url(self, anime: Anime) -> str:
        return anime.get_absolute_url()


class FranchiseTitleSerializer(serializers.ModelSerializer[Anime]):
    class Meta:
        model = Anime
        fields = ("id", "title", "type", "year")
        read_only_fields = fields


class FranchiseSerializer(serializers.ModelSerializer[Franchise]):
    """A franchise with its titles in watch order; ``context["titles"]`` holds them."""

    titles = serializers.SerializerMethodField()

    class Meta:
        model = Franchise
        fields = ("name", "titles")
        read_only_fields = fields

    @extend_schema_field(FranchiseTitleSerializer(many=True))
    def get_titles(self, franchise: Franchise) -> Any:
        return FranchiseTitleSerializer(self.context["titles"], many=True).data


class AnimeDetailSerializer(AnimeSerializer):
    """A title with all that is known of it. ``context["titles"]``: the visible titles of its franchise, in order."""

    synonyms: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(
        slug_field="title", many=True, read_only=True
    )
    # Not "status", which is what a person says of a title on their list.
    airing_status = serializers.ChoiceField(choices=UNKNOWN + AiringStatus.choices, source="status", read_only=True)
    franchise = FranchiseSerializer(read_only=True, allow_null=True)

    class Meta(AnimeSerializer.Meta):
        fields: tuple[str, ...] = (
            *AnimeSerializer.Meta.fields,
            "synopsis", "synonyms", "source", "airing_status", "duration_minutes", "aired_from", "aired_to",
            "franchise",
        )  # fmt: skip
        read_only_fields = fields
