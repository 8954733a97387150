"""What a person asks of their library: which part of it, which lives in the URL, and a change of many entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from catalog.models import AnimeType
from recommendations.models import ListStatus
from recommendations.selectors.library import LIBRARY_ORDERINGS, RATED, UNRATED, LibraryFilter
from recommendations.services.bulk import MAX_BULK_ENTRIES

HIDDEN = "hidden"
DEFAULT_SORT = "updated"
SORTS = (
    ("updated", gettext_lazy("Last changed")),
    ("rating", gettext_lazy("Rating")),
    ("title", gettext_lazy("Title")),
    ("year", gettext_lazy("Year")),
)
RATED_CHOICES = (
    ("", gettext_lazy("Rated or not")),
    (RATED, gettext_lazy("Rated")),
    (UNRATED, gettext_lazy("Not rated")),
)
MAX_TEXT_CHARS = 200
MAX_ANIME_ID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class LibraryState:
    """Which part of the library: a value that does not fit counts as not sent, and ``problems`` names it.

    ``status`` is one of the list's, HIDDEN, or "" for the whole list.
    """

    status: str
    rated: str
    type: str
    text: str
    sort: str
    problems: tuple[str, ...]

    @classmethod
    def of(cls, data: QueryDict) -> LibraryState:
        problems = []

        def chosen(name: str, allowed: Any, problem: str) -> str:
            value = data.get(name, "")
            if value and value not in allowed:
                problems.append(problem % {"value": value[:20]})
                return ""
            return value

        statuses = (*ListStatus.values, HIDDEN)
        return cls(
            status=chosen("status", statuses, _("There is no status “%(value)s”: this is the whole list.")),
            rated=chosen("rated", (RATED, UNRATED), _("The list cannot be filtered by “%(value)s”.")),
            type=chosen("type", AnimeType.values, _("There is no type “%(value)s”.")),
            text=data.get("q", "").replace("\0", "")[:MAX_TEXT_CHARS].strip(),
            sort=chosen("sort", LIBRARY_ORDERINGS, _("The list cannot be sorted by “%(value)s”.")) or DEFAULT_SORT,
            problems=tuple(problems),
        )

    @property
    def is_hidden(self) -> bool:
        return self.status == HIDDEN

    @property
    def is_narrowed(self) -> bool:
        """Whether there is a filter beside the status."""
        return bool(self.rated or self.type or self.text)

    def filter(self) -> LibraryFilter:
        """The entries of this state; of no use where it is of hidden titles, which are no entries."""
        return LibraryFilter(status=self.status, rated=self.rated, type=self.type, text=self.text)

    def query(self, **changes: str) -> str:
        """This state as a query string, with ``changes``: what differs from the defaults."""
        sort = "" if self.sort == DEFAULT_SORT else self.sort
        values = {"status": self.status, "rated": self.rated, "type": self.type, "sort": sort, "q": self.text}
        query = QueryDict(mutable=True)
        query.update({name: value for name, value in {**values, **changes}.items() if value})
        return query.urlencode()


TICKED, PAGE, ALL = "ticked", "page", "all"
SET, REMOVE = "set", "remove"
NO_RATING = "none"
NOT_A_CHOICE = {"invalid_choice": gettext_lazy("“%(value)s” is not one of the choices.")}


class BulkForm(forms.Form):
    """A change of many entries: which ones (``scope``), and what becomes of them.

    ``anime``: the ticked ids; ``shown``: those of the page; ``query``: the state of the page, for all that match.
    """

    scope = forms.ChoiceField(
        choices=((TICKED, TICKED), (PAGE, PAGE), (ALL, ALL)), required=False, error_messages=NOT_A_CHOICE
    )
    do = forms.ChoiceField(choices=((SET, SET), (REMOVE, REMOVE)), error_messages=NOT_A_CHOICE)
    set_status = forms.ChoiceField(choices=ListStatus.choices, required=False, error_messages=NOT_A_CHOICE)
    set_rating = forms.ChoiceField(
        choices=((NO_RATING, NO_RATING), *((str(value), value) for value in range(1, 11))),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("A rating is a whole number from 1 to 10, not “%(value)s”.")},
    )
    shown = forms.CharField(required=False)
    query = forms.CharField(required=False)

    data: QueryDict

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if cleaned.get("do") == SET and not self.errors and not self.changes():
            raise ValidationError(_("Choose a status or a rating to give these titles."))
        scope = cleaned.get("scope") or TICKED
        if scope == ALL:
            state = LibraryState.of(QueryDict(cleaned.get("query", "")))
            if state.problems or state.is_hidden:
                raise ValidationError(list(state.problems) or [_("Hidden titles are not on your list.")])
            cleaned["state"] = state
        else:
            cleaned["anime_ids"] = self._ids(scope)
        return cleaned

    def changes(self) -> dict[str, Any]:
        """For ``services.bulk.set_many``; call it on a valid form."""
        found: dict[str, Any] = {}
        if self.cleaned_data.get("set_status"):
            found["status"] = self.cleaned_data["set_status"]
        rating = self.cleaned_data.get("set_rating")
        if rating:
            found["rating"] = None if rating == NO_RATING else int(rating)
        return found

    def problems(self) -> list[str]:
        return [str(problem) for problems in self.errors.values() for problem in problems]

    def _ids(self, scope: str) -> list[int]:
        typed = self.data.getlist("anime") if scope == TICKED else self.cleaned_data.get("shown", "").split(",")
        typed = [value for value in dict.fromkeys(typed) if value]
        if not typed:
            raise ValidationError(_("Tick at least one title."))
        if len(typed) > MAX_BULK_ENTRIES:
            raise ValidationError(too_many(len(typed)))
        for value in typed:
            if not (value.isascii() and value.isdigit() and len(value) <= 10 and int(value) <= MAX_ANIME_ID):
                raise ValidationError(_("“%(value)s” is not the id of a title.") % {"value": value[:20]})
        return [int(value) for value in typed]


def too_many(number: int) -> str:
    """That ``number`` entries are more than can be changed at once."""
    return ngettext(
        "This is %(number)d title; at most %(most)d can be changed at once.",
        "These are %(number)d titles; at most %(most)d can be changed at once.",
        number,
    ) % {"number": number, "most": MAX_BULK_ENTRIES}
