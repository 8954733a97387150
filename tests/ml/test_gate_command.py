"""The command `gate`: the verdict as a file and in words, and bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ml.artifacts import read_manifest
from ml.cli.main import main
from tests.ml.gate_world import PEOPLE, fans, mixed_up, rebuilt
from tests.ml.worlds import write_ratings

NAMES = ["plain", "discovery", "short", "cold", "coverage", "size", "time", "full_lists"]
KEYS = {"promote", "words", "people", "checks", "candidate_version", "champion_version"}
CHECK_KEYS = {"name", "passed", "candidate", "champion", "difference", "stderr", "limit", "words"}


@pytest.fixture(scope="module")
def bad_bundle(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rebuilt(bundle, tmp_path_factory.mktemp("gate") / "bad", mixed_up)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Profiles and held-out likes as files."""
    result = {}
    for name, people in zip(("profiles", "heldout"), fans(), strict=True):
        rows = [(person, anime_id, rating) for person, own in people.items() for anime_id, rating in own.items()]
        result[name] = write_ratings(tmp_path / f"{name}.csv", list(rows))
    return result


@pytest.fixture
def patient(tmp_path: Path) -> Path:
    """Limits that a busy machine does not reach."""
    path = tmp_path / "patient.yaml"
    path.write_text("gate:\n  time_floor_ms: 60000\n  max_time_ms: 60000\n")
    return path


def run(candidate: Path, files: dict[str, Path], out: Path, *more: object) -> int:
    arguments = ("gate", "--candidate", candidate, "--profiles", files["profiles"], "--heldout", files["heldout"])
    return main([str(argument) for argument in (*arguments, "--out", out, *more)])


class TestCommand:
    def test_a_verdict_is_written_and_told(
        self,
        bundle: Path,
        bad_bundle: Path,
        files: dict[str, Path],
        patient: Path,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        out = tmp_path / "verdict.json"
        out.write_text("the verdict of yesterday")
        assert run(bundle, files, out, "--champion", bad_bundle, "--params", patient, "--progress", "json") == 0
        stdout, stderr = capsys.readouterr()
        verdict = json.loads(out.read_text(encoding="utf-8"))
        assert verdict.keys() == KEYS
        assert [one["name"] for one in verdict["checks"]] == NAMES
        assert all(one.keys() == CHECK_KEYS for one in verdict["checks"])
        assert (verdict["promote"], verdict["people"]) == (True, PEOPLE)
        assert verdict["candidate_version"] == read_manifest(bundle).version
        assert verdict["champion_version"] == read_manifest(bad_bundle).version
        assert stdout == verdict["words"] + "\n"
        megabytes = sum(path.stat().st_size for path in bundle.glob("*.npy")) / 1e6
        assert verdict["checks"][5]["candidate"] == pytest.approx(megabytes)
        steps = [json.loads(line) for line in stderr.splitlines()]
        assert {step["stage"] for step in steps} == {"gate"}
        percents = [step["percent"] for step in steps]
        assert percents == sorted(percents)
        assert (percents[0], percents[-1]) == (0, 100)

    def test_a_rejected_candidate_is_no_error(
        self, bundle: Path, bad_bundle: Path, files: dict[str, Path], tmp_path: Path
    ) -> None:
        out = tmp_path / "verdict.json"
        assert run(bad_bundle, files, out, "--champion", bundle, "--progress", "none") == 0
        verdict = json.loads(out.read_text(encoding="utf-8"))
        assert verdict["promote"] is False
        assert verdict["words"].startswith("Rejected: plain NDCG@10")

    def test_the_limits_are_parameters(self, bundle: Path, files: dict[str, Path], tmp_path: Path) -> None:
        params, out = tmp_path / "params.yaml", tmp_path / "verdict.json"
        params.write_text("gate:\n  max_bundle_mb: 0.001\n  max_time_ms: 60000\n")
        assert run(bundle, files, out, "--params", params, "--progress", "none") == 0
        verdict = json.loads(out.read_text(encoding="utf-8"))
        assert verdict["words"].startswith("Rejected: size 0.")
        assert verdict["champion_version"] is None

    def test_a_new_site_has_nobody_to_judge_by(self, bundle: Path, patient: Path, tmp_path: Path) -> None:
        files = {name: write_ratings(tmp_path / f"{name}.csv", []) for name in ("profiles", "heldout")}
        out = tmp_path / "verdict.json"
        assert run(bundle, files, out, "--params", patient, "--progress", "none") == 0
        verdict = json.loads(out.read_text(encoding="utf-8"))
        assert (verdict["promote"], verdict["people"]) == (True, 0)
        assert "too few to tell" in verdict["words"]

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (("--champion", "nowhere"), "nowhere is not a bundle"),
            (("--profiles", "nowhere.csv"), "nowhere.csv: no such file"),
            (("--heldout", "bad.csv"), "bad.csv, line 2: rating is 11"),
            (("--params", "bad.yaml"), "gate.min_people must be at least 2"),
            (("--out", "nowhere/verdict.json"), "nowhere: no such directory"),
        ],
    )
    def test_bad_input_is_one_line_and_nothing_is_written(
        self,
        bundle: Path,
        files: dict[str, Path],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        arguments: tuple[str, str],
        reason: str,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        write_ratings(tmp_path / "bad.csv", [(1, 1000, 11)])
        (tmp_path / "bad.yaml").write_text("gate:\n  min_people: 1\n")
        out = tmp_path / "verdict.json"
        out.write_text("the verdict of yesterday")
        assert run(bundle, files, out, "--progress", "none", *arguments) == 2
        stdout, stderr = capsys.readouterr()
        assert stdout == ""
        (line,) = stderr.splitlines()
        assert reason in line
        assert out.read_text() == "the verdict of yesterday"
