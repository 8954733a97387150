"""Data files: what is understood, what is ignored, and what is refused with the line it stands in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml.reading import read_anime_ids, read_catalogue, read_dataset, read_interactions
from ml.types import InputError
from tests.ml.worlds import ANIME_COLUMNS, write_csv, write_ratings

HEADER_2020 = (
    "MAL_ID,Name,Score,Genres,English name,Japanese name,Type,Episodes,Aired,Premiered,Producers,Licensors,"
    "Studios,Source,Duration,Rating,Ranked,Popularity,Members,Favorites\n"
)


def anime_file(directory: Path, *rows: tuple[object, ...]) -> Path:
    plain = (1, "Cowboy Bebop", "Action, Space", "TV", 26, 8.8, 486824)
    return write_csv(directory / "anime.csv", ANIME_COLUMNS, list(rows) or [plain])


def test_2016_layout(tmp_path: Path) -> None:
    anime_file(
        tmp_path,
        (5, "Gintama&#039;s &quot;Movie&quot;", "Comedy, Sci-Fi", "Movie", 1, 8.2, 100),
        (2, "Unaired", "", "", "Unknown", "", 7),
    )
    frame = read_catalogue(tmp_path).frame
    assert frame["anime_id"].tolist() == [2, 5]
    assert frame["title"].tolist() == ["Unaired", 'Gintama\'s "Movie"']
    assert frame["genres"].tolist() == [(), ("Comedy", "Sci-Fi")]
    assert np.isnan(frame["episodes"][0])
    assert np.isnan(frame["score"][0])
    assert frame["episodes"][1] == 1


def test_2020_layout(tmp_path: Path) -> None:
    (tmp_path / "anime.csv").write_text(
        HEADER_2020
        + '1,Cowboy Bebop,8.78,"Action, Sci-Fi",Cowboy Bebop,カウボーイビバップ,TV,26,"Apr 3, 1998 to Apr 24, 1999",'
        "Spring 1998,Bandai Visual,Funimation,Sunrise,Original,24 min. per ep.,R - 17+,28.0,39,1251960,61971\n"
        "9,New,Unknown,Unknown,Unknown,Unknown,Unknown,Unknown,Unknown,Fall 2020,Unknown,Unknown,Unknown,Unknown,"
        "Unknown,Unknown,Unknown,0,0,0\n",
        encoding="utf-8",
    )
    bebop, new = (row for _, row in read_catalogue(tmp_path).frame.iterrows())
    assert (bebop["title"], bebop["studios"], bebop["members"]) == ("Cowboy Bebop", ("Sunrise",), 1251960)
    assert 1998.2 < bebop["aired"] < 1998.3
    assert new["genres"] == ()
    assert (new["type"], new["studios"], new["source"]) == ("", (), "")
    assert np.isnan(new["score"])
    assert np.isnan(new["members"])
    assert 2020.7 < new["aired"] < 2020.8


def test_snapshot_columns(tmp_path: Path) -> None:
    columns = (*ANIME_COLUMNS, "title_english", "aired_from", "studios", "source", "is_adult", "franchise_order")
    write_csv(
        tmp_path / "anime.csv",
        columns,
        [(3, "A", "Drama", "TV", 1, 7, 9, "B", "2001-10-05", "Studio X, Inc.|Y", "Manga", 1, 2)],
    )
    (row,) = (row for _, row in read_catalogue(tmp_path).frame.iterrows())
    assert (row["title_english"], row["studios"], row["source"]) == ("B", ("Studio X, Inc.", "Y"), "Manga")
    assert row["is_adult"]
    assert 2001.7 < row["aired"] < 2001.8
    assert row["franchise_order"] == 2


def test_synopses_and_franchises_are_joined_by_id(tmp_path: Path) -> None:
    anime_file(tmp_path, *((n, f"T{n}", "Drama", "TV", 1, 7, 9) for n in (4, 6, 8, 11)))
    write_csv(
        tmp_path / "anime_with_synopsis.csv",
        ("MAL_ID", "Name", "Score", "Genres", "sypnopsis"),
        [(6, "T6", 7, "", "Six &amp; co"), (99, "not here", 7, "", "x")],
    )
    (tmp_path / "franchises.json").write_text('[{"name": "F", "ids": [11, 4, 99]}, {"name": "G", "ids": [4, 8]}]')
    frame = read_catalogue(tmp_path).frame
    assert frame["synopsis"].tolist() == ["", "Six & co", "", ""]
    four, six, eight, eleven = frame["franchise"]
    assert four == eleven, "one franchise, although it lists an id that is not in the catalogue"
    assert len({four, six, eight}) == 3, "a title in no group, or claimed before, is alone or in its first group"


def test_every_other_file_is_ignored(tmp_path: Path) -> None:
    anime_file(tmp_path)
    write_ratings(tmp_path / "rating.csv", [(1, 1, 9)])
    before = read_dataset(tmp_path)
    for name in ("test_heldout.csv", "test_profiles.csv", "ratings.csv", "rating.csv.bak", "animelist.csv"):
        write_ratings(tmp_path / name, [(2, 1, 10), (3, 1, 10)])
    (tmp_path / "notes.csv").write_bytes(b"\xff\xfe not even text")
    after = read_dataset(tmp_path)
    assert after.interactions.user_ids.tolist() == before.interactions.user_ids.tolist() == [1]
    assert after.files == before.files


def test_2020_list_with_statuses(tmp_path: Path) -> None:
    anime_file(tmp_path, *((n, f"T{n}", "Drama", "TV", 1, 7, 9) for n in range(1, 6)))
    write_csv(
        tmp_path / "animelist.csv",
        ("user_id", "anime_id", "rating", "watching_status", "watched_episodes"),
        [(0, 1, 9, 2, 26), (0, 2, 0, 6, 0), (0, 3, 4, 4, 3), (0, 4, 0, 1, 5), (0, 5, 0, 33, 5)],
    )
    interactions = read_dataset(tmp_path).interactions
    assert interactions.anime_ids.tolist() == [1, 3, 4, 5], "a plan is no choice"
    assert np.isnan(interactions.ratings).tolist() == [False, False, True, True]
    entries = read_interactions(tmp_path / "animelist.csv")
    assert entries.statuses.tolist() == [1, 4, 3, 0, 1]


def test_unrated_repeated_and_unknown_entries(tmp_path: Path) -> None:
    anime_file(tmp_path)
    write_ratings(tmp_path / "rating.csv", [(7, 1, 3), (7, 1, 8), (8, 1, -1), (9, 555, 10)])
    dataset = read_dataset(tmp_path)
    assert dataset.interactions.user_ids.tolist() == [7, 8]
    np.testing.assert_array_equal(dataset.interactions.ratings, np.array([8, np.nan], dtype=np.float32))
    assert "1 repeated entries" in dataset.notes[0]
    assert "1 ratings of titles that are not in anime.csv" in dataset.notes[1]


def test_excluded_titles_are_as_good_as_unreleased(tmp_path: Path) -> None:
    anime_file(tmp_path, (1, "A", "Drama", "TV", 1, 7.5, 90), (2, "B", "Drama", "TV", 1, 7.5, 90))
    write_ratings(tmp_path / "rating.csv", [(7, 1, 3), (7, 2, 8)])
    dataset = read_dataset(tmp_path, exclude=np.array([2, 12345]))
    assert dataset.interactions.anime_ids.tolist() == [1]
    kept, blanked = (row for _, row in dataset.catalogue.frame.iterrows())
    assert (kept["members"], kept["score"]) == (90, 7.5)
    assert np.isnan(blanked["members"])
    assert np.isnan(blanked["score"])
    assert (blanked["title"], blanked["genres"], blanked["episodes"]) == ("B", ("Drama",), 1)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,1,11", "rating is 11; it must be 1 to 10, or -1 or 0 for 'not rated'"),
        ("1,1,abc", "rating is 'abc', not a number"),
        ("1,1,", "rating is '', not a number"),
        ("1,1,nan", "rating is nan; it must be"),
        ("1,x,5", "anime_id is 'x', not a whole number"),
        (",1,5", "user_id is '', not a whole number"),
        ("-3,1,5", "user_id is negative"),
        ("1,1", "2 fields where the header has 3"),
        ("1,1,5,6", "4 fields where the header has 3"),
        ("99999999999999999999,1,5", ""),
    ],
)
def test_a_bad_rating_names_file_line_and_reason(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "rating.csv"
    path.write_text(f"user_id,anime_id,rating\n1,1,8\n2,1,-1\n{line}\n3,1,5\n")
    with pytest.raises(InputError) as caught:
        read_interactions(path)
    message = str(caught.value)
    assert "rating.csv" in message
    assert reason in message
    if reason:
        assert "line 4:" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "found: nothing, it is empty"),
        (b"user_id,anime_id,rating\n", "holds no ratings"),
        (b"user,anime,score\n1,1,8\n", "line 1: no column user_id, anime_id, rating (found: user, anime, score)"),
        (b"%PDF-1.7\n\xe2\xe3\xcf\xd3\n", "is not a CSV file"),
        (b"user_id,anime_id,rating,note\n1,1,8,caf\xe9\n", "not UTF-8 text"),
        (b"user_id,anime_id,rating\n1,1,8\n2,\x00,5\n", ""),
    ],
)
def test_what_is_not_a_ratings_file_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "rating.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_interactions(path)
    assert "rating.csv" in str(caught.value)
    assert reason in str(caught.value)


def test_an_unknown_status_is_refused(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "rating.csv",
        ("user_id", "anime_id", "rating", "status"),
        [(1, 1, 8, "completed"), (1, 2, -1, "abandoned")],
    )
    with pytest.raises(InputError, match=r"line 3: status is 'abandoned'; it must be one of watching, completed"):
        read_interactions(path)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((1, "B", "", "TV", 1, 7, 9), "line 3: anime id 1 stands already in line 2"),
        ((0, "B", "", "TV", 1, 7, 9), "line 3: anime id 0 is not positive"),
        (("x", "B", "", "TV", 1, 7, 9), "line 3: anime_id is 'x', not a whole number"),
        ((2, "B", "", "TV", "many", 7, 9), "line 3: episodes is 'many', not a number"),
        ((2, "B", "", "TV", 1, "inf", 9), "line 3: rating is 'inf', not a finite number"),
    ],
)
def test_a_bad_title_names_file_line_and_reason(tmp_path: Path, row: tuple[object, ...], reason: str) -> None:
    anime_file(tmp_path, (1, "A", "", "TV", 1, 7, 9), row)
    with pytest.raises(InputError, match=r"anime\.csv") as caught:
        read_catalogue(tmp_path)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"name": "F"}', "must be a list"),
        ('[{"name": "F", "ids": [1]}, {"name": "G", "ids": ["x"]}]', "group 2"),
        ("[", "line 1: not JSON"),
    ],
)
def test_bad_franchises_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    anime_file(tmp_path)
    (tmp_path / "franchises.json").write_text(text)
    with pytest.raises(InputError, match=reason):
        read_catalogue(tmp_path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such directory"):
        read_dataset(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"holds none of rating\.csv, animelist\.csv, rating_complete\.csv"):
        read_dataset(tmp_path)
    write_ratings(tmp_path / "rating.csv", [(1, 1, 8)])
    with pytest.raises(InputError, match=r"anime\.csv: no such file"):
        read_dataset(tmp_path)
    anime_file(tmp_path, (2, "B", "", "TV", 1, 7, 9))
    with pytest.raises(InputError, match=r"holds no rating of a title in anime\.csv"):
        read_dataset(tmp_path)


def test_lists_of_ids(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "ids.csv", ("note", "anime_id"), [("b", 9), ("a", 3), ("c", 9)])
    assert read_anime_ids(path).tolist() == [3, 9]
    with pytest.raises(InputError, match="line 2: anime_id is 'z'"):
        read_anime_ids(write_csv(path, ("anime_id",), [("z",)]))


class TestJoining:
    CATALOGUE = ((1, "One"), (2, "Two"), (3, "Three"))

    def directory(self, path: Path, rows: list[tuple[object, ...]]) -> Path:
        path.mkdir()
        write_csv(path / "anime.csv", ANIME_COLUMNS, [(*one, "", "TV", 1, 7, 10) for one in self.CATALOGUE])
        write_ratings(path / "rating.csv", rows)
        return path

    def test_the_others_are_other_people_and_what_they_have_beyond_the_catalogue_is_left_out(
        self, tmp_path: Path
    ) -> None:
        own = self.directory(tmp_path / "own", [(1, 1, 9), (5, 2, 8)])
        corpus = self.directory(tmp_path / "corpus", [(1, 1, 4), (2, 3, 10), (2, 99, 10)])
        dataset = read_dataset(own, join=corpus)
        found = dataset.interactions
        assert found.anime_ids.tolist() == [1, 2, 1, 3]
        assert found.ratings.tolist() == [9, 8, 4, 10]
        assert len(set(found.user_ids.tolist())) == 4
        assert corpus / "rating.csv" in dataset.files
        assert "1 ratings of titles that are not in anime.csv" in " ".join(dataset.notes)

    def test_a_new_site_has_only_the_others(self, tmp_path: Path) -> None:
        own = self.directory(tmp_path / "own", [])
        corpus = self.directory(tmp_path / "corpus", [(7, 1, 4)])
        assert read_dataset(own, join=corpus).interactions.anime_ids.tolist() == [1]
        with pytest.raises(InputError, match="holds no ratings"):
            read_dataset(own)
