"""Lists of recommendations, ready to show: the scores of `ml.serving` joined with the catalogue.

Three ways lead here: a stored profile (`recommend`), ratings in a request (`recommend_ratings`), and a title
(`similar_titles`). All end in the same scoring of a profile; none knows who the person is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache as cached_call
from functools import partial

from django.conf import settings
from django.core.cache import cache

from catalog.models import Anime
from catalog.selectors import CatalogueFilter, anime_by_ids, candidate_ids
from ml.types import FranchiseMode, Options, Ranking, Reason, ReasonKind, Recommendation
from ml.types import Profile as ScoringProfile
from recommendations.models import Profile
from recommendations.selectors.profiles import scoring_profile
from recommendations.services.engine import Engine, current_engine
from recommendations.services.fallback import popular_ranking, stored_ranking

# A profile that is read from the database when it is first asked for.
Read = Callable[[], ScoringProfile]

# Below this many rated or watched titles a list is still general, and says so.
FEW_ENTRIES = 5


class Basis(StrEnum):
    """What a list rests on, so that a page can say it plainly."""

    PERSONAL = "personal"
    STORED = "stored"
    POPULARITY = "popularity"


@dataclass(frozen=True, slots=True)
class ListOptions:
    """A list as a person asks for it: the dials of the recommender and the filters of the catalogue."""

    k: int = 10
    balance: float | None = None
    novelty: float | None = None
    diversity: float | None = None
    franchise: FranchiseMode = FranchiseMode.NEW
    filter: CatalogueFilter = field(default_factory=lambda: CatalogueFilter(released_only=True))

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
    """A list to show. ``known`` counts the titles of the profile that the model knows."""

    results: tuple[Listed, ...]
    basis: Basis
    model_version: str | None = None
    ignored: tuple[int, ...] = ()
    known: int = 0

    @property
    def is_general(self) -> bool:
        return self.known < FEW_ENTRIES


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


def recommend_lists(*, profile: Profile | None, options: Sequence[ListOptions]) -> list[RecommendationList]:
    """Several lists of one profile, as :func:`recommend` gives them, for little more than the price of one."""
    engine = current_engine()
    # Read at most once, and not at all where every list is cached.
    person = cached_call(partial(scoring_profile, profile))
    if engine is None:
        return _show_all([(*_without_model(profile, person, wanted), wanted) for wanted in options])
    cached = [_cached(profile, engine, wanted) for wanted in options]
    rankings = [
        _scored_afresh(profile, person, engine, wanted) if ranking is None else ranking
        for wanted, ranking in zip(options, cached, strict=True)
    ]
    shown = _show_all(
        [(ranking, Basis.PERSONAL, wanted) for ranking, wanted in zip(rankings, options, strict=True)], engine.version
    )
    for number, (wanted, ranking) in enumerate(zip(options, cached, strict=True)):
        if ranking is not None and not _still_holds(shown[number], ranking, wanted):
            fresh = _scored_afresh(profile, person, engine, wanted, fresh=True)
            shown[number] = _show(fresh, Basis.PERSONAL, wanted, engine.version)
    return shown


def recommend_ratings(*, profile: ScoringProfile, options: ListOptions) -> RecommendationList:
    """The list of a profile that is stored nowhere: an app's own user, ratings in a request."""
    engine = current_engine()
    if engine is None:
        popular = popular_ranking(profile, options.filter, options.k, options.franchise)
        return _show(popular, Basis.POPULARITY, options)
    return _show(_score(engine, profile, options), Basis.PERSONAL, options, engine.version)


def similar_titles(*, anime: Anime, k: int = 8, show_adult: bool = False) -> list[SimilarListed]:
    """Up to ``k`` neighbours by shared fans and ``k`` by content; empty while no model serves."""
    engine = current_engine()
    if engine is None:
        return []
    # Twice as many as asked for: the catalogue may hide some of them.
    neighbours = engine.recommender.similar(anime.pk, 2 * k)
    titles = anime_by_ids([neighbour.anime_id for neighbour in neighbours])
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


