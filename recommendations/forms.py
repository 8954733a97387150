"""What people may ask for and enter: the dials of their list, their entries, a member's id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.forms import ActiveFilter, FilterForm
from catalog.selectors import CatalogueFilter
from ml.types import FranchiseMode
from recommendations.models import ListStatus
from recommendations.services.entries import clean_rating
from recommendations.services.recommend import ListOptions

# Where a dial stands when nobody has touched it: as the model was tuned.
BALANCE_DEFAULT, NOVELTY_DEFAULT, DIVERSITY_DEFAULT = 0.5, 0.5, 0.0


def _dial(label: Any, initial: float) -> forms.FloatField:
    return forms.FloatField(label=label, required=False, min_value=0, max_value=1, initial=initial)


@dataclass(frozen=True, slots=True)
class FilterPart:
    """One filter that is set: in words, what it allows ``alone``, and what the others allow ``without`` it."""

    active: ActiveFilter
    alone: CatalogueFilter
    without: CatalogueFilter


class ListForm(FilterForm):
    """The dials and filters of a list of recommendations."""

    FILTERS = (*FilterForm.FILTERS, "planned", "franchise")
    # Of these a title needs one of the values, of all others each.
    ANY_OF = frozenset({"type", "age_rating"})

    balance = _dial(gettext_lazy("Balance"), BALANCE_DEFAULT)
    novelty = _dial(gettext_lazy("Novelty"), NOVELTY_DEFAULT)
    diversity = _dial(gettext_lazy("Diversity"), DIVERSITY_DEFAULT)
    franchise = forms.ChoiceField(
        label=gettext_lazy("Franchises"),
        required=False,
        choices=(
            ("", gettext_lazy("Only what is new to me")),
            ("next", gettext_lazy("Only what comes next for me")),
            ("off", gettext_lazy("Everything, sequels as well")),
        ),
    )
    planned = forms.ChoiceField(
        label=gettext_lazy("Planned titles"),
        required=False,
        choices=(
            ("", gettext_lazy("Without what I plan to watch")),
            ("1", gettext_lazy("With what I plan to watch")),
        ),
    )

    def _dial_position(self, name: str) -> float:
        value = self.value(name)
        return float(self.fields[name].initial) if value is None else float(value)

    def _dial_wish(self, name: str) -> float | None:
        """Where the person put the dial; ``None`` where it stands as tuned."""
        position = self._dial_position(name)
        return None if position == self.fields[name].initial else position

    @property
    def dials(self) -> list[dict[str, Any]]:
        """The dials with the words at their ends."""
        ends = {
            "balance": (_("by content"), _("by people like me"), _("What should count more?")),
            "novelty": (_("well known"), _("hidden gems"), _("How far off the beaten track?")),
            "diversity": (_("much alike"), _("all different"), _("How varied a list?")),
        }
        return [
            {"name": name, "value": self._dial_position(name), "low": low, "high": high, "hint": hint}
            for name, (low, high, hint) in ends.items()
        ]

    def options(self, *, k: int, show_adult: bool, depth: int = 0) -> ListOptions:
        """The options of the list of new titles."""
        return ListOptions(
            k=k,
            depth=depth,
            balance=self._dial_wish("balance"),
            novelty=self._dial_wish("novelty"),
            diversity=self._dial_wish("diversity"),
            franchise=FranchiseMode(self.value("franchise") or FranchiseMode.NEW),
            planned=bool(self.value("planned")),
            filter=self.list_filter(show_adult=show_adult),
        )

    def list_filter(self, *, show_adult: bool) -> CatalogueFilter:
        """What the filters allow of what a list may hold at all."""
        return self.catalogue_filter(show_adult=show_adult, released_only=True, without_recaps=True)

    def state(self) -> list[tuple[str, str]]:
        """The state as hidden fields of another form."""
        state = QueryDict(self.query())
        return [(name, value) for name in state for value in state.getlist(name)]

    def parts(self, *, show_adult: bool) -> list[FilterPart]:
        """The filters that are set, one by one; values of which a title needs but one are one filter."""
        state = QueryDict(self.query())
        labels = iter([one.label for one in self.active()])
        found = []
        for name in self.FILTERS:
            values = state.getlist(name) if name not in self.errors else []
            for group in [values] if name in self.ANY_OF and values else [[value] for value in values]:
                alone, rest = QueryDict(mutable=True), state.copy()
                alone.setlist(name, group)
                rest.setlist(name, [value for value in values if value not in group])
                found.append(
                    FilterPart(
                        ActiveFilter(", ".join(next(labels) for _value in group), rest.urlencode()),
                        ListForm(alone).list_filter(show_adult=show_adult),
                        ListForm(rest).list_filter(show_adult=show_adult),
                    )
                )
        return found


class RatingForm(forms.Form):
    """A rating from 1 to 10, which must be there."""

    rating = forms.CharField(required=False)

    def clean_rating(self) -> int | None:
        typed = self.cleaned_data["rating"]
        if not typed:
            raise ValidationError(_("Choose a rating from 1 to 10."))
        return _rating(typed)


class EntryForm(forms.Form):
    """Changes of one entry: only what was sent is changed; an empty rating takes the rating away."""

    rating = forms.CharField(required=False)
    status = forms.ChoiceField(
        required=False,
        choices=ListStatus.choices,
        error_messages={"invalid_choice": gettext_lazy("“%(value)s” is not a status that an entry can have.")},
    )
    started = forms.DateField(
        required=False,
        error_messages={"invalid": gettext_lazy("“Started” is not a valid date. Write a date like 2024-05-31.")},
    )
    finished = forms.DateField(
        required=False,
        error_messages={"invalid": gettext_lazy("“Finished” is not a valid date. Write a date like 2024-05-31.")},
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        started, finished = cleaned.get("started"), cleaned.get("finished")
        if started and finished and finished < started:
            raise ValidationError(_("It cannot have been finished before it was started."))
        return cleaned

    def clean_rating(self) -> int | None:
        typed = self.cleaned_data["rating"]
        return _rating(typed) if typed else None

    def changes(self) -> dict[str, Any]:
        """For ``services.entries.set_entry``; call it on a valid form."""
        changes = {name: self.cleaned_data[name] for name in self.fields if name in self.data}
        if not changes.get("status", True):
            del changes["status"]
        return changes


def _rating(typed: str) -> int:
    try:
        return clean_rating(typed)
    except ValidationError as error:
        raise ValidationError(error.messages) from None


class MemberForm(forms.Form):
    """Looking up a member of an imported data set by their id there."""

    id = forms.CharField(
        label=gettext_lazy("Member id"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric", "size": "8"}),
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, label_suffix="")
