from django.urls import path

from catalog.api.views import AnimeDetailView, AnimeListView

urlpatterns = [
    path("anime/", AnimeListView.as_view(), name="api_anime_list"),
    path("anime/<int:anime_id>/", AnimeDetailView.as_view(), name="api_anime_detail"),
]
