"""Lists of recommendations, ready to show: the scores of `ml.serving` joined with the catalogue.

Three ways lead here: a stored profile (`recommend`), ratings in a request (`recommend_ratings`), and a title
(`similar_titles`). All end in the same scoring of a profile; none knows who the person is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache as cached_call
from functools import partial

from django.conf import settings
from django.core.cache import cache
from django.db.models import OuterRef, Subquery

from catalog.models import Anime, Studio
from catalog.selectors import CatalogueFilter, anime_by_ids, candidate_ids
from ml.types import FranchiseMode, Options, Ranking, Reason, ReasonKind, Recommendation, SimilarTitle, Status
from ml.types import Profile as ScoringProfile
from recommendations.models import Profile
from recommendations.selectors.profiles import scoring_profile
from recommendations.services.engine import Engine, current_engine
from recommendations.services.fallback import popular_ranking, stored_ranking

# A profile that is read from the database when it is first asked for.
Read = Callable[[], ScoringProfile]

# Below this many rated or watched titles a list is still general, and says so.
FEW_ENTRIES = 5


def list_filter(*, show_adult: bool) -> CatalogueFilter:
    """What a list may hold at all: titles that are out, no recaps, adult ones only for those who opted in."""
    return CatalogueFilter(released_only=True, without_recaps=True, show_adult=show_adult)


class Basis(StrEnum):
    """What a list rests on, so that a page can say it plainly."""

    PERSONAL = "personal"
    STORED = "stored"
    POPULARITY = "popularity"


@dataclass(frozen=True, slots=True)
class ListOptions:
    """A list as a person asks for it: the dials of the recommender and the filters of the catalogue.

    ``planned``: titles that the person plans to watch may be listed. ``depth``: how many places beyond the ``k``
    titles are told by id alone (``RecommendationList.places``), so that a page can say what moved.
    """

    k: int = 10
    depth: int = 0
    balance: float | None = None
    novelty: float | None = None
    diversity: float | None = None
    franchise: FranchiseMode = FranchiseMode.NEW
    planned: bool = False
    filter: CatalogueFilter = field(default_factory=lambda: list_filter(show_adult=False))

    def digest(self) -> str:
        """A short text that differs for different options: part of cache keys."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class ShownReason:
    """A :class:`ml.types.Reason` with its title looked up. ``kind`` is *rated*, *content* or *popular*."""

    kind: str
    share: float = 0.0
    anime: Anime | None = None
    rating: int | None = None
    traits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    rank: int
    anime: Anime
    score: float
    components: Mapping[str, float]
    reasons: tuple[ShownReason, ...]


@dataclass(frozen=True, slots=True)
class RecommendationList:
    """A list to show. ``known`` counts the titles of the profile that the model knows.

    ``places``: ids of the titles at the first places, as many as the options' ``k`` and ``depth`` ask for.
    ``planned``: which of the listed the person plans to watch. ``titles``: every title that was looked up.
    """

    results: tuple[Listed, ...]
    basis: Basis
    model_version: str | None = None
    ignored: tuple[int, ...] = ()
    known: int = 0
    places: tuple[int, ...] = ()
    planned: frozenset[int] = frozenset()
    titles: Mapping[int, Anime] = field(default_factory=dict)

    @property
    def is_general(self) -> bool:
        return self.known < FEW_ENTRIES


@dataclass(frozen=True, slots=True)
class Ranked:
    """A ranking as far as it is shown, and the ids of the titles at its first places."""

    ranking: Ranking
    places: tuple[int, ...]

    @classmethod
    def of(cls, ranking: Ranking, k: int) -> Ranked:
        """``ranking``, of which ``k`` titles are shown."""
        return cls(replace(ranking, results=ranking.results[:k]), tuple(item.anime_id for item in ranking.results))


@dataclass(frozen=True, slots=True)
class SimilarListed:
    """``by`` is *fans* (people who like the one like the other) or *content* (it is made of the same things)."""

    anime: Anime
    score: float
    by: str


def recommend(*, profile: Profile | None, options: ListOptions) -> RecommendationList:
    """The list of a stored profile (``None`` = somebody of whom nothing is known yet).

    Scored lists are cached under (profile version, model version, options). Without a usable model it is the
    stored list less what has since been rated or hidden, else what is popular; ``basis`` says which.
    """
    return recommend_lists(profile=profile, options=[options])[0]


