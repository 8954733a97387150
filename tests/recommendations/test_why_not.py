"""Why a title is not on the list: its place under the options of the URL, and what holds it back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from catalog.models import Anime
from ml.types import Barrier
from recommendations.models import ModelVersion
from recommendations.services.engine import forget_engine
from tests.factories import AnimeFactory, UserFactory

pytestmark = pytest.mark.django_db

MECHA = {30: 9, 80: 10, 84: 8, 2001: 9, 1575: 9}
WHY_NOT_LIMIT = 12


@pytest.fixture
def visitor(client: Client, champion: ModelVersion) -> Client:
    for anime_id, rating in MECHA.items():
        client.post(reverse("entry_rate", args=[anime_id]), {"rating": rating})
    return client


def ask(client: Client, anime_id: int, **query: Any) -> Any:
    return client.get(reverse("why_not", args=[anime_id]), query)


def text_of(page: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def barrier_of(page: Any) -> Barrier | None:
    return page.context["shown"].standing.barrier


def listed(client: Client, **query: Any) -> list[int]:
    return [card.listed.anime.pk for card in client.get(reverse("for_you"), query).context["cards"]]


class TestThePlace:
    @pytest.mark.parametrize(
        "query",
        [{}, {"balance": "0.1"}, {"novelty": "0.9"}, {"diversity": "0.6"}, {"franchise": "off"}, {"type": "Movie"},
         {"genre": "comedy", "balance": "0.9"}, {"year_min": "2005", "novelty": "0.2"}],
    )  # fmt: skip
    def test_it_is_the_place_in_the_very_list_of_the_url(self, visitor: Client, query: dict[str, str]) -> None:
        ids = listed(visitor, **query)
        for rank in (1, 5, 10):
            page = ask(visitor, ids[rank - 1], **query)
            assert page.context["shown"].standing.rank == rank
            assert f"It is there: at place {rank} of" in text_of(page)

    def test_below_the_ten_it_says_where_and_compares_with_the_tenth(self, visitor: Client) -> None:
        ids = listed(visitor)
        far = next(
            pk
            for pk in Anime.objects.filter(genres__slug="sports").by_popularity().values_list("pk", flat=True)
            if pk not in ids and (ask(visitor, pk).context["shown"].standing.rank or 0) > 10
        )
        page = ask(visitor, far)
        standing = page.context["shown"].standing
        text = text_of(page)
        assert f"It stands at place {standing.rank} of {standing.of}." in text
        assert "Beside the title at place ten" in text
        assert "What people like you like" in text
        assert "What it is made of" in text
        assert "holds it back" in text
        assert {row["weak"] for row in page.context["rows"]} == {True, False} or page.context["shown"].weak_parts

    def test_it_names_ratings_for_and_against(self, visitor: Client) -> None:
        visitor.post(reverse("entry_rate", args=[21]), {"rating": "1"})
        found = {"for": False, "against": False}
        for pk in Anime.objects.exclude(pk__in=[*MECHA, 21]).by_popularity().values_list("pk", flat=True)[:12]:
            page = ask(visitor, pk)
            shown = page.context["shown"]
            if shown.standing.barrier:
                continue
            text = text_of(page)
            for reason in (*shown.reasons, *shown.against):
                assert reason.anime is None or reason.anime.pk in {*MECHA, 21}
            found["for"] |= "What speaks for it" in text
            found["against"] |= "What speaks against it" in text
        assert found == {"for": True, "against": True}

    def test_a_dial_that_is_offered_does_bring_it_nearer(self, visitor: Client) -> None:
        offered = 0
        for pk in Anime.objects.exclude(pk__in=MECHA).by_popularity().values_list("pk", flat=True)[:25]:
            page = ask(visitor, pk)
            for remedy in page.context["remedies"]:
                if page.context["shown"].standing.barrier:
                    continue
                turned = visitor.get(remedy.url).context["shown"].standing
                assert turned.rank < page.context["shown"].standing.rank
                assert f"place {turned.rank}" in remedy.words
                offered += 1
        assert offered

    def test_somebody_unknown_may_ask_too(self, client: Client, champion: ModelVersion) -> None:
        page = ask(client, 30)
        assert page.status_code == 200
        assert page.context["shown"].standing.rank


class TestWhatBarsIt:
    def test_on_the_list(self, visitor: Client) -> None:
        page = ask(visitor, 30)
        assert barrier_of(page) is Barrier.ON_LIST
        assert "It is on your list: Completed 9" in text_of(page)

    def test_planned_it_may_be_let_in(self, visitor: Client) -> None:
        pk = listed(visitor)[0]
        visitor.post(reverse("entry_set", args=[pk]), {"status": "planned"})
        page = ask(visitor, pk, type="TV")
        assert "It is on your list: Plan to watch" in text_of(page)
        [remedy] = page.context["remedies"]
        assert barrier_of(visitor.get(remedy.url)) is None

    def test_hidden_with_the_way_back(self, visitor: Client) -> None:
        pk = listed(visitor)[0]
        visitor.post(reverse("hide", args=[pk]))
        page = ask(visitor, pk)
        assert barrier_of(page) is Barrier.HIDDEN
        assert "not interested in it" in text_of(page)
        assert reverse("unhide", args=[pk]) in page.content.decode()

    def test_another_part_stands_for_the_franchise(self, visitor: Client) -> None:
        pk = next(pk for pk in listed(visitor) if Anime.objects.get(pk=pk).franchise_id)
        first = Anime.objects.get(pk=pk)
        part = Anime.objects.released().filter(franchise=first.franchise_id).exclude(pk=pk)[0]
        page = ask(visitor, part.pk)
        assert barrier_of(page) is Barrier.NOT_THE_FIRST
        text = text_of(page)
        assert f"the one to start with: {first.title} ." in text
        assert f"It stands at place {page.context['shown'].standing.rank} of" in text
        assert barrier_of(visitor.get(page.context["remedies"][0].url)) is None

    def test_a_franchise_that_was_touched(self, visitor: Client) -> None:
        part = Anime.objects.filter(franchise=Anime.objects.get(pk=80).franchise_id).exclude(pk__in=MECHA)[0]
        page = ask(visitor, part.pk)
        assert barrier_of(page) is Barrier.FRANCHISE_TOUCHED
        text = text_of(page)
        assert "You know its franchise already" in text
        assert "Mobile Suit Gundam 10" in text
        assert barrier_of(visitor.get(page.context["remedies"][0].url)) is None

    def test_a_franchise_of_which_a_part_was_hidden(self, client: Client, champion: ModelVersion) -> None:
        client.post(reverse("hide", args=[80]))
        part = Anime.objects.filter(franchise=Anime.objects.get(pk=80).franchise_id).exclude(pk=80)[0]
        assert "You are not interested in: Mobile Suit Gundam" in text_of(ask(client, part.pk))

    def test_not_next(self, visitor: Client) -> None:
        page = ask(visitor, 1535, franchise="next")
        assert barrier_of(page) is Barrier.NOT_NEXT
        assert "does not come next" in text_of(page)
        assert barrier_of(visitor.get(page.context["remedies"][0].url)) is None

    def test_the_filters_that_leave_it_out_are_named_and_can_be_taken_back(self, visitor: Client) -> None:
        anime = Anime.objects.get(pk=1535)
        query = {"type": ["TV", "Movie"], "genre_out": ["psychological", "mecha"], "year_max": "1999"}
        page = ask(visitor, anime.pk, **query)
        assert barrier_of(page) is Barrier.NOT_A_CANDIDATE
        assert [part.active.label for part in page.context["culprits"]] == ["not Psychological", "until 1999"]
        text = text_of(page)
        assert "The filter “not Psychological” leaves it out." in text
        assert "mecha" not in text.lower()
        url = page.context["remedies"][0].url
        again = visitor.get(url)
        assert [part.active.label for part in again.context["culprits"]] == ["until 1999"]
        assert barrier_of(visitor.get(again.context["remedies"][0].url)) is None

    def test_one_of_several_types(self, visitor: Client) -> None:
        """Two types let either through: together they are one filter."""
        page = ask(visitor, 1535, type=["OVA", "Movie"])
        assert barrier_of(page) is Barrier.NOT_A_CANDIDATE
        assert [part.active.label for part in page.context["culprits"]] == ["OVA, Movie"]
        assert barrier_of(visitor.get(page.context["remedies"][0].url)) is None
        assert barrier_of(ask(visitor, 1535, type=["TV", "Movie"])) is None

    def test_not_released(self, visitor: Client) -> None:
        Anime.objects.filter(pk=1535).update(status="upcoming")
        page = ask(visitor, 1535)
        assert barrier_of(page) is Barrier.NOT_A_CANDIDATE
        assert "It is not out yet" in text_of(page)
        assert page.context["remedies"] == []

    def test_a_recap(self, visitor: Client) -> None:
        Anime.objects.filter(pk=1535).update(is_recap=True)
        assert "It is a recap" in text_of(ask(visitor, 1535))

    def test_unknown_to_the_model(self, visitor: Client) -> None:
        page = ask(visitor, AnimeFactory().pk)
        assert barrier_of(page) is Barrier.UNKNOWN
        assert "The model does not know it yet" in text_of(page)

    def test_adult_titles_only_for_those_who_opted_in(self, champion: ModelVersion) -> None:
        Anime.objects.filter(pk=1).update(is_adult=True)
        for show_adult in (False, True):
            client = Client()
            client.force_login(UserFactory(show_adult=show_adult))
            page = ask(client, 1)
            assert ("shown" in page.context) is show_adult
            found = client.get(reverse("why_not_search"), {"q": "Cowboy Bebop"})
            assert (1 in [anime.pk for anime in found.context["found"]]) is show_adult

    def test_without_a_model_it_says_so(self, client: Client) -> None:
        forget_engine()
        assert "No model is running" in text_of(ask(client, AnimeFactory().pk))


class TestSearch:
    def test_it_leads_to_titles_under_the_same_options(self, visitor: Client) -> None:
        page = visitor.get(reverse("why_not_search"), {"q": "death note", "balance": "0.2", "type": ["TV", "Movie"]})
        html = page.content.decode()
        assert 'href="/for-you/why-not/1535/?balance=0.2&amp;type=TV&amp;type=Movie"' in html or (
            re.search(r'href="/for-you/why-not/1535/\?[^"]*balance=0.2', html)
        )
        assert 'value="death note"' in html
        assert '<input type="hidden" name="balance" value="0.2">' in html

    def test_it_stands_on_for_you_with_the_options_of_the_list(self, visitor: Client) -> None:
        html = visitor.get(reverse("for_you"), {"novelty": "0.8", "genre": "comedy"}).content.decode()
        form = html[html.index('class="why-not-form"') :]
        assert '<input type="hidden" name="novelty" value="0.8">' in form
        assert '<input type="hidden" name="genre" value="comedy">' in form

    @pytest.mark.parametrize("text", ["zzzzqqq", "x" * 500, "\0", "%", "'"])
    def test_nothing_found_loses_nothing(self, client: Client, text: str) -> None:
        page = client.get(reverse("why_not_search"), {"q": text})
        assert page.status_code == 200
        if text == "zzzzqqq":
            assert "Nothing is called “zzzzqqq”" in page.content.decode()

    @pytest.mark.parametrize("anime_id", ["999999", "9" * 40])
    def test_an_unknown_title_is_not_found(self, client: Client, anime_id: str) -> None:
        assert client.get(f"/for-you/why-not/{anime_id}/").status_code == 404

    def test_bad_options_are_named(self, visitor: Client) -> None:
        page = ask(visitor, 1535, balance="7")
        assert "Balance: " in page.content.decode()
        assert page.status_code == 200


def test_queries(visitor: Client, settings: Settings, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    settings.CHAMPION_CHECK_SECONDS = 3600
    ask(visitor, 1535)
    for query in ({}, {"type": "Movie", "genre": "mecha", "year_max": "1990"}, {"franchise": "off"}):
        for _size in range(2):
            cache.clear()
            with django_assert_max_num_queries(WHY_NOT_LIMIT):
                ask(visitor, 1535, **query)
            cache.clear()
            with django_assert_max_num_queries(8):
                visitor.get(reverse("why_not_search"), {"q": "note", **query})
            AnimeFactory.create_batch(20, genres=["Mecha"])
