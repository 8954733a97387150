"""Other libraries: lists from their scores, and what they make of a world whose answer is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.field import PEERS, Peer
from benchmarks.peers import inputs, top_discovery_lists, top_lists
from benchmarks.people import People
from benchmarks.tuning import best_settings, judge_fitted, tune, words
from ml.evaluation.splits import hide_share
from ml.models.profiles import ProfileBatch
from ml.reading import read_dataset
from ml.training.data import Members
from ml.types import Profile
from tests.ml import worlds

IDS = np.arange(1, 31, dtype=np.int64)


def batch_of(*lists: dict[int, float | None]) -> ProfileBatch:
    return ProfileBatch.of([Profile.from_ratings(one) for one in lists], IDS)[0]


def test_inputs_by_hand() -> None:
    batch = batch_of({1: 10, 2: 6, 3: None})
    assert inputs(batch, 30, "binary").toarray()[0, :4].tolist() == [1, 1, 1, 0]
    # The mean is 8: 1 + 0.5 * 2 / 2, 1 - 0.5 * 2 / 2, and 0.6 for what was not rated.
    np.testing.assert_allclose(inputs(batch, 30, "rating").toarray()[0, :4], [1.5, 0.5, 0.6, 0])


def test_lists_leave_out_what_is_known() -> None:
    scores = np.arange(30, 0, -1, dtype=np.float32)[None, :]
    shown = batch_of({1: 8, 3: 8})  # rows 0 and 2
    assert top_lists(scores, shown)[0].tolist() == [1, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    franchise = np.arange(30) // 3
    # Rows 0 to 2 are touched; then one of every three, the best, and only nine franchises are left.
    assert top_discovery_lists(scores, shown, franchise)[0].tolist() == [3, 6, 9, 12, 15, 18, 21, 24, 27]


@pytest.fixture(scope="module")
def checkerboard(tmp_path_factory: pytest.TempPathFactory) -> tuple[Members, Path]:
    directory = worlds.write_checkerboard(tmp_path_factory.mktemp("checkerboard"))
    dataset = read_dataset(directory)
    return Members.of(dataset.interactions, dataset.catalogue), directory


@pytest.mark.parametrize("peer", PEERS[1:], ids=lambda peer: peer.name)
def test_every_library_finds_the_withheld_title(peer: Peer, checkerboard: tuple[Members, Path]) -> None:
    pytest.importorskip(peer.distribution, reason=f"{peer.distribution} is not installed; `make benchmark` does it")
    members, directory = checkerboard
    titles = worlds.CHECKERBOARD_TITLES
    few = {"factors": 4, "neighbours": titles}
    settings = {name: few.get(name, value) for name, value in peer.tried[0].items()}
    fitted = peer.fit(members.batch, titles, settings)
    people = members.batch.part(0, titles)
    lists = top_lists(fitted.scores(people), people)
    assert [rows[0] for rows in lists] == [worlds.withheld(member) for member in range(titles)]
    fitted.list_of_ten(people.one(0))
    split = hide_share(members.batch.part(0, 48), 0.2, seed=1)
    reached = judge_fitted(fitted, People("", split), read_dataset(directory).catalogue)
    # The title that was withheld from the start comes first; what is hidden here follows.
    assert reached["plain"].ndcg.mean() > 0.65


def test_tuning_tries_all_settings_once_and_goes_on_where_it_stopped(
    checkerboard: tuple[Members, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.people.HELD_OUT_MIN_ENTRIES", 5)
    members, directory = checkerboard
    catalogue = read_dataset(directory).catalogue
    calls = []

    def fit(batch, titles, settings):
        calls.append(settings["sign"])
        assert len(batch) < len(members)
        popularity = PEERS[0].fit(batch, titles, settings)
        return type(popularity)(lambda people: settings["sign"] * popularity.scores(people), popularity.list_of_ten)

    file = tmp_path / "tuning.jsonl"
    peer = Peer("signed popularity", "", ({"sign": 1.0}, {"sign": -1.0}), fit)
    tried = tune(peer, members, catalogue, file)
    assert calls == [1, -1]
    more = Peer("signed popularity", "", (*peer.tried, {"sign": 0.5}), fit)
    again = tune(more, members, catalogue, file)
    assert calls == [1, -1, 0.5]
    assert again[:2] == tried
    assert best_settings(tried)["plain"] == max(tried, key=lambda one: one.plain).settings
    assert words({"factors": 256, "alpha": 1.0}) == "factors 256, alpha 1"


def test_als_is_tried_widely() -> None:
    als = next(peer for peer in PEERS if peer.name.endswith("ALS"))
    assert len(als.tried) >= 12
    assert {256, 512} <= {settings["factors"] for settings in als.tried}
    assert len({repr(settings) for settings in als.tried}) == len(als.tried)
