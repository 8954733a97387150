"""What the site knows about a member, as a file of their own."""

from __future__ import annotations

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import ApiToken
from accounts.views import member_of
from recommendations.models import HiddenTitle
from recommendations.selectors.library import library_entries
from recommendations.selectors.profiles import current_profile


@require_safe
@login_required
def export(request: HttpRequest) -> HttpResponse:
    """Account, list and hidden titles as JSON; ids are MyAnimeList's, dates ISO 8601."""
    user = member_of(request)
    profile = current_profile(request)
    hidden = HiddenTitle.objects.filter(profile=profile).select_related("anime") if profile else []
    content: dict[str, Any] = {
        "exported": timezone.now().isoformat(timespec="seconds"),
        "account": {
            "username": user.get_username(),
            "email": user.email,
            "joined": user.date_joined.isoformat(timespec="seconds"),
            "title_language": user.title_language,
            "show_adult": user.show_adult,
            "theme": user.theme,
            "visibility": user.visibility,
            "api_tokens": [
                {"name": token.name, "created": token.created.isoformat(timespec="seconds")}
                for token in ApiToken.objects.filter(user=user)
            ],
            "signed_in": [
                {
                    "since": session.created_at.isoformat(timespec="seconds"),
                    "ip": session.ip,
                    "browser": session.user_agent,
                }
                for session in UserSession.objects.filter(user=user).order_by("created_at")
            ],
        },
        "list": [
            {
                "anime_id": entry.anime_id,
                "title": entry.anime.title,
                "rating": entry.rating,
                "status": entry.status,
                "started": entry.started,
                "finished": entry.finished,
                "updated": entry.updated.isoformat(timespec="seconds"),
            }
            for entry in library_entries(profile, ordering="title")
        ],
        "hidden": [{"anime_id": row.anime_id, "title": row.anime.title} for row in hidden],
    }
    response = JsonResponse(content, json_dumps_params={"indent": 1, "ensure_ascii": False})
    response["Content-Disposition"] = 'attachment; filename="animerec.json"'
    response["Cache-Control"] = "no-store"
    return response
