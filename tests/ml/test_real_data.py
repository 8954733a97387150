"""Quality on real ratings, judged as outsiders judge it. Minutes of work, so `slow`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ml.cli.main import main
from ml.serving import load_recommender
from ml.types import FranchiseMode, Options, Profile, ReasonKind

ROOT = Path(__file__).parents[2]
MECHA = {30: 9, 2001: 10, 1575: 9, 80: 8, 71: 9}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(real_data: Path) -> Path:
    return real_data / "mal2016"


@pytest.fixture(scope="module")
def real_bundle(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _train(data, tmp_path_factory.mktemp("real") / "bundle")


@pytest.fixture(scope="module")
def evaluated(data: Path, real_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What `evaluate` says of the test members."""
    out = tmp_path_factory.mktemp("evaluated") / "evaluation.json"
    files = ["--profiles", str(data / "test_profiles.csv"), "--heldout", str(data / "test_heldout.csv")]
    assert main(["evaluate", "--bundle", str(real_bundle), *files, "--out", str(out)]) == 0
    result: dict = json.loads(out.read_text())
    return result


def _train(data: Path, out: Path, *options: str) -> Path:
    common = ["train", "--data", str(data), "--out", str(out), "--params", str(ROOT / "params.yaml")]
    assert main([*common, "--progress", "none", *options]) == 0
    return out


def _judged(data: Path, bundle: Path, out: Path, people: str, options: list[str], judging: list[str]) -> dict:
    profiles = str(data / f"test_profiles{people}.csv")
    assert main(["recommend", "--bundle", str(bundle), "--profiles", profiles, "--out", str(out), *options]) == 0
    judge = data.parent.parent / "bench" / "judge.py"
    if not judge.is_file():
        pytest.skip(f"{judge} is not there to judge")
    command = [
        sys.executable, str(judge), "--recs", str(out), "--profiles", profiles,
        "--heldout", str(data / f"test_heldout{people}.csv"), "--catalog", str(data / "anime.csv"), *judging,
    ]  # fmt: skip
    result: dict = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert result["errors"] == 0
    assert result["users_without_list"] == 0
    assert result["users_with_fewer_than_k"] == 0
    return result


def test_plain_lists(data: Path, real_bundle: Path, tmp_path: Path) -> None:
    assert _judged(data, real_bundle, tmp_path / "recs.csv", "", [], [])["ndcg@10"] >= 0.47


def test_discovery(data: Path, real_bundle: Path, tmp_path: Path) -> None:
    judging = ["--discovery", str(data / "franchises.json")]
    result = _judged(data, real_bundle, tmp_path / "recs.csv", "", ["--franchise", "new"], judging)
    assert result["ndcg@10"] >= 0.32


def test_three_ratings(data: Path, real_bundle: Path, tmp_path: Path) -> None:
    assert _judged(data, real_bundle, tmp_path / "recs.csv", "_3", [], [])["ndcg@10"] >= 0.43


@pytest.mark.parametrize(("mode", "franchise"), [("plain", "off"), ("discovery", "new")])
def test_evaluate_says_what_the_judge_says(
    data: Path, real_bundle: Path, evaluated: dict, tmp_path: Path, mode: str, franchise: str
) -> None:
    judging = ["--discovery", str(data / "franchises.json")] if mode == "discovery" else []
    full = next(row for row in evaluated["rows"] if row["mode"] == mode)
    assert (full["difference"], full["difference_stderr"]) == (0, 0)
    lists = tmp_path / "full.csv"
    for model in (full["model"], "ease"):
        (row,) = (row for row in evaluated["rows"] if (row["model"], row["mode"]) == (model, mode))
        out = tmp_path / "recs.csv" if lists.exists() else lists
        options = ["--franchise", franchise, "--model", model]
        judged = _judged(data, real_bundle, out, "", options, [*judging, "--against", str(lists)])
        assert row["people"] == judged["users"]
        assert row["coverage"] == judged["coverage"]
        for ours, theirs in (
            ("ndcg", "ndcg@10"),
            ("ndcg_stderr", "stderr"),
            ("ndcg_5", "ndcg@5"),
            ("recall", "recall@10"),
            ("hit", "hit@10"),
            ("popularity", "popularity"),
            ("difference", "gain"),
            ("difference_stderr", "gain_stderr"),
        ):
            assert row[ours] == pytest.approx(judged[theirs], abs=6e-5), f"{model}: {ours}"


def test_titles_as_good_as_unreleased(data: Path, tmp_path: Path) -> None:
    cold = str(data / "cold_items.csv")
    bundle = _train(data, tmp_path / "bundle", "--exclude-items", cold)
    options = ["--candidates", cold]
    assert _judged(data, bundle, tmp_path / "recs.csv", "", options, options)["ndcg@10"] >= 0.2


def test_five_mecha_series_lead_to_mecha(real_bundle: Path) -> None:
    recommender = load_recommender(real_bundle)
    options = Options(franchise=FranchiseMode.NEW)
    results = recommender.recommend(Profile.from_ratings(MECHA), options).results
    traits = [
        {recommender.titles.trait_names[number] for number in recommender.titles.traits_of(row)}
        for row in recommender.titles.rows_of(np.array([item.anime_id for item in results]))
    ]
    assert sum("Mecha" in own for own in traits) >= 5
    assert sum("Mecha" in own for own in traits[:5]) >= 3
    named = {reason.anime_id for item in results for reason in item.reasons if reason.kind is ReasonKind.RATED}
    assert named <= set(MECHA)
    assert len(named) >= 4


def test_a_bundle_is_small_and_loads_at_once(real_bundle: Path) -> None:
    assert sum(path.stat().st_size for path in real_bundle.iterdir()) < 100e6
    started = time.perf_counter()
    load_recommender(real_bundle)
    assert time.perf_counter() - started < 1
