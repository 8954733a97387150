"""The filters of the catalogue as a form: read from the URL, kept in the URL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from catalog.models import AgeRating, AnimeType
from catalog.selectors import RELEVANCE, CatalogueFilter, filter_choices

EPISODE_LIMITS = (
    ("", _("Any length")),
    ("1", _("One sitting")),
    ("13", _("Up to 13 episodes")),
    ("26", _("Up to 26 episodes")),
)
# In minutes, as people have them.
TIME_LIMITS = (
    ("", _("Any time")),
    ("30", _("Up to 30 minutes")),
    ("60", _("Up to an hour")),
    ("90", _("Up to 90 minutes")),
    ("120", _("Up to 2 hours")),
    ("180", _("Up to 3 hours")),
    ("360", _("Up to 6 hours")),
)
YEAR_MIN, YEAR_MAX = 1900, 2100

Choices = Sequence[tuple[str, Any]]


def _year_field(label: Any) -> forms.IntegerField:
    # A number input would drop what somebody mistyped; a text input shows it beside the message.
    widget = forms.TextInput(attrs={"inputmode": "numeric", "placeholder": _("any"), "size": "6"})
    return forms.IntegerField(label=label, required=False, min_value=YEAR_MIN, max_value=YEAR_MAX, widget=widget)


@dataclass(frozen=True, slots=True)
class ActiveFilter:
    """A filter that is set, in words, and the query string without it."""

    label: str
    rest: str


class FilterForm(forms.Form):
    """What a list may hold. A value that does not fit is named, and the rest still filters."""

    FILTERS: ClassVar[tuple[str, ...]] = (
        "type", "genre", "genre_out", "year_min", "year_max", "episodes_max", "minutes_max", "age_rating",
    )  # fmt: skip
    data: QueryDict

    genre = forms.MultipleChoiceField(label=_("With genres"), required=False, widget=forms.CheckboxSelectMultiple)
    genre_out = forms.MultipleChoiceField(
        label=_("Without genres"), required=False, widget=forms.CheckboxSelectMultiple
    )
    type = forms.MultipleChoiceField(
        label=_("Type"), required=False, choices=AnimeType.choices, widget=forms.CheckboxSelectMultiple
    )
    year_min = _year_field(_("From year"))
    year_max = _year_field(_("To year"))
    episodes_max = forms.ChoiceField(label=_("Length"), required=False, choices=EPISODE_LIMITS)
    minutes_max = forms.ChoiceField(label=_("Time for all of it"), required=False, choices=TIME_LIMITS)
    age_rating = forms.MultipleChoiceField(
        label=_("Age rating"), required=False, choices=AgeRating.choices, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: QueryDict, *, show_adult: bool = False) -> None:
        """``show_adult``: also offer what only titles have that are for people who opted in."""
        super().__init__(data, label_suffix="")
        everyone, members = filter_choices()
        offered = members if show_adult else everyone
        for name in ("genre", "genre_out"):
            self._choose(name, members.genres, offered=offered.genres)
        words = AgeRating.choices
        self._choose("age_rating", words, offered=[one for one in words if one[0] in offered.age_ratings])
        # Where no running time is known a limit would leave nothing; one that came with the address stays visible.
        self.has_minutes = offered.has_minutes or "minutes_max" in data
        for field in self.fields.values():
            field.error_messages["invalid_choice"] = _("“%(value)s” is not one of the choices.")

    def _choose(self, name: str, known: Choices, *, offered: Choices) -> None:
        """Take what is ``known``, as an address from elsewhere may ask for it; show what is ``offered``."""
        field = self.fields[name]
        field.choices = known  # type: ignore[attr-defined]
        field.widget.choices = offered

    def value(self, name: str) -> Any:
        """The cleaned value of ``name``; ``None`` where it is missing or does not fit."""
        self.is_valid()
        return self.cleaned_data.get(name)

    def catalogue_filter(
        self, *, show_adult: bool, released_only: bool, without_recaps: bool = False
    ) -> CatalogueFilter:
        episodes, minutes = self.value("episodes_max"), self.value("minutes_max")
        return CatalogueFilter(
            genres=tuple(self.value("genre") or ()),
            genres_out=tuple(self.value("genre_out") or ()),
            types=tuple(self.value("type") or ()),
            year_min=self.value("year_min"),
            year_max=self.value("year_max"),
            episodes_max=int(episodes) if episodes else None,
            minutes_max=int(minutes) if minutes else None,
            age_ratings=tuple(self.value("age_rating") or ()),
            show_adult=show_adult,
            released_only=released_only,
            without_recaps=without_recaps,
        )

    def problems(self) -> list[str]:
        """One line for each value that does not fit."""
        return [
            f"{self.fields[name].label}: {message}" for name, messages in self.errors.items() for message in messages
        ]

    def query(self, **changes: Any) -> str:
        """The state as a query string: what differs from the defaults, typed values as they were typed.

        ``changes`` replaces values; ``None`` leaves one out.
        """
        state = self._state()
        for name, value in changes.items():
            state.pop(name, None)
            if value is not None:
                state[name] = str(value)
        return state.urlencode()

    def active(self) -> list[ActiveFilter]:
        """The filters that are set and fit, each with the query of the same page without it."""
        state = self._state()
        found = []
        for name in self.FILTERS:
            for value in state.getlist(name) if name not in self.errors else []:
                rest = state.copy()
                rest.setlist(name, [other for other in state.getlist(name) if other != value])
                found.append(ActiveFilter(_worded(name, self.fields[name], value), rest.urlencode()))
        return found

    def _state(self) -> QueryDict:
        """What was sent, without what is empty or stands at its default."""
        state = QueryDict(mutable=True)
        for name, field in self.fields.items():
            kept = [value for value in self.data.getlist(name) if value != "" and not _is_default(field, value)]
            if kept:
                state.setlist(name, kept)
        return state


def _worded(name: str, field: forms.Field, value: str) -> str:
    if name == "year_min":
        return _("from %(year)s") % {"year": value}
    if name == "year_max":
        return _("until %(year)s") % {"year": value}
    # A MultipleChoiceField is a ChoiceField, too. Not the widget's choices: those are only what is offered.
    labels = dict(field.choices) if isinstance(field, forms.ChoiceField) else {}  # type: ignore[arg-type]
    label = str(labels.get(value, value))
    if name == "age_rating":
        return _("rated %(age)s") % {"age": value}
    return _("not %(genre)s") % {"genre": label} if name == "genre_out" else label


def _is_default(field: forms.Field, typed: str) -> bool:
    if field.initial is None:
        return False
    try:
        return field.to_python(typed) == field.initial
    except forms.ValidationError:
        return False


def _search_input() -> forms.TextInput:
    return forms.TextInput(
        attrs={
            "type": "search",
            "placeholder": _("Title in any language"),
            "autocomplete": "off",
            "spellcheck": "false",
        }
    )


class BrowseForm(FilterForm):
    """Search and sorting on top of the filters."""

    SORTS = (
        ("popular", _("Best known")),
        ("rating", _("Best rated")),
        ("year", _("Newest")),
        ("title", _("Title")),
    )

    q = forms.CharField(label=_("Search"), required=False, max_length=200, widget=_search_input())
    sort = forms.ChoiceField(label=_("Sort by"), required=False, choices=(("", _("Best match")), *SORTS))

    def __init__(self, data: QueryDict, *, show_adult: bool = False) -> None:
        super().__init__(data, show_adult=show_adult)
        if not self.value("q"):
            # Nothing is searched, so nothing can match best: what is best known comes first.
            (_popular, best_known), *others = self.SORTS
            self.fields["sort"].widget.choices = [("", best_known), *others]

    def ordering(self) -> str:
        return self.value("sort") or RELEVANCE
