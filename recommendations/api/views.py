"""The API of lists and recommendations. Thin: validate, call a service or selector, serialise."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet, prefetch_related_objects
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView, get_object_or_404
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.options import shows_adult
from catalog.api.pagination import StandardPagination
from catalog.models import Anime
from recommendations.api.serializers import (
    EntrySerializer,
    HiddenSerializer,
    OptionsSerializer,
    RecommendationListSerializer,
    RecommendationRequestSerializer,
    SimilarListSerializer,
)
from recommendations.models import HiddenTitle, ListEntry, ListStatus
from recommendations.selectors.profiles import current_profile
from recommendations.services import entries
from recommendations.services.profiles import profile_of_user
from recommendations.services.recommend import RecommendationList, recommend, recommend_ratings, similar_titles

MAX_SIMILAR = 50


class RecommendationsView(APIView):
    """A list from the ratings in the request. No account; nothing is stored."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="recommendations_create",
        request=RecommendationRequestSerializer,
        responses=RecommendationListSerializer,
    )
    def post(self, request: Request) -> Response:
        given = RecommendationRequestSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        options = given.options(show_adult=given.validated_data["include_adult"])
        return _answer(recommend_ratings(profile=given.profile(), options=options))


class MyRecommendationsView(APIView):
    """The signed-in user's list."""

    @extend_schema(
        operation_id="me_recommendations", parameters=[OptionsSerializer], responses=RecommendationListSerializer
    )
    def get(self, request: Request) -> Response:
        given = OptionsSerializer(data=request.query_params)
        given.is_valid(raise_exception=True)
        options = given.options(show_adult=shows_adult(request))
        return _answer(recommend(profile=current_profile(request), options=options))


class SimilarView(APIView):
    """Titles like this one, by shared fans and by content."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="anime_similar",
        parameters=[
            OpenApiParameter("k", OpenApiTypes.INT, description=f"At most so many each, 1 to {MAX_SIMILAR}.")
        ],
        responses=SimilarListSerializer,
    )
    def get(self, request: Request, anime_id: int) -> Response:
        k = serializers.IntegerField(min_value=1, max_value=MAX_SIMILAR)
        try:
            wanted = k.run_validation(request.query_params.get("k", "10"))
        except serializers.ValidationError as error:
            raise serializers.ValidationError({"k": error.detail}) from error
        adult = shows_adult(request)
        anime = get_object_or_404(Anime.objects.visible_to(show_adult=adult), pk=anime_id)
        similar = similar_titles(anime=anime, k=wanted, show_adult=adult)
        return Response(SimilarListSerializer({"results": similar}).data)


class MyListView(ListAPIView):
    """The own list, what changed last first."""

    serializer_class = EntrySerializer
    pagination_class = StandardPagination

    def get_queryset(self) -> QuerySet[ListEntry]:
        if getattr(self, "swagger_fake_view", False):
            return ListEntry.objects.none()
        found = ListEntry.objects.filter(profile__user=user_of(self.request))
        wanted = self.request.query_params.get("status")
        if wanted is not None:
            if wanted not in ListStatus.values:
                raise serializers.ValidationError({"status": f"Use one of: {', '.join(ListStatus.values)}."})
            found = found.filter(status=wanted)
        return (
            found.select_related("anime")
            .prefetch_related("anime__genres", "anime__studios")
            .order_by("-updated", "-pk")
        )

    @extend_schema(
        operation_id="me_list", parameters=[OpenApiParameter("status", OpenApiTypes.STR, enum=ListStatus.values)]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class MyListEntryView(APIView):
    """One title of the own list."""

    @extend_schema(operation_id="me_list_read", responses=EntrySerializer)
    def get(self, request: Request, anime_id: int) -> Response:
        entry = get_object_or_404(
            ListEntry.objects.select_related("anime"), profile__user=user_of(request), anime=anime_id
        )
        return Response(EntrySerializer(entry).data)

    @extend_schema(operation_id="me_list_set", request=EntrySerializer, responses=EntrySerializer)
    def put(self, request: Request, anime_id: int) -> Response:
        return self._store(request, anime_id, partial=False)

    @extend_schema(operation_id="me_list_change", request=EntrySerializer, responses=EntrySerializer)
    def patch(self, request: Request, anime_id: int) -> Response:
        return self._store(request, anime_id, partial=True)

    @extend_schema(operation_id="me_list_delete", responses={204: None})
    def delete(self, request: Request, anime_id: int) -> Response:
        if not entries.remove_entry(profile=profile_of_user(user_of(request)), anime=_anime(anime_id)):
            raise Http404
        return Response(status=status.HTTP_204_NO_CONTENT)

    @staticmethod
    def _store(request: Request, anime_id: int, *, partial: bool) -> Response:
        anime = _anime(anime_id)
        given = EntrySerializer(data=request.data, partial=partial)
        given.is_valid(raise_exception=True)
        profile = profile_of_user(user_of(request))
        entry = entries.set_entry(profile=profile, anime=anime, changes=given.validated_data)
        return Response(EntrySerializer(entry).data)


class MyHiddenListView(ListAPIView):
    """Titles that must not be listed."""

    serializer_class = HiddenSerializer
    pagination_class = StandardPagination

    def get_queryset(self) -> QuerySet[HiddenTitle]:
        if getattr(self, "swagger_fake_view", False):
            return HiddenTitle.objects.none()
        found = HiddenTitle.objects.filter(profile__user=user_of(self.request)).order_by("-created", "-pk")
        return found.select_related("anime").prefetch_related("anime__genres", "anime__studios")

    @extend_schema(operation_id="me_hidden")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class MyHiddenView(APIView):
    """Hide a title, or let it be listed again."""

    @extend_schema(operation_id="me_hidden_set", request=None, responses={204: None})
    def put(self, request: Request, anime_id: int) -> Response:
        entries.hide(profile=profile_of_user(user_of(request)), anime=_anime(anime_id))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(operation_id="me_hidden_delete", responses={204: None})
    def delete(self, request: Request, anime_id: int) -> Response:
        if not entries.unhide(profile=profile_of_user(user_of(request)), anime=_anime(anime_id)):
            raise Http404
        return Response(status=status.HTTP_204_NO_CONTENT)


def _answer(shown: RecommendationList) -> Response:
    prefetch_related_objects([listed.anime for listed in shown.results], "genres", "studios")
    return Response(RecommendationListSerializer(shown).data)


def user_of(request: Request) -> User:
    """The user of a request that passed ``IsAuthenticated``."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - the permission class has seen to it
    return user


def _anime(anime_id: int) -> Anime:
    return get_object_or_404(Anime, pk=anime_id)
