"""Browsing, searching and filtering on the page; and the covers that are drawn."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from catalog.covers import Subject, draw_cover
from catalog.covers.lettering import set_title, width_em
from catalog.covers.motifs import MOTIFS
from catalog.covers.palettes import ALIASES, FALLBACK, LOOKS, looks_of
from catalog.models import AgeRating, Anime
from catalog.titles import cover_version
from recommendations.services.profiles import profile_of_user
from tests.factories import AnimeFactory, EntryFactory, UserFactory

SVG = "{http://www.w3.org/2000/svg}"
FRAGMENT = {"HX-Request": "true", "HX-Target": "results"}


@pytest.mark.django_db
class TestBrowse:
    @pytest.fixture(autouse=True)
    def _titles(self) -> None:
        AnimeFactory(
            title="Monster", title_japanese="モンスター", year=2004, members=900, genres=["Drama", "Mystery"]
        )
        AnimeFactory(
            title="Mononoke",
            year=2007,
            members=500,
            genres=["Horror", "Mystery"],
            community_rating=8.4,
            age_rating="R",
        )
        AnimeFactory(title="Sen to Chihiro", title_english="Spirited Away", type="Movie", episodes=1, year=2001,
                     members=2000, genres=["Drama"], community_rating=8.9, duration_minutes=125,
                     age_rating="PG")  # fmt: skip
        AnimeFactory(title="Secret", is_adult=True, members=1, genres=["Hentai"], age_rating="Rx")

    def titles(self, client: Client, **query: str | list[str]) -> list[str]:
        return [anime.title for anime in client.get(reverse("anime_list"), query).context["page"].object_list]

    def test_the_best_known_first_and_no_adult_titles(self, client: Client) -> None:
        assert self.titles(client) == ["Sen to Chihiro", "Monster", "Mononoke"]

    def test_adult_titles_for_members_who_opted_in(self, client: Client) -> None:
        client.force_login(UserFactory(show_adult=True))
        assert "Secret" in self.titles(client)

    @pytest.mark.parametrize(
        ("query", "titles"),
        [
            ({"q": "mon"}, ["Monster", "Mononoke"]),
            ({"q": "spirited"}, ["Sen to Chihiro"]),
            ({"q": "モンスター"}, ["Monster"]),
            ({"genre": "mystery"}, ["Monster", "Mononoke"]),
            ({"genre": ["mystery", "drama"]}, ["Monster"]),
            ({"genre_out": "drama"}, ["Mononoke"]),
            ({"type": "Movie"}, ["Sen to Chihiro"]),
            ({"year_min": "2002", "year_max": "2005"}, ["Monster"]),
            ({"q": "monstre"}, ["Monster"]),
            ({"q": "monstre", "year_min": "2005"}, []),
            ({"episodes_max": "1"}, ["Sen to Chihiro"]),
            ({"minutes_max": "120"}, []),
            ({"minutes_max": "180"}, ["Sen to Chihiro"]),
            ({"age_rating": "PG"}, ["Sen to Chihiro"]),
            ({"age_rating": ["PG", "R"]}, ["Sen to Chihiro", "Mononoke"]),
            ({"sort": "rating"}, ["Sen to Chihiro", "Mononoke", "Monster"]),
            ({"sort": "year"}, ["Mononoke", "Monster", "Sen to Chihiro"]),
            ({"sort": "title"}, ["Mononoke", "Monster", "Sen to Chihiro"]),
        ],
    )
    def test_search_filters_and_sorting(
        self, client: Client, query: dict[str, str | list[str]], titles: list[str]
    ) -> None:
        assert self.titles(client, **query) == titles

    def test_htmx_gets_the_results_and_a_clean_address(self, client: Client) -> None:
        response = client.get(
            reverse("anime_list"), {"q": "mon", "year_min": "", "sort": "", "type": ["TV", "Movie"]}, headers=FRAGMENT
        )
        assert response.content.decode().lstrip().startswith('<div id="results">')
        assert response["HX-Replace-Url"] == "/anime/?type=TV&type=Movie&q=mon"
        assert "HX-Request" in response["Vary"], "a browser must not show the fragment as the page"

    def test_filters_that_are_set_can_be_taken_back_one_by_one(self, client: Client) -> None:
        page = client.get(
            reverse("anime_list"), {"genre": ["mystery", "drama"], "year_min": "2001", "year_max": "x", "q": "mon"}
        )
        assert [(one.label, one.rest) for one in page.context["form"].active()] == [
            ("Mystery", "genre=drama&year_min=2001&year_max=x&q=mon"),
            ("Drama", "genre=mystery&year_min=2001&year_max=x&q=mon"),
            ("from 2001", "genre=mystery&genre=drama&year_max=x&q=mon"),
        ]

    def test_a_time_and_an_age_in_words(self, client: Client) -> None:
        page = client.get(reverse("anime_list"), {"minutes_max": "90", "age_rating": "PG-13", "episodes_max": "13"})
        assert [(one.label, one.rest) for one in page.context["form"].active()] == [
            ("Up to 13 episodes", "minutes_max=90&age_rating=PG-13"),
            ("Up to 90 minutes", "episodes_max=13&age_rating=PG-13"),
            ("rated PG-13", "episodes_max=13&minutes_max=90"),
        ]

    def test_only_ages_and_times_that_lead_to_titles_are_offered(self, client: Client) -> None:
        def page(**query: str) -> str:
            cache.clear()
            return client.get(reverse("anime_list"), query).content.decode()

        html = page()
        assert [value for value in AgeRating.values if f'name="age_rating" value="{value}"' in html] == [
            "PG",
            "PG-13",
            "R",
        ]
        assert 'name="minutes_max"' in html
        Anime.objects.update(duration_minutes=None)
        assert 'name="minutes_max"' not in page()
        assert 'name="minutes_max"' in page(minutes_max="90"), "a limit that is set can be taken back"

    def test_what_is_adult_alone_is_offered_only_to_members_who_opted_in(self, client: Client) -> None:
        def page() -> str:
            return client.get(reverse("anime_list")).content.decode()

        assert "Hentai" not in page()
        assert 'value="Rx"' not in page()
        client.force_login(UserFactory(show_adult=False))
        assert "Hentai" not in page()
        client.force_login(UserFactory(show_adult=True))
        assert page().count('value="hentai"') == 2, "with it and without it"
        assert 'value="Rx"' in page()

    def test_an_address_with_an_adult_genre_shows_nothing_to_others(self, client: Client) -> None:
        assert self.titles(client, genre="hentai") == []
        client.force_login(UserFactory(show_adult=True))
        assert self.titles(client, genre="hentai") == ["Secret"]

    def test_names_that_are_only_alike_are_called_so(self, client: Client) -> None:
        notice = "No title is called “monstre”. These have names like it."
        assert notice in client.get(reverse("anime_list"), {"q": "monstre"}).content.decode()
        assert "These have names like it" not in client.get(reverse("anime_list"), {"q": "mons"}).content.decode()
        assert "These have names like it" not in client.get(reverse("anime_list")).content.decode()

    def test_paging_keeps_the_state(self, client: Client) -> None:
        AnimeFactory.create_batch(30, title="Multitude")
        for text in ("multitude", "multiutde"):
            response = client.get(reverse("anime_list"), {"q": text, "page": "2"})
            html = response.content.decode()
            assert f'href="?q={text}&amp;page=1"' in html
            assert '<span aria-current="page">2</span>' in html
            assert "30 titles" in html
            assert len(response.context["page"].object_list) == 6

    def test_own_ratings_stand_on_the_cards(self, client: Client) -> None:
        client.force_login(user := UserFactory())
        EntryFactory(profile=profile_of_user(user), anime=Anime.objects.get(title="Monster"), rating=9)
        EntryFactory(
            profile=profile_of_user(user), anime=Anime.objects.get(title="Mononoke"), rating=None, status="planned"
        )
        html = client.get(reverse("anime_list")).content.decode()
        assert html.count('class="badge') == 2
        assert "Plan to watch" in html

    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ({"page": "abc"}, "There is no page “abc”"),
            ({"page": "0"}, "There is no page “0”"),
            ({"page": "99"}, "There is no page “99”"),
            ({"page": "99", "q": "mon"}, "There is no page “99”"),
            ({"page": "9" * 30, "q": "mon"}, "There is no page “99999999999999999999”"),
            ({"page": "-1", "q": "mon"}, "There is no page “-1”"),
            ({"year_min": "xx"}, "From year: Enter a whole number"),
            ({"year_max": "1"}, "To year: Ensure this value is greater than or equal to 1900"),
            ({"genre": "nope"}, "“nope” is not one of the choices"),
            ({"minutes_max": "91"}, "“91” is not one of the choices"),
            ({"age_rating": "18"}, "“18” is not one of the choices"),
            ({"sort": "colour"}, "“colour” is not one of the choices"),
            ({"q": "x" * 300}, "at most 200 characters"),
        ],
    )
    @pytest.mark.parametrize("headers", [{}, FRAGMENT], ids=["page", "htmx"])
    def test_bad_input_is_named(
        self, client: Client, query: dict[str, str], message: str, headers: dict[str, str]
    ) -> None:
        response = client.get(reverse("anime_list"), {**query, "type": "TV"}, headers=headers)
        assert response.status_code == 200
        assert message in response.content.decode()
        assert [anime.title for anime in response.context["page"].object_list] == ["Monster", "Mononoke"]

    def test_what_was_mistyped_is_still_there(self, client: Client) -> None:
        html = client.get(reverse("anime_list"), {"year_min": "xx", "q": "mon"}).content.decode()
        assert 'value="xx"' in html
        assert 'value="mon"' in html

    @pytest.mark.parametrize("text", ["\0", "%00", "' OR 1=1 --", "<script>alert(1)</script>", "💥" * 50])
    def test_odd_texts_find_nothing_and_break_nothing(self, client: Client, text: str) -> None:
        response = client.get(reverse("anime_list"), {"q": text})
        assert response.status_code == 200
        assert "<script>alert" not in response.content.decode()

    def test_nothing_found_leads_on(self, client: Client) -> None:
        html = client.get(reverse("anime_list"), {"q": "zzzz"}).content.decode()
        assert "Nothing found" in html
        assert "Did you mean" not in html

    @pytest.mark.parametrize(
        "query", [{"q": "monxxer"}, {"q": "monstre", "type": "Movie"}, {"q": "monster", "type": "Movie"}]
    )
    def test_nothing_found_names_what_comes_closest(self, client: Client, query: dict[str, str]) -> None:
        html = client.get(reverse("anime_list"), query).content.decode()
        assert "Nothing found" in html
        assert "Did you mean" in html
        assert f'href="{Anime.objects.get(title="Monster").get_absolute_url()}"' in html

    @pytest.mark.parametrize(
        "query",
        [{}, {"page": "2"}, {"q": "mons"}, {"q": "mons", "page": "2"}, {"q": "monstre"},
         {"q": "monstre", "page": "2"}, {"q": "monxxer"}, {"q": "zzzz"}],
    )  # fmt: skip
    def test_at_most_eight_queries(
        self, client: Client, query: dict[str, str], django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        AnimeFactory.create_batch(30, title="Monster", genres=["Drama"])
        client.force_login(user := UserFactory())
        EntryFactory(profile=profile_of_user(user))
        client.get(reverse("anime_list"))
        cache.clear()
        with django_assert_max_num_queries(8):
            client.get(reverse("anime_list"), query)


@pytest.mark.django_db
class TestCoverView:
    def test_it_is_kept_for_a_year_under_its_version_only(self, client: Client) -> None:
        anime = AnimeFactory()
        url = reverse("anime_cover", args=[anime.pk])
        kept = client.get(url, {"v": cover_version(anime)})
        assert kept["Content-Type"] == "image/svg+xml"
        assert "max-age=31536000" in kept["Cache-Control"]
        assert "immutable" in kept["Cache-Control"]
        assert "immutable" not in client.get(url, {"v": "other"})["Cache-Control"]
        assert not kept.cookies

    def test_a_changed_title_has_another_address(self, client: Client) -> None:
        anime = AnimeFactory(title="One")
        before = cover_version(anime)
        anime.title = "Two"
        assert cover_version(anime) != before

    def test_the_title_in_the_language_asked_for(self, client: Client) -> None:
        anime = AnimeFactory(title="Shingeki", title_english="Attack")
        url = reverse("anime_cover", args=[anime.pk])
        assert "Attack" in client.get(url, {"t": "english"}).content.decode()
        assert "Shingeki" in client.get(url, {"t": "klingon"}).content.decode()

    def test_an_unknown_title(self, client: Client) -> None:
        assert client.get("/anime/999999/cover.svg").status_code == 404

    def test_the_catalogue_s_image_goes_before_the_drawn_one(self, client: Client) -> None:
        AnimeFactory(image_url="https://images.example.org/1.jpg")
        html = client.get(reverse("anime_list")).content.decode()
        assert 'src="https://images.example.org/1.jpg"' in html
        assert 'data-fallback="/anime/' in html


class TestDrawing:
    @pytest.mark.parametrize("genre", [*LOOKS, *ALIASES, "no-such-genre"])
    def test_every_genre_gives_well_formed_svg_without_code_or_styles(self, genre: str) -> None:
        for seed in range(6):
            svg = draw_cover(Subject(seed, "Ghost & <Shell>", "TV", 1995, (genre,)))
            tree = ElementTree.fromstring(svg)  # noqa: S314 - drawn by us
            assert tree.attrib["viewBox"] == "0 0 300 450"
            for element in tree.iter():
                assert element.tag not in (f"{SVG}script", f"{SVG}style", f"{SVG}foreignObject")
                assert not [name for name in element.attrib if name.startswith("on") or name == "style"]
            assert len(svg) < 40_000

    def test_the_same_title_always_has_the_same_cover_and_two_titles_do_not(self) -> None:
        one = Subject(1, "Monster", "TV", 2004, ("mystery",))
        other = Subject(2, "Monster", "TV", 2004, ("mystery",))
        assert draw_cover(one) == draw_cover(one)
        assert draw_cover(one) != draw_cover(other)

    def test_every_look_has_its_motif(self) -> None:
        assert {look.motif for look in [*LOOKS.values(), FALLBACK]} <= set(MOTIFS)
        assert looks_of([]) == [FALLBACK]

    @pytest.mark.parametrize(
        "title",
        ["X", "Monster", "Mobile Suit Gundam 0080: War in the Pocket", "Bakemonogatari", "鋼の錬金術師",
         "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen", "word " * 80, "あ" * 200, "", "   "],
    )  # fmt: skip
    def test_a_title_fits_its_box(self, title: str) -> None:
        lettering = set_title(title, width=256, height=172)
        assert lettering.height <= 172
        for line in lettering.lines:
            assert width_em(line) * lettering.size <= 256 + 1e-6
        if 0 < len(title.strip()) < 40:
            assert "".join(lettering.lines).replace(" ", "") == title.replace(" ", "")
