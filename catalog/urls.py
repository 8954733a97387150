from django.urls import path

from catalog import views

urlpatterns = [
    path("", views.anime_list, name="anime_list"),
    path("<int:anime_id>/cover.svg", views.anime_cover, name="anime_cover"),
]
