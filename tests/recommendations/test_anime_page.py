"""The page of a title: what we expect of a rating, how members rate it, the dates of one's own entry."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from catalog.models import Anime
from ml.types import PredictedRating
from recommendations.models import ListEntry, ModelVersion
from recommendations.selectors import histogram
from recommendations.selectors.histogram import rating_histogram
from recommendations.services.entries import rate, remove_entry
from recommendations.services.predictions import FEW_RATINGS, ToldRating, forecast_rating
from recommendations.services.profiles import profile_of_user
from tests.factories import AnimeFactory, EntryFactory, FranchiseFactory, ProfileFactory, UserFactory
from tests.recommendations.test_pages import MECHA, partial

pytestmark = pytest.mark.django_db

BEBOP = 1


@pytest.fixture
def visitor(client: Client, champion: ModelVersion) -> Client:
    """A visitor who has rated five series."""
    for anime_id, rating in MECHA.items():
        client.post(reverse("entry_rate", args=[anime_id]), {"rating": rating})
    return client


def page_text(client: Client, anime_id: int, **headers: str) -> str:
    html = client.get(reverse("anime_detail", args=[anime_id]), headers=headers).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


class TestForecast:
    def test_it_says_what_to_expect_in_words_and_as_a_picture(self, visitor: Client) -> None:
        page = visitor.get(reverse("anime_detail", args=[BEBOP]))
        told = page.context["forecast"].told
        assert told.support == len(MECHA)
        assert 1 <= told.low <= told.rating <= told.high <= 10
        text = page_text(visitor, BEBOP)
        assert f"We think you would give it {told.rating:.1f} , most likely between" in text
        assert "From 5 ratings of yours" in text
        (label,) = re.findall(r'aria-label="(On a scale[^"]+)"', page.content.decode())
        assert label.startswith(f"On a scale from 1 to 10: {told.rating:.1f}, most likely {told.low:.1f} to")

    def test_of_a_title_that_is_rated_it_says_what_it_would_have_said(self, visitor: Client) -> None:
        visitor.post(reverse("entry_rate", args=[BEBOP]), {"rating": "2"})
        before = page_text(visitor, BEBOP)
        assert "We would have said" in before
        assert "From your 5 other ratings" in before
        assert "; you gave 2" in visitor.get(reverse("anime_detail", args=[BEBOP])).content.decode()
        visitor.post(reverse("entry_rate", args=[BEBOP]), {"rating": "10"})
        said = re.findall(r"We would have said [\d.]+", before)
        assert re.findall(r"We would have said [\d.]+", page_text(visitor, BEBOP)) == said, "their own says nothing"

    def test_a_watched_title_without_a_rating_is_still_asked_about(self, visitor: Client) -> None:
        visitor.post(reverse("entry_set", args=[BEBOP]), {"status": "completed"})
        assert "We think you would give it" in page_text(visitor, BEBOP)

    @pytest.mark.parametrize(("ratings", "missing"), [(0, "5 more ratings"), (4, "1 more rating of yours")])
    def test_it_says_how_many_ratings_are_missing(
        self, client: Client, champion: ModelVersion, ratings: int, missing: str
    ) -> None:
        for anime_id in list(MECHA)[:ratings]:
            client.post(reverse("entry_rate", args=[anime_id]), {"rating": "9"})
        text = page_text(client, BEBOP)
        assert f"With {missing}" in text
        assert "We think" not in text

    def test_nothing_is_said_without_a_model(self, client: Client) -> None:
        anime = AnimeFactory()
        page = client.get(anime.get_absolute_url())
        assert page.context["forecast"] is None
        assert 'id="forecast"' not in page.content.decode()

    def test_nothing_is_said_of_a_title_that_the_model_does_not_know(self, visitor: Client) -> None:
        anime = AnimeFactory()
        assert visitor.get(anime.get_absolute_url()).context["forecast"] is None

    def test_htmx_fetches_it_alone_after_a_change(self, visitor: Client) -> None:
        response = visitor.get(reverse("anime_detail", args=[BEBOP]), headers=partial("forecast"))
        html = response.content.decode()
        assert html.lstrip().startswith("<section")
        assert "We think you would give it" in html
        assert "<h1" not in html
        assert "HX-Target" in response["Vary"]

    def test_a_fragment_of_an_adult_title_is_not_given_away(self, client: Client) -> None:
        anime = AnimeFactory(is_adult=True)
        html = client.get(anime.get_absolute_url(), headers=partial("forecast")).content.decode()
        assert "A title for adults" in html
        assert 'id="forecast"' not in html

    def test_the_service_counts_what_it_rests_on(self, champion: ModelVersion) -> None:
        profile = profile_of_user(UserFactory())
        anime = AnimeFactory.build(pk=BEBOP)
        forecast = forecast_rating(profile=profile, anime=anime)
        assert forecast is not None
        assert (forecast.told, forecast.missing) == (None, FEW_RATINGS)
        EntryFactory(profile=profile, anime=AnimeFactory(), rating=8)  # a title that the model does not know
        assert forecast_rating(profile=profile, anime=anime) == forecast

    def test_it_follows_the_person_s_taste(self, champion: ModelVersion) -> None:
        fan, foe = profile_of_user(UserFactory()), profile_of_user(UserFactory())
        for title in Anime.objects.filter(pk__in=MECHA):
            rate(profile=fan, anime=title, rating=9)
            rate(profile=foe, anime=title, rating=4)
        bebop = Anime.objects.get(pk=BEBOP)
        liked, disliked = (forecast_rating(profile=profile, anime=bebop) for profile in (fan, foe))
        assert liked is not None
        assert disliked is not None
        assert liked.told is not None
        assert disliked.told is not None
        assert liked.told.rating > disliked.told.rating + 1


def test_what_is_likely_is_told_in_halves_and_never_too_narrow() -> None:
    told = ToldRating.of(PredictedRating(rating=8.26, low=7.1, high=9.3, support=23))
    assert told == ToldRating(rating=8.3, low=7.0, high=9.5, support=23)
    assert ToldRating.of(PredictedRating(1.0, 1.0, 1.2, 5)).low == 1
    assert ToldRating.of(PredictedRating(10.0, 9.8, 10.0, 5)).high == 10


class TestHistogram:
    def test_counts_of_everybody_s_ratings(self) -> None:
        anime = AnimeFactory()
        for rating in (10, 10, 7, 1):
            EntryFactory(anime=anime, rating=rating)
        EntryFactory(anime=anime, rating=8, profile=ProfileFactory(imported=True))
        EntryFactory(anime=anime, rating=None)
        EntryFactory(rating=3)  # of another title
        found = rating_histogram(anime.pk)
        assert found.counts == (1, 0, 0, 0, 0, 0, 1, 1, 0, 2)
        assert (found.total, found.looked_at, found.partly, found.most) == (5, 6, False, 2)
        assert found.mean == pytest.approx(7.2)
        assert found.rows[0] == (10, 2, 0.4)
        assert [rating for rating, _count, _share in found.rows] == list(range(10, 0, -1))

    def test_of_a_title_on_many_lists_only_some_are_looked_at(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(histogram, "MOST_ENTRIES", 3)
        anime = AnimeFactory()
        EntryFactory.create_batch(3, anime=anime)
        whole = rating_histogram(anime.pk)
        assert (whole.total, whole.partly) == (3, False)
        cache.clear()
        EntryFactory.create_batch(4, anime=anime)
        part = rating_histogram(anime.pk)
        assert (part.looked_at, part.partly) == (3, True)
        assert part.total <= 4

    def test_it_is_asked_once_and_then_remembered(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        anime = EntryFactory().anime
        with django_assert_num_queries(1):
            first = rating_histogram(anime.pk)
        EntryFactory(anime=anime)
        with django_assert_num_queries(0):
            assert rating_histogram(anime.pk) == first
        cache.clear()
        assert rating_histogram(anime.pk).total == 2

    def test_nobody_has_rated_it(self, client: Client) -> None:
        anime = AnimeFactory()
        EntryFactory(anime=anime, rating=None, status="planned")
        found = rating_histogram(anime.pk)
        assert (found.total, found.mean) == (0, None)
        assert "Nobody here has rated it yet" in page_text(client, anime.pk)

    def test_the_page_shows_a_table_with_one_s_own_marked(self, client: Client) -> None:
        anime = AnimeFactory()
        EntryFactory.create_batch(3, anime=anime, rating=8)
        client.force_login(user := UserFactory())
        rate(profile=profile_of_user(user), anime=anime, rating=4)
        text = page_text(client, anime.pk)
        assert "4 ratings, 7.00 on average" in text
        assert "4 (yours) 1 25 %" in text
        assert "8 3 75 %" in text

    def test_of_an_adult_title_nothing_is_told(self, client: Client) -> None:
        anime = AnimeFactory(is_adult=True)
        EntryFactory(anime=anime)
        assert "on average" not in page_text(client, anime.pk)
        client.force_login(UserFactory(show_adult=True))
        assert "1 rating, 8.00 on average" in page_text(client, anime.pk)


class TestOwnEntry:
    def test_dates_are_kept_and_shown(self, client: Client) -> None:
        anime = AnimeFactory()
        client.force_login(user := UserFactory())
        entry = rate(profile=profile_of_user(user), anime=anime, rating=8)
        url = reverse("entry_set", args=[anime.pk])
        client.post(url, {"started": "2024-05-03", "finished": "2024-06-01", "part": "panel"}, headers=partial("own"))
        entry.refresh_from_db()
        assert (entry.started, entry.finished, entry.rating) == (date(2024, 5, 3), date(2024, 6, 1), 8)
        assert 'value="2024-05-03"' in client.get(anime.get_absolute_url()).content.decode()
        client.post(url, {"started": "", "finished": "2024-06-01"})
        entry.refresh_from_db()
        assert (entry.started, entry.finished) == (None, date(2024, 6, 1))

    @pytest.mark.parametrize(
        ("sent", "words"),
        [
            ({"started": "yesterday"}, "“Started” is not a valid date. Write a date like 2024-05-31."),
            ({"finished": "2024-13-01"}, "“Finished” is not a valid date. Write a date like 2024-05-31."),
            ({"started": "2024-06-02", "finished": "2024-06-01"}, "cannot have been finished before it was started"),
        ],
    )
    def test_bad_dates_are_named_and_nothing_is_changed(
        self, client: Client, sent: dict[str, str], words: str
    ) -> None:
        anime = AnimeFactory()
        client.force_login(user := UserFactory())
        rate(profile=profile_of_user(user), anime=anime, rating=8)
        for headers in ({}, partial("own")):
            response = client.post(reverse("entry_set", args=[anime.pk]), sent, headers=headers)
            assert response.status_code == 400
            assert words in response.content.decode()
        entry = ListEntry.objects.get(anime=anime)
        assert (entry.started, entry.finished, entry.rating) == (None, None, 8)

    def test_without_an_entry_there_are_no_dates_but_the_way_to_why_not(self, client: Client) -> None:
        anime = AnimeFactory()
        why_not = reverse("why_not", args=[anime.pk])
        client.force_login(user := UserFactory())
        html = client.get(anime.get_absolute_url()).content.decode()
        assert 'name="started"' not in html
        assert f'href="{why_not}"' in html
        rate(profile=profile_of_user(user), anime=anime, rating=8)
        html = client.get(anime.get_absolute_url()).content.decode()
        assert 'name="started"' in html
        assert why_not not in html
        remove_entry(profile=profile_of_user(user), anime=anime)
        assert f'href="{why_not}"' in client.get(anime.get_absolute_url()).content.decode()


def test_the_page_asks_at_most_ten_questions_and_the_fragment_fewer(
    visitor: Client, settings: Settings, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    settings.CHAMPION_CHECK_SECONDS = 3600
    user = UserFactory()
    profile = profile_of_user(user)
    franchise = FranchiseFactory()
    anime = Anime.objects.get(pk=BEBOP)
    anime.franchise = franchise
    anime.save()
    visitor.force_login(user)
    visitor.get(anime.get_absolute_url())
    for _size in range(2):
        AnimeFactory.create_batch(20, franchise=franchise, genres=["Mecha"])
        for title in Anime.objects.exclude(entries__profile=profile).by_popularity()[1:40]:
            EntryFactory(profile=profile, anime=title, rating=7)
        EntryFactory.create_batch(20, anime=anime)
        cache.clear()
        with django_assert_max_num_queries(10):
            page = visitor.get(anime.get_absolute_url())
        assert page.context["forecast"].told is not None
        assert page.context["histogram"].total >= 20
        with django_assert_max_num_queries(8):
            visitor.get(anime.get_absolute_url(), headers=partial("forecast"))
