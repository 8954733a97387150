"""What a member can set about themselves."""

from __future__ import annotations

from allauth.account.forms import SignupForm as AllauthSignupForm
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from accounts.models import Theme, User


class SignupForm(AllauthSignupForm):
    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """As allauth does; a name that was taken since it was checked (a double click) is said to be taken."""
        try:
            with transaction.atomic():
                return super().try_save(request)
        except IntegrityError:
            messages.error(request, _("This username has just been taken. If that was you, sign in."))
            return None, redirect("account_login")


class OptionsForm(forms.ModelForm):
    """The options that are stored with the account."""

    class Meta:
        model = User
        fields = ["title_language", "show_adult", "visibility"]
        labels = {
            "title_language": _("Show titles in"),
            "show_adult": _("Show titles for adults"),
            "visibility": _("Who sees my list"),
        }
        help_texts = {
            "show_adult": _("I am of age. Off, such titles are neither listed nor found."),
            "visibility": _("A page of your own shows what you rated best and changed last, never what you hid."),
        }


class ThemeForm(forms.Form):
    theme = forms.ChoiceField(label=_("Theme"), choices=Theme.choices)


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("What is it for?"),
        max_length=100,
        widget=forms.TextInput(attrs={"placeholder": _("My reading list app"), "autocomplete": "off"}),
    )


class DeleteForm(forms.Form):
    """Asks for the member's own name, so that nobody deletes an account by a slip."""

    username = forms.CharField(
        label=_("Type your username to confirm"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )

    def __init__(self, data: object = None, *, user: User) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.user = user

    def clean_username(self) -> str:
        typed: str = self.cleaned_data["username"]
        if typed != self.user.get_username():
            raise ValidationError(_("That is not your username. Nothing was deleted."))
        return typed
