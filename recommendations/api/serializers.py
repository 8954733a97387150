"""What the API takes and gives: entries, options of a list, recommendations with their reasons."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework import serializers

from catalog.api.serializers import AnimeSerializer
from catalog.importers.values import MAX_ID, MAX_SMALL
from catalog.models import AgeRating, AnimeType, Genre
from catalog.selectors import CatalogueFilter
from ml.types import Entry, FranchiseMode, Status
from ml.types import Profile as ScoringProfile
from recommendations.models import HiddenTitle, ListEntry, ListStatus
from recommendations.services.recommend import Basis, ListOptions

MAX_K = 100
# Shares are told in steps of a ten-thousandth.
SHARE_STEPS = 10_000


class OptionsSerializer(serializers.Serializer):
    """The dials and filters of a list. A dial that is left out stands as tuned at training."""

    k = serializers.IntegerField(min_value=1, max_value=MAX_K, default=10, help_text="How many titles.")
    balance = serializers.FloatField(
        min_value=0, max_value=1, required=False, help_text="0 = content only, 1 = collaborative only."
    )
    novelty = serializers.FloatField(min_value=0, max_value=1, required=False, help_text="0 = popular, 1 = niche.")
    diversity = serializers.FloatField(min_value=0, max_value=1, required=False, help_text="0 = none.")
    franchise = serializers.ChoiceField(
        choices=[mode.value for mode in FranchiseMode],
        default=FranchiseMode.NEW.value,
        help_text="new = franchises not yet touched, one title each; next = the next part; off = plain ranking.",
    )
    planned = serializers.BooleanField(
        default=False, help_text="true = titles that are planned may be listed as well."
    )
    genre = serializers.ListField(
        child=serializers.SlugField(), required=False, help_text="Slugs of genres that a title must all have."
    )
    genre_out = serializers.ListField(
        child=serializers.SlugField(), required=False, help_text="Slugs of genres that a title must not have."
    )
    type = serializers.ListField(child=serializers.ChoiceField(choices=AnimeType.choices), required=False)
    age_rating = serializers.ListField(child=serializers.ChoiceField(choices=AgeRating.choices), required=False)
    year_min = serializers.IntegerField(min_value=1900, max_value=2100, required=False)
    year_max = serializers.IntegerField(min_value=1900, max_value=2100, required=False)
    episodes_max = serializers.IntegerField(min_value=1, max_value=MAX_SMALL, required=False)
    minutes_max = serializers.IntegerField(
        min_value=1,
        max_value=MAX_ID,
        required=False,
        help_text="Running time of all episodes together; titles of which it is unknown are left out.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name in ("genre", "genre_out"):
            slugs = set(attrs.get(name, ()))
            known = set(Genre.objects.filter(slug__in=slugs).values_list("slug", flat=True)) if slugs else set()
            if slugs - known:
                raise serializers.ValidationError({name: _("Unknown genre: %s") % ", ".join(sorted(slugs - known))})
        if attrs.get("year_min", 0) > attrs.get("year_max", 9999):
            raise serializers.ValidationError({"year_min": _("year_min is later than year_max.")})
        return attrs

    def options(self, *, show_adult: bool) -> ListOptions:
        """The validated data as the service takes it."""
        given = self.validated_data
        return ListOptions(
            k=given["k"],
            balance=given.get("balance"),
            novelty=given.get("novelty"),
            diversity=given.get("diversity"),
            franchise=FranchiseMode(given["franchise"]),
            planned=given["planned"],
            filter=CatalogueFilter(
                genres=tuple(sorted(given.get("genre", ()))),
                genres_out=tuple(sorted(given.get("genre_out", ()))),
                types=tuple(sorted(given.get("type", ()))),
                age_ratings=tuple(sorted(given.get("age_rating", ()))),
                year_min=given.get("year_min"),
                year_max=given.get("year_max"),
                episodes_max=given.get("episodes_max"),
                minutes_max=given.get("minutes_max"),
                show_adult=show_adult,
                released_only=True,
                without_recaps=True,
            ),
        )


class GivenRatingSerializer(serializers.Serializer):
    anime_id = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    rating = serializers.IntegerField(
        min_value=1, max_value=10, allow_null=True, default=None, help_text="1 to 10; null = watched, not rated."
    )
    status = serializers.ChoiceField(choices=ListStatus.choices, default=ListStatus.COMPLETED)


class RecommendationRequestSerializer(OptionsSerializer):
    """A list for somebody we do not know: their ratings come with the request and are not stored."""

    ratings = GivenRatingSerializer(many=True)
    hidden = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**31 - 1),
        max_length=settings.MAX_PROFILE_RATINGS,
        required=False,
        help_text="Ids that must not be listed.",
    )
    include_adult = serializers.BooleanField(default=False)

    def validate_ratings(self, ratings: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(ratings) > settings.MAX_PROFILE_RATINGS:
            raise serializers.ValidationError(
                _("%(given)d ratings are too many: send at most %(most)d.")
                % {"given": len(ratings), "most": settings.MAX_PROFILE_RATINGS}
            )
        twice = [str(anime_id) for anime_id, n in Counter(row["anime_id"] for row in ratings).items() if n > 1]
        if twice:
            raise serializers.ValidationError(_("Rated more than once: %s") % ", ".join(twice[:10]))
        return ratings

    def profile(self) -> ScoringProfile:
        given = self.validated_data
        return ScoringProfile.of(
            (Entry(row["anime_id"], row["rating"], Status(row["status"])) for row in given["ratings"]),
            given.get("hidden", ()),
        )


class ReasonTitleSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    title = serializers.CharField()


class ReasonSerializer(serializers.Serializer):
    """Why a title is listed. Which fields there are depends on ``kind``."""

    kind = serializers.ChoiceField(
        choices=["rated", "content", "popular"],
        help_text="rated: `anime` on your list carried `share`; content: `traits` in common; popular: many like it, "
        "first where that carried most of the score.",
    )
    share = serializers.FloatField(
        required=False,
        help_text="0 to 1: the part that this carried of all that spoke for the title, your list and its popularity. "
        "Those of one title add up to at most 1. Left out for popular where nothing personal is known.",
    )
    anime = ReasonTitleSerializer(required=False)
    rating = serializers.IntegerField(required=False, allow_null=True)
    traits = serializers.ListField(child=serializers.CharField(), required=False)

    def to_representation(self, reason: Any) -> dict[str, Any]:
        shown: dict[str, Any] = {"kind": reason.kind}
        if reason.kind == "rated" or reason.share:
            # Rounded down: the shares of a title must not add up to more than 1.
            shown["share"] = int(reason.share * SHARE_STEPS) / SHARE_STEPS
        if reason.kind == "rated":
            shown["rating"] = reason.rating
            if reason.anime is not None:
                shown["anime"] = ReasonTitleSerializer(reason.anime).data
        elif reason.kind == "content":
            shown["traits"] = list(reason.traits)
        return shown


class ListedSerializer(serializers.Serializer):
    rank = serializers.IntegerField()
    anime = AnimeSerializer()
    score = serializers.FloatField(help_text="Orders the list; has no unit.")
    components = serializers.DictField(child=serializers.FloatField(), help_text="The parts' own scores.")
    reasons = ReasonSerializer(many=True)


class RecommendationListSerializer(serializers.Serializer):
    results = ListedSerializer(many=True)
    model_version = serializers.CharField(allow_null=True)
    basis = serializers.ChoiceField(
        choices=[basis.value for basis in Basis],
        help_text="personal, or while no model can be loaded: stored (an earlier list) or popularity.",
    )
    ignored = serializers.ListField(child=serializers.IntegerField(), help_text="Ids the model does not know.")


class SimilarSerializer(serializers.Serializer):
    anime = AnimeSerializer()
    score = serializers.FloatField()
    by = serializers.ChoiceField(choices=["fans", "content"])


class SimilarListSerializer(serializers.Serializer):
    results = SimilarSerializer(many=True)


class EntrySerializer(serializers.ModelSerializer):
    """One title of the own list. ``PUT`` sets what is left out to its default, ``PATCH`` leaves it as it is."""

    anime = AnimeSerializer(read_only=True)
    rating = serializers.IntegerField(min_value=1, max_value=10, allow_null=True, default=None)
    status = serializers.ChoiceField(choices=ListStatus.choices, default=ListStatus.COMPLETED)
    started = serializers.DateField(allow_null=True, default=None)
    finished = serializers.DateField(allow_null=True, default=None)

    class Meta:
        model = ListEntry
        fields = ["anime", "rating", "status", "started", "finished", "created", "updated"]
        read_only_fields = ["created", "updated"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        started, finished = attrs.get("started"), attrs.get("finished")
        if started and finished and started > finished:
            raise serializers.ValidationError({"finished": _("The end lies before the start.")})
        return attrs


class HiddenSerializer(serializers.ModelSerializer):
    anime = AnimeSerializer(read_only=True)

    class Meta:
        model = HiddenTitle
        fields = ["anime", "created"]
