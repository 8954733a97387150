"""Counting who watched what together: in one piece, by shards of people, and training on what was counted."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from ml.artifacts import open_arrays, read_manifest
from ml.cli.main import main
from ml.models.taste import TasteWeights
from ml.reading import read_dataset
from ml.training import gram
from ml.training.data import Members
from ml.training.gram import Gram, add_grams, open_gram, triangle_size, write_gram
from ml.types import InputError
from tests.ml import worlds

PARAMS = """
holdout: {min_entries: 5}
ease: {ridge: 20.0, franchise_prior: 5.0, keep: 50}
ranker: {folds: 0}
neural: {enabled: false}
"""
HEADER = ("user_id", "anime_id", "rating")


@pytest.fixture(scope="module")
def params(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("params") / "params.yaml"
    file.write_text(PARAMS)
    return file


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return worlds.write_fandoms(tmp_path_factory.mktemp("world") / "data")


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several blocks of every matrix, none of them whole."""
    monkeypatch.setattr(gram, "BLOCK_TITLES", 7)
    monkeypatch.setattr(gram, "BLOCK_NUMBERS", 100)


def counted(data: Path, ratings: Path, out: Path, *more: str) -> Gram:
    assert main(["gram", "--data", str(data), "--ratings", str(ratings), "--out", str(out), *more]) == 0
    return open_gram(out)


def split(data: Path, folder: Path, shards: int) -> list[Path]:
    """The members of a world, dealt out to so many ratings files."""
    with (data / "rating.csv").open(encoding="utf-8", newline="") as file:
        rows = [tuple(row.values()) for row in csv.DictReader(file)]
    return [
        worlds.write_ratings(folder / f"{shard}.csv", [row for row in rows if hash(int(row[0])) % shards == shard])
        for shard in range(shards)
    ]


def whole(one: Gram) -> np.ndarray:
    return one.among(np.arange(one.header.titles))


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main([*arguments]) == 2
    return capsys.readouterr().err


def test_a_matrix_worked_out_by_hand(tmp_path: Path) -> None:
    world = tmp_path / "data"
    world.mkdir()
    titles: list[tuple[object, ...]] = [
        (anime_id, f"Title {anime_id}", "Drama", "TV", 1, 7, 5) for anime_id in (3, 5, 8)
    ]
    worlds.write_csv(world / "anime.csv", worlds.ANIME_COLUMNS, titles)
    ratings = tmp_path / "part.csv"
    rows = [(1, 3, 9, "completed"), (1, 8, 7, "completed"), (1, 99, 1, "completed"), (2, 3, -1, "watching")]
    # What is only planned is not counted, and whoever has nothing else is nobody.
    rows += [(2, 8, -1, "planned"), (3, 5, -1, "planned")]
    worlds.write_csv(ratings, (*HEADER, "status"), list(rows))
    file = tmp_path / "params.yaml"
    file.write_text("prior_mean_rating: 5.0\nease: {rating_weight: 0.5, unrated: 0.25, prior_weight: 0.0}\n")
    one = counted(world, ratings, tmp_path / "one.gram", "--params", str(file))
    assert (one.header.members, one.header.entries, one.counts.tolist()) == (2, 3, [2, 0, 1])
    # Member 1: mean 8, so 3 weighs 1 + 0.5 * (9 - 8) / 2 = 1.25 and 8 weighs 0.75. Member 2: 3 weighs 0.25.
    expected = [[1.25**2 + 0.25**2, 0, 1.25 * 0.75], [0, 0, 0], [1.25 * 0.75, 0, 0.75**2]]
    np.testing.assert_array_equal(whole(one), np.array(expected, dtype=np.float32))
    np.testing.assert_array_equal(
        one.among(np.array([0, 2])), np.array(expected, dtype=np.float32)[[0, 2]][:, [0, 2]]
    )


def test_counting_is_the_product_with_the_transpose() -> None:
    entries = sp.random_array((90, 40), density=0.2, rng=np.random.default_rng(3), dtype=np.float32).tocsr()
    dense = entries.toarray().astype(np.float64)
    np.testing.assert_allclose(gram.count(entries), dense.T @ dense, rtol=1e-6)


