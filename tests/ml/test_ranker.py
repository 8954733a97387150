"""The ranker: its trees, its features, how it is taught and what it may change in a list."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xgboost

from ml.models.fusion import FusionWeights
from ml.models.profiles import ProfileBatch
from ml.models.ranker import HEADS, Candidates
from ml.models.ranker_features import UNKNOWN, Person, ranks
from ml.serving import Recommender
from ml.training import pipeline
from ml.training.cold import as_unrated, without_titles
from ml.training.data import Members
from ml.training.kinds import show_one_kind
from ml.training.ranker import Parts, fit_ranker
from ml.training.trees import TreeParams, flatten, grow
from ml.types import Entry, FranchiseMode, Options, Profile, Status
from tests.ml.conftest import World, small_params

MECHA_FAN = Profile.from_ratings({1000: 9, 1002: 10, 1004: 9, 2000: 3, 1006: None})


def ids(recommender: Recommender, profile: Profile = MECHA_FAN, **options: Any) -> list[int]:
    return [item.anime_id for item in recommender.recommend(profile, Options(**options)).results]


def batch_of(world: World, profile: Profile) -> ProfileBatch:
    return ProfileBatch.of([profile], world.recommender.anime_ids)[0]


def with_shortlist(recommender: Recommender, shortlist: int) -> Recommender:
    assert recommender.ranker is not None
    heads = replace(recommender.ranker.heads, shortlist=shortlist)
    ranker = replace(recommender.ranker, heads=heads)
    return Recommender(recommender.info, recommender.titles, recommender.fusion, 20, ranker)


def test_flat_trees_answer_as_xgboost_does() -> None:
    rng = np.random.default_rng(4)
    # Few distinct values, so that many rows lie right beside a threshold.
    rows = rng.integers(0, 9, (3000, 6)).astype(np.float32) / np.float32(7)
    wanted = rows[:, 0] * rows[:, 1] + 0.2 * rng.standard_normal(3000) > 0.4
    settings = {"objective": "binary:logistic", "base_score": 0.2, "max_depth": 5, "tree_method": "hist"}
    booster = xgboost.train(settings, xgboost.QuantileDMatrix(rows, wanted.astype(np.float32)), 40)
    forest = flatten(booster, float(np.log(0.2 / 0.8)))
    assert len(forest.roots) == 40
    assert forest.depth == 5
    margins = booster.inplace_predict(rows, predict_type="margin")
    np.testing.assert_allclose(forest.scores(rows), margins, atol=1e-5)
    np.testing.assert_allclose(forest.scores(rows[:1]), margins[:1], atol=1e-5)
    assert forest.scores(rows[:0]).shape == (0,)
    # Between the places where training saw a value, too: the thresholds themselves, and the numbers beside them.
    edges = np.unique(forest.threshold[np.isfinite(forest.threshold)])
    beside = np.concatenate([edges, np.nextafter(edges, np.float32(9)), np.nextafter(edges, np.float32(-9))])
    strange = np.repeat(beside[:, None], 6, axis=1)
    np.testing.assert_allclose(
        forest.scores(strange), booster.inplace_predict(strange, predict_type="margin"), atol=1e-5
    )


def test_grown_trees_answer_with_log_odds_of_the_weighted_share() -> None:
    rng = np.random.default_rng(2)
    rows = rng.random((4000, 2)).astype(np.float32)
    wanted = rng.random(4000) < np.where(rows[:, 0] > 0.5, 0.5, 0.1)
    weights = np.where(wanted, 1.0, 3.0)
    scores = grow(rows, wanted, weights, TreeParams(trees=200, rows_a_tree=10), 1).scores(rows)
    for high in (True, False):
        half = (rows[:, 0] > 0.5) == high
        share = float(np.average(wanted[half], weights=weights[half]))
        assert (1 / (1 + np.exp(-scores[half]))).mean() == pytest.approx(share, rel=0.25)


def test_trees_grow_with_the_data_and_not_where_there_is_nothing_to_learn() -> None:
    rows = np.random.default_rng(1).random((1000, 3)).astype(np.float32)
    params = TreeParams(trees=50, rows_a_tree=100)
    alike = np.ones(1000)
    assert len(grow(rows, rows[:, 0] > 0.5, alike, params, 1).roots) == 10
    assert len(grow(rows, np.ones(1000, dtype=bool), alike, params, 1).roots) == 0
    assert len(grow(rows[:50], rows[:50, 0] > 0.5, alike[:50], params, 1).roots) == 0


def test_ranks_are_shared_by_equals() -> None:
    np.testing.assert_allclose(ranks(np.array([3.0, 9.0, 3.0, 1.0])), np.log2([2, 1, 2, 4]), rtol=1e-6)


def test_franchise_features_by_hand(fandoms: World) -> None:
    assert fandoms.recommender.ranker is not None
    profile = Profile.of([Entry(1000, 10), Entry(2001, 4), Entry(3002, status=Status.DROPPED)])
    one = batch_of(fandoms, profile)
    fusion, facts = fandoms.recommender.fusion, fandoms.recommender.ranker.facts
    person = Person(one, fandoms.recommender.titles, facts, fusion.ease)
    rows = fandoms.recommender.titles.rows_of(np.array([1001, 2000, 3003, 1002]))
    columns = person.columns(rows, {}, fusion.ease.contributions(one, rows))
    assert columns["franchise_seen"].tolist() == [1, 1, 1, 0]
    assert columns["franchise_before"].tolist() == [1, 0, 1, 0]
    assert columns["franchise_after"].tolist() == [0, 1, 0, 0]
    assert columns["franchise_gap"].tolist() == [1, UNKNOWN, 1, UNKNOWN]
    assert columns["franchise_dropped"].tolist() == [0, 0, 1, 0]
    assert columns["franchise_opinion"][0] == pytest.approx(10 - person.mean)
    assert columns["franchise_opinion"][1] == pytest.approx(4 - person.mean)
    assert columns["franchise_opinion"][2:].tolist() == [UNKNOWN, UNKNOWN]


def test_franchise_features_are_what_a_plain_loop_finds(fandoms: World) -> None:
    assert fandoms.recommender.ranker is not None
    titles, facts = fandoms.recommender.titles, fandoms.recommender.ranker.facts
    rows = np.arange(len(titles))
    for member in range(10):
        one = fandoms.members.one(member)
        person = Person(one, titles, facts, fandoms.recommender.fusion.ease)
        columns = person._franchises(rows)
        for row in rows:
            same = np.flatnonzero(titles.franchise[one.rows] == titles.franchise[row])
            before = [entry for entry in same if titles.order[one.rows[entry]] < titles.order[row]]
            rated = [entry for entry in same if not np.isnan(one.ratings[entry])]
            last = max(before, key=lambda entry: titles.order[one.rows[entry]], default=None)
            found = {
                "franchise_seen": len(same),
                "franchise_before": len(before),
                "franchise_best": max((person.above[entry] for entry in rated), default=UNKNOWN),
                "franchise_last_opinion": UNKNOWN if last is None else person.above[last],
            }
            assert {name: columns[name][row] for name in found} == pytest.approx(found), (member, row)


def test_candidates_may_be_ranked_apart(fandoms: World) -> None:
    ranker = fandoms.recommender.ranker
    assert ranker is not None
    one = fandoms.members.one(4)
    rows = np.arange(30)
    fused = ranker.fusion.fuse(one)
    columns = Candidates(ranker.fusion, ranker.titles, ranker.facts, one, fused, 0, ranker.others).of_titles(rows)
    chosen = rows % 3 == 1
    for head in HEADS[:1]:
        together = ranker.heads.scores(head, columns)
        np.testing.assert_array_equal(ranker.heads.scores(head, columns, chosen), together[chosen])
        assert ranker.heads.scores(head, columns, rows < 0).shape == (0,)


@pytest.mark.parametrize("mode", list(FranchiseMode))
def test_a_short_list_is_the_beginning_of_a_long_one(fandoms: World, mode: FranchiseMode) -> None:
    short = with_shortlist(fandoms.recommender, 6)
    for member in range(10):
        whole = ids(short, fandoms.profile(member), k=100, franchise=mode)
        assert ids(short, fandoms.profile(member), k=4, franchise=mode) == whole[:4]


@pytest.mark.parametrize(
    "profile",
    [
        Profile.from_ratings({1000: None, 2000: None}),
        Profile.from_ratings({3000: 10}),
        Profile.from_ratings({9000: 5}),
        Profile.of([Entry(1000, status=Status.DROPPED)]),
        Profile.from_ratings({}),
    ],
)
def test_no_feature_is_ever_without_a_number(fandoms: World, profile: Profile) -> None:
    ranker = fandoms.recommender.ranker
    assert ranker is not None
    one = batch_of(fandoms, profile)
    rows = np.arange(len(fandoms.recommender.anime_ids))
    candidates = Candidates(ranker.fusion, ranker.titles, ranker.facts, one, ranker.fusion.fuse(one), 0)
    for name, values in candidates.of_franchises(rows, rows).items():
        assert values.shape == rows.shape, name
        assert np.isfinite(values).all(), name


def test_the_ranker_listens_to_the_network(fandoms: World) -> None:
    ranker = fandoms.recommender.ranker
    assert ranker is not None
    assert "recommender_net_score" in ranker.heads.features["plain"]
    assert "recommender_net_score" in ranker.heads.features["new"]
    assert "recommender_net_score" not in ranker.heads.features["cold"], "it knows nothing of new titles"
    deaf = replace(ranker, others=())
    with pytest.raises(KeyError, match="recommender_net"):
        deaf.check()


def test_a_profile_of_one_kind_shows_some_and_wants_the_rest(fandoms: World) -> None:
    ranker = fandoms.recommender.ranker
    assert ranker is not None
    members, facts, franchise = fandoms.members, ranker.facts, ranker.titles.franchise
    split = show_one_kind(members, facts, franchise, 3, seed=5)
    assert len(split.shown) == len(split.heldout) == len(members)
    sizes = split.shown.sizes
    assert set(sizes.tolist()) <= {0, 2, 3}
    assert (sizes > 0).any()
    for index in range(len(members)):
        one, rest = split.shown.one(index), split.heldout.one(index)
        assert (np.concatenate([one.ratings, rest.ratings]) >= 8).all()
        assert len(np.unique(franchise[np.concatenate([one.rows, rest.rows])])) == len(one.rows) + len(rest.rows)
        if len(one.rows):
            assert len(rest.rows) >= 2
            assert facts.genres[np.concatenate([one.rows, rest.rows])].min(axis=0).any(), "a genre they all share"


def test_a_short_profile_of_one_kind_is_pulled_towards_it_and_one_of_many_is_not(
    fandoms: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranker = fandoms.recommender.ranker
    assert ranker is not None

    def pull(profile: Profile) -> tuple[np.ndarray, np.ndarray]:
        """What is added to every title, and how alike it is in content."""
        one = batch_of(fandoms, profile)
        rows = np.setdiff1d(np.arange(len(fandoms.recommender.anime_ids)), one.rows)
        fused = ranker.fusion.fuse(one)
        pulled = ranker.rank_franchises(one, fused, 0, rows, rows)
        with monkeypatch.context() as without:
            without.setattr("ml.models.ranker.KIND_PULL", 0.0)
            return pulled - ranker.rank_franchises(one, fused, 0, rows, rows), fused.parts["content"][0][rows]

    added, alike = pull(Profile.from_ratings({1000: 9, 1002: 10, 1004: 9}))
    assert np.corrcoef(added, alike)[0, 1] == pytest.approx(1.0, abs=1e-3)
    assert added.max() > 0.1
    assert not pull(Profile.from_ratings({1000: 9, 2000: 9, 3000: 9}))[0].any()


def test_nobody_is_practised_on_whom_the_parts_have_seen(fandoms: World) -> None:
    prepared, params = fandoms.prepared, small_params()
    content, titles = fandoms.recommender.fusion.content, fandoms.recommender.titles
    seen: list[set[int]] = []

    def fit(members: Members) -> Any:
        seen.append(set(members.user_ids.tolist()))
        return Parts(*pipeline.fit_parts(prepared, members, content, params))

    ground = pipeline.ranker_ground(prepared, content, titles, FusionWeights(), params)
    heads = fit_ranker(prepared.members, ground, fit, params.ranker, seed=3)
    everybody = set(prepared.members.user_ids.tolist())
    left_out = [everybody - known for known in seen]
    assert len(left_out) == params.ranker.folds
    assert left_out[0].isdisjoint(left_out[1])
    assert left_out[0] | left_out[1] == everybody
    assert all(heads.knows(head) for head in HEADS)


def test_members_that_measure_teach_nothing(fandoms: World, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = fandoms.prepared
    taught: list[set[int]] = []

    def spy(members: Members, *rest: Any) -> Any:
        taught.append(set(members.user_ids.tolist()))
        return fit_ranker(members, *rest)

    monkeypatch.setattr(pipeline, "fit_ranker", spy)
    fusion = fandoms.recommender.fusion
    params = small_params()
    pipeline.learn_ranker(prepared, fusion.content, fandoms.recommender.titles, FusionWeights(), params, 0)
    measuring = set(prepared.members.user_ids[prepared.measuring].tolist())
    assert measuring
    assert measuring.isdisjoint(taught[0])


def test_made_believe_unrated_titles_say_nothing_and_borrow_from_the_others(fandoms: World) -> None:
    fusion = fandoms.recommender.fusion
    cold = fandoms.recommender.titles.rows_of(np.array([1003, 3005]))
    warm = np.setdiff1d(np.arange(36), cold)
    likes = np.full(len(fandoms.recommender.anime_ids), 10.0)
    ease = as_unrated(fusion.ease, fusion.content, cold, warm, likes, small_params().ease)
    silent = batch_of(fandoms, Profile.from_ratings({1003: 10, 3005: 10}))
    assert not ease.scores(silent).any()
    fan = batch_of(fandoms, Profile.from_ratings({1000: 9, 1004: 9, 1006: 9}))
    scores = ease.scores(fan)[0]
    assert scores[cold[0]] > scores[cold[1]], "a mecha fan"
    untouched = np.setdiff1d(warm, fan.rows)
    np.testing.assert_allclose(scores[untouched], fusion.ease.scores(fan)[0][untouched], atol=1e-3)
    rest = without_titles(fandoms.members, cold)
    assert not np.isin(rest.rows, cold).any()
    assert len(rest) == len(fandoms.members)
    assert rest.sizes.sum() == len(fandoms.members.rows) - np.isin(fandoms.members.rows, cold).sum()


@pytest.mark.parametrize("mode", list(FranchiseMode))
def test_what_is_not_on_the_shortlist_follows_in_the_order_of_the_blend(fandoms: World, mode: FranchiseMode) -> None:
    short = with_shortlist(fandoms.recommender, 4)
    profile = fandoms.profile(8)
    blend = ids(fandoms.recommender, profile, k=100, model="fusion", franchise=mode)
    ranked = ids(short, profile, k=100, franchise=mode)
    assert set(ranked[:4]) == set(blend[:4])
    assert ranked[4:] == blend[4:]


def test_the_ranker_ranks_what_a_filter_leaves(fandoms: World) -> None:
    sports = np.arange(3000, 3012)
    listed = ids(fandoms.recommender, k=12, candidates=sports)
    assert sorted(listed) == sports.tolist()
    assert ids(fandoms.recommender, candidates=np.array([3001])) == [3001]


@pytest.mark.parametrize(("end", "model"), [(0.0, "content"), (1.0, "ease")])
def test_balance_leads_from_the_ranker_to_one_part(fandoms: World, end: float, model: str) -> None:
    """On the way to an end the list comes ever nearer to that of the part."""
    profile = fandoms.profile(20)
    target = {title: place for place, title in enumerate(ids(fandoms.recommender, profile, k=100, model=model))}
    distances = []
    for balance in np.linspace(0.5, end, 6):
        listed = ids(fandoms.recommender, profile, k=100, balance=float(balance))
        distances.append(sum(abs(target[title] - place) for place, title in enumerate(listed)))
    assert distances[-1] == 0
    assert distances[0] > distances[2] > distances[4]


def test_a_bundle_whose_trees_ask_for_what_nobody_knows_is_refused(fandoms: World) -> None:
    ranker = fandoms.recommender.ranker
    assert ranker is not None
    strange = {**ranker.heads.features, "plain": ("phase_of_the_moon", *ranker.heads.features["plain"][1:])}
    with pytest.raises(KeyError, match="phase_of_the_moon"):
        replace(ranker, heads=replace(ranker.heads, features=strange)).check()
    ranker.check()
