"""Which titles are asked about first, and how that follows the answers."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from catalog.models import Anime
from ml.types import Entry, Status
from ml.types import Profile as ScoringProfile
from recommendations.models import ModelVersion, Profile
from recommendations.selectors.starters import Signals, Starter, choose_starters, starter_pool
from recommendations.services.starters import titles_to_rate
from recommendations.unseen import MAX_UNSEEN, SESSION_KEY
from recommendations.views.grid import MAX_TILES
from tests.factories import AnimeFactory, FranchiseFactory, UserFactory

pytestmark = pytest.mark.django_db
NOBODY = ScoringProfile.of([])


def starter(
    anime_id: int, members: int = 1000, genres: tuple[int, ...] = (), franchise: int | None = None
) -> Starter:
    return Starter(anime_id, franchise, members, genres)


def partial(target: str) -> dict[str, str]:
    return {"HX-Request": "true", "HX-Target": target}


def tile_ids(page: Any) -> list[int]:
    return [int(pk) for pk in re.findall(r'name="shown"\s+form="nowhere"\s+value="(\d+)"', page.content.decode())]


class TestChoosing:
    def test_the_best_known_first(self) -> None:
        pool = [starter(1, 10), starter(2, 3000), starter(3, 200)]
        assert choose_starters(pool, count=2, taken=()) == [2, 3]

    def test_genres_that_are_asked_about_give_way(self) -> None:
        pool = [starter(1, 1000, (1,)), starter(2, 900, (1,)), starter(3, 800, (2,))]
        assert choose_starters(pool, count=2, taken=()) == [1, 3]
        assert choose_starters(pool[1:], count=1, taken=(), asked=()) == [2]
        assert choose_starters(pool, count=1, taken=(), asked=(1,)) == [3]

    def test_one_of_a_franchise_and_none_of_one_that_was_answered(self) -> None:
        pool = [starter(1, 1000, franchise=7), starter(2, 900, franchise=7), starter(3, 10), starter(4, 5)]
        assert choose_starters(pool, count=2, taken=()) == [1, 3]
        assert choose_starters(pool, count=2, taken=(1,)) == [3, 4]
        assert choose_starters(pool, count=3, taken=(1,)) == [2, 3, 4], "rather that than nothing"

    def test_what_one_probably_knows_comes_before_what_one_probably_does_not(self) -> None:
        pool = [starter(1, 1000), starter(2, 900)]
        assert choose_starters(pool, count=1, taken=(), signals=Signals(near_list={2: 1.0})) == [2]
        assert choose_starters(pool, count=1, taken=(), signals=Signals(near_unseen={1: 1.0})) == [2]

    @pytest.mark.parametrize("liking", [2.5, -2.5])
    def test_an_answer_that_can_be_foreseen_tells_little(self, liking: float) -> None:
        pool = [starter(1, 1000), starter(2, 900)]
        assert choose_starters(pool, count=1, taken=(), signals=Signals(liking={1: liking})) == [2]


class TestWithAModel:
    def test_it_is_the_same_for_the_same_answers(self, champion: ModelVersion) -> None:
        person = ScoringProfile.from_ratings({30: 9, 80: 4})
        assert titles_to_rate(person=person, count=12, unseen=[1]) == titles_to_rate(
            person=person, count=12, unseen=[1]
        )

    def test_answers_change_what_is_asked(self, champion: ModelVersion) -> None:
        first = titles_to_rate(person=NOBODY, count=12)
        person = ScoringProfile.from_ratings({first[0]: 9, first[1]: 3})
        assert set(titles_to_rate(person=person, count=12)) - set(first)
        assert set(titles_to_rate(person=NOBODY, count=12, unseen=first[:1])) - set(first)

    def test_near_what_was_not_seen_less_is_asked(self, champion: ModelVersion) -> None:
        """Who says of many titles of one genre that they have not seen them is asked about others."""
        kind = Anime.objects.filter(genres__slug="mecha")
        unseen = list(kind.by_popularity()[:8])
        apart = kind.exclude(pk__in=[anime.pk for anime in unseen]).exclude(
            franchise__in={anime.franchise_id for anime in unseen} - {None}
        )
        others = set(apart.values_list("pk", flat=True))
        before = others & set(titles_to_rate(person=NOBODY, count=150))
        after = others & set(titles_to_rate(person=NOBODY, count=150, unseen=[anime.pk for anime in unseen]))
        assert len(before) >= 3
        assert len(after) < len(before)

    def test_nothing_that_is_on_the_list_hidden_or_not_seen(self, champion: ModelVersion) -> None:
        first = titles_to_rate(person=NOBODY, count=4)
        person = ScoringProfile.of([Entry(first[0], 9), Entry(first[1], None, Status.PLANNED)], hidden=[first[2]])
        assert not set(first) & set(titles_to_rate(person=person, count=100, unseen=[first[3]]))

    def test_they_are_spread_over_genres_and_franchises(self, champion: ModelVersion) -> None:
        titles = Anime.objects.filter(pk__in=titles_to_rate(person=NOBODY, count=12)).with_facts()
        franchises = [anime.franchise_id for anime in titles if anime.franchise_id]
        assert len(franchises) == len(set(franchises))
        genres = Counter(genre.name for anime in titles for genre in anime.genres.all())
        assert len(genres) >= 12
        best_known = Anime.objects.released().for_everyone().by_popularity().with_facts()[:12]
        most = Counter(genre.name for anime in best_known for genre in anime.genres.all())
        assert max(genres.values()) < max(most.values())


class TestThePool:
    def test_it_is_one_query_then_none(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        franchise = FranchiseFactory()
        known = AnimeFactory(members=500, genres=["Action", "Drama"], franchise=franchise)
        plain = AnimeFactory(members=None)
        AnimeFactory(status="upcoming")
        AnimeFactory(is_adult=True)
        with django_assert_num_queries(1):
            pool = starter_pool(show_adult=False)
        assert [(one.anime_id, one.franchise_id, one.members) for one in pool] == [
            (known.pk, franchise.pk, 500),
            (plain.pk, None, 0),
        ]
        assert set(pool[0].genre_ids) == {genre.pk for genre in known.genres.all()}
        with django_assert_num_queries(0):
            assert starter_pool(show_adult=False) == pool
        assert len(starter_pool(show_adult=True)) == 3


class TestTheGrid:
    def test_a_rated_tile_stays_with_its_rating_and_another_is_added(
        self, client: Client, champion: ModelVersion
    ) -> None:
        shown = tile_ids(client.get(reverse("home")))
        client.post(reverse("entry_rate", args=[shown[2]]), {"rating": "7"})
        query = {"shown": [str(pk) for pk in shown]}
        more = client.get(reverse("home"), query, headers=partial("more-tiles"))
        added = tile_ids(more)
        assert len(added) == 1
        assert not set(added) & set(shown)
        assert "<html" not in more.content.decode()
        page = client.get(reverse("home"), {"shown": ",".join(map(str, shown))})
        assert tile_ids(page) == [*shown, *added]
        assert page.context["tiles"][2].entry.rating == 7

    def test_taking_a_rating_back_adds_nothing(self, client: Client, champion: ModelVersion) -> None:
        shown = tile_ids(client.get(reverse("home")))
        client.post(reverse("entry_rate", args=[shown[0]]), {"rating": "7"})
        client.post(reverse("entry_remove", args=[shown[0]]))
        more = client.get(reverse("home"), {"shown": [str(pk) for pk in shown]}, headers=partial("more-tiles"))
        assert tile_ids(more) == []
        assert 'id="more-tiles"' in more.content.decode()

    def test_haven_t_seen_gives_another_title_at_that_place(self, client: Client, champion: ModelVersion) -> None:
        shown = tile_ids(client.get(reverse("home")))
        sent = {"anime_id": shown[3], "shown": shown}
        answer = client.post(reverse("unseen"), sent, headers={"HX-Request": "true"})
        [other] = tile_ids(answer)
        assert other not in shown
        html = answer.content.decode()
        assert "Noted: you have not seen" in html
        assert "Undo" in html
        after = tile_ids(client.get(reverse("home"), {"shown": ",".join(map(str, shown))}))
        assert after == [*shown[:3], other, *shown[4:]]
        assert shown[3] not in tile_ids(client.get(reverse("home"))), "it is remembered"
        assert not Profile.objects.exists(), "it says nothing about taste"

    def test_undo_brings_it_back_to_its_place(self, client: Client, champion: ModelVersion) -> None:
        shown = tile_ids(client.get(reverse("home")))
        client.post(reverse("unseen"), {"anime_id": shown[3], "shown": shown}, headers={"HX-Request": "true"})
        sent = {"anime_id": shown[3], "shown": ",".join(map(str, shown)), "undo": "1"}
        answer = client.post(reverse("unseen"), sent, headers=partial("grid"))
        assert tile_ids(answer) == shown
        assert 'id="grid"' in answer.content.decode()
        assert client.session[SESSION_KEY] == []

    def test_by_a_plain_form_one_comes_back_to_the_same_grid(self, client: Client, champion: ModelVersion) -> None:
        page = client.get(reverse("home"))
        shown = tile_ids(page)
        back = page.context["here"]
        assert f'value="{back}#rate"' in page.content.decode()
        answer = client.post(reverse("unseen"), {"anime_id": shown[0], "next": f"{back}#rate"}, follow=True)
        after = tile_ids(answer)
        assert after[1:] == shown[1:]
        assert after[0] not in shown
        assert "Noted: you have not seen" in answer.content.decode()

    def test_who_knows_none_of_the_others_gets_new_ones(self, client: Client, champion: ModelVersion) -> None:
        shown = tile_ids(client.get(reverse("home")))
        client.post(reverse("entry_rate", args=[shown[0]]), {"rating": "8"})
        answer = client.post(reverse("unseen"), {"none": "", "shown": shown}, headers=partial("grid"))
        after = tile_ids(answer)
        assert after[0] == shown[0], "what was rated stays"
        assert len(after) == 13
        assert not set(after[1:]) & set(shown)
        assert client.session[SESSION_KEY] == shown[1:]

    def test_the_same_by_a_plain_form(self, client: Client, champion: ModelVersion) -> None:
        shown = tile_ids(client.get(reverse("home")))
        client.post(reverse("entry_rate", args=[shown[0]]), {"rating": "8"})
        answer = client.post(reverse("unseen"), {"none": ",".join(map(str, shown))}, follow=True)
        assert not set(tile_ids(answer)) & set(shown)
        assert client.session[SESSION_KEY] == shown[1:]

    def test_it_counts_for_members_as_for_visitors(self, client: Client, champion: ModelVersion) -> None:
        client.force_login(UserFactory())
        shown = tile_ids(client.get(reverse("home")))
        client.post(reverse("unseen"), {"anime_id": shown[0]})
        assert shown[0] not in tile_ids(client.get(reverse("home")))

    def test_what_is_remembered_is_bounded(self, client: Client) -> None:
        titles = AnimeFactory.create_batch(MAX_UNSEEN + 5)
        for start in range(0, len(titles), MAX_TILES):
            client.post(reverse("unseen"), {"anime_id": [anime.pk for anime in titles[start : start + MAX_TILES]]})
        assert client.session[SESSION_KEY] == [anime.pk for anime in titles][-MAX_UNSEEN:]

    def test_the_grid_ends_where_the_catalogue_does(self, client: Client) -> None:
        one, other = AnimeFactory.create_batch(2)
        client.post(reverse("unseen"), {"anime_id": one.pk})
        assert tile_ids(client.get(reverse("home"))) == [other.pk]
        answer = client.post(
            reverse("unseen"), {"anime_id": other.pk, "shown": other.pk}, headers={"HX-Request": "true"}
        )
        assert tile_ids(answer) == []
        assert "everything there is to ask about" in client.get(reverse("home")).content.decode()

    def test_adult_titles_are_neither_shown_nor_noted(self, client: Client) -> None:
        adult = AnimeFactory(is_adult=True)
        assert tile_ids(client.get(reverse("home"), {"shown": str(adult.pk)})) == []
        assert client.post(reverse("unseen"), {"anime_id": adult.pk}).status_code == 400

    @pytest.mark.parametrize("sent", [{}, {"anime_id": ""}, {"anime_id": "x"}, {"anime_id": "-5"}, {"none": "a,b"},
                                      {"anime_id": "9" * 30}, {"anime_id": "77777"}])  # fmt: skip
    @pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
    def test_bad_input_is_named_and_changes_nothing(
        self, client: Client, sent: dict[str, str], headers: dict[str, str]
    ) -> None:
        AnimeFactory()
        answer = client.post(reverse("unseen"), sent, headers=headers)
        assert answer.status_code == 400
        wrong = sent.get("anime_id") or None
        assert (f"“{wrong[:20]}”" if wrong else "No title was named" if sent != {"anime_id": ""} else "“”") in (
            answer.content.decode()
        )
        assert SESSION_KEY not in client.session

    def test_looking_is_no_answer(self, client: Client) -> None:
        assert client.get(reverse("unseen")).status_code == 405