def recommend_lists(
    *,
    profile: Profile | None,
    options: Sequence[ListOptions],
    person: Read | None = None,
    also: Iterable[int] = (),
) -> list[RecommendationList]:
    """Several lists of one profile, as :func:`recommend` gives them, for little more than the price of one.

    ``person``: :func:`reader` of the profile, where the caller looks into it, too. ``also``: ids of further titles to
    look up with those of the lists.
    """
    engine = current_engine()
    person = person or reader(profile)
    also = frozenset(also)
    if engine is None:
        ranked = [(*_without_model(profile, person, wanted), wanted) for wanted in options]
        return _with_planned(person, _show_all(ranked, also=also), options)
    cached = [_cached(profile, engine, wanted) for wanted in options]
    rankings = [
        _scored_afresh(profile, person, engine, wanted) if ranking is None else ranking
        for wanted, ranking in zip(options, cached, strict=True)
    ]
    shown = _show_all(
        [(ranking, Basis.PERSONAL, wanted) for ranking, wanted in zip(rankings, options, strict=True)],
        engine.version,
        also=also,
    )
    for number, (wanted, ranking) in enumerate(zip(options, cached, strict=True)):
        if ranking is not None and not _still_holds(shown[number], ranking, wanted):
            fresh = _scored_afresh(profile, person, engine, wanted, fresh=True)
            shown[number] = _show(fresh, Basis.PERSONAL, wanted, engine.version, also=also)
    return _with_planned(person, shown, options)


def reader(profile: Profile | None) -> Read:
    """Reads ``profile`` from the database when it is first called, and never twice."""
    return cached_call(partial(scoring_profile, profile))


def recommend_ratings(*, profile: ScoringProfile, options: ListOptions) -> RecommendationList:
    """The list of a profile that is stored nowhere: an app's own user, ratings in a request."""
    engine = current_engine()
    if engine is None:
        return _show(_popular(profile, options), Basis.POPULARITY, options)
    return _show(_score(engine, profile, options), Basis.PERSONAL, options, engine.version)


def similar_titles(*, anime: Anime, k: int = 8, show_adult: bool = False) -> list[SimilarListed]:
    """Up to ``k`` neighbours by shared fans and ``k`` by content; empty while no model serves."""
    neighbours = neighbours_of(anime.pk, k)
    titles = anime_by_ids([neighbour.anime_id for neighbour in neighbours])
    return shown_neighbours(neighbours, titles, k=k, show_adult=show_adult)


def neighbours_of(anime_id: int, k: int) -> list[SimilarTitle]:
    """The neighbours of a title for :func:`shown_neighbours`, twice as many as are wanted: the catalogue may hide
    some of them. Asks the database nothing."""
    engine = current_engine()
    return [] if engine is None else engine.recommender.similar(anime_id, 2 * k)


def shown_neighbours(
    neighbours: Sequence[SimilarTitle], titles: Mapping[int, Anime], *, k: int, show_adult: bool
) -> list[SimilarListed]:
    """Up to ``k`` neighbours of each kind with their titles, which the caller has looked up."""
    shown: list[SimilarListed] = []
    for by in ("fans", "content"):
        visible = [
            SimilarListed(titles[neighbour.anime_id], neighbour.score, by)
            for neighbour in neighbours
            if neighbour.by == by and neighbour.anime_id in titles
            and (show_adult or not titles[neighbour.anime_id].is_adult)
        ]  # fmt: skip
        shown += visible[:k]
    return shown


def recommender_options(options: ListOptions, *, k: int, fresh: bool = False) -> Options:
    """``options`` as the recommender takes them. ``fresh``: with the catalogue as it is, not as it was cached."""
    return Options(
        k=k,
        balance=options.balance,
        novelty=options.novelty,
        diversity=options.diversity,
        franchise=options.franchise,
        candidates=candidate_ids(options.filter, fresh=fresh),
        include_planned=options.planned,
    )


def _without_model(profile: Profile | None, person: Read, options: ListOptions) -> tuple[Ranked, Basis]:
    if profile is not None and options.franchise is not FranchiseMode.NEXT:
        ranking = stored_ranking(profile, person(), options.filter, _wanted(options), options.franchise)
        if ranking is not None:
            return Ranked.of(ranking, options.k), Basis.STORED
    return _popular(person(), options), Basis.POPULARITY


def _popular(person: ScoringProfile, options: ListOptions) -> Ranked:
    wanted = _wanted(options)
    ranking = popular_ranking(person, options.filter, wanted, options.franchise, include_planned=options.planned)
    return Ranked.of(ranking, options.k)


def _wanted(options: ListOptions) -> int:
    return max(options.k, options.depth)