@pytest.mark.parametrize("shards", [1, 2, 3, 60])
def test_shards_in_any_split_add_up_to_the_whole(shards: int, data: Path, params: Path, tmp_path: Path) -> None:
    single = counted(data, data / "rating.csv", tmp_path / "single.gram", "--params", str(params))
    files = []
    for number, ratings in enumerate(split(data, tmp_path, shards)):
        files.append(tmp_path / f"{number}.gram")
        counted(data, ratings, files[-1], "--params", str(params))
    assert main(["gram", "--add", *map(str, files), "--out", str(tmp_path / "sum.gram")]) == 0
    total = open_gram(tmp_path / "sum.gram")
    np.testing.assert_allclose(whole(total), whole(single), rtol=1e-5)
    np.testing.assert_array_equal(total.counts, single.counts)
    assert (total.header.members, total.header.entries) == (240, single.header.entries)
    # A sum is a shard of its own: the next night's can be added to it.
    assert len(total.header.sources) == shards


def test_training_on_what_was_counted_is_training_on_the_lists(data: Path, params: Path, tmp_path: Path) -> None:
    files = []
    for number, ratings in enumerate(split(data, tmp_path, 3)):
        files.append(tmp_path / f"{number}.gram")
        counted(data, ratings, files[-1], "--params", str(params))
    add_grams(files, tmp_path / "sum.gram")
    train = ["train", "--data", str(data), "--params", str(params), "--progress", "none"]
    assert main([*train, "--out", str(tmp_path / "plain")]) == 0
    assert main([*train, "--out", str(tmp_path / "summed"), "--gram", str(tmp_path / "sum.gram")]) == 0
    plain, summed = ease_of(tmp_path / "plain"), ease_of(tmp_path / "summed")
    np.testing.assert_allclose(summed, plain, atol=2e-4 * np.abs(plain).max())


