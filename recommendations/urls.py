from django.urls import path
from django.views.generic import TemplateView

from recommendations.views.about import about_model
from recommendations.views.anime import anime_detail
from recommendations.views.bulk import bulk_change, bulk_undo
from recommendations.views.entries import entry_rate, entry_remove, entry_set, hide, unhide
from recommendations.views.export import export
from recommendations.views.for_you import for_you
from recommendations.views.grid import unseen
from recommendations.views.home import home
from recommendations.views.library import library
from recommendations.views.members import member_detail, member_lookup
from recommendations.views.people import person
from recommendations.views.why_not import why_not, why_not_search

urlpatterns = [
    path("", home, name="home"),
    path("for-you/", for_you, name="for_you"),
    path("for-you/why-not/", why_not_search, name="why_not_search"),
    path("for-you/why-not/<int:anime_id>/", why_not, name="why_not"),
    path("library/", library, name="library"),
    path("library/change/", bulk_change, name="bulk_change"),
    path("library/undo/", bulk_undo, name="bulk_undo"),
    path("anime/<int:anime_id>/", anime_detail, name="anime_detail"),
    path("people/<str:username>/", person, name="person"),
    path("members/", member_lookup, name="member_lookup"),
    path("members/<str:external_id>/", member_detail, name="member_detail"),
    path("about/model/", about_model, name="about_model"),
    path("account/export/", export, name="account_export"),
    path("entries/unseen/", unseen, name="unseen"),
    path("entries/<int:anime_id>/rate/", entry_rate, name="entry_rate"),
    path("entries/<int:anime_id>/set/", entry_set, name="entry_set"),
    path("entries/<int:anime_id>/remove/", entry_remove, name="entry_remove"),
    path("entries/<int:anime_id>/hide/", hide, name="hide"),
    path("entries/<int:anime_id>/unhide/", unhide, name="unhide"),
    path("robots.txt", TemplateView.as_view(template_name="robots.txt", content_type="text/plain"), name="robots"),
]
