"""The table of quality by the number of members to learn from."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import members
from ml.evaluation.metrics import judge
from tests.ml import worlds

PARAMS = """
holdout: {min_entries: 5}
ease: {ridge: 20.0, franchise_prior: 5.0, keep: 50}
ranker: {folds: 0}
neural: {enabled: false}
"""


def test_every_sample_is_learned_from_and_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.people.HELD_OUT_MIN_ENTRIES", 5)
    params = tmp_path / "params.yaml"
    params.write_text(PARAMS)
    data = worlds.write_fandoms(tmp_path / "data")
    lines = members.run(data, (8, 1), tmp_path / "work", params)
    few, all_ = (line.split(" | ") for line in lines[-2:])
    assert int(all_[0].strip("| ")) // 8 == int(few[0].strip("| "))
    few_entries, all_entries = (int(cells[1].replace(",", "")) for cells in (few, all_))
    assert all_entries > 4 * few_entries
    # By chance it would be below 0.3.
    assert all(float(cells[2].split()[0]) > 0.5 for cells in (few, all_))
    bundles = sorted((tmp_path / "work").rglob("manifest.json"))
    assert len(bundles) == 2
    # What is trained is kept.
    assert members.run(data, (8, 1), tmp_path / "work", params)[-2:] == lines[-2:]


def test_a_row_by_hand() -> None:
    judged = judge({0: [1], 1: [2]}, {0: set(), 1: set()}, {0: {1}, 1: {1}}, 10)
    assert members.row(1000, 20_000, judged, judged) == "| 1,000 | 20,000 | 0.500 ± 0.500 | 0.500 ± 0.500 | 2 | 2 |"
