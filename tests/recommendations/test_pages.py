"""The pages of the recommender, as people see them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from recommendations.models import ListEntry, ModelVersion, Profile
from recommendations.services.entries import hide, rate, set_entry
from recommendations.services.profiles import profile_of_user
from tests.factories import AnimeFactory, EntryFactory, FranchiseFactory, ProfileFactory, UserFactory

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


def shown_before(page: Any) -> str:
    """What a page sends of the list it shows, when it asks for a fresh one."""
    return re.findall(r'name="before"\s+form="nowhere"\s+value="([^"]+)"', page.content.decode())[0]


class TestHome:
    def test_it_offers_titles_to_rate_and_a_list_to_a_stranger(self, client: Client, champion: ModelVersion) -> None:
        page = client.get(reverse("home"))
        html = page.content.decode()
        assert len(page.context["tiles"]) == 12
        assert len(page.context["cards"]) == 6
        assert html.count('name="rating" value="10"') == 12
        assert "Nothing rated yet" in html
        assert not Profile.objects.exists(), "looking must not write"

    def test_the_preview_changes_with_a_rating_and_says_what_moved(
        self, client: Client, champion: ModelVersion
    ) -> None:
        page = client.get(reverse("home"))
        before = [card.listed.anime.pk for card in page.context["cards"]]
        client.post(reverse("entry_rate", args=[30]), {"rating": "10"})
        response = client.get(reverse("home"), {"before": shown_before(page)}, headers=partial("preview"))
        html = response.content.decode()
        assert "<html" not in html
        assert [card.listed.anime.pk for card in response.context["cards"]] != before
        assert 'class="moved' in html
        assert "1 rating: still general" in html

    @pytest.mark.parametrize(
        "query",
        [{"shown": "abc"}, {"shown": "-1"}, {"shown": "9" * 50}, {"shown": "1,,x"}, {"before": "x,1"},
         {"before": "1:"}, {"before": ":1,2"}, {"before": "1:1,\0"}],
    )  # fmt: skip
    def test_bad_input_is_no_error(self, client: Client, query: dict[str, str]) -> None:
        AnimeFactory()
        for headers in ({}, partial("preview"), partial("grid"), partial("more-tiles")):
            assert client.get(reverse("home"), query, headers=headers).status_code == 200

    def test_an_empty_site_still_has_a_first_page(self, client: Client) -> None:
        assert client.get(reverse("home")).status_code == 200


class TestAnimePage:
    def test_facts_franchise_and_neighbours(self, visitor: Client) -> None:
        page = visitor.get(reverse("anime_detail", args=[30]))
        html = page.content.decode()
        assert "Neon Genesis Evangelion" in html
        assert "You gave 9" in html
        assert [part.franchise_order for part, _entry in page.context["parts"]] == sorted(
            part.franchise_order for part, _entry in page.context["parts"]
        )
        assert page.context["by_fans"]
        assert page.context["by_content"]
        assert "People who like it also like" in html
        assert "Made of the same things" in html

    def test_own_state_of_other_parts(self, client: Client) -> None:
        franchise = FranchiseFactory()
        first, second = AnimeFactory.create_batch(2, franchise=franchise)
        profile = profile_of_user(user := UserFactory())
        EntryFactory(profile=profile, anime=second, rating=3, status="dropped")
        client.force_login(user)
        parts = client.get(first.get_absolute_url()).context["parts"]
        assert [(part.pk, entry and entry.status) for part, entry in parts] == [
            (first.pk, None),
            (second.pk, "dropped"),
        ]

    def test_a_title_that_stands_alone_without_facts(self, client: Client) -> None:
        anime = AnimeFactory(type="", episodes=None, year=None, age_rating="", community_rating=None, members=None)
        page = client.get(anime.get_absolute_url())
        assert page.status_code == 200
        assert page.context["parts"] == []

    def test_what_is_hidden_says_so(self, client: Client) -> None:
        anime = AnimeFactory()
        client.force_login(user := UserFactory())
        hide(profile=profile_of_user(user), anime=anime)
        assert reverse("unhide", args=[anime.pk]) in client.get(anime.get_absolute_url()).content.decode()

    @pytest.mark.parametrize("anime_id", ["1", "999999", "9" * 40])
    def test_an_unknown_title_is_not_found(self, client: Client, anime_id: str) -> None:
        response = client.get(f"/anime/{anime_id}/")
        assert response.status_code == 404
        assert "There is nothing at this address" in response.content.decode()

    def test_an_adult_title_is_shown_to_those_who_opted_in_only(self, client: Client) -> None:
        anime = AnimeFactory(is_adult=True, synopsis="What happens in it.")
        assert "What happens in it." not in client.get(anime.get_absolute_url()).content.decode()
        client.force_login(UserFactory(show_adult=True))
        assert "What happens in it." in client.get(anime.get_absolute_url()).content.decode()

    @pytest.mark.parametrize(
        ("language", "shown"), [("romaji", "Shingeki"), ("english", "Attack"), ("japanese", "進撃")]
    )
    def test_titles_in_the_member_s_language(self, client: Client, language: str, shown: str) -> None:
        anime = AnimeFactory(title="Shingeki", title_english="Attack", title_japanese="進撃")
        client.force_login(UserFactory(title_language=language))
        assert f"<h1>{shown}</h1>" in client.get(anime.get_absolute_url()).content.decode()


class TestLibrary:
    @pytest.fixture
    def member(self, client: Client) -> Profile:
        profile = profile_of_user(user := UserFactory())
        client.force_login(user)
        rate(profile=profile, anime=AnimeFactory(title="Alpha", year=2001), rating=7)
        rate(profile=profile, anime=AnimeFactory(title="Beta", year=1999), rating=9)
        set_entry(profile=profile, anime=AnimeFactory(title="Gamma", year=2010), changes={"status": "planned"})
        return profile

    def titles(self, client: Client, **query: str) -> list[str]:
        page = client.get(reverse("library"), query).context["page"]
        return [getattr(row, "anime", row).title for row in page.object_list]

    def test_by_status(self, client: Client, member: Profile) -> None:
        assert self.titles(client, status="planned") == ["Gamma"]
        assert set(self.titles(client, status="completed")) == {"Alpha", "Beta"}
        assert self.titles(client, status="dropped") == []

    @pytest.mark.parametrize(
        ("sort", "titles"),
        [
            ("title", ["Alpha", "Beta", "Gamma"]),
            ("rating", ["Beta", "Alpha", "Gamma"]),
            ("year", ["Gamma", "Alpha", "Beta"]),
        ],
    )
    def test_sorted(self, client: Client, member: Profile, sort: str, titles: list[str]) -> None:
        assert self.titles(client, sort=sort) == titles

    def test_filtered_by_text(self, client: Client, member: Profile) -> None:
        assert self.titles(client, q="ALPH") == ["Alpha"]
        assert "Nothing found" in client.get(reverse("library"), {"q": "zzz"}).content.decode()

    def test_the_fragment_has_a_clean_url(self, client: Client, member: Profile) -> None:
        response = client.get(
            reverse("library"), {"q": "", "sort": "updated", "status": "planned"}, headers=partial("entries")
        )
        assert "<html" not in response.content.decode()
        assert response["HX-Replace-Url"] == "/library/?status=planned"

    def test_hidden_titles_have_a_shelf(self, client: Client, member: Profile) -> None:
        hide(profile=member, anime=AnimeFactory(title="Delta"))
        assert self.titles(client, status="hidden") == ["Delta"]
        assert self.titles(client, status="hidden", q="nope") == []

    @pytest.mark.parametrize("query", [{"status": "loved"}, {"sort": "taste"}])
    def test_bad_input_is_named(self, client: Client, member: Profile, query: dict[str, str]) -> None:
        page = client.get(reverse("library"), query)
        assert 'role="alert"' in page.content.decode()
        assert page.context["page"].paginator.count == 3

    @pytest.mark.parametrize("number", ["abc", "0", "-1", "999"])
    def test_a_page_that_is_not_there(self, client: Client, member: Profile, number: str) -> None:
        assert client.get(reverse("library"), {"page": number}).context["page"].number == 1

    def test_nobody_sees_another_list(self, client: Client, member: Profile) -> None:
        other = Client()
        other.force_login(UserFactory())
        assert self.titles(other, profile=str(member.pk), user=str(member.user_id)) == []

    def test_an_empty_one_leads_on(self, client: Client) -> None:
        assert "Nothing here yet" in client.get(reverse("library")).content.decode()


class TestMembers:
    def test_their_list_beside_what_they_would_get(self, client: Client, champion: ModelVersion) -> None:
        member = ProfileFactory(imported=True, external_id="77", source="sample")
        for anime_id, rating in MECHA.items():
            EntryFactory(profile=member, anime_id=anime_id, anime=None, rating=rating)
        page = client.get(reverse("member_detail", args=["77"]))
        html = page.content.decode()
        assert len(page.context["cards"]) == 10
        assert page.context["rated"][0].rating == 10
        assert "Invented member of the sample" in html
        assert "does not exist" in html
        assert "Because they gave" in html
        assert reverse("entry_rate", args=[30]) not in html, "read-only"

    def test_the_form_leads_there(self, client: Client) -> None:
        ProfileFactory(imported=True, external_id="77")
        response = client.get(reverse("member_lookup"), {"id": " 77 "})
        assert response["Location"] == reverse("member_detail", args=["77"])

    @pytest.mark.parametrize("path", ["/members/?id=12345", "/members/12345/"])
    def test_an_unknown_one(self, client: Client, path: str) -> None:
        ProfileFactory(imported=True, external_id="77")
        response = client.get(path)
        html = response.content.decode()
        assert response.status_code == 404
        assert "No imported member has the id “12345”" in html
        assert 'value="12345"' in html
        assert reverse("member_detail", args=["77"]) in html

    @pytest.mark.parametrize("typed", ["", "x" * 41])
    def test_a_malformed_one(self, client: Client, typed: str) -> None:
        response = client.get(reverse("member_lookup"), {"id": typed})
        assert response.status_code == 400
        assert "errorlist" in response.content.decode()

    def test_neither_members_of_the_site_nor_visitors_are_shown(self, client: Client) -> None:
        user = UserFactory()
        own = profile_of_user(user)
        visitor = ProfileFactory()
        for wanted in (user.username, str(user.pk), str(own.pk), str(visitor.pk)):
            assert client.get(reverse("member_detail", args=[wanted])).status_code == 404
        assert not ListEntry.objects.exists()
