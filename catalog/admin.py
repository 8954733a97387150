"""The catalogue in the admin: titles, their labels, and franchises in watch order."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet, URLField
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline

from catalog.models import Anime, Franchise, Genre, Studio, Synonym
from catalog.names import keep_names


class SynonymInline(TabularInline):
    model = Synonym
    extra = 0


class FranchiseTitleInline(TabularInline):
    """The titles of a franchise. Which title belongs to it is chosen on the title's own page."""

    model = Anime
    fields = ("title", "type", "year", "franchise_order")
    readonly_fields = ("title", "type", "year")
    ordering = ("franchise_order", "id")
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Anime)
class AnimeAdmin(ModelAdmin):
    list_display = ("title", "id", "type", "year", "community_rating", "members", "is_adult", "is_recap")
    list_filter = ("type", "status", "season", "age_rating", "is_adult", "is_recap", "genres")
    search_fields = ("title", "title_english", "title_japanese", "synonyms__title", "=id")
    autocomplete_fields = ("genres", "studios", "franchise")
    inlines = (SynonymInline,)
    readonly_fields = ("updated",)
    # What Django 6 does by itself: an address without a scheme is an https one.
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    list_per_page = 50
    show_full_result_count = False
    ordering = ("title",)
    fieldsets = (
        (None, {"fields": ("id", "title", "title_english", "title_japanese", "synopsis", "image_url")}),
        (_("What it is"), {"fields": ("type", "genres", "studios", "source", "age_rating", "is_adult", "is_recap")}),
        (_("Airing"), {"fields": ("status", "year", "season", "aired_from", "aired_to")}),
        (_("Length"), {"fields": ("episodes", "duration_minutes")}),
        (_("Franchise"), {"fields": ("franchise", "franchise_order")}),
        (_("Reception"), {"fields": ("community_rating", "members", "updated")}),
    )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        # After the synonyms, which are stored here.
        keep_names([form.instance.pk])

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes along, as numbers: a well-known title stands on more lists than a page can name."""
        titles = list(objs)
        counts = {str(Anime._meta.verbose_name_plural): len(titles)}
        for relation in Anime._meta.related_objects:
            model = relation.related_model
            number = model._base_manager.filter(**{f"{relation.field.name}__in": titles}).count()
            if number:
                counts[str(model._meta.verbose_name_plural)] = number
        missing = set() if self.has_delete_permission(request) else {Anime._meta.verbose_name}
        return [str(title) for title in titles], counts, missing, []

    def get_readonly_fields(self, request: HttpRequest, obj: Anime | None = None) -> tuple[str, ...]:
        # Another id would be another title: Django would store a copy and leave the first where it is.
        return self.readonly_fields if obj is None else ("id", *self.readonly_fields)


class CountedAdmin(ModelAdmin):
    """A list that shows how many titles each row has, in one query."""

    list_per_page = 50
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(titles=Count("anime"))

    @admin.display(description=_("titles"), ordering="titles")
    def title_count(self, row: Any) -> int:
        return row.titles


@admin.register(Genre)
class GenreAdmin(CountedAdmin):
    list_display = ("name", "kind", "slug", "title_count")
    list_filter = ("kind",)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Genre | None = None) -> dict[str, tuple[str, ...]]:
        # Only for a new genre: links to the list of a genre carry its slug.
        return {"slug": ("name",)} if obj is None else {}


@admin.register(Studio)
class StudioAdmin(CountedAdmin):
    list_display = ("name", "title_count")


@admin.register(Franchise)
class FranchiseAdmin(CountedAdmin):
    list_display = ("name", "title_count")
    inlines = (FranchiseTitleInline,)
