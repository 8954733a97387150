"""Lists for when no model can be loaded: what batch scoring stored, else what is popular. Never an error page."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.models import Anime
from catalog.selectors import CatalogueFilter, browse, candidate_ids
from ml.types import FranchiseMode, Ranking, Reason, ReasonKind, Recommendation, Status
from ml.types import Profile as ScoringProfile
from recommendations.models import Profile, TopList

_POPULAR = (Reason(ReasonKind.POPULAR),)


def stored_ranking(
    profile: Profile, person: ScoringProfile, filter: CatalogueFilter, k: int, franchise: FranchiseMode
) -> Ranking | None:
    """The stored list of ``profile`` less what is on its list or hidden by now, filled up with what is popular;
    ``None`` if none is stored."""
    stored = TopList.objects.filter(profile=profile).first()
    if stored is None:
        return None
    allowed = candidate_ids(filter)
    taken = _taken(person)
    kept = [
        (anime_id, score)
        for anime_id, score in stored.items
        if anime_id not in taken and (allowed is None or anime_id in allowed)
    ]
    if franchise is FranchiseMode.NEW:
        # A franchise that was begun since is no longer new.
        of_title = dict(Anime.objects.filter(pk__in=[pk for pk, _score in kept]).values_list("pk", "franchise_id"))
        touched = _touched(taken)
        kept = [(anime_id, score) for anime_id, score in kept if of_title.get(anime_id) not in touched]
    if len(kept) < k:
        listed = ScoringProfile.from_ratings({anime_id: None for anime_id, _score in kept[:k]}, taken)
        more = popular_ranking(listed, filter, k - len(kept), franchise).results
        # Below all that is stored: a score has no unit, only an order.
        lowest = min((score for _anime_id, score in kept), default=0.0)
        kept += [(item.anime_id, lowest - item.rank) for item in more]
    return _ranking(kept[:k], person)


def popular_ranking(
    person: ScoringProfile,
    filter: CatalogueFilter,
    k: int,
    franchise: FranchiseMode,
    *,
    include_planned: bool = False,
) -> Ranking:
    """The most popular titles that ``filter`` allows and the person does not know.

    With ``FranchiseMode.NEW`` one title of each franchise that the person has not touched; with ``NEXT``
    nothing, since without a model nobody knows what comes next. ``include_planned``: what they plan to watch may be
    listed.
    """
    if franchise is FranchiseMode.NEXT:
        return Ranking(results=())
    taken = _taken(person, without_planned=include_planned)
    used: set[int] = set()
    if franchise is FranchiseMode.NEW:
        used |= _touched(taken)
    chosen: list[tuple[int, float]] = []
    rows = browse(filter, ordering="popular").values_list("id", "franchise_id", "members")
    for anime_id, franchise_id, members in rows.iterator(chunk_size=10 * k):
        if anime_id in taken or franchise_id in used:
            continue
        if franchise is FranchiseMode.NEW and franchise_id is not None:
            used.add(franchise_id)
        chosen.append((anime_id, float(members or 0)))
        if len(chosen) == k:
            break
    return _ranking(chosen, person)


def _taken(person: ScoringProfile, *, without_planned: bool = False) -> frozenset[int]:
    """What must not be listed because of the person."""
    on_list = zip(person.anime_ids, person.statuses, strict=True)
    return person.hidden | {
        int(anime_id) for anime_id, status in on_list if not (without_planned and status is Status.PLANNED)
    }


def _touched(taken: frozenset[int]) -> set[int]:
    """The franchises that titles of ``taken`` are parts of."""
    touched = Anime.objects.filter(pk__in=taken, franchise__isnull=False)
    return set(touched.values_list("franchise_id", flat=True))


def _ranking(items: Iterable[tuple[int, float]], person: ScoringProfile) -> Ranking:
    results = tuple(
        Recommendation(rank, anime_id, score, {}, _POPULAR) for rank, (anime_id, score) in enumerate(items, 1)
    )
    return Ranking(results, known=len(person))
