"""The table of recommenders, and ours in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import quality
from benchmarks.field import PEERS, Peer
from benchmarks.people import judged_people
from benchmarks.quality import HEADER, Row, table
from ml.evaluation.metrics import Judged, judge
from tests.ml import worlds


def judged(*found: bool) -> Judged:
    """People who liked one title and find it at the top of their list, or not at all."""
    lists = {person: [1 if hit else 2] for person, hit in enumerate(found)}
    return judge(lists, {person: set() for person in lists}, {person: {1} for person in lists}, 10)


def test_a_row_by_hand() -> None:
    ours = Row("ours", {"plain": judged(True, True, True, False), "discovery": judged(True, False)}, 12.34, 1.5)
    peer = Row("peer", {"plain": judged(True, False, False, False), "discovery": judged(False, False)}, None, 0.25)
    lines = table([peer, ours], ours)
    assert lines[0] == HEADER
    # Differences 0, 1, 1, 0: mean 0.5, deviation 0.577, standard error 0.289.
    assert lines[2] == "| peer | 0.250 ± 0.250 | 0.000 ± 0.000 | 2 | 1 | +0.500 ± 0.566 |  | 0.25 |"
    assert lines[3] == "| ours | 0.750 ± 0.250 | 0.500 ± 0.500 | 2 | 2 |  | 12.3 | 1.50 |"
    assert {line.count("|") for line in lines} == {9}


@pytest.mark.slow
def test_a_whole_run_on_a_small_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("implicit", "cornac"):
        pytest.importorskip(name, reason=f"{name} is not installed; `make benchmark` does it")
    monkeypatch.setattr("benchmarks.people.HELD_OUT_MIN_ENTRIES", 5)
    monkeypatch.setattr(quality, "WORK", tmp_path / "work")
    monkeypatch.setattr(quality, "PEERS", tuple(_small(peer) for peer in PEERS))
    data = worlds.write_fandoms(tmp_path / "data")
    lines = quality.run(data)
    rows = [line for line in lines if line.startswith("| ")]
    assert sum("AnimeRec" in row for row in rows) >= 3
    assert sum("implicit" in row for row in rows) >= 2
    assert "29 members held out of the ratings" in lines[1]
    # The second run finds everything done but the last fits of the other libraries.
    bundles = list((tmp_path / "work").rglob("manifest.json"))
    again = quality.run(data)
    assert list((tmp_path / "work").rglob("manifest.json")) == bundles
    assert [row.split(" | ")[1:4] for row in again if "ALS" in row] == [
        row.split(" | ")[1:4] for row in lines if "ALS" in row
    ]


def _small(peer: Peer) -> Peer:
    tried = tuple({**one, "factors": 8} if "factors" in one else one for one in peer.tried[:2])
    return Peer(peer.name, peer.distribution, tried, peer.fit)


def test_ours_lists_for_people_it_never_saw(
    bundle: Path, fandoms_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ml.serving import load_recommender

    monkeypatch.setattr("benchmarks.people.HELD_OUT_MIN_ENTRIES", 5)
    _directory, dataset, people = judged_people(fandoms_dir, tmp_path)
    recommender = load_recommender(bundle)
    reached, seconds, list_ms = quality._judged(recommender, recommender.default_model, people, dataset, 1.0)
    assert reached["plain"].short == 0
    assert reached["plain"].ndcg.mean() > 0.3
    assert seconds == 1.0
    assert list_ms > 0
    assert np.isfinite(reached["discovery"].ndcg).all()