def test_ease_learns_from_all_where_the_data_hold_a_sample(
    data: Path, params: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = tmp_path / "sample"
    sample.mkdir()
    for name in ("anime.csv", "anime_with_synopsis.csv", "franchises.json"):
        (sample / name).write_bytes((data / name).read_bytes())
    (sample / "rating.csv").write_bytes(split(data, tmp_path, 4)[0].read_bytes())
    counted(data, data / "rating.csv", tmp_path / "all.gram", "--params", str(params))
    train = ["train", "--params", str(params), "--progress", "none"]
    assert main([*train, "--data", str(data), "--out", str(tmp_path / "of-all")]) == 0
    assert main([*train, "--data", str(sample), "--out", str(tmp_path / "of-sample")]) == 0
    gram_option = ["--gram", str(tmp_path / "all.gram")]
    assert main([*train, "--data", str(sample), "--out", str(tmp_path / "of-both"), *gram_option]) == 0
    of_all, of_sample, of_both = (ease_of(tmp_path / name) for name in ("of-all", "of-sample", "of-both"))
    warm = slice(0, 36)  # the titles that nobody has take their weights from neighbours by expected likes
    np.testing.assert_allclose(of_both[:, warm], of_all[:, warm], atol=2e-4 * np.abs(of_all).max())
    assert np.abs(of_sample[:, warm] - of_all[:, warm]).max() > 0.1 * np.abs(of_all).max()
    about = read_manifest(tmp_path / "of-both").content["data"]
    assert (about["members"], about["gram"]["members"]) == (60, 240)
    capsys.readouterr()
    assert main(["inspect", "--bundle", str(tmp_path / "of-both")]) == 0
    assert "of 240 members, counted beforehand" in capsys.readouterr().out


def test_a_shard_is_not_added_twice_but_nobody_may_be(
    data: Path, params: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (tmp_path / f"{name}.gram" for name in ("first", "second"))
    ratings = split(data, tmp_path, 2)
    counted(data, ratings[0], first, "--params", str(params))
    counted(data, ratings[1], second, "--params", str(params))
    out = tmp_path / "sum.gram"
    assert "counts already" in refused(
        capsys, "gram", "--add", str(first), str(second), str(first), "--out", str(out)
    )
    # Also where it is part of a sum.
    add_grams([first, second], out)
    more = tmp_path / "more.gram"
    assert "counts already" in refused(capsys, "gram", "--add", str(out), str(second), "--out", str(more))
    assert not more.exists()
    empty = worlds.write_ratings(tmp_path / "empty.csv", [])
    nobody = counted(data, empty, tmp_path / "nobody.gram", "--params", str(params))
    assert (nobody.header.members, nobody.header.sources) == (0, ())
    add_grams([nobody.path, out, nobody.path], more)
    np.testing.assert_array_equal(whole(open_gram(more)), whole(open_gram(out)))


def test_shards_of_other_titles_or_weights_are_refused(
    data: Path, params: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = counted(data, data / "rating.csv", tmp_path / "one.gram", "--params", str(params)).path
    board = worlds.write_checkerboard(tmp_path / "board")
    other = counted(board, board / "rating.csv", tmp_path / "other.gram", "--params", str(params)).path
    heavy = tmp_path / "heavy.yaml"
    heavy.write_text(PARAMS + "prior_mean_rating: 6.5\n")
    weighed = counted(data, split(data, tmp_path, 2)[0], tmp_path / "weighed.gram", "--params", str(heavy)).path
    out = tmp_path / "out"
    for foreign, reason in ((other, "24 titles that are not the 39"), (weighed, "prior_mean 6.5, where it is 7.6")):
        said = refused(capsys, "gram", "--add", str(one), str(foreign), "--out", str(out))
        assert str(foreign) in said
        assert reason in said
        train = ["train", "--data", str(data), "--params", str(params), "--progress", "none"]
        assert reason in refused(capsys, *train, "--gram", str(foreign), "--out", str(out))
    assert not out.exists()


def test_titles_cannot_be_left_out_of_what_was_counted(
    data: Path, params: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = counted(data, data / "rating.csv", tmp_path / "one.gram", "--params", str(params)).path
    excluded = worlds.write_csv(tmp_path / "excluded.csv", ("anime_id",), [(1000,)])
    train = ["train", "--data", str(data), "--params", str(params), "--out", str(tmp_path / "out")]
    assert "--exclude-items" in refused(capsys, *train, "--gram", str(one), "--exclude-items", str(excluded))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: content[:-4], "cut short"),
        (lambda content: content + b"\0\0\0\0", "cut short"),
        (lambda content: content[:-1] + bytes([content[-1] ^ 1]), "damaged"),
        (lambda content: content.replace(b"animerec-gram-1", b"animerec-gram-9", 1), "animerec-gram-9"),
        (lambda content: content.replace(b'"members"', b'"numbers"', 1), "its header is damaged"),
        (lambda content: b"user_id,anime_id,rating\n1,2,3\n", "not a Gram file"),
        (lambda content: b"", "not a Gram file"),
        (lambda content: b"[1]\n", "not a Gram file"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused(damage, reason, data: Path, params: Path, tmp_path: Path) -> None:
    one = counted(data, data / "rating.csv", tmp_path / "one.gram", "--params", str(params)).path
    one.write_bytes(damage(one.read_bytes()))
    with pytest.raises(InputError, match=reason) as error:
        open_gram(one)
    assert str(one) in str(error.value)


def test_what_is_missing_is_named(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out.gram")
    assert "no such file" in refused(capsys, "gram", "--add", str(tmp_path / "none.gram"), "--out", out)
    assert "--data" in refused(capsys, "gram", "--ratings", str(data / "rating.csv"), "--out", out)
    assert "no such directory" in refused(
        capsys,
        "gram",
        "--data",
        str(data),
        "--ratings",
        str(data / "rating.csv"),
        "--out",
        str(tmp_path / "no" / "x"),
    )


def test_an_attempt_that_fails_leaves_the_file_before_as_it_was(tmp_path: Path, data: Path, params: Path) -> None:
    one = counted(data, data / "rating.csv", tmp_path / "one.gram", "--params", str(params)).path
    before = one.read_bytes()

    def interrupted(percent: float, message: str) -> None:
        raise KeyboardInterrupt

    dataset = read_dataset(data)
    members, anime_ids = Members.of(dataset.interactions, dataset.catalogue), dataset.catalogue.anime_ids
    with pytest.raises(KeyboardInterrupt):
        write_gram(one, members, anime_ids, TasteWeights(), "another", interrupted)
    assert one.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.gram"]


def test_the_header_can_be_read_by_people(tmp_path: Path, data: Path, params: Path) -> None:
    one = counted(data, data / "rating.csv", tmp_path / "one.gram", "--params", str(params))
    line = one.path.read_bytes().partition(b"\n")[0]
    content = json.loads(line)
    assert (content["titles"], content["members"], content["taste"]["unrated"]) == (39, 240, 0.6)
    assert (len(line) + 1) % 64 == 0
    assert one.path.stat().st_size == len(line) + 1 + 8 * 39 + 4 * triangle_size(39)


def ease_of(bundle: Path) -> np.ndarray:
    """The stored weights of EASE in full, float64 (n, n)."""
    arrays = open_arrays(bundle, read_manifest(bundle))
    scales = arrays["ease.scales"]
    sources = np.repeat(np.arange(len(scales)), np.diff(arrays["ease.indptr"]))
    matrix = np.zeros((len(scales), len(scales)))
    matrix[sources, arrays["ease.targets"]] = arrays["ease.weights"] * scales[sources].astype(np.float64)
    return matrix
