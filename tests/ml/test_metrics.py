"""Metrics against values worked out by hand, and against an independent judge on real data."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ml.evaluation.metrics import hits, intra_list_diversity, judge, ndcg, recall, standard_error
from ml.reading import read_catalogue, read_interactions
from ml.types import LIKED_RATING
from tests.ml.worlds import write_csv


def test_ndcg_by_hand() -> None:
    # Ranks 1 and 3 hit, three relevant, k = 3: (1 + 1/2) / (1 + 1/log2(3) + 1/2).
    hit = hits([11, 12, 13], {11, 13, 99}, k=3)
    assert hit.tolist() == [True, False, True]
    assert ndcg(hit, relevant=3) == pytest.approx(1.5 / (1.5 + 1 / math.log2(3)))
    assert ndcg(hit, relevant=3) == pytest.approx(0.70391808)


def test_the_ideal_is_cut_at_the_number_of_relevant_titles() -> None:
    assert ndcg(hits([5, 6, 7], {5}, k=3), relevant=1) == 1
    assert ndcg(hits([6, 5, 7], {5}, k=3), relevant=1) == pytest.approx(1 / math.log2(3))
    assert ndcg(hits([5, 6], {5, 6, 7, 8}, k=2), relevant=4) == 1, "no list of two can hold four"


def test_recall_by_hand() -> None:
    hit = hits([1, 2, 3, 4], {2, 3, 9}, k=4)
    assert recall(hit, relevant=3) == pytest.approx(2 / 3)
    assert recall(hits([1, 2], {1, 2, 3}, k=2), relevant=3) == 1


def test_a_short_list_only_misses_its_empty_places() -> None:
    assert hits([7], {7, 8}, k=3).tolist() == [True, False, False]


def test_in_discovery_a_franchise_counts_once() -> None:
    franchise = {1: "a", 2: "a", 3: "b"}.__getitem__
    assert hits([1, 2, 3], {"a", "b"}, k=3, unit=franchise).tolist() == [True, False, True]


def test_judge_by_hand() -> None:
    judged = judge(
        lists={1: [10, 20], 2: [20, 30]},
        profiles={1: {30}, 2: {10}, 3: {10, 20}},
        liked={1: {10}, 2: {10, 40}, 3: {30}},
        k=2,
    )
    assert judged.people == (1, 2, 3)
    assert judged.ndcg.tolist() == [1.0, 0.0, 0.0], "who has no list scores nothing"
    assert judged.hit.tolist() == [1.0, 0.0, 0.0]
    assert judged.coverage == 3
    # 10 is on 2 of 3 profiles, 20 on 1, 20 again, 30 on 1.
    assert judged.popularity == pytest.approx((2 + 1 + 1 + 1) / 3 / 4)
    assert judged.short == 1


def test_judge_leaves_out_who_has_nothing_to_find() -> None:
    franchise = {10: "a", 11: "a", 20: "b"}.__getitem__
    judged = judge({1: [20]}, {1: {10}, 2: {10}}, {1: {11, 20}, 2: {11}}, k=1, franchise=franchise)
    assert judged.people == (1,), "what 2 liked belongs to a franchise they know"
    assert judged.ndcg.tolist() == [1.0]


def test_the_first_five_places_by_hand() -> None:
    # Hits at ranks 2 and 6 of ten, three relevant: the first five see one hit of three possible.
    judged = judge({1: [0, 11, 0, 0, 0, 12]}, {}, {1: {11, 12, 13}}, k=10)
    ideal = 1 + 1 / math.log2(3) + 1 / 2
    assert judged.ndcg_5.tolist() == [pytest.approx(1 / math.log2(3) / ideal)]
    assert judged.ndcg.tolist() == [pytest.approx((1 / math.log2(3) + 1 / math.log2(7)) / ideal)]


def test_diversity_by_hand() -> None:
    # Cosines 0.6, 0 and 0.8 between three titles: 1 - 1.4 / 3.
    vectors = np.array([[1, 0], [0.6, 0.8], [0, 1]], dtype=np.float32)
    assert intra_list_diversity(vectors) == pytest.approx(1 - 1.4 / 3)
    assert intra_list_diversity(np.repeat(vectors[:1], 4, axis=0)) == pytest.approx(0)
    assert math.isnan(intra_list_diversity(vectors[:1])), "one title is not diverse, nor is it not"


def test_lists_too_short_to_be_diverse_do_not_count_for_diversity() -> None:
    def diversity(listed):
        return intra_list_diversity(np.eye(9)[list(listed)])

    means = judge({1: [1, 2], 2: [3]}, {}, {1: {1}, 2: {3}}, k=2, diversity=diversity).means()
    assert (means["diversity"], means["diversity_stderr"]) == (1, 0)
    assert means["people"] == 2


def test_some_of_the_people() -> None:
    judged = judge({1: [10, 20], 2: [20, 30], 3: [40]}, {1: {20}, 2: {30}}, {1: {10}, 2: {30}, 3: {9}}, k=2)
    some = judged.where(np.array([True, False, True]))
    assert some.people == (1, 3)
    assert some.ndcg.tolist() == [1.0, 0.0]
    assert (some.coverage, some.short) == (3, 1)
    assert some.popularity == pytest.approx(1 / 2 / 3), "20 is on one of two profiles; three titles are listed"


def test_paired_difference_by_hand() -> None:
    liked = {1: {10}, 2: {20}, 3: {30}}
    ours = judge({1: [10], 2: [20], 3: [30]}, {}, liked, k=1)
    theirs = judge({1: [10], 2: [0], 3: [0]}, {}, liked, k=1)
    # Differences 0, 1, 1: mean 2/3, standard deviation sqrt(1/3).
    assert ours.against(theirs) == pytest.approx((2 / 3, 1 / 3))
    with pytest.raises(ValueError, match="different people"):
        ours.against(judge({}, {}, {1: {10}}, k=1))


def test_standard_error_by_hand() -> None:
    assert standard_error(np.array([1.0, 2.0, 3.0, 4.0])) == pytest.approx(math.sqrt(5 / 3) / 2)
    assert standard_error(np.array([1.0])) == 0


@pytest.mark.parametrize("discovery", [False, True])
def test_same_verdict_as_the_independent_judge(real_data: Path, tmp_path: Path, discovery: bool) -> None:
    program = real_data.parent / "bench" / "judge.py"
    if not program.is_file():
        pytest.skip(f"{program} is not there to compare with")
    data = real_data / "mal2016"
    profiles = _sets(read_interactions(data / "test_profiles.csv"), least=-math.inf)
    liked = _sets(read_interactions(data / "test_heldout.csv"), least=LIKED_RATING)
    catalogue = read_catalogue(data)
    # Lists with hits at all ranks, and some too short: what was liked, mixed with popular titles.
    popular = [1535, 16498, 1575, 5114, 20, 9253, 11757, 4224, 2904, 226, 199, 30]
    lists = {}
    for person, seen in profiles.items():
        mixed = [*sorted(liked.get(person, set()))[:: 1 + person % 4], *popular]
        lists[person] = [title for title in dict.fromkeys(mixed[person % 3 :]) if title not in seen][:10]
    rows: list[tuple[object, ...]] = [
        (person, rank, title) for person, listed in lists.items() for rank, title in enumerate(listed, start=1)
    ]
    recs = write_csv(tmp_path / "recs.csv", ("user_id", "rank", "anime_id"), rows)
    command = [
        sys.executable, str(program), "--recs", str(recs), "--profiles", str(data / "test_profiles.csv"),
        "--heldout", str(data / "test_heldout.csv"), "--catalog", str(data / "anime.csv"),
    ]  # fmt: skip
    if discovery:
        command += ["--discovery", str(data / "franchises.json")]
    # Beside lists in which everything stands one place further down.
    worse = {person: [226, *(title for title in listed if title != 226)][:10] for person, listed in lists.items()}
    worse = {person: [title for title in listed if title not in profiles[person]] for person, listed in worse.items()}
    rows = [(person, rank, title) for person, listed in worse.items() for rank, title in enumerate(listed, start=1)]
    command += ["--against", str(write_csv(tmp_path / "worse.csv", ("user_id", "rank", "anime_id"), rows))]
    expected = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    of = dict(zip(catalogue.anime_ids.tolist(), catalogue.frame["franchise"].tolist(), strict=True))
    franchise = of.__getitem__ if discovery else None
    judged = judge(lists, profiles, liked, k=10, franchise=franchise)
    ours = judged.means()
    assert ours["people"] == expected["users"]
    for name, theirs in (
        ("ndcg", "ndcg@10"),
        ("ndcg_stderr", "stderr"),
        ("ndcg_5", "ndcg@5"),
        ("recall", "recall@10"),
        ("hit", "hit@10"),
        ("popularity", "popularity"),
    ):
        assert ours[name] == pytest.approx(expected[theirs], abs=6e-5), name
    assert ours["coverage"] == expected["coverage"]
    assert ours["short"] == expected["users_with_fewer_than_k"]
    assert expected["errors"] == 0
    gain = judged.against(judge(worse, profiles, liked, k=10, franchise=franchise))
    assert gain == pytest.approx((expected["gain"], expected["gain_stderr"]), abs=6e-5)
    assert gain[0] > 0.01


def _sets(entries, least: float) -> dict[int, set[int]]:
    result: dict[int, set[int]] = {}
    ratings = np.nan_to_num(entries.ratings, nan=-1)
    for person, title, rating in zip(
        entries.user_ids.tolist(), entries.anime_ids.tolist(), ratings.tolist(), strict=True
    ):
        if rating >= least:
            result.setdefault(person, set()).add(title)
    return result