def _cache_key(profile: Profile, engine: Engine, options: ListOptions) -> str:
    return f"ranked:{profile.pk}:{profile.version}:{engine.version}:{options.digest()}"


def _cached(profile: Profile | None, engine: Engine, options: ListOptions) -> Ranked | None:
    return None if profile is None else cache.get(_cache_key(profile, engine, options))


def _scored_afresh(
    profile: Profile | None, person: Read, engine: Engine, options: ListOptions, *, fresh: bool = False
) -> Ranked:
    ranked = _score(engine, person(), options, fresh=fresh)
    if profile is not None:
        cache.set(_cache_key(profile, engine, options), ranked, settings.RECOMMENDATION_CACHE_SECONDS)
    return ranked


def _score(engine: Engine, profile: ScoringProfile, options: ListOptions, *, fresh: bool = False) -> Ranked:
    asked = recommender_options(options, k=_wanted(options), fresh=fresh)
    return Ranked.of(engine.recommender.recommend(profile, asked), options.k)


def _with_planned(
    person: Read, shown: list[RecommendationList], options: Sequence[ListOptions]
) -> list[RecommendationList]:
    """The lists with what the person plans to watch, where such titles may be listed."""
    if not any(wanted.planned for wanted in options):
        return shown
    planned = frozenset(
        int(anime_id)
        for anime_id, status in zip(person().anime_ids, person().statuses, strict=True)
        if status is Status.PLANNED
    )
    return [replace(one, planned=planned) for one in shown]


def _still_holds(shown: RecommendationList, ranked: Ranked, options: ListOptions) -> bool:
    """Whether a cached list is still allowed: an admin may have removed a title or marked it adult since."""
    return len(shown.results) == len(ranked.ranking.results) and (
        options.filter.show_adult or not any(listed.anime.is_adult for listed in shown.results)
    )


def _show(
    ranked: Ranked,
    basis: Basis,
    options: ListOptions,
    model_version: str | None = None,
    *,
    also: frozenset[int] = frozenset(),
) -> RecommendationList:
    return _show_all([(ranked, basis, options)], model_version, also=also)[0]


def _show_all(
    ranked: Sequence[tuple[Ranked, Basis, ListOptions]],
    model_version: str | None = None,
    *,
    also: frozenset[int] = frozenset(),
) -> list[RecommendationList]:
    """Look up every title that the rankings name, and those of ``also``, in a constant number of queries."""
    named = {anime_id for one, *_how in ranked for anime_id in _named(one.ranking.results)}
    titles = titles_by_ids(named | also)
    return [
        RecommendationList(
            results=tuple(_listed(one.ranking, titles, options)),
            basis=basis,
            model_version=model_version,
            ignored=one.ranking.ignored,
            known=one.ranking.known,
            places=one.places,
            titles=titles,
        )
        for one, basis, options in ranked
    ]


def titles_by_ids(ids: Iterable[int]) -> dict[int, Anime]:
    """The titles of ``ids`` with what a card says: one query. ``first_studio`` is a name, or ``None``."""
    studios = Studio.objects.filter(anime=OuterRef("pk")).order_by("name").values("name")
    found = Anime.objects.filter(pk__in=[int(anime_id) for anime_id in ids]).select_related("franchise")
    return {anime.pk: anime for anime in found.annotate(first_studio=Subquery(studios[:1]))}


def _listed(ranking: Ranking, titles: Mapping[int, Anime], options: ListOptions) -> Iterable[Listed]:
    there = (item for item in ranking.results if item.anime_id in titles)
    for rank, item in enumerate(there, start=1):
        reasons = tuple(shown_reasons(item.reasons, titles, options)) or (ShownReason(ReasonKind.POPULAR.value),)
        yield Listed(rank, titles[item.anime_id], item.score, item.components, reasons)


def _named(results: Iterable[Recommendation]) -> set[int]:
    named = set()
    for item in results:
        named.add(item.anime_id)
        named.update(reason.anime_id for reason in item.reasons if reason.anime_id is not None)
    return named


def shown_reasons(
    reasons: Iterable[Reason], titles: Mapping[int, Anime], options: ListOptions
) -> Iterable[ShownReason]:
    """``reasons`` with their titles, less those that ``options`` do not show."""
    for reason in reasons:
        anime = titles.get(reason.anime_id) if reason.anime_id is not None else None
        # Somebody else's list (a data set's member) may rest on titles that whoever looks must not see.
        if anime is not None and anime.is_adult and not options.filter.show_adult:
            continue
        rating = None if reason.rating is None else int(reason.rating)
        yield ShownReason(reason.kind.value, reason.share, anime, rating, reason.traits)
