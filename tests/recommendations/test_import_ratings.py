"""`manage.py import_ratings`: both public sets, twice as once, versions of lists, and files that are none of ours."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.models import Anime
from recommendations.models import ListEntry, Profile
from tests.factories import AnimeFactory, EntryFactory, ProfileFactory, UserFactory

pytestmark = pytest.mark.django_db

HEADER = "user_id,anime_id,rating"
HEADER_2020 = "user_id,anime_id,rating,watching_status,watched_episodes"


@pytest.fixture(autouse=True)
def _catalogue() -> None:
    for number in range(1, 7):
        AnimeFactory(id=number)


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def run(path: Path, **options: Any) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("import_ratings", str(path), stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def entries(external_id: str = "7") -> dict[int, tuple[int | None, str]]:
    rows = ListEntry.objects.filter(profile__external_id=external_id)
    return {anime: (rating, status) for anime, rating, status in rows.values_list("anime_id", "rating", "status")}


def version(external_id: str = "7") -> int:
    return Profile.objects.get(external_id=external_id).version


def state() -> list[Any]:
    """All lists with the times of their changes: equal states mean that nothing was written."""
    return [
        list(Profile.objects.order_by("pk").values()),
        list(ListEntry.objects.order_by("profile", "anime").values()),
    ]


class TestLayouts:
    def test_2016(self, tmp_path: Path) -> None:
        write(tmp_path / "rating.csv", HEADER, "7,1,10", "7,2,-1", "8,1,3")
        out, err = run(tmp_path)
        assert entries("7") == {1: (10, "completed"), 2: (None, "completed")}
        assert entries("8") == {1: (3, "completed")}
        assert out == "rating.csv: 3 new, 0 changed, 0 as they were; 2 new members\n"
        assert err == ""

    def test_2020_with_statuses(self, tmp_path: Path) -> None:
        rows = ["7,1,8,1,5", "7,2,9,2,12", "7,3,0,3,4", "7,4,2,4,1", "7,5,0,6,0", "7,6,6,55,1"]
        write(tmp_path / "animelist.csv", HEADER_2020, *rows)
        run(tmp_path)
        assert entries() == {
            1: (8, "watching"),
            2: (9, "completed"),
            3: (None, "on_hold"),
            4: (2, "dropped"),
            5: (None, "planned"),
            6: (6, "completed"),
        }

    def test_2020_without(self, tmp_path: Path) -> None:
        run(write(tmp_path / "rating_complete.csv", HEADER, "7,1,8"))
        assert entries() == {1: (8, "completed")}

    def test_of_several_files_one_is_read_and_never_a_held_out_one(self, tmp_path: Path) -> None:
        write(tmp_path / "rating.csv", HEADER, "7,1,8")
        write(tmp_path / "animelist.csv", HEADER_2020, "7,2,8,2,12")
        write(tmp_path / "test_heldout.csv", HEADER, "7,3,8")
        run(tmp_path)
        assert entries() == {1: (8, "completed")}

    def test_members_are_of_the_source_that_is_named(self, tmp_path: Path) -> None:
        path = write(tmp_path / "rating.csv", HEADER, "7,1,8")
        run(path)
        run(path, source="sample")
        assert sorted(Profile.objects.values_list("source", "external_id")) == [("mal", "7"), ("sample", "7")]

    @pytest.mark.parametrize("cell", ["-1", "0", "", "Unknown", "-1.0"])
    def test_a_title_may_stand_on_the_list_without_a_rating(self, tmp_path: Path, cell: str) -> None:
        run(write(tmp_path / "rating.csv", HEADER, f"7,1,{cell}"))
        assert entries() == {1: (None, "completed")}

    def test_titles_that_the_catalogue_does_not_hold_are_counted_not_errors(self, tmp_path: Path) -> None:
        out, err = run(write(tmp_path / "rating.csv", HEADER, "7,1,8", "7,999,8", "8,999,8"))
        assert entries() == {1: (8, "completed")}
        assert not Profile.objects.filter(external_id="8").exists()
        assert "2 skipped (unknown title)" in out
        assert err == ""


class TestTwiceIsOnce:
    @pytest.mark.parametrize("batch_rows", [2, 500])
    def test_nothing_is_written_and_no_list_counts_as_changed(
        self, tmp_path: Path, settings: Any, batch_rows: int
    ) -> None:
        settings.WRITE_BATCH_ROWS = batch_rows
        rows = [f"{member},{anime},{anime}" for anime in range(1, 7) for member in (3, 1, 2)]
        path = write(tmp_path / "rating.csv", HEADER, *rows)
        run(path)
        before = state()
        assert ListEntry.objects.count() == 18
        run(path)
        assert state() == before

    def test_a_change_raises_the_version_of_that_list_alone(self, tmp_path: Path) -> None:
        path = write(tmp_path / "rating.csv", HEADER, "7,1,8", "8,1,8")
        run(path)
        before = version("7"), version("8")
        write(path, HEADER, "7,1,9", "8,1,8", "7,2,5")
        out, _err = run(path)
        assert (version("7"), version("8")) == (before[0] + 1, before[1])
        assert entries() == {1: (9, "completed"), 2: (5, "completed")}
        assert "1 new, 1 changed, 1 as they were; 0 new members" in out

    def test_no_known_fact_gives_way_to_a_missing_one(self, tmp_path: Path) -> None:
        run(write(tmp_path / "animelist.csv", HEADER_2020, "7,1,8,4,3", "7,2,0,1,3"))
        run(write(tmp_path / "rating.csv", HEADER, "7,1,-1", "7,2,7"))
        assert entries() == {1: (8, "dropped"), 2: (7, "watching")}

    def test_of_two_rows_of_one_title_the_last_with_a_rating_stands(self, tmp_path: Path) -> None:
        path = write(tmp_path / "rating.csv", HEADER, "7,1,4", "7,1,6", "7,1,-1", "7,2,-1", "7,2,3")
        run(path)
        before = state()
        assert entries() == {1: (6, "completed"), 2: (3, "completed")}
        run(path)
        assert state() == before

    def test_a_row_that_comes_again_in_a_later_batch_stands_too(self, tmp_path: Path, settings: Any) -> None:
        settings.WRITE_BATCH_ROWS = 2
        path = write(tmp_path / "rating.csv", HEADER, "7,1,4", "7,2,5", "7,3,6", "7,1,9", "7,2,-1")
        for _time in range(2):
            run(path)
            assert entries() == {1: (9, "completed"), 2: (5, "completed"), 3: (6, "completed")}

    def test_lists_of_people_are_not_touched(self, tmp_path: Path) -> None:
        mine = EntryFactory(profile=ProfileFactory(user=UserFactory()), anime=Anime.objects.get(pk=1), rating=5)
        run(write(tmp_path / "rating.csv", HEADER, "7,1,8"))
        mine.refresh_from_db()
        assert (mine.rating, mine.profile.version) == (5, 0)


class TestBadRows:
    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("7,1,11", "rating is “11”, not a whole number from 1 to 10"),
            ("7,1,-2", "rating is “-2”"),
            ("7,1,7.5", "rating is “7.5”"),
            ("7,1,abc", "rating is “abc”"),
            ("7,one,8", "anime_id is “one”, not a whole number from 1"),
            ("7,0,8", "anime_id is “0”"),
            ("7,99999999999,8", "anime_id is “99999999999”"),
            ("me,1,8", "user_id is “me”, not a whole number from 0"),
            ("-7,1,8", "user_id is “-7”"),
            ("7,1", "2 cells where the header has 3; is the file cut off?"),
        ],
    )
    def test_file_line_and_reason_are_told(self, tmp_path: Path, row: str, reason: str) -> None:
        path = write(tmp_path / "rating.csv", HEADER, "7,2,8", row)
        with pytest.raises(CommandError) as caught:
            run(tmp_path)
        assert caught.value.returncode == 2
        assert str(caught.value).startswith(f"{path}, line 3: {reason}")
        assert "\n" not in str(caught.value)
        assert not Profile.objects.exists()

        _out, err = run(tmp_path, max_errors=1)
        assert f"skipped: {path}, line 3: {reason}" in err
        assert entries() == {2: (8, "completed")}

    def test_a_status_that_is_no_number(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="line 2: watching_status is “done”"):
            run(write(tmp_path / "animelist.csv", HEADER_2020, "7,1,8,done,1"))

    def test_one_more_than_allowed_stops_the_import_whole(self, tmp_path: Path, settings: Any) -> None:
        settings.WRITE_BATCH_ROWS = 2
        good = [f"{member},1,8" for member in range(1, 9)]
        path = write(tmp_path / "rating.csv", HEADER, *good, "7,1,11", "7,1,12")
        with pytest.raises(CommandError, match=r"line 11: .*one bad row more than --max-errors 1"):
            run(path, max_errors=1)
        assert not Profile.objects.exists()
        assert not ListEntry.objects.exists()

    def test_it_stops_whole_when_others_have_entries_already(self, tmp_path: Path) -> None:
        path = write(tmp_path / "rating.csv", HEADER, "7,1,8")
        run(path)
        before = state()
        write(path, HEADER, "7,1,9", "7,2,11")
        with pytest.raises(CommandError):
            run(path)
        assert state() == before


class TestBadFiles:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "the file is empty"),
            (b"%PDF-1.4\n", "a PDF document"),
            (b"user_id,anime_id,rating\n7,1,\xe9\n", "line 2: not UTF-8 text (byte 0xe9); save the file as UTF-8"),
            (b"user,item,stars\n7,1,8\n", "line 1: the columns (user, item, stars) lack some of user_id, anime_id"),
            (b"anime_id,name,rating\n1,Cowboy Bebop,8\n", "a file of titles is for import_catalog"),
            (b'user_id,anime_id,rating\n7,1,"8', "line 2: the quotes of this row do not close"),
        ],
    )
    def test_one_line_says_what_is_wrong_and_nothing_changes(
        self, tmp_path: Path, content: bytes, reason: str
    ) -> None:
        path = tmp_path / "rating.csv"
        path.write_bytes(content)
        with pytest.raises(CommandError) as caught:
            run(path)
        assert caught.value.returncode == 2
        assert reason in str(caught.value)
        assert str(path) in str(caught.value)
        assert not Profile.objects.exists()

    def test_a_path_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="no such file or directory"):
            run(tmp_path / "nowhere")

    def test_a_directory_without_known_files(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match=r"holds none of rating\.csv, animelist\.csv"):
            run(tmp_path)

    def test_an_empty_catalogue(self, tmp_path: Path) -> None:
        Anime.objects.all().delete()
        with pytest.raises(CommandError, match="run import_catalog first"):
            run(write(tmp_path / "rating.csv", HEADER, "7,1,8"))

    def test_lists_of_this_site_are_not_imported(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="invalid choice: 'site'"):
            call_command("import_ratings", str(tmp_path), "--source=site")


def test_keys_and_indexes_are_as_before_a_first_load(tmp_path: Path) -> None:
    """A first load into Postgres takes them away and puts them back."""
    from django.db import connection

    def constraints() -> dict[str, Any]:
        with connection.cursor() as cursor:
            return connection.introspection.get_constraints(cursor, ListEntry._meta.db_table)

    before = constraints()
    run(write(tmp_path / "rating.csv", HEADER, "7,1,8"))
    assert constraints() == before
    assert len([name for name, constraint in before.items() if constraint["foreign_key"]]) == 2


def test_a_file_in_no_order_is_imported_whole(tmp_path: Path, settings: Any) -> None:
    settings.WRITE_BATCH_ROWS = 50
    rng = random.Random(7)
    wanted = {(member, anime): rng.randint(1, 10) for member in range(100) for anime in range(1, 7)}
    rows = [f"{member},{anime},{rating}" for (member, anime), rating in wanted.items()]
    rng.shuffle(rows)
    run(write(tmp_path / "rating.csv", HEADER, *rows))
    stored = ListEntry.objects.values_list("profile__external_id", "anime_id", "rating")
    assert {(int(member), anime): rating for member, anime, rating in stored} == wanted


@pytest.mark.slow
def test_the_real_ratings(real_data: Path) -> None:
    Anime.objects.all().delete()
    call_command("import_catalog", str(real_data / "mal2016" / "anime.csv"), stdout=io.StringIO())
    out, err = run(real_data / "mal2016")
    assert (out, err) == ("rating.csv: 399,071 new, 0 changed, 0 as they were; 4,000 new members\n", "")
    assert ListEntry.objects.count() == 399_071
    assert ListEntry.objects.filter(rating=None).count() == 85_941  # the rows with -1
    out, _err = run(real_data / "mal2016")
    assert out == "rating.csv: 0 new, 0 changed, 399,071 as they were; 0 new members\n"
