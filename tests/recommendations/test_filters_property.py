"""Whatever somebody has on their list and asks for: the list is as full as the catalogue allows, and nothing on it
breaks a promise. Profiles and filters are random; what may be listed is worked out here, from the rows alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.models import AgeRating, Anime, AnimeType
from ml.types import FranchiseMode, Status
from recommendations.forms import ListForm
from recommendations.models import HiddenTitle, ListEntry, ModelVersion, Profile
from recommendations.services.engine import forget_engine
from recommendations.services.recommend import recommend
from tests.factories import ProfileFactory

pytestmark = pytest.mark.django_db

# So many titles a list should hold.
WANTED = 10
GENRES = ("action", "comedy", "drama", "mecha", "sci-fi", "romance", "school", "fantasy")


@dataclass(frozen=True, slots=True)
class Person:
    """A random list: ``entries`` are (place in the catalogue, rating, status), ``hidden`` places."""

    entries: tuple[tuple[int, int | None, str], ...]
    hidden: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Title:
    """A title of the catalogue as this test knows it."""

    pk: int
    franchise: int | None
    type: str
    year: int | None
    episodes: int | None
    minutes: int | None
    age: str
    genres: frozenset[str]
    adult: bool
    out: bool
    recap: bool


places = st.integers(0, 480)
people = st.builds(
    Person,
    st.lists(
        st.tuples(
            places, st.one_of(st.none(), st.integers(1, 10)), st.sampled_from([status.value for status in Status])
        ),
        max_size=25,
        unique_by=lambda entry: entry[0],
    ).map(tuple),
    st.lists(places, max_size=4, unique=True).map(tuple),
)
queries = st.fixed_dictionaries(
    {},
    optional={
        "balance": st.sampled_from(["0", "0.3", "1"]),
        "novelty": st.sampled_from(["0", "0.8", "1"]),
        "diversity": st.sampled_from(["0.4", "1"]),
        "franchise": st.sampled_from(["off", "next"]),
        "planned": st.just("1"),
        "type": st.lists(st.sampled_from(AnimeType.values), min_size=1, max_size=3, unique=True),
        "genre": st.lists(st.sampled_from(GENRES), min_size=1, max_size=1),
        "genre_out": st.lists(st.sampled_from(GENRES), min_size=1, max_size=2, unique=True),
        "year_min": st.integers(1970, 2012).map(str),
        "year_max": st.integers(1995, 2020).map(str),
        "episodes_max": st.sampled_from(["1", "13", "26"]),
        "minutes_max": st.sampled_from(["90", "360"]),
        "age_rating": st.lists(st.sampled_from(AgeRating.values), min_size=1, max_size=3, unique=True),
    },
)


@pytest.fixture
def catalogue(champion: ModelVersion) -> list[Title]:
    """The sample with what it lacks: titles for adults, announced ones, recaps, and running times."""
    ids = list(Anime.objects.by_popularity().values_list("pk", flat=True))
    Anime.objects.filter(pk__in=ids[3::17]).update(is_adult=True)
    Anime.objects.filter(pk__in=ids[5::19]).update(status="upcoming")
    Anime.objects.filter(pk__in=ids[7::23]).update(is_recap=True)
    Anime.objects.filter(pk__in=ids[::2]).update(duration_minutes=24)
    titles = {anime.pk: anime for anime in Anime.objects.prefetch_related("genres")}
    return [_title(titles[pk]) for pk in ids]


def _title(anime: Anime) -> Title:
    known = anime.episodes is not None and anime.duration_minutes is not None
    return Title(
        anime.pk,
        anime.franchise_id,
        anime.type,
        anime.year,
        anime.episodes,
        anime.episodes * anime.duration_minutes if known else None,  # type: ignore[operator]
        anime.age_rating,
        frozenset(genre.slug for genre in anime.genres.all()),
        anime.is_adult,
        anime.status != "upcoming",
        bool(anime.is_recap),
    )


def fits(title: Title, query: dict[str, Any], *, show_adult: bool) -> bool:
    """Whether the filters allow ``title``; a fact that is not known fits no bound."""
    genres, genres_out = set(query.get("genre", ())), set(query.get("genre_out", ()))
    return (
        title.out
        and not title.recap
        and (show_adult or not title.adult)
        and ("type" not in query or title.type in query["type"])
        and ("age_rating" not in query or title.age in query["age_rating"])
        and genres <= title.genres
        and not genres_out & title.genres
        and ("year_min" not in query or (title.year or 0) >= int(query["year_min"]))
        and ("year_max" not in query or (title.year or 9999) <= int(query["year_max"]))
        and ("episodes_max" not in query or (title.episodes or 9999) <= int(query["episodes_max"]))
        and ("minutes_max" not in query or (title.minutes or 99999) <= int(query["minutes_max"]))
    )


def stored(person: Person, catalogue: list[Title]) -> Profile:
    profile: Profile = ProfileFactory(version=1)
    ids = [title.pk for title in catalogue]
    ListEntry.objects.bulk_create(
        ListEntry(profile=profile, anime_id=ids[place % len(ids)], rating=rating, status=status)
        for place, rating, status in person.entries
    )
    HiddenTitle.objects.bulk_create(
        HiddenTitle(profile=profile, anime_id=ids[place % len(ids)]) for place in person.hidden
    )
    return profile


def check(person: Person, query: dict[str, Any], catalogue: list[Title], *, show_adult: bool, model: bool) -> None:
    data = QueryDict(mutable=True)
    for name, value in query.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    form = ListForm(data)
    assert form.is_valid(), form.errors
    profile = stored(person, catalogue)
    options = form.options(k=WANTED, show_adult=show_adult)
    shown = recommend(profile=profile, options=options)
    by_id = {title.pk: title for title in catalogue}
    listed = [by_id[one.anime.pk] for one in shown.results]

    entries = {entry.anime_id: entry for entry in profile.entries.all()}
    hidden = set(profile.hidden_titles.values_list("anime_id", flat=True))
    planned = {pk for pk, entry in entries.items() if entry.status == Status.PLANNED}
    known = set(entries) - (planned if options.planned else set())
    open_ = [
        title
        for title in catalogue
        if title.pk not in known and title.pk not in hidden and fits(title, query, show_adult=show_adult)
    ]
    assert len({title.pk for title in listed}) == len(listed)
    assert {title.pk for title in listed} <= {title.pk for title in open_}

    def franchises_of(ids: set[int]) -> set[int | None]:
        return {by_id[pk].franchise for pk in ids} - {None}

    if options.franchise is FranchiseMode.OFF:
        available = len(open_)
    elif options.franchise is FranchiseMode.NEW:
        touched = franchises_of(known | hidden)
        assert not touched & {title.franchise for title in listed}
        own = [title.franchise for title in listed if title.franchise is not None]
        assert len(own) == len(set(own)), "two of one franchise"
        new = [title for title in open_ if title.franchise not in touched]
        available = len({title.franchise or f"alone {title.pk}" for title in new})
    else:
        dropped = franchises_of({pk for pk, entry in entries.items() if entry.status == Status.DROPPED})
        begun = franchises_of({pk for pk in entries if entries[pk].status not in (Status.PLANNED, Status.DROPPED)})
        assert not dropped & {title.franchise for title in listed}
        assert {title.franchise for title in listed} <= begun
        return  # how many come next is a question of watch orders: tests/ml/test_franchises.py
    assert len(listed) == min(WANTED, available)
    if model:
        assert all(one.reasons for one in shown.results)


@given(person=people, query=queries, show_adult=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_list_is_as_full_as_the_catalogue_allows_and_holds_nothing_it_must_not(
    catalogue: list[Title], person: Person, query: dict[str, Any], show_adult: bool
) -> None:
    with transaction.atomic():
        check(person, query, catalogue, show_adult=show_adult, model=True)
        transaction.set_rollback(True)


@given(person=people, query=queries, show_adult=st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_while_no_model_serves(
    catalogue: list[Title], person: Person, query: dict[str, Any], show_adult: bool
) -> None:
    ModelVersion.objects.update(status="retired")
    forget_engine()
    if query.get("franchise") == "next":
        query.pop("franchise")  # without a model nobody knows what comes next
    with transaction.atomic():
        check(person, query, catalogue, show_adult=show_adult, model=False)
        transaction.set_rollback(True)
