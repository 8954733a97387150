"""Members and their tokens for admins."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.models import ApiToken, User
from accounts.services import delete_accounts, rows_deleted_with

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    fieldsets = (
        *(DjangoUserAdmin.fieldsets or ()),
        ("Options", {"fields": ("title_language", "show_adult", "theme", "visibility")}),
    )

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Who goes, and how many rows with them. Django's own answer would load and name each entry of each list."""
        rows = rows_deleted_with(objs)
        forbidden = {str(model._meta.verbose_name) for model in rows if not self._may_delete(model, request)}
        counts = {str(model._meta.verbose_name_plural): number for model, number in rows.items()}
        return [str(user) for user in objs], counts, forbidden, []

    def _may_delete(self, model: type[Model], request: HttpRequest) -> bool:
        site = self.admin_site
        return not site.is_registered(model) or site.get_model_admin(model).has_delete_permission(request)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        delete_accounts([obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        delete_accounts(queryset)


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    """To see and revoke. A token is made by its owner, who alone sees it."""

    list_display = ["name", "user", "created", "last_used", "expires"]
    list_select_related = ["user"]
    search_fields = ["name", "user__username"]
    readonly_fields = ["user", "created", "last_used"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
