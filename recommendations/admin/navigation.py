"""The sidebar of the admin: operations first, then what the person may see, app by app."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# Apps in this order, and what the group is called where its app has another name; the others follow.
GROUPS = {
    "recommendations": gettext_lazy("Models"),
    "django_celery_beat": gettext_lazy("Schedule"),
    "catalog": gettext_lazy("Catalogue"),
    "accounts": gettext_lazy("Accounts"),
    "account": gettext_lazy("Accounts"),
    "usersessions": gettext_lazy("Accounts"),
}
ICONS = {
    "User": "person",
    "ApiToken": "key",
    "EmailAddress": "mail",
    "UserSession": "devices",
    "Anime": "movie",
    "Franchise": "account_tree",
    "Genre": "label",
    "Studio": "apartment",
    "Job": "work_history",
    "ModelVersion": "deployed_code",
    "PeriodicTask": "schedule",
    "ClockedSchedule": "event",
    "CrontabSchedule": "calendar_month",
    "IntervalSchedule": "timer",
    "SolarSchedule": "wb_twilight",
}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of the sidebar as unfold wants them."""
    top = [{"title": _("Dashboard"), "icon": "home", "link": reverse("admin:index")}]
    if request.user.has_perm("recommendations.view_job"):
        top.append({"title": _("Operations"), "icon": "monitor_heart", "link": reverse("admin_operations")})
    groups: dict[str, list[dict[str, Any]]] = {}
    order = list(GROUPS)
    apps = admin.site.get_app_list(request)
    for app in sorted(
        apps, key=lambda app: order.index(app["app_label"]) if app["app_label"] in order else len(order)
    ):
        groups.setdefault(str(GROUPS.get(app["app_label"], app["name"])), []).extend(
            {"title": model["name"], "icon": ICONS.get(model["object_name"], "list"), "link": model["admin_url"]}
            for model in app["models"]
            if model["admin_url"]
        )
    return [{"items": top}, *({"title": title, "items": items} for title, items in groups.items())]
