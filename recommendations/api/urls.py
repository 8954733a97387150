from django.urls import path

from recommendations.api import views

urlpatterns = [
    path("recommendations/", views.RecommendationsView.as_view(), name="api_recommendations"),
    path("anime/<int:anime_id>/similar/", views.SimilarView.as_view(), name="api_similar"),
    path("me/recommendations/", views.MyRecommendationsView.as_view(), name="api_my_recommendations"),
    path("me/list/", views.MyListView.as_view(), name="api_my_list"),
    path("me/list/<int:anime_id>/", views.MyListEntryView.as_view(), name="api_my_list_entry"),
    path("me/hidden/", views.MyHiddenListView.as_view(), name="api_my_hidden_list"),
    path("me/hidden/<int:anime_id>/", views.MyHiddenView.as_view(), name="api_my_hidden"),
]
