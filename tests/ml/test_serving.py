"""Lists: dials, filters, reasons, neighbours."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ml.models.fusion import FusionWeights, ProfileShape
from ml.models.profiles import ProfileBatch
from ml.serving import Recommender
from ml.serving.dials import best_first, diversified, with_novelty
from ml.types import Entry, FranchiseMode, InputError, Options, Profile, Reason, ReasonKind, Status
from tests.ml.conftest import World

MECHA_FAN = Profile.from_ratings({1000: 9, 1002: 10, 1004: 9, 2000: 3, 1006: None})


def ids(recommender: Recommender, profile: Profile = MECHA_FAN, **options: Any) -> list[int]:
    results = recommender.recommend(profile, Options(**options)).results
    return [item.anime_id for item in results]


def test_best_first_breaks_ties_by_the_second_key_then_by_position() -> None:
    scores = np.array([1.0, 3.0, 1.0, 3.0, 1.0])
    ties = np.array([5.0, 1.0, 9.0, 2.0, 5.0])
    assert best_first(scores, 4, ties).tolist() == [3, 1, 2, 0]
    assert best_first(scores, 99, ties).tolist() == [3, 1, 2, 0, 4]


@pytest.mark.parametrize("values", [5, 300, 10**6])
def test_best_first_is_the_beginning_of_the_sorted_list(values: int) -> None:
    rng = np.random.default_rng(values)
    scores, ties = rng.integers(0, values, 5003) / 7, rng.integers(0, 4, 5003)
    scores[rng.integers(0, 5003, 40)] = -np.inf
    everything = np.lexsort((np.arange(5003), -ties, -scores))
    for k in (1, 10, 200, 4000, 5003):
        assert best_first(scores, k, ties).tolist() == everything[:k].tolist()


def test_traits_of_several_titles_are_those_of_each(served: Recommender) -> None:
    rows = np.array([5, 0, 38, 5])
    traits, lengths = served.titles.traits_of_all(rows)
    assert lengths.tolist() == [len(served.titles.traits_of(row)) for row in rows]
    assert traits.tolist() == [trait for row in rows for trait in served.titles.traits_of(row)]
    assert not len(served.titles.traits_of_all(rows[:0])[0])


def test_novelty_at_its_ends_is_popularity_alone() -> None:
    scores, appeal = np.array([3.0, 2.0, 1.0, 0.5]), np.array([0.2, 0.9, 0.1, 0.5])
    assert with_novelty(scores, appeal, 0.5).tolist() == scores.tolist()
    assert np.argsort(-with_novelty(scores, appeal, 0.0)).tolist() == [1, 3, 0, 2]
    assert np.argsort(-with_novelty(scores, appeal, 1.0)).tolist() == [2, 0, 3, 1]


def test_diversity_by_hand() -> None:
    # 0 and 1 are twins, 2 is unlike both. Half and half: 0.5 * 0.9 - 0.5 * 1 loses against 0.5 * 0.2 - 0.5 * 0.1.
    likeness = np.array([[1, 1, 0.1], [1, 1, 0.1], [0.1, 0.1, 1]])
    scores = np.array([1.0, 0.9, 0.2])
    relevance = (scores - 0.2) / 0.8
    picked, worth = diversified(scores, 3, 0.5, lambda place: likeness[place])
    assert picked.tolist() == [0, 2, 1]
    np.testing.assert_allclose(worth, [0.5, -0.05, 0.5 * relevance[1] - 0.5])
    assert diversified(scores, 3, 0.0, lambda place: likeness[place])[0].tolist() == [0, 1, 2]
    assert diversified(scores, 2, 1.0, lambda place: likeness[place])[0].tolist() == [0, 2]


def test_balance_at_its_ends_is_one_part_alone(served: Recommender) -> None:
    assert ids(served, balance=1.0) == ids(served, model="ease")
    assert ids(served, balance=0.0) == ids(served, model="content")
    assert ids(served, balance=0.5) == ids(served) == ids(served, model="ranker")
    assert ids(served, balance=0.5, model="fusion") == ids(served, model="fusion")


def test_novelty_moves_the_list_from_popular_to_niche(served: Recommender) -> None:
    appeal = dict(zip(served.anime_ids.tolist(), served.fusion.popularity.appeal.tolist(), strict=True))
    means = [
        np.mean([appeal[title] for title in ids(served, k=5, novelty=novelty)])
        for novelty in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    assert means == sorted(means, reverse=True)
    assert means[0] > means[-1]


def test_diversity_makes_a_list_less_alike(served: Recommender) -> None:
    vectors = served.fusion.content.vectors

    def likeness(**options: Any) -> float:
        rows = served.titles.rows_of(np.array(ids(served, k=5, **options)))
        return float((vectors[rows] @ vectors[rows].T).mean())

    assert likeness(diversity=1.0) <= likeness(diversity=0.4) <= likeness(diversity=0.0)
    assert likeness(diversity=1.0) < likeness(diversity=0.0)


@pytest.mark.parametrize("options", [{}, {"diversity": 0.6}, {"novelty": 0.9}, {"novelty": 0.1, "diversity": 0.3}])
@pytest.mark.parametrize("franchise", list(FranchiseMode))
def test_scores_order_every_list(served: Recommender, options: dict, franchise: FranchiseMode) -> None:
    results = served.recommend(MECHA_FAN, Options(k=8, franchise=franchise, **options)).results
    scores = [item.score for item in results]
    assert scores == sorted(scores, reverse=True)
    assert [item.rank for item in results] == list(range(1, len(results) + 1))
    assert len({item.anime_id for item in results}) == len(results)


def test_filters_act_before_the_top_is_taken(served: Recommender) -> None:
    sports = np.arange(3000, 3012)
    assert set(ids(served, k=10, candidates=sports)) <= set(sports.tolist())
    assert len(ids(served, k=10, candidates=sports)) == 10
    assert ids(served, candidates=np.array([3004, 555_555])) == [3004]
    assert ids(served, candidates=np.array([1000])) == [], "it is on the list already"
    assert ids(served, candidates=np.zeros(0, dtype=np.int64)) == []


def test_hidden_titles_are_never_listed(served: Recommender) -> None:
    first = ids(served)[0]
    hiding = replace(MECHA_FAN, hidden=frozenset({first, 424_242}))
    assert first not in ids(served, hiding, k=100)


def test_planned_titles_are_listed_only_if_asked(served: Recommender) -> None:
    profile = Profile.of([Entry(1000, 9), Entry(1002, 9), Entry(1003, status=Status.PLANNED)])
    assert 1003 not in ids(served, profile, k=100)
    assert 1003 in ids(served, profile, k=100, include_planned=True)
    assert 1000 not in ids(served, profile, k=100, include_planned=True)


def test_new_lists_titles_of_ten_untouched_franchises(served: Recommender) -> None:
    franchise = dict(zip(served.anime_ids.tolist(), served.titles.franchise.tolist(), strict=True))
    listed = ids(served, franchise=FranchiseMode.NEW)
    touched = {franchise[int(title)] for title in MECHA_FAN.anime_ids}
    assert len(listed) == 10
    assert len({franchise[title] for title in listed}) == 10
    assert touched.isdisjoint(franchise[title] for title in listed)
    assert all(title % 2 == 0 for title in listed if title < 9000), "each by its first part"


def test_a_fan_gets_their_kind_and_is_told_why(served: Recommender) -> None:
    results = served.recommend(MECHA_FAN, Options(k=3, franchise=FranchiseMode.NEW)).results
    for item in results:
        kinds = [reason.kind for reason in item.reasons]
        assert kinds[0] is ReasonKind.RATED
        named = {reason.anime_id: reason.rating for reason in item.reasons if reason.kind is ReasonKind.RATED}
        assert named.keys() <= {1000, 1002, 1004, 1006}
        assert all(rating is None or rating >= 9 for rating in named.values())
        assert ReasonKind.CONTENT in kinds
    traits = {name for item in results for reason in item.reasons for name in reason.traits}
    assert "Mecha" in traits
    assert "Romance" not in traits


def test_shares_are_the_exact_shares_of_what_spoke_for_a_title(served: Recommender) -> None:
    item = served.recommend(MECHA_FAN, Options(k=1, model="ease")).results[0]
    ease = served.fusion.ease
    row = served.titles.rows_of(np.array([item.anime_id]))[0]
    taste = {1000: 9, 1002: 10, 1004: 9, 2000: 3, 1006: None}
    mean = (9 + 10 + 9 + 3 + ease.taste.prior_mean) / 5
    shares = {}
    for anime_id, rating in taste.items():
        source = served.titles.rows_of(np.array([anime_id]))[0]
        stretch = slice(ease.indptr[source], ease.indptr[source + 1])
        hit = ease.targets[stretch] == row
        weight = float((ease.weights[stretch][hit] * ease.scales[source]).sum())
        strength = ease.taste.unrated if rating is None else 1 + ease.taste.rating_weight * (rating - mean) / 2
        shares[anime_id] = max(0.0, weight * max(strength, 0.0))
    total = sum(shares.values())
    for reason in item.reasons:
        if reason.kind is ReasonKind.RATED:
            assert reason.anime_id is not None
            assert reason.share == pytest.approx(shares[reason.anime_id] / total, rel=1e-3)


@pytest.mark.parametrize(
    "profile",
    [
        Profile.from_ratings({1000: 9, 1002: 8, 1004: 2}),
        Profile.from_ratings({1004: 2}),
        Profile.of([Entry(1000, 9), Entry(1002, 8), Entry(1004, status=Status.DROPPED)]),
    ],
)
def test_a_disliked_or_dropped_title_is_never_a_reason(served: Recommender, profile: Profile) -> None:
    for franchise in FranchiseMode:
        results = served.recommend(profile, Options(k=30, franchise=franchise)).results
        for item in results:
            assert item.reasons
            assert all(reason.anime_id != 1004 for reason in item.reasons)


def test_a_nine_among_tens_is_a_reason_though_it_lies_below_the_mean(served: Recommender) -> None:
    results = served.recommend(Profile.from_ratings({1000: 10, 1002: 10, 1004: 9}), Options(k=30)).results
    assert 1004 in {reason.anime_id for item in results for reason in item.reasons}


@pytest.fixture(scope="module")
def led_by_popularity(served: Recommender) -> Recommender:
    """The blend alone, with so much weight on popularity that it tells in a world where titles are about as popular
    as one another."""
    weights = replace(served.fusion.weights, popularity_short=30.0)
    return Recommender(served.info, served.titles, replace(served.fusion, weights=weights), shortlist=20)


@pytest.mark.parametrize("franchise", [FranchiseMode.OFF, FranchiseMode.NEW])
def test_shares_are_of_the_whole_blend_and_popularity_leads_where_it_carried_most(
    led_by_popularity: Recommender, franchise: FranchiseMode
) -> None:
    served = led_by_popularity
    profile = Profile.from_ratings({1000: 9, 2000: 8})
    batch, _ = ProfileBatch.of([profile], served.anime_ids)
    fused = served.fusion.fuse(batch)
    popularity = fused.weights[0, 2] * fused.parts["popularity"][0]
    group = served.titles.franchise
    leads = []
    for item in served.recommend(profile, Options(k=10, franchise=franchise)).results:
        row = int(served.titles.rows_of(np.array([item.anime_id]))[0])
        if franchise is FranchiseMode.NEW:  # the franchise is listed for its best title, by its first one
            (those,) = np.nonzero(group == group[row])
            row = int(those[np.argmax(fused.scores[0, those])])
        added = served.fusion.contributions(batch, np.array([row]))[:, 0]
        assert added.sum() + popularity[row] == pytest.approx(fused.scores[0, row], rel=1e-3, abs=1e-3)
        spoke = [max(float(value), 0.0) for value in (popularity[row], *added)]
        shares = dict(zip((None, 1000, 2000), np.array(spoke) / sum(spoke), strict=True))
        told = {reason.anime_id: reason.share for reason in item.reasons if reason.kind is not ReasonKind.CONTENT}
        assert told == pytest.approx({key: shares[key] for key in told}, rel=1e-3)
        assert sum(told.values()) <= 1 + 1e-6
        assert sum(told.values()) == pytest.approx(1, abs=0.04), "nothing that matters is left out"
        leads.append(item.reasons[0].kind is ReasonKind.POPULAR)
        assert leads[-1] == (shares[None] > 0.5)
    assert True in leads
    assert False in leads


def test_popularity_is_no_reason_where_it_has_no_weight(served: Recommender) -> None:
    short = Profile.from_ratings({1000: 9, 2000: 8})
    batch, _ = ProfileBatch.of([MECHA_FAN], served.anime_ids)
    assert served.fusion.fuse(batch).weights[0, 2] == 0, "five titles of one kind"
    for profile, options in (
        (MECHA_FAN, Options(k=40)),
        (short, Options(k=40, balance=0.0)),
        (short, Options(k=40, balance=1.0)),
        (short, Options(k=40, model="ease")),
    ):
        for item in served.recommend(profile, options).results:
            kinds = {reason.kind for reason in item.reasons}
            assert kinds
            assert kinds == {ReasonKind.POPULAR} or ReasonKind.POPULAR not in kinds
            assert all(reason.share == 0 for reason in item.reasons if reason.kind is ReasonKind.POPULAR)


def test_popular_alone_without_a_share_where_nothing_personal_is_known(served: Recommender) -> None:
    for profile, options in (
        (Profile.from_ratings({}), Options()),
        (Profile.from_ratings({1000: 9}), Options(model="popularity")),
    ):
        results = served.recommend(profile, options).results
        assert {item.reasons for item in results} == {(Reason(ReasonKind.POPULAR),)}


def test_components_tell_the_parts(served: Recommender) -> None:
    item = served.recommend(MECHA_FAN).results[0]
    assert set(item.components) == {"collaborative", "content", "popularity"}
    assert set(served.recommend(MECHA_FAN, Options(model="content")).results[0].components) == {"content"}


def test_one_rating_changes_the_list_of_the_next_call(served: Recommender) -> None:
    before = ids(served, Profile.from_ratings({}), franchise=FranchiseMode.NEW)
    after = ids(served, Profile.from_ratings({3002: 10}), franchise=FranchiseMode.NEW)
    sports = [title for title in after[:5] if title // 1000 == 3]
    assert before != after
    assert len(sports) >= 3


def test_similar_titles_by_fans_and_by_content(served: Recommender) -> None:
    neighbours = served.similar(1000, k=4)
    by = {name: [one for one in neighbours if one.by == name] for name in ("fans", "content")}
    assert len(by["fans"]) == len(by["content"]) == 4
    for group in by.values():
        assert all(one.anime_id // 1000 == 1 or one.anime_id == 9000 for one in group)
        assert [one.score for one in group] == sorted((one.score for one in group), reverse=True)
        assert 1000 not in {one.anime_id for one in group}
    assert served.similar(31_337) == []
    assert {one.by for one in served.similar(9001)} == {"content"}, "nobody has watched it"


def test_shorter_profiles_lean_more_on_popularity_without_a_jump() -> None:
    sizes = np.arange(0, 200, dtype=np.float64)
    shape = ProfileShape(sizes, np.zeros(200), np.ones(200))
    popularity = FusionWeights(popularity_short=7, full_size=60).of(shape)[:, 2]
    assert popularity[0] == 7
    assert (np.diff(popularity) <= 0).all()
    assert (popularity[60:] == 0).all()
    assert np.abs(np.diff(popularity)).max() < 7 * 0.2


def test_a_profile_of_one_kind_leans_on_content(fandoms: World) -> None:
    fusion = fandoms.recommender.fusion
    one_kind, mixed = (
        fusion.shape(fandoms.batch_of(titles))
        for titles in ((1000, 1002, 1004, 1006, 1008), (1000, 2000, 3000, 1003, 2005))
    )
    assert one_kind.coherence[0] > mixed.coherence[0]
    assert fusion.weights.of(one_kind)[0, 1] > fusion.weights.of(mixed)[0, 1]
    assert fusion.weights.of(one_kind)[0, 2] < fusion.weights.of(mixed)[0, 2]


def test_bad_options_are_named(served: Recommender) -> None:
    with pytest.raises(InputError, match="no model 'oracle'; there are ranker, fusion, ease, content, popularity"):
        served.recommend(MECHA_FAN, Options(model="oracle"))
    with pytest.raises(InputError, match="k must be at least 1"):
        Options(k=0)
    with pytest.raises(InputError, match=r"balance must lie between 0 and 1, not 1\.5"):
        Options(balance=1.5)


def test_serving_needs_numpy_alone() -> None:
    """In a fresh process `import ml.serving` brings in nothing but NumPy and the standard library."""
    code = (
        "import sys; before = set(sys.modules); import ml.serving; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "['ml', 'numpy']"
