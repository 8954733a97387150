"""Members and their tokens for admins."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.models import ApiToken, User

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    fieldsets = (*(DjangoUserAdmin.fieldsets or ()), ("Options", {"fields": ("title_language", "show_adult")}))


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    """To see and revoke. A token is made by its owner, who alone sees it."""

    list_display = ["name", "user", "created", "last_used", "expires"]
    list_select_related = ["user"]
    search_fields = ["name", "user__username"]
    readonly_fields = ["user", "created", "last_used"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
