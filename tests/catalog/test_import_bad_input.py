"""Files and rows that do not fit: one line that says where, why and what to do, and nothing changed."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.importers.problems import BadRows
from catalog.importers.tables import open_table
from catalog.models import Anime, Franchise, Genre
from tests.catalog.importing import BEBOP_2016, HEADER_2016, run, write
from tests.factories import AnimeFactory

pytestmark = pytest.mark.django_db


class TestBadRows:
    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("x,Title,Action,TV,1,5,5", "anime_id is “x”"),
            ("0,Title,Action,TV,1,5,5", "anime_id is “0”"),
            ("99999999999,Title,Action,TV,1,5,5", "anime_id is “99999999999”"),
            ("7,,Action,TV,1,5,5", "name is empty"),
            (f"7,{'x' * 301},Action,TV,1,5,5", "name has 301 characters"),
            ("7,Title,Action,Radio play,1,5,5", "type is “Radio play”, not one of TV, Movie"),
            ("7,Title,Action,TV,many,5,5", "episodes is “many”, not a number"),
            ("7,Title,Action,TV,1.5,5,5", "episodes is “1.5”, not a whole number"),
            ("7,Title,Action,TV,1,11,5", "rating is “11”, not from 1 to 10"),
            ("7,Title,Action,TV,1,5,inf", "members is “inf”"),
            ("7,Title,!!!,TV,1,5,5", "“!!!” is no name of a genre"),
            ("7,Title,Action,TV,1,5", "6 cells where the header has 7; is the file cut off?"),
            ("7,Title,Action,TV,1,5,5,5", "8 cells where the header has 7"),
            (BEBOP_2016, "anime 1 stands already in line 2"),
        ],
    )
    def test_file_line_and_reason_are_told(self, tmp_path: Path, row: str, reason: str) -> None:
        path = write(tmp_path / "anime.csv", HEADER_2016, BEBOP_2016, row)
        with pytest.raises(CommandError) as caught:
            run(tmp_path)
        assert caught.value.returncode == 2
        message = str(caught.value)
        assert message.startswith(f"{path}, line 3: ")
        assert reason in message
        assert "--max-errors" in message
        assert "\n" not in message
        assert not Anime.objects.exists()

        _out, err = run(tmp_path, max_errors=1)
        assert f"skipped: {path}, line 3: " in err
        assert list(Anime.objects.values_list("pk", flat=True)) == [1]

    def test_one_more_than_allowed_stops_the_import_whole(self, tmp_path: Path, settings: Any) -> None:
        settings.WRITE_BATCH_ROWS = 2
        good = [f"{number},Title,Action,TV,1,5,5" for number in range(1, 9)]
        write(tmp_path / "anime.csv", HEADER_2016, *good, "x,Title,Action,TV,1,5,5", "y,Title,Action,TV,1,5,5")
        with pytest.raises(CommandError, match=r"line 11: .*one bad row more than --max-errors 1"):
            run(tmp_path, max_errors=1)
        assert not Anime.objects.exists()
        assert not Genre.objects.exists()

    def test_a_bad_file_leaves_the_good_ones_of_the_directory_unstored(self, tmp_path: Path) -> None:
        write(tmp_path / "anime.csv", HEADER_2016, BEBOP_2016)
        (tmp_path / "franchises.json").write_text("[{]", encoding="utf-8")
        with pytest.raises(CommandError, match=r"franchises\.json, line 1: not JSON"):
            run(tmp_path)
        assert not Anime.objects.exists()

    def test_line_numbers_count_lines_within_quotes(self, tmp_path: Path) -> None:
        write(tmp_path / "anime.csv", HEADER_2016, '1,"Two\nlines",Action,TV,1,5,5', "x,T,Action,TV,1,5,5")
        with pytest.raises(CommandError, match="line 4: "):
            run(tmp_path)

    @pytest.mark.parametrize(
        "group", ["7", '{"name": "", "ids": []}', '{"name": "A", "ids": ["1"]}', '{"name": "A"}']
    )
    def test_a_bad_group_is_a_bad_row(self, tmp_path: Path, group: str) -> None:
        AnimeFactory(id=1)
        AnimeFactory(id=2)
        path = tmp_path / "franchises.json"
        path.write_text(f'[{group}, {{"name": "Saga", "ids": [1, 2]}}]', encoding="utf-8")
        with pytest.raises(CommandError, match=r"franchises\.json, group 1: "):
            run(path)
        run(path, max_errors=1)
        assert Franchise.objects.get().name == "Saga"


BAD_FILES = {
    "empty": (b"", "the file is empty"),
    "blank": (b"\n\n\n", "the file is empty"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "line 1: this is a PDF document, not a CSV file"),
    "zip": (b"PK\x03\x04\x14\x00", "line 1: this is a ZIP archive (unpack it first), not a CSV file"),
    "utf-16": ("anime_id,name".encode("utf-16"), "line 1: this is UTF-16 text (save it as UTF-8), not a CSV file"),
    "binary": (b"anime_id,name\n1,\x00\x01\x02\n", "line 1: the columns (anime_id, name) are those of no known"),
    "binary cell": (f"{HEADER_2016}\n1,\x00,Action,TV,1,5,5\n".encode(), "line 2: a binary file"),
    "latin-1": (f"{HEADER_2016}\n{BEBOP_2016}\n2,Pokémon,Kids,TV,1,5,5\n".encode("latin-1"), "line 3: not UTF-8"),
    "other columns": (b"id,label\n1,Cowboy Bebop\n", "line 1: the columns (id, label) are those of no known layout"),
    "ratings": (b"user_id,anime_id,rating\n1,1,8\n", "line 1: holds ratings (user_id, anime_id, rating), not titles"),
    "cut within quotes": (f'{HEADER_2016}\n{BEBOP_2016}\n2,Cut,"Action, Dra'.encode(), "line 3: the quotes of"),
    "cut within a row": (f"{HEADER_2016}\n{BEBOP_2016}\n2,Cu".encode(), "line 3: 2 cells where the header has 7; is"),
}  # fmt: skip


class TestBadFiles:
    @pytest.mark.parametrize("kind", BAD_FILES)
    def test_one_line_says_what_is_wrong_and_nothing_changes(self, tmp_path: Path, kind: str) -> None:
        content, reason = BAD_FILES[kind]
        path = tmp_path / "anime.csv"
        path.write_bytes(content)
        with pytest.raises(CommandError) as caught:
            run(path)
        assert caught.value.returncode == 2
        assert reason in str(caught.value)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        assert not Anime.objects.exists()

    def test_a_path_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="no such file or directory"):
            run(tmp_path / "nowhere")

    def test_a_directory_without_known_files(self, tmp_path: Path) -> None:
        write(tmp_path / "notes.txt", "nothing")
        with pytest.raises(CommandError, match=r"holds none of anime\.csv"):
            run(tmp_path)

    def test_a_negative_number_of_errors(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="not a whole number from 0"):
            call_command("import_catalog", str(tmp_path), "--max-errors=-1")

    def test_a_last_line_without_an_end_is_told_of(self, tmp_path: Path) -> None:
        path = tmp_path / "anime.csv"
        path.write_text(f"{HEADER_2016}\n{BEBOP_2016[:-3]}", encoding="utf-8")
        _out, err = run(path)
        assert "the last line has no line end" in err


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "anime.csv", HEADER_2016, *[BEBOP_2016] * 50_000)
    tracemalloc.start()
    try:
        with open_table(path) as table:
            rows = sum(1 for _row in table.rows(BadRows(0, print)))
        _now, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rows == 50_000
    assert peak_bytes < path.stat().st_size / 10


def test_a_line_without_end_is_no_line_of_a_csv_file(tmp_path: Path) -> None:
    path = tmp_path / "anime.csv"
    path.write_bytes(HEADER_2016.encode() + b"\n" + b"x" * 5_000_000)
    with pytest.raises(CommandError, match="line 2: far too long"):
        run(path)
