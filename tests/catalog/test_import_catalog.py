"""`manage.py import_catalog`: every layout, twice as once, what is missing, franchises, and the real files."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from catalog.importers.franchises import watch_order
from catalog.models import Anime, Franchise, Genre, Studio
from tests.catalog.importing import (
    BEBOP_2016,
    HEADER_2016,
    HEADER_2020,
    HEADER_SNAPSHOT,
    HEADER_SYNOPSES,
    HEADER_TV,
    run,
    state,
    write,
)
from tests.factories import AnimeFactory, FranchiseFactory

pytestmark = pytest.mark.django_db


class TestLayouts:
    def test_kaggle_2016(self, tmp_path: Path) -> None:
        write(tmp_path / "anime.csv", HEADER_2016, '9969,Gintama&#039;,"Action, Sci-Fi, Shounen",TV,51,9.16,151266')
        run(tmp_path)
        anime = Anime.objects.get()
        assert (anime.pk, anime.title, anime.type, anime.episodes) == (9969, "Gintama'", "TV", 51)
        assert (anime.community_rating, anime.members, anime.year, anime.is_adult) == (9.16, 151266, None, False)
        assert dict(anime.genres.values_list("slug", "kind")) == {
            "action": "genre", "sci-fi": "genre", "shounen": "demographic",
        }  # fmt: skip

    def test_our_own_snapshot_has_more_columns(self, tmp_path: Path) -> None:
        write(
            tmp_path / "anime.csv",
            HEADER_SNAPSHOT,
            "5114,Hagane no Renkinjutsushi,Action,TV,64,9.26,793665,Fullmetal Alchemist,鋼の錬金術師,FMA|Hagaren,"
            "2009,spring,2009-04-05,Bones|Aniplex,Manga,R - 17+ (violence & profanity),2,0",
        )
        run(tmp_path)
        anime = Anime.objects.get()
        assert (anime.title_english, anime.title_japanese) == ("Fullmetal Alchemist", "鋼の錬金術師")
        assert (anime.year, anime.season, anime.aired_from) == (2009, "spring", date(2009, 4, 5))
        assert (anime.source, anime.age_rating, anime.franchise_order) == ("Manga", "R", 2)
        assert sorted(anime.studios.values_list("name", flat=True)) == ["Aniplex", "Bones"]
        assert sorted(anime.synonyms.values_list("title", flat=True)) == ["FMA", "Hagaren"]

    def test_kaggle_2020(self, tmp_path: Path) -> None:
        write(
            tmp_path / "anime.csv",
            HEADER_2020,
            '1,Cowboy Bebop,8.78,"Action, Space",Cowboy Bebop,カウボーイビバップ,TV,26,"Apr 3, 1998 to Apr 24, 1999",'
            'Spring 1998,"Bandai, Victor",Funimation,"Sunrise, Bandai",Original,24 min. per ep.,'
            "R - 17+ (violence & profanity),28.0,39,1251960",
            '5,Movie,8.39,Drama,Unknown,Unknown,Movie,1,"Sep 1, 2001",Unknown,Unknown,Unknown,Bones,Original,'
            "1 hr. 55 min.,Unknown,1,1,100",
        )
        run(tmp_path)
        bebop, movie = Anime.objects.order_by("pk")
        assert (bebop.year, bebop.season) == (1998, "spring")
        assert (bebop.aired_from, bebop.aired_to) == (date(1998, 4, 3), date(1999, 4, 24))
        assert (bebop.duration_minutes, bebop.age_rating, bebop.members) == (24, "R", 1251960)
        assert sorted(bebop.studios.values_list("name", flat=True)) == ["Bandai", "Sunrise"]
        assert (movie.year, movie.season, movie.aired_from) == (2001, "", date(2001, 9, 1))
        assert (movie.title_english, movie.age_rating, movie.duration_minutes) == ("", "", 115)

    def test_myanimelist_tv(self, tmp_path: Path) -> None:
        path = write(
            tmp_path / "mal_tv_2006.csv",
            HEADER_TV,
            "356,Fate/stay night,Fate,フェイト,FSN|Fate - Stay Night,2006,winter,7.27,991780,24,TV,Finished Airing,"
            "24 min per ep,R - 17+ (violence & profanity),Visual novel,2006-01-07T00:00:00+00:00,"
            '2006-06-17T00:00:00+00:00,False,Studio Deen,Action|Fantasy,Urban Fantasy,Seinen,"After a fire..."',
        )
        run(path)
        anime = Anime.objects.get()
        assert (anime.status, anime.aired_to, anime.synopsis) == ("finished", date(2006, 6, 17), "After a fire...")
        assert dict(anime.genres.values_list("name", "kind")) == {
            "Action": "genre", "Fantasy": "genre", "Urban Fantasy": "theme", "Seinen": "demographic",
        }  # fmt: skip
        assert sorted(anime.synonyms.values_list("title", flat=True)) == ["FSN", "Fate - Stay Night"]

    def test_a_single_file_under_any_name_is_known_by_its_columns(self, tmp_path: Path) -> None:
        assert "Kaggle 2016" in run(write(tmp_path / "titles of mine.csv", HEADER_2016, BEBOP_2016))[0]

    def test_a_byte_order_mark_is_no_part_of_the_first_column(self, tmp_path: Path) -> None:
        path = tmp_path / "anime.csv"
        path.write_bytes(b"\xef\xbb\xbf" + f"{HEADER_2016}\r\n{BEBOP_2016}\r\n".encode())
        run(path)
        assert Anime.objects.get().title == "Cowboy Bebop"

    def test_other_files_of_a_directory_are_left_alone(self, tmp_path: Path) -> None:
        write(tmp_path / "anime.csv", HEADER_2016, BEBOP_2016)
        write(tmp_path / "cold_items.csv", "anime_id", "1")
        write(tmp_path / "anime_old.csv", HEADER_2016, "2,Old,Action,TV,1,5,5")
        run(tmp_path)
        assert list(Anime.objects.values_list("pk", flat=True)) == [1]


class TestMissing:
    @pytest.mark.parametrize("cell", ["", "Unknown", "unknown", "0", "-1", "NaN"])
    def test_a_number_that_is_not_known_is_null(self, tmp_path: Path, cell: str) -> None:
        write(tmp_path / "anime.csv", HEADER_2016, f"1,Cowboy Bebop,,,{cell},{cell},{cell}")
        run(tmp_path)
        anime = Anime.objects.get()
        assert (anime.episodes, anime.community_rating, anime.members, anime.type) == (None, None, None, "")

    def test_a_missing_fact_does_not_replace_a_known_one(self, tmp_path: Path) -> None:
        path = write(tmp_path / "anime.csv", HEADER_SNAPSHOT, f"{BEBOP_2016},,,,1998,spring,,Sunrise,Original,R,1,0")
        run(path)
        before = state()
        write(path, HEADER_2016, "1,Cowboy Bebop,,,Unknown,,")
        out, _err = run(path)
        assert state() == before
        assert "0 changed, 1 as they were" in out

    def test_a_new_fact_replaces_an_older_one(self, tmp_path: Path) -> None:
        path = write(tmp_path / "anime.csv", HEADER_2016, BEBOP_2016)
        run(path)
        write(path, HEADER_2016, '1,Cowboy Bebop,"Action, Drama",TV,26,8.9,500000')
        out, _err = run(path)
        anime = Anime.objects.get()
        assert (anime.community_rating, anime.members) == (8.9, 500000)
        assert sorted(anime.genres.values_list("name", flat=True)) == ["Action", "Drama", "Space"]
        assert "0 new, 1 changed" in out

    def test_a_shortened_synopsis_does_not_replace_a_whole_one(self, tmp_path: Path) -> None:
        AnimeFactory(id=356, synopsis="The whole story, to its end.")
        row = "356,Fate,,,,,,,,,TV,,,,,,,False,,Action,,,The whole st..."
        run(write(tmp_path / "mal_tv_2006.csv", HEADER_TV, row))
        assert Anime.objects.get().synopsis == "The whole story, to its end."

    def test_a_studio_or_genre_of_the_same_name_is_not_made_again(self, tmp_path: Path) -> None:
        Genre.objects.create(name="Sci-Fi", slug="science-fiction")
        Studio.objects.create(name="Bones")
        row = "5,Title,Sci-Fi,TV,1,5,5,,,,,,,Bones,,,,"
        run(write(tmp_path / "anime.csv", HEADER_SNAPSHOT, row))
        assert (Genre.objects.count(), Studio.objects.count()) == (1, 1)
        assert Anime.objects.get().genres.get().slug == "science-fiction"


class TestAdult:
    @pytest.mark.parametrize(
        ("genre", "age_rating", "flag", "adult"),
        [
            ("Hentai", "", "", True),
            ("Drama", "Rx - Hentai", "", True),
            ("Drama", "R", "1", True),
            ("Ecchi", "R+ - Mild Nudity", "0", False),
        ],
    )
    def test_by_genre_age_rating_or_flag(
        self, tmp_path: Path, genre: str, age_rating: str, flag: str, adult: bool
    ) -> None:
        run(write(tmp_path / "anime.csv", HEADER_SNAPSHOT, f"1,T,{genre},OVA,1,6,5,,,,,,,,,{age_rating},,{flag}"))
        assert Anime.objects.get().is_adult is adult

    def test_a_set_without_that_label_does_not_show_the_title_to_everyone(self, tmp_path: Path) -> None:
        AnimeFactory(id=1, is_adult=True)
        run(write(tmp_path / "anime.csv", HEADER_2016, BEBOP_2016))
        assert Anime.objects.get().is_adult is True


class TestSynopses:
    def test_they_join_titles_and_make_none(self, tmp_path: Path) -> None:
        write(tmp_path / "anime.csv", HEADER_2016, BEBOP_2016, "2,Other,Action,TV,1,5,5")
        write(
            tmp_path / "anime_with_synopsis.csv",
            HEADER_SYNOPSES,
            '1,Cowboy Bebop,8.8,Action,"In 2071, a crew\nhunts &amp; drifts."',
            "2,Other,5,Action,No synopsis has been added for this series yet. Click here to update it.",
            "3,Nobody,5,Action,Lost.",
        )
        out, _err = run(tmp_path)
        assert dict(Anime.objects.values_list("pk", "synopsis")) == {
            1: "In 2071, a crew\nhunts & drifts.", 2: "",
        }  # fmt: skip
        assert "1 not in the catalogue" in out


class TestFranchises:
    def groups(self, tmp_path: Path, *groups: tuple[str, list[int]]) -> None:
        entries = [{"name": name, "ids": ids} for name, ids in groups]
        (tmp_path / "franchises.json").write_text(json.dumps(entries), encoding="utf-8")

    def places(self) -> dict[int, tuple[str | None, int | None]]:
        rows = Anime.objects.values_list("pk", "franchise__name", "franchise_order")
        return {pk: (name, place) for pk, name, place in rows}

    def test_titles_are_put_in_order_of_airing(self, tmp_path: Path) -> None:
        AnimeFactory(id=10, year=2004)
        AnimeFactory(id=11, year=1998)
        AnimeFactory(id=12, year=2001, type="Special")
        AnimeFactory(id=13, year=2001, type="Movie")
        self.groups(tmp_path, ("Saga", [10, 11, 12, 13, 999]))
        run(tmp_path)
        assert self.places() == {11: ("Saga", 1), 13: ("Saga", 2), 12: ("Saga", 3), 10: ("Saga", 4)}

    def test_a_title_without_a_date_takes_the_place_that_its_id_suggests(self, tmp_path: Path) -> None:
        for number, year in ((80, None), (1000, 2007), (2000, None), (3000, 2015)):
            AnimeFactory(id=number, year=year)
        self.groups(tmp_path, ("Saga", [3000, 2000, 1000, 80]))
        run(tmp_path)
        assert [self.places()[number][1] for number in (80, 1000, 2000, 3000)] == [1, 2, 3, 4]

    def test_places_given_in_the_file_of_titles_stay(self, tmp_path: Path) -> None:
        write(
            tmp_path / "anime.csv",
            HEADER_SNAPSHOT,
            "1,Made second,Action,TV,1,5,5,,,,1990,,,,,,2,",
            "2,Made first,Action,TV,1,5,5,,,,1995,,,,,,1,",
            "3,No place given,Action,TV,1,5,5,,,,1980,,,,,,,",
        )
        self.groups(tmp_path, ("Saga", [1, 2, 3]))
        run(tmp_path)
        before = state()
        assert self.places() == {2: ("Saga", 1), 1: ("Saga", 2), 3: ("Saga", 3)}
        run(tmp_path)
        assert state() == before

    def test_a_title_by_itself_needs_no_franchise_and_the_first_group_keeps_a_title(self, tmp_path: Path) -> None:
        for number in (1, 2, 3, 4):
            AnimeFactory(id=number)
        self.groups(tmp_path, ("Alone", [4, 77]), ("First", [1, 2]), ("Second", [2, 3]))
        run(tmp_path)
        assert {pk: name for pk, (name, _place) in self.places().items()} == {
            1: "First",
            2: "First",
            3: None,
            4: None,
        }
        assert list(Franchise.objects.values_list("name", flat=True)) == ["First"]

    def test_two_groups_of_one_name_stay_two_franchises(self, tmp_path: Path) -> None:
        for number in (1, 2, 3, 4):
            AnimeFactory(id=number)
        self.groups(tmp_path, ("Same", [1, 2]), ("Same", [3, 4]))
        run(tmp_path)
        before = state()
        first, second = (Anime.objects.get(pk=number).franchise_id for number in (1, 3))
        assert first != second
        run(tmp_path)
        assert state() == before

    def test_an_existing_franchise_is_used(self, tmp_path: Path) -> None:
        franchise = FranchiseFactory(name="Saga")
        AnimeFactory(id=1)
        AnimeFactory(id=2)
        self.groups(tmp_path, ("Saga", [1, 2]))
        run(tmp_path)
        assert set(Anime.objects.values_list("franchise", flat=True)) == {franchise.pk}


class TestTwiceIsOnce:
    def test_for_all_files_of_a_directory(self, tmp_path: Path) -> None:
        write(tmp_path / "anime.csv", HEADER_2016, BEBOP_2016, '5,Movie,"Action, Space",Movie,1,8.4,137636')
        write(tmp_path / "anime_with_synopsis.csv", HEADER_SYNOPSES, "1,Cowboy Bebop,8.8,Action,A crew.")
        (tmp_path / "franchises.json").write_text('[{"name": "Cowboy Bebop", "ids": [1, 5]}]', encoding="utf-8")
        run(tmp_path)
        before = state()
        out, _err = run(tmp_path)
        assert state() == before
        assert "0 new, 0 changed, 2 as they were" in out

    def test_with_batches_smaller_than_the_file(self, tmp_path: Path, settings: Any) -> None:
        settings.WRITE_BATCH_ROWS = 3
        rows = [f'{number},Title {number},"Action, Drama",TV,1,5,5' for number in range(1, 11)]
        write(tmp_path / "anime.csv", HEADER_2016, *rows)
        (tmp_path / "franchises.json").write_text(json.dumps([{"name": "All", "ids": list(range(1, 11))}]))
        run(tmp_path)
        before = state()
        assert (len(before["anime"]), len(before["genres"])) == (10, 20)
        assert Anime.objects.filter(franchise__name="All").count() == 10
        run(tmp_path)
        assert state() == before


def test_the_real_catalogue(real_data: Path) -> None:
    out, err = run(real_data / "mal2016")
    assert err == ""
    assert "anime.csv (Kaggle 2016): 12,294 new" in out
    assert Anime.objects.count() == 12_294
    assert Anime.objects.get(pk=9969).title == "Gintama'"
    assert not Anime.objects.filter(title__contains="&#").exists()
    assert Anime.objects.filter(is_adult=True).count() == 1_141
    assert Anime.objects.filter(community_rating=None).count() == 230
    assert Anime.objects.filter(genres=None).count() == 62
    assert Anime.objects.get(pk=1).synopsis.startswith("Crime is timeless.")
    assert Anime.objects.exclude(synopsis="").count() > 3_400
    bebop, movie = Anime.objects.get(pk=1), Anime.objects.get(pk=5)
    assert bebop.franchise_id is not None
    # The 2016 set knows no dates, so nothing says in what order to watch.
    assert (bebop.franchise_id, bebop.franchise_order) == (movie.franchise_id, None)

    before = state()
    run(real_data / "mal2016")
    assert state() == before

    out, err = run(real_data / "mal_tv_2006_2026.csv")
    assert (err, "2,043 new, 1,879 changed" in out) == ("", True)
    fate = Anime.objects.get(pk=356)
    assert (fate.year, fate.season, fate.age_rating, fate.source) == (2006, "winter", "R", "Visual novel")
    # What only the older set knows is still there.
    assert fate.genres.filter(name="Magic").exists()


def test_parts_without_dates_get_no_places_that_would_pass_for_a_watch_order() -> None:
    series, film, later = (
        Anime(id=90, title="Series", type="TV"),
        Anime(id=83, title="Film", type="Movie"),
        Anime(id=95, title="Sequel", type="TV"),
    )
    assert watch_order([series, film, later]) == [(film, None), (series, None), (later, None)]
    series.year = 1995
    assert [place for _anime, place in watch_order([series, film, later])] == [1, 2, 3]
    film.franchise_order = 2
    assert watch_order([series, film], explicit={83})[0] == (film, 2)
