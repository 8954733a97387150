"""The rules of the gate, worked out by hand: numbers in, decision and words out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ml.evaluation import gate_rules as rules
from ml.evaluation.gate_rules import Check, GateParams, worse_beyond_error
from ml.evaluation.metrics import Judged
from ml.training.params import read_params
from ml.types import InputError


def judged(values: Sequence[float] | np.ndarray) -> Judged:
    """Lists whose NDCG is known, of as many people."""
    ndcg = np.array(values, dtype=np.float64)
    return Judged(10, tuple(range(len(ndcg))), ((),) * len(ndcg), ndcg, ndcg, ndcg, ndcg, ndcg, ndcg)


class TestQualityRule:
    @pytest.mark.parametrize(
        ("difference", "stderr", "worse"),
        [
            (-0.020, 0.01, True),  # -0.020 + 1.96 * 0.01 = -0.0004
            (-0.019, 0.01, False),  # -0.019 + 1.96 * 0.01 = +0.0006
            (0.3, 0.01, False),
            (0.0, 0.0, False),
            (-1e-9, 0.0, True),  # no error to hide behind
        ],
    )
    def test_by_hand(self, difference: float, stderr: float, worse: bool) -> None:
        assert worse_beyond_error(difference, stderr, 1.96) is worse

    def test_the_error_is_that_of_the_paired_difference(self) -> None:
        """People differ widely from one another and hardly in what two bundles are worth to them: 5 of 25 lose 0.1.
        Mean -0.02; squares 20 * 0.02^2 + 5 * 0.08^2 = 0.04; error sqrt(0.04 / 24 / 25)."""
        champion = np.linspace(0.1, 0.9, 25)
        candidate = champion - np.repeat([0.0, 0.1], [20, 5])
        found = rules.quality(
            "plain", "plain NDCG@10", judged(candidate), judged(champion), "the champion", GateParams()
        )
        error = math.sqrt(0.04 / 24 / 25)
        assert not found.passed
        assert found.difference == pytest.approx(-0.02)
        assert found.stderr == pytest.approx(error)
        assert found.limit == pytest.approx(-1.96 * error)
        assert found.candidate == pytest.approx(0.48)
        assert found.champion == pytest.approx(0.5)
        assert found.words == "plain NDCG@10 0.480, 0.0200 ± 0.0160 below the champion: worse beyond error"
        lenient = rules.quality("plain", "NDCG", judged(candidate), judged(champion), "it", GateParams(z=2.5))
        assert lenient.passed, "2.5 * 0.00816 = 0.0204"
        assert lenient.words.endswith("below it: within error")

    def test_everybody_a_little_worse_is_no_chance(self) -> None:
        half, quarter = judged([0.5] * 20), judged([0.25] * 20)
        found = rules.quality("plain", "NDCG", quarter, half, "the champion", GateParams())
        assert (found.passed, found.difference, found.stderr) == (False, -0.25, 0.0)
        assert rules.quality("plain", "NDCG", half, quarter, "the champion", GateParams()).words == (
            "NDCG 0.500, 0.2500 ± 0.0000 above the champion: better beyond error"
        )

    def test_few_people_tell_nothing(self) -> None:
        params = GateParams(min_people=20)
        for people, words in ((19, "only 19 people"), (1, "only 1 person"), (0, "nobody")):
            found = rules.quality("plain", "NDCG", judged([0.0] * people), judged([1.0] * people), "it", params)
            assert found == Check("plain", True, f"NDCG: {words} to judge by, too few to tell")
        assert not rules.quality("plain", "NDCG", judged([0.0] * 20), judged([1.0] * 20), "it", params).passed


class TestRails:
    def test_coverage(self) -> None:
        params = GateParams(coverage_share=0.8)
        assert rules.coverage(80, 100, "the champion", params).passed
        low = rules.coverage(79, 100, "the champion", params)
        assert not low.passed
        assert low.words == "coverage 79 titles, below the limit of 80 (80% of the champion's 100)"

    def test_size(self) -> None:
        params = GateParams(max_bundle_mb=100)
        assert rules.size(100.0, 20.0, params).passed
        large = rules.size(100.1, 20.0, params)
        assert (large.passed, large.limit) == (False, 100)
        assert large.difference == pytest.approx(80.1)
        assert large.words == "size 100.1 MB, above the limit of 100 MB"

    @pytest.mark.parametrize(
        ("candidate", "champion", "limit", "why"),
        [
            (20.1, 10.0, 20.0, "2 times the champion's 10.00 ms"),
            (5.1, 1.0, 5.0, "always allowed; the champion takes 1.00 ms"),
            (100.1, 90.0, 100.0, "for any bundle"),
            (100.1, None, 100.0, "for any bundle"),
        ],
    )
    def test_time(self, candidate: float, champion: float | None, limit: float, why: str) -> None:
        params = GateParams(time_ratio=2, time_floor_ms=5, max_time_ms=100)
        slow = rules.time_per_list(candidate, champion, params)
        assert (slow.passed, slow.limit) == (False, limit)
        assert slow.words.endswith(f"ms per list, above the limit of {limit:g} ms ({why})")
        assert rules.time_per_list(limit, champion, params).passed

    def test_full_lists(self) -> None:
        ten, seven = list(range(10)), list(range(7))
        assert rules.full_lists([ten, ten], None, 10).passed
        short = rules.full_lists([ten, seven], None, 10)
        assert (short.passed, short.candidate) == (False, 1)
        assert short.words == "1 person would get fewer than 10 titles"
        assert rules.full_lists([seven], [seven], 10).passed, "somebody may have seen nearly all there is"
        beside = rules.full_lists([seven, seven], [ten, seven], 10)
        assert not beside.passed
        assert beside.words == "1 person would get fewer than 10 titles, and fewer than from the champion"


class TestDecision:
    def test_the_reason_stands_first(self) -> None:
        checks = [Check("plain", True, "plain is well"), Check("size", False, "size is too large")]
        verdict = rules.decide(checks, 30, "aaa", "bbb", GateParams())
        assert not verdict.promote
        assert verdict.words == "Rejected: size is too large. The other checks passed: plain is well."

    def test_everything_passed(self) -> None:
        verdict = rules.decide([Check("plain", True, "plain is well")], 30, "aaa", "bbb", GateParams())
        assert verdict.promote
        assert verdict.words == (
            "Promoted: for 30 people it is no worse than the champion bbb beyond error, and it is inside the guard "
            "rails. The checks: plain is well."
        )
        assert (verdict.candidate_version, verdict.champion_version) == ("aaa", "bbb")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("z: -1", "gate.z must be at least 0"),
        ("max_time_ms: 0", "gate.max_time_ms must be more than 0"),
        ("short_entries: 0", "gate.short_entries must be at least 1"),
        ("time_ratio: .nan", "gate.time_ratio must be at least 0"),
        ("stderr: 2", "no parameter gate.stderr"),
    ],
)
def test_bad_limits_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(f"gate:\n  {text}\n")
    with pytest.raises(InputError) as caught:
        read_params(path)
    assert reason in str(caught.value)
