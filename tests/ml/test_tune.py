"""The tuning script: trials are kept, found again, and compared person by person."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from ml.training.params import Params
from ml.types import InputError
from tests.ml.conftest import small_params

SCRIPT = Path(__file__).parents[2] / "scripts" / "tune.py"


def _loaded() -> ModuleType:
    # A script, not part of a package: loaded from its file.
    spec = importlib.util.spec_from_file_location("tune", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


tune = _loaded()


@pytest.fixture
def params_file(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps(small_params().as_dict()))))
    return path


def trial(plain: dict[int, float], discovery: dict[int, float], values: dict | None = None) -> Any:
    """A trial that all views agree on, as far as their mode goes."""
    ndcg = {view: plain if mode == "plain" else discovery for view, (mode, _, _) in tune.VIEWS.items()}
    return tune.Trial(values or {}, ndcg)


def test_the_objective_is_the_weighted_mean_of_the_views() -> None:
    one = trial({1: 0.2, 2: 0.4}, {1: 0.6})
    assert one.means == pytest.approx(
        {"plain": 0.3, "discovery": 0.6, "plain, 3 shown": 0.3, "discovery, 3 shown": 0.6}
    )
    assert one.objective == pytest.approx((0.3 + 0.6 + 0.15 + 0.3) / 3)


def test_trials_are_compared_person_by_person() -> None:
    before, after = trial({1: 0.2, 2: 0.4}, {1: 0.6}), trial({1: 0.4, 2: 0.4}, {1: 0.6})
    # Plain counts half of all. Person 1 gained 0.2 there, person 2 nothing: 0.1 and 0, mean 0.05, error 0.05.
    assert after.against(before) == (pytest.approx(0.05), pytest.approx(0.05))
    assert after.against(before)[0] == pytest.approx(after.objective - before.objective)
    # Who has nothing to find in one view counts in the others; the mean stays that of the objectives.
    better = trial({1: 0.2, 2: 0.4}, {1: 0.9})
    assert better.against(before)[0] == pytest.approx(better.objective - before.objective)


def test_the_space_holds_parameters_and_values_that_training_accepts() -> None:
    start = Params()
    for space in tune.SPACE.values():
        for name, grid in space.items():
            assert len(set(grid)) == len(grid) > 1, name
            for value in grid:
                assert tune.changed(start, {name: value}) is not None


def test_values_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(InputError, match=r"^ease.franchise_prior must be at least 0 and less than ease.ridge"):
        tune.changed(Params(), {"ease.ridge": 50.0, "ease.franchise_prior": 60.0})


def test_coordinates_keep_what_is_clearly_better() -> None:
    reached = {60.0: 0.5, 200.0: 0.6}

    def run(values: dict) -> Any:
        gain = reached.get(values.get("ease.ridge", 130.0), 0.0)
        if values.get("ease.dropout") == 0.2:
            return None
        return trial({1: gain + 0.1, 2: gain + 0.1}, {1: 0.1, 2: 0.1}, values)

    space = {"ease.ridge": (60.0, 130.0, 200.0), "ease.dropout": (0.0, 0.1, 0.2)}
    tried = [one.values for one in tune.coordinates(space, run, Params())]
    assert tried == [
        {},
        {"ease.ridge": 60.0},
        {"ease.ridge": 130.0},
        {"ease.ridge": 200.0},
        {"ease.ridge": 200.0, "ease.dropout": 0.0},
    ], "130 only once 60 stands in its place; 0.1 is the value that stands already; 0.2 is refused"


def test_random_trials_follow_the_seed() -> None:
    def drawn(seed: int) -> list[dict]:
        search = tune.at_random(tune.SPACE["linear"], lambda values: trial({1: 0.0}, {1: 0.0}, values), seed)
        return [next(search).values for _ in range(4)]

    assert drawn(1) == drawn(1)
    assert drawn(1)[0] == {}
    assert drawn(1)[1:] != drawn(2)[1:]


@pytest.mark.parametrize("search", ["coordinate", "random"])
def test_going_on_runs_only_what_is_new(
    fandoms_dir: Path, tmp_path: Path, params_file: Path, capsys: pytest.CaptureFixture[str], search: str
) -> None:
    out = tmp_path / "results.jsonl"
    common = ["--data", str(fandoms_dir), "--out", str(out), "--params", str(params_file), "--search", search]
    assert tune.main([*common, "--trials", "2"]) == 0
    first, shown = out.read_text(), capsys.readouterr().out
    assert len(first.splitlines()) == 2
    assert shown.splitlines()[0].endswith("the parameters as they are")
    out.write_text(first + '{"key": "cut off')
    assert tune.main([*common, "--trials", "3"]) == 0
    assert out.read_text().startswith(first)
    assert len(out.read_text().splitlines()) == 3
    assert capsys.readouterr().out.splitlines()[:2] == shown.splitlines()[:2]
    record = json.loads(first.splitlines()[1])
    assert set(record["values"]) <= set(tune.SPACE["linear"])
    assert record["means"].keys() == tune.VIEWS.keys()
    assert all(0 <= value <= 1 for own in record["ndcg"].values() for value in own.values())


def test_the_ranker_is_tuned_over_the_parts_as_they_are(
    fandoms_dir: Path, tmp_path: Path, params_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results.jsonl"
    common = ["--data", str(fandoms_dir), "--out", str(out), "--params", str(params_file)]
    assert tune.main([*common, "--trials", "1"]) == 0
    assert tune.main([*common, "--trials", "2", "--stage", "ranker"]) == 0
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert [record["stage"] for record in records] == ["linear", "ranker", "ranker"]
    assert len({record["key"] for record in records}) == 3
    assert records[0]["means"] != records[1]["means"], "the full list is not the blend"


def test_interrupting_keeps_what_was_reached(fandoms_dir: Path, tmp_path: Path, params_file: Path) -> None:
    out = tmp_path / "results.jsonl"
    command = [sys.executable, str(SCRIPT), "--data", str(fandoms_dir), "--out", str(out)]
    process = subprocess.Popen(
        [*command, "--params", str(params_file), "--search", "random", "--trials", "100000"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        while not out.exists() or len(out.read_text().splitlines()) < 2:
            assert process.poll() is None, process.communicate()
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130, stderr
    assert stderr == ""
    assert "interrupted; what was tried stands in" in stdout
    assert "beside the parameters as they are" in stdout
    assert tune.Results(out) is not None


@pytest.mark.parametrize(
    ("content", "reason"),
    [("not JSON\n", "line 1: not a result of this program"), ('{"key": "x"}\n', "line 1: not a result")],
)
def test_a_file_of_something_else_is_left_alone(
    fandoms_dir: Path,
    tmp_path: Path,
    params_file: Path,
    capsys: pytest.CaptureFixture[str],
    content: str,
    reason: str,
) -> None:
    out = tmp_path / "notes.txt"
    out.write_text(content)
    arguments = ["--data", str(fandoms_dir), "--out", str(out), "--params", str(params_file)]
    assert tune.main(arguments) == 2
    assert reason in capsys.readouterr().err
    assert out.read_text() == content


def test_a_place_that_cannot_be_written_is_said_at_once(
    fandoms_dir: Path, tmp_path: Path, params_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "nowhere" / "results.jsonl"
    assert tune.main(["--data", str(fandoms_dir), "--out", str(out), "--params", str(params_file)]) == 2
    assert "nowhere: no such directory" in capsys.readouterr().err
