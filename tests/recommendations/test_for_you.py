"""The for-you page: what it lists, its controls, and what it says about the list."""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils.formats import date_format

from catalog.models import Anime
from recommendations.models import ListEntry, ModelVersion
from tests.factories import AnimeFactory, UserFactory

pytestmark = pytest.mark.django_db

MECHA = {30: 9, 80: 10, 84: 8, 2001: 9, 1575: 9}


@pytest.fixture
def visitor(client: Client, champion: ModelVersion) -> Client:
    """A visitor who has rated five series of one kind highly."""
    for anime_id, rating in MECHA.items():
        client.post(reverse("entry_rate", args=[anime_id]), {"rating": rating})
    return client


def partial(target: str) -> dict[str, str]:
    return {"HX-Request": "true", "HX-Target": target}


class TestForYou:
    def test_ten_unseen_titles_of_ten_franchises_with_reasons(self, visitor: Client) -> None:
        page = visitor.get(reverse("for_you"))
        titles = [card.listed.anime for card in page.context["cards"]]
        franchises = [anime.franchise_id for anime in titles if anime.franchise_id]
        touched = set(Anime.objects.filter(pk__in=MECHA).values_list("franchise", flat=True))
        assert len(titles) == 10
        assert len(franchises) == len(set(franchises))
        assert not touched & set(franchises)
        assert not {anime.pk for anime in titles} & set(MECHA)
        html = page.content.decode()
        assert html.count('class="why"') == 10
        assert "Because you gave <b>" in html
        assert "<meter" in html
        assert "still general" not in html
        assert f"Model {page.context['list'].model_version}" in html

    def test_it_says_that_a_list_of_two_ratings_is_general(self, client: Client, champion: ModelVersion) -> None:
        for anime_id in (30, 80):
            client.post(reverse("entry_rate", args=[anime_id]), {"rating": "9"})
        assert "still general: it rests on 2 titles of yours" in client.get(reverse("for_you")).content.decode()

    def test_of_one_title_it_says_that_popularity_carried_most(self, client: Client, champion: ModelVersion) -> None:
        client.post(reverse("entry_rate", args=[30]), {"rating": "9"})
        html = client.get(reverse("for_you")).content.decode()
        title = "<b>Neon Genesis Evangelion</b>"
        assert html.count(f"Liked by many people, and you gave {title}&nbsp;9") >= 5
        assert "<span>Liked by many people</span>" in html, "its share stands among the others"
        client.post(reverse("entry_set", args=[30]), {"status": "completed", "rating": ""})
        html = client.get(reverse("for_you")).content.decode()
        assert f"Liked by many people, and you watched {title}" in html

    def test_it_says_when_no_model_runs(self, client: Client) -> None:
        AnimeFactory.create_batch(12)
        page = client.get(reverse("for_you"))
        assert len(page.context["cards"]) == 10
        assert "No model is running" in page.content.decode()

    def test_the_shelf_holds_the_next_part(self, visitor: Client) -> None:
        shelf = [card.listed.anime for card in visitor.get(reverse("for_you")).context["continue_cards"]]
        known = set(Anime.objects.filter(pk__in=MECHA).values_list("franchise", flat=True))
        assert shelf
        assert {anime.franchise_id for anime in shelf} <= known
        assert not {anime.pk for anime in shelf} & set(MECHA)

    def test_what_is_hidden_planned_or_rated_leaves_the_list(self, visitor: Client) -> None:
        hidden, planned, rated = (
            card.listed.anime.pk for card in visitor.get(reverse("for_you")).context["cards"][:3]
        )
        visitor.post(reverse("hide", args=[hidden]))
        visitor.post(reverse("entry_set", args=[planned]), {"status": "planned"})
        visitor.post(reverse("entry_rate", args=[rated]), {"rating": "6"})
        left = [card.listed.anime.pk for card in visitor.get(reverse("for_you")).context["cards"]]
        assert len(left) == 10
        assert not {hidden, planned, rated} & set(left)

    @pytest.mark.parametrize(
        "query",
        [{"balance": "0"}, {"balance": "1"}, {"novelty": "1"}, {"diversity": "0.8"}, {"franchise": "off"},
         {"age_rating": "PG-13"}, {"planned": "1"},
         {"type": "Movie"}, {"genre": "comedy"}, {"genre_out": "mecha"}, {"year_min": "2010"}, {"episodes_max": "1"}],
    )  # fmt: skip
    def test_every_control_changes_the_list_and_lives_in_the_url(
        self, visitor: Client, query: dict[str, str]
    ) -> None:
        first = visitor.get(reverse("for_you")).context["cards"][0].listed.anime.pk
        visitor.post(reverse("entry_set", args=[first]), {"status": "planned"})
        plain = [card.listed.anime.pk for card in visitor.get(reverse("for_you")).context["cards"]]
        page = visitor.get(reverse("for_you"), query)
        turned = [card.listed.anime.pk for card in page.context["cards"]]
        assert turned != plain
        assert len(turned) == 10
        fragment = visitor.get(reverse("for_you"), query, headers=partial("lists"))
        assert [card.listed.anime.pk for card in fragment.context["cards"]] == turned
        (name, value), *_ = query.items()
        assert fragment["HX-Replace-Url"] == f"/for-you/?{name}={value}"

    def test_i_have_ninety_minutes(self, visitor: Client) -> None:
        Anime.objects.filter(type="Movie").update(episodes=1, duration_minutes=100)
        short = Anime.objects.filter(type="Movie").by_popularity()[:30]
        Anime.objects.filter(pk__in=[anime.pk for anime in short]).update(duration_minutes=80)
        cards = visitor.get(reverse("for_you"), {"minutes_max": "90"}).context["cards"]
        assert len(cards) == 10
        titles = [card.listed.anime for card in cards]
        assert all(title.duration_minutes * title.episodes <= 90 for title in titles)
        assert any(title.duration_minutes == 80 for title in titles)

    def test_recaps_are_left_out(self, visitor: Client) -> None:
        first = visitor.get(reverse("for_you")).context["cards"][0].listed.anime
        Anime.objects.filter(pk=first.pk).update(is_recap=True)
        cache.clear()
        for query in ({}, {"franchise": "off"}):
            cards = visitor.get(reverse("for_you"), query).context["cards"]
            assert first.pk not in [card.listed.anime.pk for card in cards]

    def test_defaults_stay_out_of_the_url(self, visitor: Client) -> None:
        untouched = {
            "balance": "0.5",
            "novelty": "0.50",
            "diversity": "0",
            "franchise": "",
            "planned": "",
            "year_min": "",
        }
        assert visitor.get(reverse("for_you"), untouched, headers=partial("lists"))["HX-Replace-Url"] == "/for-you/"

    def test_filters_hold(self, visitor: Client) -> None:
        page = visitor.get(reverse("for_you"), {"type": ["Movie", "OVA"], "year_min": "1980", "year_max": "1999"})
        for card in page.context["cards"]:
            assert card.listed.anime.type in ("Movie", "OVA")
            assert 1980 <= card.listed.anime.year <= 1999

    def test_nothing_fits(self, visitor: Client) -> None:
        page = visitor.get(reverse("for_you"), {"year_min": "2099"})
        assert page.context["cards"] == []
        html = page.content.decode()
        assert "Nothing fits" in html
        assert "Take back “from 2099”" in html

    def test_few_fit_and_it_says_which_filter_to_take_back(self, visitor: Client) -> None:
        query = {"year_min": "1960", "genre": "music", "type": "Movie"}
        page = visitor.get(reverse("for_you"), query)
        assert 0 < len(page.context["cards"]) < 10
        html = page.content.decode()
        assert "Only " in html
        offered = page.context["take_back"].active
        assert offered.label in ("Music", "Movie"), "the year leaves nothing out"
        assert len(visitor.get(f"{reverse('for_you')}?{offered.rest}").context["cards"]) == 10
        assert f'href="/for-you/?{offered.rest}"'.replace("&", "&amp;") in html

    def test_everything_was_seen(self, client: Client) -> None:
        client.post(reverse("entry_rate", args=[AnimeFactory().pk]), {"rating": "7"})
        html = client.get(reverse("for_you")).content.decode()
        assert "That is all the catalogue has" in html

    def test_only_what_comes_next(self, visitor: Client) -> None:
        page = visitor.get(reverse("for_you"), {"franchise": "next"})
        touched = set(Anime.objects.filter(pk__in=MECHA).values_list("franchise", flat=True))
        assert page.context["cards"]
        assert {card.listed.anime.franchise_id for card in page.context["cards"]} <= touched
        assert page.context["continue_cards"] == [], "the list is what the shelf would be"
        assert "Only what comes next in what you watch" in page.content.decode()

    def test_planned_titles_in_or_out(self, visitor: Client) -> None:
        planned = visitor.get(reverse("for_you")).context["cards"][0].listed.anime
        visitor.post(reverse("entry_set", args=[planned.pk]), {"status": "planned"})
        out = visitor.get(reverse("for_you"))
        with_them = visitor.get(reverse("for_you"), {"planned": "1"})
        assert planned.pk not in [card.listed.anime.pk for card in out.context["cards"]]
        marked = {card.listed.anime.pk: card.planned for card in with_them.context["cards"]}
        assert marked[planned.pk]
        assert sum(marked.values()) == 1
        assert reverse("entry_remove", args=[planned.pk]) in with_them.content.decode()
        assert "With what I plan to watch" in [one.label for one in with_them.context["form"].active()]

    @pytest.mark.parametrize(("status", "word"), [("completed", "Seen it"), ("dropped", "Dropped it")])
    def test_seen_or_dropped_with_one_tap(self, visitor: Client, status: str, word: str) -> None:
        page = visitor.get(reverse("for_you"))
        anime = page.context["cards"][0].listed.anime
        assert page.content.decode().count(f"{word}<span") == 10
        visitor.post(reverse("entry_set", args=[anime.pk]), {"status": status})
        entry = ListEntry.objects.get(anime=anime)
        assert (entry.status, entry.rating) == (status, None)
        assert anime.pk not in [card.listed.anime.pk for card in visitor.get(reverse("for_you")).context["cards"]]

    def test_below_the_list_stands_what_it_rests_on(self, visitor: Client) -> None:
        page = visitor.get(reverse("for_you"))
        text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))
        data = page.context["model"]["data"]
        made = date_format(page.context["model"]["made"], "DATE_FORMAT")
        assert f"Model {page.context['list'].model_version} of {made}" in text
        assert f"learned from {data['ratings']:,} ratings of {data['members']:,} members" in text
        assert "This list rests on 5 titles of yours." in text

    def test_a_general_list_offers_three_titles_to_rate(self, client: Client, champion: ModelVersion) -> None:
        client.post(reverse("entry_rate", args=[30]), {"rating": "9"})
        page = client.get(reverse("for_you"))
        starters = {anime.pk for anime in page.context["starters"]}
        assert len(starters) == 3
        assert not starters & {card.listed.anime.pk for card in page.context["cards"]}
        html = page.content.decode()
        assert "These would sharpen it most" in html
        for pk in starters:
            assert html.count(f'id="a{pk}"') == 1
        for pk in MECHA:
            client.post(reverse("entry_rate", args=[pk]), {"rating": "9"})
        assert "These would sharpen it most" not in client.get(reverse("for_you")).content.decode()

    @pytest.mark.parametrize(
        ("query", "label", "message"),
        [
            ({"balance": "2"}, "Balance", "less than or equal to 1"),
            ({"novelty": "much"}, "Novelty", "Enter a number"),
            ({"diversity": "nan"}, "Diversity", "Enter a number"),
            ({"year_min": "xx"}, "From year", "whole number"),
            ({"year_max": "99999"}, "To year", "2100"),
            ({"genre": "nonsense"}, "With genres", "“nonsense” is not one of the choices"),
            ({"type": "Opera"}, "Type", "“Opera” is not one of the choices"),
            ({"franchise": "sideways"}, "Franchises", "“sideways” is not one of the choices"),
            ({"planned": "perhaps"}, "Planned titles", "“perhaps” is not one of the choices"),
            ({"episodes_max": "-1"}, "Length", "“-1” is not one of the choices"),
        ],
    )
    def test_bad_input_is_named_and_the_rest_still_works(
        self, visitor: Client, query: dict[str, str], label: str, message: str
    ) -> None:
        for headers in ({}, partial("lists")):
            page = visitor.get(reverse("for_you"), {**query, "genre_out": "comedy"}, headers=headers)
            html = page.content.decode()
            assert f"{label}: " in html
            assert message in html
            assert len(page.context["cards"]) == 10
            for card in page.context["cards"]:
                assert "Comedy" not in [genre.name for genre in card.listed.anime.genres.all()]

    def test_what_was_mistyped_is_still_in_its_field(self, visitor: Client) -> None:
        assert 'value="xx"' in visitor.get(reverse("for_you"), {"year_min": "xx"}).content.decode()

    def test_adult_titles_only_for_members_who_opted_in(self, champion: ModelVersion) -> None:
        Anime.objects.filter(pk=1).update(is_adult=True)
        answers = {}
        for show_adult in (False, True):
            client = Client()
            client.force_login(UserFactory(show_adult=show_adult))
            client.post(reverse("entry_rate", args=[205]), {"rating": "10"})
            page = client.get(reverse("for_you"), {"genre": "space", "franchise": "off"})
            answers[show_adult] = 1 in [card.listed.anime.pk for card in page.context["cards"]]
        assert answers == {False: False, True: True}
