"""The command line: what it writes, and that bad input is one line, exit code 2 and nothing written."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path

import pytest
import yaml

from ml.artifacts import read_manifest
from ml.cli.main import main
from ml.cli.progress import TRAIN_SPANS, make_progress, overall_percent
from ml.serving import Recommender
from tests.ml.conftest import small_params
from tests.ml.worlds import write_csv, write_ratings


@pytest.fixture(scope="session")
def params_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("params") / "params.yaml"
    values = json.loads(json.dumps(small_params().as_dict()))
    path.write_text(yaml.safe_dump(values))
    return path


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    rows = [(7, 1000, 9), (7, 1002, 10), (7, 424242, 5), (12, 3000, 8), (12, 3001, -1)]
    return write_ratings(tmp_path / "profiles.csv", list(rows))


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def lists_in(path: Path) -> dict[int, list[int]]:
    result: dict[int, list[int]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert reader.fieldnames == ["user_id", "rank", "anime_id", "score"]
    for row in rows:
        listed = result.setdefault(int(row["user_id"]), [])
        listed.append(int(row["anime_id"]))
        assert int(row["rank"]) == len(listed)
        float(row["score"])
    return result


def test_train_writes_a_bundle_and_tells_a_program_how_far_it_is(
    fandoms_dir: Path, tmp_path: Path, params_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bundle"
    assert run("train", "--data", fandoms_dir, "--out", out, "--params", params_file, "--progress", "json") == 0
    stdout, stderr = capsys.readouterr()
    assert read_manifest(out).version in stdout
    steps = [json.loads(line) for line in stderr.splitlines()]
    assert {"stage", "percent", "message", "seconds"} == steps[0].keys()
    (measured,) = [step["metrics"] for step in steps if "metrics" in step]
    assert measured == read_manifest(out).content["metrics"]
    percents = [step["percent"] for step in steps if "percent" in step]
    assert percents == sorted(percents)
    assert percents[-1] == 100


def test_same_seed_same_lists_another_seed_another_split(
    fandoms_dir: Path, tmp_path: Path, params_file: Path, profiles: Path
) -> None:
    """Without the network, which compiles for long: its seed is under contract with the other models'."""
    values = yaml.safe_load(params_file.read_text())
    values["neural"]["enabled"] = False
    params_file = tmp_path / "params.yaml"
    params_file.write_text(yaml.safe_dump(values))
    written = []
    for number, seed in enumerate((3, 3, 4)):
        bundle, out = tmp_path / f"b{number}", tmp_path / f"{number}.csv"
        train = ("train", "--data", fandoms_dir, "--out", bundle, "--params", params_file, "--progress", "none")
        assert run(*train, "--seed", seed) == 0
        assert run("recommend", "--bundle", bundle, "--profiles", profiles, "--out", out) == 0
        written.append((out.read_bytes(), read_manifest(bundle).content["metrics"]))
    assert written[0] == written[1]
    assert written[0][1] != written[2][1]


