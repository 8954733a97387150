"""What signing in means here: the visitor's list goes with the person, the person's theme comes to the browser."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from accounts.models import User
from accounts.theme import bring_theme
from recommendations.services.profiles import claim_visitor_profile
from recommendations.visitor import forget_visitor, visitor_profile_id


class AccountAdapter(DefaultAccountAdapter):
    def login(self, request: HttpRequest, user: User) -> Any:
        """Sign ``user`` in (after sign-up as well) and give them what this session rated before."""
        visitor_id = visitor_profile_id(request)
        answer = super().login(request, user)
        if visitor_id is not None:
            claim_visitor_profile(user=user, visitor_profile_id=visitor_id)
            forget_visitor(request)
        return answer

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> Any:
        response = super().post_login(request, user, **kwargs)
        bring_theme(response, user, request)
        return response
