from django.urls import path

from accounts import views

urlpatterns = [
    path("", views.account, name="account"),
    path("options/", views.options, name="account_options"),
    path("theme/", views.theme, name="theme"),
    path("tokens/", views.token_create, name="token_create"),
    path("tokens/<int:token_id>/revoke/", views.token_revoke, name="token_revoke"),
    path("delete/", views.delete, name="account_delete"),
]