def test_recommend_writes_a_list_for_everybody(
    bundle: Path, profiles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "recs.csv"
    assert run("recommend", "--bundle", bundle, "--profiles", profiles, "--out", out) == 0
    lists = lists_in(out)
    assert {person: len(listed) for person, listed in lists.items()} == {7: 10, 12: 10}
    assert {1000, 1002}.isdisjoint(lists[7])
    assert {3000, 3001}.isdisjoint(lists[12])
    assert "1 entries of titles that the bundle does not know" in capsys.readouterr().err


def test_recommend_with_every_option(bundle: Path, profiles: Path, tmp_path: Path, served: Recommender) -> None:
    out = tmp_path / "recs.csv"
    candidates = write_csv(tmp_path / "candidates.csv", ("anime_id",), [(n,) for n in (1004, 1005, 2000, 2001, 3004)])
    common = ("recommend", "--bundle", bundle, "--profiles", profiles, "--out", out, "--candidates", candidates)
    dials = ("--k", 3, "--balance", 0.4, "--novelty", 0.3, "--diversity", 0.2, "--franchise", "new")
    assert run(*common, *dials) == 0
    lists = lists_in(out)
    assert {person: sorted(listed) for person, listed in lists.items()} == {
        7: [1004, 2000, 3004],
        12: [1004, 2000, 3004],
    }
    for name in served.model_names:
        assert run(*common, "--model", name) == 0
        assert Counter(map(len, lists_in(out).values())) == {5: 2}
    assert run(*common, "--franchise", "next") == 0
    assert lists_in(out) == {}, "none of the candidates is a next part of anything watched"


def test_excluded_titles_are_ranked_by_content(
    fandoms_dir: Path, tmp_path: Path, params_file: Path, profiles: Path
) -> None:
    new = write_csv(tmp_path / "new.csv", ("anime_id",), [(1010,), (2010,), (3010,)])
    bundle, out = tmp_path / "bundle", tmp_path / "recs.csv"
    train = ("train", "--data", fandoms_dir, "--out", bundle, "--params", params_file, "--exclude-items", new)
    assert run(*train, "--progress", "none") == 0
    assert run("recommend", "--bundle", bundle, "--profiles", profiles, "--out", out, "--candidates", new) == 0
    assert {person: listed[0] for person, listed in lists_in(out).items()} == {7: 1010, 12: 3010}


def test_evaluate_judges_every_model(
    bundle: Path, tmp_path: Path, served: Recommender, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = write_ratings(tmp_path / "shown.csv", [(1, 1000, 9), (1, 1002, 9), (2, 2000, 9), (2, 2002, 9)])
    heldout = write_ratings(tmp_path / "heldout.csv", [(1, 1004, 9), (1, 2004, 2), (2, 2004, 10), (3, 1000, 9)])
    out = tmp_path / "table.json"
    arguments = ("--bundle", bundle, "--profiles", shown, "--heldout", heldout, "--out", out)
    assert run("evaluate", *arguments) == 0
    written = json.loads(out.read_text())
    rows = written["rows"]
    assert {(row["model"], row["mode"]) for row in rows} == {
        (model, mode) for model in served.model_names for mode in ("plain", "discovery")
    }
    assert {row["people"] for row in rows} == {2}
    assert all(0 <= row["ndcg"] <= 1 for row in rows)
    table = capsys.readouterr().out
    assert "ndcg_stderr" in table
    assert len(table.partition("\n\n")[0].splitlines()) == 1 + len(rows) + len(written["ablations"])
    assert "fusion without content" in table


def test_evaluate_fills_a_model_card_and_draws_a_picture(
    bundle: Path, fandoms_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = write_ratings(tmp_path / "shown.csv", [(1, 1000, 9), (2, 2000, 9), (2, 2002, 9)])
    heldout = write_ratings(tmp_path / "heldout.csv", [(1, 1004, 9), (2, 2004, 10)])
    card, picture = tmp_path / "card.md", tmp_path / "picture.svg"
    card.write_text("# Card\n\n<!-- figures -->\n<!-- /figures -->\n\nThe end.\n")
    common = ("evaluate", "--bundle", bundle, "--profiles", shown, "--heldout", heldout, "--card", card)
    assert run(*common, "--data", fandoms_dir, "--picture", picture, "--markdown") == 0
    section = capsys.readouterr().out.strip()
    assert card.read_text() == f"# Card\n\n<!-- figures -->\n\n{section}\n\n<!-- /figures -->\n\nThe end.\n"
    assert section.count("| **full list** |") == 4, "two modes, everybody and by size"
    assert "### No rating" in section
    assert picture.read_text().startswith("<svg ")
    assert run(*common, "--section", "few-ratings") == 2
    assert "the marks <!-- few-ratings --> and <!-- /few-ratings --> are missing" in only_line(capsys)
    assert section in card.read_text(), "a card is filled or left as it was"


def test_inspect_says_what_is_in_a_bundle(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("inspect", "--bundle", bundle) == 0
    text = capsys.readouterr().out
    assert read_manifest(bundle).version in text
    assert "of 240 members; 36 of 39 titles are on somebody's list" in text
    assert "plain ndcg@10" in text
    assert "what people would rate" in text
    assert "rating rmse" in text


def test_stages_give_the_same_bundle_as_train(
    fandoms_dir: Path, bundle: Path, tmp_path: Path, params_file: Path
) -> None:
    work, out = tmp_path / "work", tmp_path / "bundle"
    stages = (
        ("validate", "--data", fandoms_dir),
        ("prepare", "--data", fandoms_dir),
        ("fit", "content"),
        ("fit", "popularity"),
        ("fit", "ease"),
        ("fit", "ratings"),
        ("fit", "recommender_net"),
        ("fuse",),
        ("evaluate",),
        ("bundle", "--out", out),
    )
    for stage in stages:
        common = ("--work", work, "--params", params_file, "--progress", "none")
        assert run("stage", *stage, *common) == 0, stage
    assert json.loads((work / "validate.json").read_text())["members"] == 240
    trained, staged = read_manifest(bundle).content, read_manifest(out).content
    assert staged["files"] == trained["files"]
    assert staged["metrics"] == trained["metrics"]
    curves = [content["learning"]["recommender_net"] for content in (trained, staged)]
    assert [curve["ndcg"] for curve in curves] == [curves[0]["ndcg"]] * 2
    assert len(curves[0]["loss"]) == len(curves[0]["ndcg"]) == len(curves[0]["seconds"]) >= curves[0]["best_epoch"]
    assert {path.suffix for path in work.rglob("*") if path.is_file()} == {".npy", ".json"}


def test_without_the_network_everything_else_is_there(
    fandoms_dir: Path, tmp_path: Path, profiles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = json.loads(json.dumps(small_params().as_dict()))
    values["neural"]["enabled"] = False
    values["ranker"]["folds"] = 0
    params, bundle, work = tmp_path / "params.yaml", tmp_path / "bundle", tmp_path / "work"
    params.write_text(yaml.safe_dump(values))
    common = ("--params", params, "--progress", "none")
    assert run("train", "--data", fandoms_dir, "--out", bundle, *common) == 0
    trained = read_manifest(bundle).content
    assert not [name for name in trained["files"] if name.startswith("recommender_net")]
    assert trained["learning"] == {"recommender_net": {"left_out": "neural.enabled is false"}}
    recommend = ("recommend", "--bundle", bundle, "--profiles", profiles, "--out", tmp_path / "recs.csv")
    assert run(*recommend) == 0
    capsys.readouterr()
    assert run(*recommend, "--model", "recommender_net") == 2
    assert "no model 'recommender_net'" in only_line(capsys)
    fits = [("fit", name) for name in ("content", "popularity", "ease", "ratings", "recommender_net")]
    for stage in (("prepare", "--data", fandoms_dir), *fits, ("fuse",), ("evaluate",)):
        assert run("stage", *stage, "--work", work, *common) == 0, stage
    assert run("stage", "bundle", "--out", tmp_path / "staged", "--work", work, *common) == 0
    staged = read_manifest(tmp_path / "staged").content
    assert (staged["files"], staged["learning"]) == (trained["files"], trained["learning"])


def test_a_stage_before_its_time_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("stage", "fit", "ease", "--work", tmp_path) == 2
    assert "prepared: missing; run the stages before this one first" in capsys.readouterr().err


def only_line(capsys: pytest.CaptureFixture[str]) -> str:
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    (line,) = stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("user_id,anime_id,rating\n1,1000,9\n1,1001,11\n", "profiles.csv, line 3: rating is 11"),
        ("user_id,anime_id,rating\n1,abc,9\n", "profiles.csv, line 2: anime_id is 'abc'"),
        ("user_id,title\n1,Naruto\n", "profiles.csv, line 1: no column anime_id, rating"),
        ("", "profiles.csv, line 1: no column"),
        ("%PDF-1.4 nothing to see", "profiles.csv: is not a CSV file"),
    ],
)
def test_a_bad_profile_is_one_line_and_nothing_is_written(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, reason: str
) -> None:
    path, out = tmp_path / "profiles.csv", tmp_path / "recs.csv"
    path.write_text(content)
    out.write_text("the lists of yesterday")
    assert run("recommend", "--bundle", bundle, "--profiles", path, "--out", out) == 2
    assert reason in only_line(capsys)
    assert out.read_text() == "the lists of yesterday"
    assert {entry.name for entry in tmp_path.iterdir()} == {"profiles.csv", "recs.csv"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--k", 0), "k must be at least 1"),
        (("--balance", 1.5), "balance must lie between 0 and 1"),
        (("--balance", "nan"), "balance must lie between 0 and 1"),
        (("--model", "oracle"), "no model 'oracle'; there are ranker, fusion, ease, content, popularity"),
        (("--candidates", "nowhere.csv"), "nowhere.csv: no such file"),
        (("--out", "nowhere/recs.csv"), "nowhere: no such directory"),
        (("--bundle", "nowhere"), "nowhere is not a bundle"),
    ],
)
def test_bad_options_are_one_line(
    bundle: Path, profiles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple, reason: str
) -> None:
    out = tmp_path / "recs.csv"
    common = ("recommend", "--bundle", bundle, "--profiles", profiles, "--out", out)
    assert run(*common, *arguments) == 2
    assert reason in only_line(capsys).replace(str(tmp_path), "")
    assert not out.exists()


def test_train_refuses_to_overwrite_a_bundle_before_it_reads_anything(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("train", "--data", tmp_path / "nowhere", "--out", bundle) == 2
    assert "exists already; a bundle is never changed" in only_line(capsys)


def test_bad_training_data_leaves_no_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    data.mkdir()
    write_ratings(data / "rating.csv", [(1, 1, 8)])
    assert run("train", "--data", data, "--out", tmp_path / "bundle", "--progress", "none") == 2
    assert "anime.csv: no such file" in only_line(capsys)
    assert not (tmp_path / "bundle").exists()


def test_nobody_to_judge(bundle: Path, profiles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heldout = write_ratings(tmp_path / "heldout.csv", [(7, 1004, 3), (99, 1004, 10)])
    assert run("evaluate", "--bundle", bundle, "--profiles", profiles, "--heldout", heldout) == 2
    assert "liked anything that is held out" in only_line(capsys)


def test_training_goes_forward_only() -> None:
    order = [("read", 0), ("read", 20), ("prepare", 0), ("content", 0), ("ease", 0), ("ease", 40)]
    order += [
        ("network", 0),
        ("network", 49),
        ("fuse", 5),
        ("fuse", 100),
        ("rank", 0),
        ("rank", 80),
        ("ratings", 0),
        ("evaluate", 0),
        ("ease", 50),
        ("ease", 90),
        ("network", 50),
        ("network", 99),
        ("ratings", 50),
        ("bundle", 0),
        ("bundle", 100),
    ]
    percents = [overall_percent(stage, percent) for stage, percent in order]
    assert percents == sorted(percents)
    assert percents[0] == 0
    assert percents[-1] == 100
    assert {stage for stage, _ in order} == set(TRAIN_SPANS)


def test_a_terminal_gets_a_bar_and_a_file_gets_lines() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        progress = make_progress("auto", stream)
        progress("content", 0, "reading")
        progress("bundle", 100, "wrote it")
    assert terminal.getvalue().count("\n") == 1
    assert "[####" in terminal.getvalue()
    assert file.getvalue().splitlines() == ["  5%  content: reading", "100%  bundle: wrote it"]
