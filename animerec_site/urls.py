"""Every address of the site."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from recommendations.admin import operations

# One way to sign in: allauth's, with its rate limits.
admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

api: list[URLPattern | URLResolver] = [
    path("schema/", SpectacularAPIView.as_view(), name="api_schema"),
    # Split: its script is a file of its own, as the content security policy wants it.
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api_schema"), name="api_docs"),
    path("", include("catalog.api.urls")),
    path("", include("recommendations.api.urls")),
]

urlpatterns = [
    path("", include("recommendations.urls")),
    path("anime/", include("catalog.urls")),
    path("account/", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("api/v1/", include(api)),
    path("admin/recommendations/", include(operations)),
    path("admin/", admin.site.urls),
]

handler400 = "animerec_site.errors.bad_request"
handler404 = "animerec_site.errors.not_found"
handler500 = "animerec_site.errors.server_error"
