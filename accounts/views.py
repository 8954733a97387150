"""The account page: options, theme, API tokens, and leaving."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms import DeleteForm, OptionsForm, ThemeForm, TokenForm
from accounts.models import ApiToken, User
from accounts.services import delete_accounts
from accounts.theme import keep_theme, theme_of

MAX_TOKENS = 20


def member_of(request: HttpRequest) -> User:
    """The signed-in user of a view behind ``login_required``."""
    return cast(User, request.user)


@require_safe
@login_required
def account(request: HttpRequest) -> HttpResponse:
    return _account_page(request)


@require_POST
@login_required
def options(request: HttpRequest) -> HttpResponse:
    """Save title language, the adult option and who sees the list."""
    form = OptionsForm(request.POST, instance=member_of(request))
    if not form.is_valid():
        # A ModelForm has already written what it cleaned into request.user.
        member_of(request).refresh_from_db()
        return _account_page(request, status=400, options_form=form)
    form.save()
    messages.success(request, _("Your options are saved."))
    return redirect("account")


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the theme: in a cookie, so that visitors have the choice as well, and with the account of a member."""
    form = ThemeForm(request.POST)
    wanted = request.POST.get("next", "")
    local = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    response = HttpResponseRedirect(wanted if local else reverse("home"))
    if form.is_valid():
        keep_theme(response, form.cleaned_data["theme"], request)
        if request.user.is_authenticated:
            request.user.theme = form.cleaned_data["theme"]
            request.user.save(update_fields=["theme"])
    else:
        messages.error(request, _("There is no such theme. Choose one of: auto, light, dark."))
    return response


@never_cache
@require_POST
@login_required
def token_create(request: HttpRequest) -> HttpResponse:
    """Make a token and show it, this once, on the page that answers."""
    form = TokenForm(request.POST)
    if form.is_valid() and member_of(request).api_tokens.count() >= MAX_TOKENS:
        form.add_error(
            None, _("You have %(count)d tokens. Revoke one you no longer use first.") % {"count": MAX_TOKENS}
        )
    if not form.is_valid():
        return _account_page(request, status=400, token_form=form)
    row, token = ApiToken.issue(member_of(request), form.cleaned_data["name"])
    return _account_page(request, issued=row, issued_token=token)


@require_POST
@login_required
def token_revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """Revoke one of the member's own tokens; anybody else's does not exist here."""
    token = get_object_or_404(ApiToken, pk=token_id, user=request.user)
    token.delete()
    messages.success(request, _("The token “%(name)s” no longer works.") % {"name": token.name})
    return redirect("account")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest) -> HttpResponse:
    """Delete the account and everything on its list, after the username has been typed."""
    user = member_of(request)
    form = DeleteForm(request.POST if request.method == "POST" else None, user=user)
    if request.method == "POST" and form.is_valid():
        delete_accounts([user])
        logout(request)
        messages.success(request, _("Your account and your list are deleted."))
        return redirect("home")
    return render(request, "accounts/delete.html", {"form": form}, status=400 if form.is_bound else 200)


def _account_page(request: HttpRequest, *, status: int = 200, **changes: Any) -> HttpResponse:
    context = {
        "options_form": OptionsForm(instance=member_of(request)),
        "theme_form": ThemeForm(initial={"theme": theme_of(request)}),
        "token_form": TokenForm(),
        "tokens": ApiToken.objects.filter(user=member_of(request)),
        **changes,
    }
    return render(request, "accounts/account.html", context, status=status)
