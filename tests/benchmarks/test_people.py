"""Who is judged: people that nothing was trained on, judged as outsiders judge."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers import fit_popularity, top_discovery_lists, top_lists
from benchmarks.people import judge_lists, judged_people, take_out
from ml.reading import read_dataset, read_interactions
from ml.training.data import Members
from tests.ml import worlds


@pytest.fixture
def few_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.people.HELD_OUT_MIN_ENTRIES", 5)


@pytest.mark.usefixtures("few_entries")
def test_without_test_files_members_are_taken_out(tmp_path: Path) -> None:
    data = worlds.write_fandoms(tmp_path / "data", members=100)
    directory, dataset, people = judged_people(data, tmp_path / "work")
    everybody = read_interactions(data / "rating.csv")
    trained = read_interactions(directory / "rating.csv")
    assert len(people) == 12
    assert len(np.unique(trained.user_ids)) + len(people) == len(np.unique(everybody.user_ids))
    assert len(trained) + len(people.shown.rows) + len(people.split.heldout.rows) == len(everybody)
    assert (directory / "franchises.json").read_bytes() == (data / "franchises.json").read_bytes()
    assert np.isnan(trained.ratings).any()
    assert len(dataset.interactions) == len(trained)
    # A second run, into the same place, makes the same choice.
    again = judged_people(data, tmp_path / "work")[2]
    np.testing.assert_array_equal(people.shown.rows, again.shown.rows)


@pytest.mark.usefixtures("few_entries")
def test_test_files_are_used_and_trained_on_by_nobody(tmp_path: Path) -> None:
    data = worlds.write_fandoms(tmp_path / "data", members=60)
    worlds.write_ratings(data / "test_profiles.csv", [(901, 1000, 9), (901, 1001, 8), (902, 2000, 9)])
    worlds.write_ratings(data / "test_heldout.csv", [(901, 1002, 10), (901, 1003, 3)])
    directory, dataset, people = judged_people(data, tmp_path / "work")
    assert directory == data
    assert 901 not in dataset.interactions.user_ids
    ids = dataset.catalogue.anime_ids
    assert people.shown.sizes.tolist() == [2, 1]
    assert [ids[rows].tolist() for rows in people.split.liked()] == [[1002], []]
    lists = [dataset.catalogue.rows_of(np.array([1002, 1004])), dataset.catalogue.rows_of(np.array([1002]))]
    # Only the first liked something that is held out; it stands at the top of their list.
    judged = judge_lists(lists, people, dataset.catalogue, discovery=False)
    assert judged.ndcg.tolist() == [1.0]
    # 1002 and 1003 are one franchise, 1000 and 1001 another.
    assert judge_lists(lists, people, dataset.catalogue, discovery=True).ndcg.tolist() == [1.0]


@pytest.mark.usefixtures("few_entries")
def test_who_is_taken_out_is_not_left_in(tmp_path: Path) -> None:
    dataset = read_dataset(worlds.write_fandoms(tmp_path, members=80))
    members = Members.of(dataset.interactions, dataset.catalogue)
    left, people = take_out(members, seed=3)
    assert len(left) + len(people) == len(members)
    assert (people.split.heldout.sizes >= 1).all()
    assert people.shown.sizes.sum() > 3 * people.split.heldout.sizes.sum()


@pytest.mark.slow
@pytest.mark.parametrize("discovery", [False, True])
def test_lists_are_judged_as_outsiders_judge_them(real_data: Path, tmp_path: Path, discovery: bool) -> None:
    script = real_data.parent / "bench" / "judge.py"
    if not script.is_file():
        pytest.skip("no judge beside the real data")
    data = real_data / "mal2016"
    _directory, dataset, people = judged_people(data, tmp_path)
    members = Members.of(dataset.interactions, dataset.catalogue)
    scores = fit_popularity(members.batch, len(dataset.catalogue), {}).scores(people.shown)
    franchise = dataset.catalogue.frame["franchise"].to_numpy()
    lists = top_discovery_lists(scores, people.shown, franchise) if discovery else top_lists(scores, people.shown)
    judged = judge_lists(lists, people, dataset.catalogue, discovery)
    users = np.unique(read_interactions(data / "test_profiles.csv").user_ids)
    worlds.write_csv(
        tmp_path / "recs.csv",
        ("user_id", "rank", "anime_id"),
        [
            (user, rank, anime_id)
            for user, rows in zip(users.tolist(), lists, strict=True)
            for rank, anime_id in enumerate(dataset.catalogue.anime_ids[rows].tolist(), start=1)
        ],
    )
    command = [
        sys.executable, str(script), "--recs", str(tmp_path / "recs.csv"), "--catalog", str(data / "anime.csv"),
        "--profiles", str(data / "test_profiles.csv"), "--heldout", str(data / "test_heldout.csv"),
        *(["--discovery", str(data / "franchises.json")] if discovery else []),
    ]  # fmt: skip
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert said["ndcg@10"] == round(float(judged.ndcg.mean()), 4)
    assert said["coverage"] == judged.coverage
    assert said["users"] == len(judged.people)
    assert said["errors"] == 0
