"""Why a title is not on the list: any title's place under the options of the URL, and what holds it back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.options import shows_adult
from catalog.models import Anime
from catalog.search import search
from ml.types import Barrier, FranchiseMode
from ml.types import Profile as ScoringProfile
from recommendations.forms import FilterPart, ListForm
from recommendations.models import HiddenTitle, ListEntry, ListStatus, Profile
from recommendations.selectors.profiles import current_profile, scoring_profile
from recommendations.services.recommend import ListOptions
from recommendations.services.standing import ShownStanding, ranks_under, standing_of

LIST_TITLES = 10
CHOICES = 12
MAX_TEXT_CHARS = 200
# Which way a dial can be turned: far enough to be seen, short of the end.
TURNS = (
    (gettext_lazy("Let content count more"), "balance", 0.2),
    (gettext_lazy("Let people like you count more"), "balance", 0.8),
    (gettext_lazy("Turn the list towards what is well known"), "novelty", 0.2),
    (gettext_lazy("Turn the list towards hidden gems"), "novelty", 0.8),
)
MAX_TURNS = 2
# Nearer by less than this is not worth a tap.
NEARER_PLACES = 2


@dataclass(frozen=True, slots=True)
class Remedy:
    """Something that would change where the title stands: in words, and the address where it is so."""

    words: str
    url: str


@require_safe
def why_not_search(request: HttpRequest) -> HttpResponse:
    """``q`` finds titles; the rest of the URL is the list that is asked about."""
    form = ListForm(request.GET)
    text = request.GET.get("q", "").replace("\0", "")[:MAX_TEXT_CHARS].strip()
    found = search(Anime.objects.visible_to(show_adult=shows_adult(request)), text)[:CHOICES] if text else []
    context = {"text": text, "found": list(found), "query": form.query(), "state": form.state()}
    return render(request, "recommendations/why_not_search.html", context)


@require_safe
def why_not(request: HttpRequest, anime_id: int) -> HttpResponse:
    """The place of one title, or what bars it, compared with the title at place ten."""
    adult = shows_adult(request)
    anime = Anime.objects.filter(pk=anime_id).first()
    if anime is None:
        raise Http404(_("The catalogue has no title with the id %(id)d.") % {"id": anime_id})
    if anime.is_adult and not adult:
        return render(request, "recommendations/anime_adult.html")
    form = ListForm(request.GET)
    profile = current_profile(request)
    person = scoring_profile(profile)
    options = form.options(k=LIST_TITLES, show_adult=adult)
    parts = {part.active.rest: part for part in form.parts(show_adult=adult)}
    standing = standing_of(
        person=person,
        anime=anime,
        options=options,
        filters={rest: part.alone for rest, part in parts.items()},
    )
    context: dict[str, Any] = {
        "anime": anime,
        "form": form,
        "problems": form.problems(),
        "query": form.query(),
        "state": form.state(),
        "wanted": LIST_TITLES,
        "shown": standing,
    }
    if standing is not None:
        culprits = [parts[rest] for rest in standing.excluded_by]
        own = _own(profile, anime)
        context |= {
            "culprits": culprits,
            "listed_at": _listed_at(standing),
            "rows": _rows(standing),
            **own,
        }
        context["remedies"] = _remedies(form, standing, options, culprits, own["entry"])
        context["remedies"] += _turns(form, person, standing, options)
    return render(request, "recommendations/why_not.html", context)


def _own(profile: Profile | None, anime: Anime) -> dict[str, Any]:
    """What the person has of the title and of its franchise: two queries."""
    if profile is None:
        return {"entry": None, "relatives": [], "hidden_relatives": []}
    here = Q(anime=anime.pk)
    if anime.franchise_id is not None:
        here |= Q(anime__franchise=anime.franchise_id)
    entries = list(ListEntry.objects.filter(here, profile=profile).select_related("anime").order_by("-updated"))
    hidden = HiddenTitle.objects.filter(here, profile=profile).select_related("anime")
    return {
        "entry": next((entry for entry in entries if entry.anime_id == anime.pk), None),
        "relatives": [entry for entry in entries if entry.anime_id != anime.pk],
        "hidden_relatives": [one.anime for one in hidden if one.anime_id != anime.pk],
    }


def _listed_at(shown: ShownStanding) -> int | None:
    """The place of the title, if the list shows it."""
    rank = shown.standing.rank
    return rank if shown.standing.barrier is None and rank is not None and rank <= LIST_TITLES else None


def _rows(shown: ShownStanding) -> list[dict[str, Any]]:
    """The parts of the score, of the title and of the one at place ten."""
    names = {
        "collaborative": _("What people like you like"),
        "content": _("What it is made of"),
        "popularity": _("How many people like it"),
    }
    own, tenth = shown.standing.components, shown.standing.tenth_components
    return [
        {"label": label, "own": own[name], "tenth": tenth.get(name), "weak": name in shown.weak_parts}
        for name, label in names.items()
        if name in own
    ]


def _remedies(
    form: ListForm, shown: ShownStanding, options: ListOptions, culprits: list[FilterPart], entry: ListEntry | None
) -> list[Remedy]:
    """What the person could take back or ask for instead, where something keeps the title off the list."""
    here = reverse("why_not", args=[shown.anime.pk])

    def at(words: str, query: str) -> Remedy:
        return Remedy(words, f"{here}?{query}" if query else here)

    barrier = shown.standing.barrier
    if barrier is Barrier.NOT_A_CANDIDATE and shown.never is None:
        return [
            at(_("Take back “%(filter)s”") % {"filter": part.active.label}, part.active.rest) for part in culprits
        ]
    planned = entry is not None and entry.status == ListStatus.PLANNED
    if barrier is Barrier.ON_LIST and planned and not options.planned:
        return [at(_("Let in what you plan to watch"), form.query(planned="1"))]
    if barrier in (Barrier.FRANCHISE_TOUCHED, Barrier.NOT_THE_FIRST):
        remedies = [at(_("List everything, sequels as well"), form.query(franchise=FranchiseMode.OFF))]
        if barrier is Barrier.FRANCHISE_TOUCHED:
            remedies.append(at(_("List only what comes next"), form.query(franchise=FranchiseMode.NEXT)))
        return remedies
    if barrier is Barrier.NOT_NEXT:
        return [at(_("List what is new to you"), form.query(franchise=None))]
    return []


def _turns(form: ListForm, person: ScoringProfile, shown: ShownStanding, options: ListOptions) -> list[Remedy]:
    """The dials that bring the title nearer, each with the place where it stands then, the nearest first."""
    rank = shown.standing.rank
    if shown.standing.barrier is not None or rank is None or rank <= LIST_TITLES:
        return []
    turns = [(words, name, value) for words, name, value in TURNS if getattr(options, name) != value]
    turned = [replace(options, **{name: value}) for _words, name, value in turns]  # type: ignore[arg-type]
    ranks = ranks_under(person=person, anime=shown.anime, options=turned)
    better = sorted(
        (place, number) for number, place in enumerate(ranks) if place is not None and place < rank - NEARER_PLACES
    )
    remedies = []
    for place, number in better[:MAX_TURNS]:
        words, name, value = turns[number]
        url = f"{reverse('why_not', args=[shown.anime.pk])}?{form.query(**{name: value})}"
        remedies.append(Remedy(_("%(change)s: place %(place)d") % {"change": words, "place": place}, url))
    return remedies