def _without_model(profile: Profile | None, person: Read, options: ListOptions) -> tuple[Ranking, Basis]:
    if profile is not None and options.franchise is not FranchiseMode.NEXT:
        ranking = stored_ranking(profile, person(), options.filter, options.k)
        if ranking is not None:
            return ranking, Basis.STORED
    return popular_ranking(person(), options.filter, options.k, options.franchise), Basis.POPULARITY


def _cache_key(profile: Profile, engine: Engine, options: ListOptions) -> str:
    return f"list:{profile.pk}:{profile.version}:{engine.version}:{options.digest()}"


def _cached(profile: Profile | None, engine: Engine, options: ListOptions) -> Ranking | None:
    return None if profile is None else cache.get(_cache_key(profile, engine, options))


def _scored_afresh(
    profile: Profile | None, person: Read, engine: Engine, options: ListOptions, *, fresh: bool = False
) -> Ranking:
    ranking = _score(engine, person(), options, fresh=fresh)
    if profile is not None:
        cache.set(_cache_key(profile, engine, options), ranking, settings.RECOMMENDATION_CACHE_SECONDS)
    return ranking


def _score(engine: Engine, profile: ScoringProfile, options: ListOptions, *, fresh: bool = False) -> Ranking:
    return engine.recommender.recommend(
        profile,
        Options(
            k=options.k,
            balance=options.balance,
            novelty=options.novelty,
            diversity=options.diversity,
            franchise=options.franchise,
            candidates=candidate_ids(options.filter, fresh=fresh),
        ),
    )


def _still_holds(shown: RecommendationList, ranking: Ranking, options: ListOptions) -> bool:
    """Whether a cached list is still allowed: an admin may have removed a title or marked it adult since."""
    return len(shown.results) == len(ranking.results) and (
        options.filter.show_adult or not any(listed.anime.is_adult for listed in shown.results)
    )


def _show(
    ranking: Ranking, basis: Basis, options: ListOptions, model_version: str | None = None
) -> RecommendationList:
    return _show_all([(ranking, basis, options)], model_version)[0]


def _show_all(
    rankings: Sequence[tuple[Ranking, Basis, ListOptions]], model_version: str | None = None
) -> list[RecommendationList]:
    """Look up every title that ``rankings`` name, in a constant number of queries."""
    titles = anime_by_ids({anime_id for ranking, *_how in rankings for anime_id in _named(ranking.results)})
    return [
        RecommendationList(
            results=tuple(_listed(ranking, titles, options)),
            basis=basis,
            model_version=model_version,
            ignored=ranking.ignored,
            known=ranking.known,
        )
        for ranking, basis, options in rankings
    ]


def _listed(ranking: Ranking, titles: Mapping[int, Anime], options: ListOptions) -> Iterable[Listed]:
    there = (item for item in ranking.results if item.anime_id in titles)
    for rank, item in enumerate(there, start=1):
        reasons = tuple(_shown_reasons(item.reasons, titles, options)) or (ShownReason(ReasonKind.POPULAR.value),)
        yield Listed(rank, titles[item.anime_id], item.score, item.components, reasons)


def _named(results: Iterable[Recommendation]) -> set[int]:
    named = set()
    for item in results:
        named.add(item.anime_id)
        named.update(reason.anime_id for reason in item.reasons if reason.anime_id is not None)
    return named


def _shown_reasons(
    reasons: Iterable[Reason], titles: Mapping[int, Anime], options: ListOptions
) -> Iterable[ShownReason]:
    for reason in reasons:
        anime = titles.get(reason.anime_id) if reason.anime_id is not None else None
        # Somebody else's list (a data set's member) may rest on titles that whoever looks must not see.
        if anime is not None and anime.is_adult and not options.filter.show_adult:
            continue
        rating = None if reason.rating is None else int(reason.rating)
        yield ShownReason(reason.kind.value, reason.share, anime, rating, reason.traits)
