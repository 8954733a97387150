"""Training on generated data in processes of their own, and the tables that come of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.clocked_training import Training, train_apart, without_network
from benchmarks.growth import Size, run, stages, summary
from benchmarks.stage_clock import Stage
from benchmarks.training_cost import textbook_seconds
from ml.serving import load_recommender
from ml.training.params import Params
from tests.ml import worlds

PARAMS = """
holdout: {min_entries: 5}
ease: {ridge: 20.0, franchise_prior: 5.0, keep: 50}
ranker: {folds: 0}
neural: {enabled: false}
"""
SIZES = (Size(1, 150, 120), Size(2, 300, 150))


@pytest.fixture(scope="module")
def params(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("params") / "params.yaml"
    file.write_text(PARAMS)
    return file


def test_every_size_is_trained_once(params: Path, tmp_path: Path) -> None:
    lines = run(None, SIZES, tmp_path, params)
    (first,), (second,) = ([line for line in lines if line.startswith(f"| {times} x |")] for times in (1, 2))
    assert first.split(" | ")[1] == "150"
    assert second.split(" | ")[1] == "300"
    assert any(line.startswith("| ease: solving for N titles (with all members) |") for line in lines)
    reports = {path: path.stat().st_mtime_ns for path in (tmp_path / "growth").rglob("*.json")}
    assert run(None, SIZES, tmp_path, params)[1:] == lines[1:]
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "growth").rglob("*.json")} == reports


def test_a_training_apart_says_what_it_took(params: Path, tmp_path: Path) -> None:
    data = worlds.write_fandoms(tmp_path / "data")
    training = train_apart(data, tmp_path / "bundle", tmp_path / "training.json", network=False, params=params)
    assert load_recommender(tmp_path / "bundle").default_model == "fusion"
    assert training.data["members"] == 240
    assert training.seconds == pytest.approx(sum(stage.seconds for stage in training.stages))
    assert training.peak_bytes > 50e6
    assert 0 < training.seconds_of("ease: solving")[0] < training.seconds
    assert train_apart(data, tmp_path / "bundle", tmp_path / "training.json", network=False) == training


def test_the_tables_by_hand() -> None:
    gib = 1 << 30
    data = {"members": 4000, "entries": 400_000, "titles": 12_294, "titles_on_lists": 7_000}
    small = Training(
        1234.5,
        2000.0,
        2 * gib,
        (Stage("read: a", 1.25, 0.5, gib), Stage("ease: b", 2, 3, 2 * gib)),
        data,
        {"plain_ndcg@10": 0.5, "popularity_plain_ndcg@10": 0.25},
    )
    large = Training(
        2469.0, 4000.0, 3 * gib, (Stage("ease: b", 4, 7, 3 * gib),), data, {"recommender_net_plain_ndcg@10": 0.4}
    )
    done = [(Size(1, 4000, 12_294), small), (Size(4, 16_000, 18_000), large)]
    assert (
        summary(done)[2] == "| 1 x | 4,000 | 400,000 | 12,294 | 7,000 | 1,234 | 2,000 | 2.00 | no | 0.500 | 0.250 |"
    )
    assert " | yes | " in summary(done)[3]
    assert stages(done)[2:] == [
        "| read: a | 1.2 | 0.5 | 1.00 |  |  |  |",
        "| ease: b | 2.0 | 3.0 | 2.00 | 4.0 | 7.0 | 3.00 |",
    ]


def test_the_network_can_be_left_out() -> None:
    assert Params().neural.enabled
    assert not without_network(Params()).neural.enabled


def test_the_textbook_solve_runs_on_a_data_directory(tmp_path: Path) -> None:
    assert min(textbook_seconds(worlds.write_checkerboard(tmp_path))) > 0
