"""The catalogue over HTTP. Public; adult titles only for members who opted in."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView, get_object_or_404
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.options import shows_adult
from catalog.api.filters import AnimeListQuery
from catalog.api.pagination import StandardPagination
from catalog.api.serializers import AnimeDetailSerializer, AnimeSerializer
from catalog.models import Anime
from catalog.selectors import browse, franchise_titles


class AnimeListView(ListAPIView):
    """Browse and search."""

    permission_classes = [AllowAny]
    serializer_class = AnimeSerializer
    pagination_class = StandardPagination
    filter_backends: list[Any] = []

    def get_queryset(self) -> QuerySet[Anime]:
        if getattr(self, "swagger_fake_view", False):
            return Anime.objects.none()
        query = AnimeListQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        titles = browse(
            query.chosen_filter(show_adult=shows_adult(self.request)),
            text=query.chosen_text(),
            ordering=query.chosen_ordering(),
        )
        return titles.with_facts()

    @extend_schema(operation_id="anime_list", parameters=[AnimeListQuery])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class AnimeDetailView(APIView):
    """One title."""

    permission_classes = [AllowAny]

    @extend_schema(operation_id="anime_read", responses=AnimeDetailSerializer)
    def get(self, request: Request, anime_id: int) -> Response:
        show_adult = shows_adult(request)
        titles = Anime.objects.visible_to(show_adult=show_adult).with_facts().prefetch_related("synonyms")
        anime = get_object_or_404(titles, pk=anime_id)
        context = {"titles": franchise_titles(anime, show_adult=show_adult)}
        return Response(AnimeDetailSerializer(anime, context=context).data)
