"""The gate: which bundle may become champion, judged on people whom it has not seen."""

from __future__ import annotations

import csv
import itertools
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml.evaluation.gate import Contender, cold_titles, cut_short, judge_candidate, list_times_ms
from ml.evaluation.gate_rules import Check, GateParams, Verdict
from ml.serving import Recommender, load_recommender
from ml.types import BundleInfo, Options, Profile
from tests.ml.gate_world import PEOPLE, Arrays, contrary, fans, mixed_up, rebuilt

NAMES = ["plain", "discovery", "short", "cold", "coverage", "size", "time", "full_lists"]


@pytest.fixture(scope="module")
def profiles() -> dict[int, Profile]:
    return {person: Profile.from_ratings(dict(own)) for person, own in fans()[0].items()}


@pytest.fixture(scope="module")
def liked() -> dict[int, set[int]]:
    return {person: set(own) for person, own in fans()[1].items()}


@pytest.fixture(scope="module")
def bad(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Contender:
    return Contender(load_recommender(rebuilt(bundle, tmp_path_factory.mktemp("gate") / "bad", mixed_up)), 1.0)


@pytest.fixture(scope="module")
def good(served: Recommender) -> Contender:
    return Contender(served, 1.0)


def steady() -> Callable[[], float]:
    """A clock on which every list takes a millisecond, whatever the machine is busy with."""
    readings = itertools.count()
    return lambda: next(readings) / 1000


def gate(
    candidate: Contender,
    champion: Contender | None,
    profiles: dict[int, Profile],
    liked: dict[int, set[int]],
    **limits: Any,
) -> Verdict:
    return judge_candidate(candidate, champion, profiles, liked, replace(GateParams(), **limits), clock=steady())


def check(verdict: Verdict, name: str) -> Check:
    (found,) = (one for one in verdict.checks if one.name == name)
    return found


def failed(verdict: Verdict) -> list[str]:
    return [one.name for one in verdict.checks if not one.passed]


class TestGate:
    def test_the_very_same_bundle_is_within_error(
        self, good: Contender, profiles: dict[int, Profile], liked: dict[int, set[int]]
    ) -> None:
        verdict = gate(good, good, profiles, liked)
        assert verdict.promote
        assert verdict.people == PEOPLE
        assert [one.name for one in verdict.checks] == NAMES
        for name in ("plain", "discovery", "short"):
            one = check(verdict, name)
            assert (one.difference, one.stderr) == (0, 0)
            assert one.candidate is not None
            assert one.candidate > 0.5
            assert "within error" in one.words

    def test_a_candidate_made_worse_is_rejected(
        self, good: Contender, bad: Contender, profiles: dict[int, Profile], liked: dict[int, set[int]]
    ) -> None:
        verdict = gate(bad, good, profiles, liked)
        assert not verdict.promote
        assert failed(verdict) == ["plain", "discovery", "short"]
        assert verdict.words.startswith("Rejected: plain NDCG@10 0.")
        assert verdict.words.count("below the champion: worse beyond error") == 3
        back = gate(good, bad, profiles, liked)
        assert back.promote
        assert check(back, "plain").words.endswith("better beyond error")
        difference = check(verdict, "plain").difference
        assert difference is not None
        assert check(back, "plain").difference == pytest.approx(-difference)

    @pytest.mark.parametrize(
        ("name", "limits", "words"),
        [
            ("coverage", {"coverage_share": 1.5}, "Rejected: coverage 39 titles, below the limit of 58"),
            ("size", {"max_bundle_mb": 0.9}, "Rejected: size 1.0 MB, above the limit of 0.9 MB"),
            ("time", {"max_time_ms": 1e-6}, "Rejected: time "),
            ("time", {"time_ratio": 1e-6, "time_floor_ms": 0.0}, "Rejected: time "),
        ],
    )
    def test_a_rail_is_named(
        self,
        good: Contender,
        profiles: dict[int, Profile],
        liked: dict[int, set[int]],
        name: str,
        limits: dict[str, float],
        words: str,
    ) -> None:
        verdict = gate(good, good, profiles, liked, **limits)
        assert not verdict.promote
        assert failed(verdict) == [name]
        assert verdict.words.startswith(words)

    def test_without_a_champion_it_has_to_be_worth_its_popularity(
        self,
        bundle: Path,
        good: Contender,
        profiles: dict[int, Profile],
        liked: dict[int, set[int]],
        tmp_path: Path,
    ) -> None:
        verdict = gate(good, None, profiles, liked)
        assert verdict.promote
        assert verdict.champion_version is None
        assert "no worse than popularity (there is no champion yet)" in verdict.words
        assert check(verdict, "short").words.endswith("no champion to compare with")
        assert check(verdict, "size").champion is None
        worse = Contender(load_recommender(rebuilt(bundle, tmp_path / "bad", contrary, without="ranker")), 1.0)
        verdict = gate(worse, None, profiles, liked)
        assert not verdict.promote
        assert {"plain", "discovery"} <= set(failed(verdict))
        assert "below popularity: worse beyond error" in verdict.words

    def test_too_few_people_to_tell(
        self, good: Contender, bad: Contender, profiles: dict[int, Profile], liked: dict[int, set[int]]
    ) -> None:
        few = {person: liked[person] for person in range(1, 8)}
        verdict = gate(bad, good, profiles, few)
        assert (verdict.promote, verdict.people) == (True, 7)
        assert verdict.words.startswith("Promoted: only 7 people to judge by, too few to tell it from the champion ")
        assert check(verdict, "plain").candidate is None
        held = gate(bad, good, profiles, few, max_bundle_mb=0.5)
        assert failed(held) == ["size"]
        assert not held.promote

    def test_nobody_at_all(self, good: Contender) -> None:
        verdict = gate(good, good, {}, {})
        assert (verdict.promote, verdict.people) == (True, 0)
        assert verdict.words.startswith("Promoted: nobody to judge by")
        assert check(verdict, "time").candidate, "the list of somebody new is timed"

    def test_nobody_may_get_a_shorter_list(self, good: Contender, served: Recommender) -> None:
        devoted = {1: Profile.from_ratings(dict.fromkeys(served.anime_ids[:-4].tolist(), 8))}
        assert failed(gate(good, None, devoted, {})) == ["full_lists"]
        assert gate(good, good, devoted, {}).promote

    def test_franchises_may_change_between_bundles(
        self, bundle: Path, good: Contender, profiles: dict[int, Profile], liked: dict[int, set[int]], tmp_path: Path
    ) -> None:
        def apart(arrays: Arrays) -> None:
            arrays["titles.franchise"][:] = np.arange(len(arrays["titles.franchise"]))

        other = Contender(load_recommender(rebuilt(bundle, tmp_path / "other", apart)), 1.0)
        for candidate, champion in ((other, good), (good, other)):
            found = check(gate(candidate, champion, profiles, liked), "discovery")
            assert found.difference is not None
            assert found.stderr is not None


@pytest.fixture(scope="module")
def lists(fandoms_dir: Path) -> Counter[int]:
    """How many lists hold each title."""
    with (fandoms_dir / "rating.csv").open(encoding="utf-8", newline="") as file:
        return Counter(int(row["anime_id"]) for row in csv.DictReader(file))


class TestColdTitles:
    def test_they_are_on_few_lists(self, served: Recommender, lists: Counter[int]) -> None:
        for most in (0, 79, 82, 240):
            expected = [anime_id for anime_id in served.anime_ids.tolist() if lists[anime_id] <= most]
            found = cold_titles(served, served, most)
            assert found is not None
            assert found.tolist() == expected

    def test_a_title_is_cold_in_both_or_not_at_all(self, bundle: Path, served: Recommender, tmp_path: Path) -> None:
        def known(arrays: Arrays) -> None:
            arrays["ranker.facts.numbers"][0, 1] = 0  # the logarithm of the share of all who have title 0

        other = load_recommender(rebuilt(bundle, tmp_path / "other", known))
        all_of_them = served.anime_ids.tolist()
        for pair in ((served, other), (other, served)):
            found = cold_titles(*pair, 239)
            assert found is not None
            assert found.tolist() == all_of_them[1:]

    def test_a_bundle_that_does_not_tell(self, served: Recommender) -> None:
        mute = Recommender(served.info, served.titles, served.fusion, 20)
        assert cold_titles(served, mute, 5) is None
        nameless = Recommender(BundleInfo("", ""), served.titles, served.fusion, 20, served.ranker)
        assert cold_titles(nameless, served, 5) is None

    def test_lists_of_cold_titles_alone_are_judged(
        self,
        good: Contender,
        bad: Contender,
        profiles: dict[int, Profile],
        liked: dict[int, set[int]],
        lists: Counter[int],
    ) -> None:
        most = sorted(lists.values())[len(lists) // 4]
        same, worse = (gate(one, good, profiles, liked, cold_lists=most) for one in (good, bad))
        assert check(same, "cold").words.startswith(f"NDCG@10 among titles on at most {most} lists 0.")
        assert check(same, "cold").passed
        assert "cold" in failed(worse)
        served = good.recommender
        ids = np.array([anime_id for anime_id in served.anime_ids.tolist() if lists[anime_id] <= most])
        worth = []
        for person, wanted in liked.items():
            cold = wanted & set(ids.tolist())
            if cold:
                results = served.recommend(profiles[person], Options(k=10, candidates=ids)).results
                gain = sum(1 / math.log2(1 + item.rank) for item in results if item.anime_id in cold)
                worth.append(gain / sum(1 / math.log2(1 + rank) for rank in range(1, len(cold) + 1)))
        assert len(worth) < len(liked), "or nobody would be left out"
        assert check(same, "cold").candidate == pytest.approx(sum(worth) / len(worth))
        few = gate(good, good, profiles, liked, cold_lists=most, min_people=len(worth) + 1)
        assert check(few, "cold").words.endswith(f"only {len(worth)} people to judge by, too few to tell")
        assert check(gate(good, good, profiles, liked), "cold").words.endswith("nobody to judge by, too few to tell")


class TestShortProfiles:
    def test_what_is_cut_off_counts_as_held_out(self) -> None:
        whole = Profile.from_ratings({1: 9, 2: 8, 3: 7, 4: 10, 5: None})
        short, wanted = cut_short({1: whole, 2: Profile.from_ratings({8: 9})}, {1: {6}, 2: {7}}, 3, seed=1)
        shown = set(short[1].anime_ids.tolist())
        assert len(shown) == 3
        assert wanted[1] == {6} | ({1, 2, 4} - shown)
        assert (short[2].anime_ids.tolist(), wanted[2]) == ([8], {7})

    def test_the_seed_chooses(self) -> None:
        people = {person: Profile.from_ratings(dict.fromkeys(range(1, 30), 9)) for person in range(5)}
        likes = {person: {40} for person in people}

        def cut(seed: int) -> list[list[int]]:
            return [own.anime_ids.tolist() for own in cut_short(people, likes, 3, seed)[0].values()]

        assert cut(1) == cut(1)
        assert cut(1) != cut(2)
        assert len({tuple(own) for own in cut(1)}) > 1


class FakeRecommender:
    """Takes ``seconds`` for a list by a clock that it moves itself, but stalls for a minute now and then."""

    def __init__(self, name: str, seconds: float, clock: list[float], diary: list[str]) -> None:
        self.name, self.seconds, self.clock, self.diary = name, seconds, clock, diary

    def recommend(self, profile: Profile, options: Options) -> None:
        self.diary.append(self.name)
        self.clock[0] += 60 if len(self.diary) % 7 == 0 else self.seconds


def test_times_are_taken_in_turns_and_a_stall_does_not_count() -> None:
    clock, diary = [0.0], ["start"]
    pair = [FakeRecommender("a", 0.004, clock, diary), FakeRecommender("b", 0.006, clock, diary)]
    profile = Profile.from_ratings({1: 9})
    times = list_times_ms(pair, [profile] * 2, 3, lambda: clock[0])  # type: ignore[arg-type]
    assert times == pytest.approx([4, 6])
    assert diary == ["start", *"ab", *"abbaab", *"baabba"]
