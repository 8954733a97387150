"""RecommenderNet: what Keras trains and what NumPy serves are one network, and it ranks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from ml.evaluation.splits import Split, hide_share
from ml.models.base import Model
from ml.models.ease import EaseModel
from ml.models.profiles import ProfileBatch
from ml.models.recommender_net import RecommenderNet
from ml.training import neural, pipeline
from ml.training.data import count_liked, count_rated, entry_matrix
from ml.training.params import NeuralParams, Params
from ml.types import Profile
from tests.ml.conftest import World, small_params
from tests.ml.worlds import CHECKERBOARD_MEMBERS, checkerboard_id, withheld

TASTE = Params().ease_taste()


@dataclass(frozen=True)
class Fitted:
    world: World
    net: RecommenderNet
    curves: neural.LearningCurves


def fit(world: World, seed: int = 1, ease: bool = True, validation: Split | None = None, **params: Any) -> Fitted:
    members = world.members
    fusion = world.recommender.fusion
    net, curves = neural.fit_recommender_net(
        members,
        fusion.content,
        count_liked(members, len(world.recommender.anime_ids)),
        fusion.ease if ease else None,
        replace(NeuralParams(factors=8, hidden=8, epochs=6, cold_neighbours=4), **params),
        TASTE,
        seed,
        validation,
    )
    return Fitted(world, net, curves)


@pytest.fixture(scope="module")
def fitted(fandoms: World) -> Fitted:
    return fit(fandoms)


def weights_differ(one: RecommenderNet, other: RecommenderNet) -> list[str]:
    mine, theirs = one.arrays(), other.arrays()
    return [name for name in mine if not np.array_equal(mine[name], theirs[name])]


def test_numpy_answers_as_keras_does(fandoms: World) -> None:
    titles = len(fandoms.recommender.anime_ids)
    draw = np.random.default_rng(2)
    params = NeuralParams(factors=6, hidden=5, min_lists=1)
    members = fandoms.members.part(0, 30)
    trained = neural.trained_titles(members, titles, params)
    start = neural.Start(
        inputs=draw.normal(0, 0.2, (titles, 6)).astype(np.float32),
        outputs=draw.normal(0, 0.2, (titles, 6)).astype(np.float32),
        biases=draw.normal(-3, 1, titles).astype(np.float32),
    )
    network = neural.build_network(start, trained, params, seed=1)
    for layer in network.layers:  # the layers that start at zero would hide a mistake
        layer.set_weights([value + draw.normal(0, 0.2, value.shape) for value in layer.get_weights()])
    net = neural.export(network, start, trained, fandoms.recommender.fusion.content, params, TASTE)
    entries = entry_matrix(members, TASTE.of(members), titles).toarray()[:, trained]
    expected = network(entries).numpy()
    assert np.ptp(expected) > 1
    np.testing.assert_allclose(net.scores(members)[:, trained], expected, rtol=1e-5, atol=1e-5)


def test_eight_bits_are_enough(fandoms: World) -> None:
    draw = np.random.default_rng(3)
    n, d, h = len(fandoms.recommender.anime_ids), 16, 4

    def small(*shape: int) -> np.ndarray:
        return draw.normal(0, 0.3, shape).astype(np.float32)

    ones = np.ones(n, dtype=np.float32)
    outputs = small(n, d)
    net = RecommenderNet(
        inputs=small(n, d),
        input_scales=ones,
        outputs=outputs,
        output_scales=ones,
        biases=small(n),
        mean_output=outputs.mean(axis=0),
        hidden_weights=small(d + 1, h),
        hidden_biases=small(h),
        bend_weights=small(h, d),
        bend_biases=small(d),
        taste=TASTE,
    )
    compact = net.compact()
    members = fandoms.members.part(0, 30)
    spread = net.scores(members).std()
    assert np.abs(net.scores(members) - compact.scores(members)).max() < 0.05 * spread
    assert compact.inputs.nbytes == net.inputs.nbytes / 4


def test_first_on_the_list_is_the_withheld_diagonal(checkerboard: World) -> None:
    # By popularity it is the same few titles for everybody.
    fitted = fit(checkerboard, validation=hide_share(checkerboard.members, 0.2, 1))
    scores = fitted.net.scores(checkerboard.members)
    scores[checkerboard.members.owners(), checkerboard.members.rows] = -np.inf
    first = checkerboard.recommender.anime_ids[scores.argmax(axis=1)]
    own = [member for member in range(CHECKERBOARD_MEMBERS) if withheld(member) % 2 == member % 2]
    assert own
    assert [int(first[member]) for member in own] == [checkerboard_id(withheld(member)) for member in own]


def test_learns_from_a_random_start(fandoms: World) -> None:
    split = hide_share(fandoms.members, 0.3, 4)
    members = replace(fandoms.prepared.members, batch=split.shown)
    world = replace(fandoms, prepared=replace(fandoms.prepared, members=members))
    fitted = fit(world, ease=False, validation=split, epochs=25, learning_rate=0.02, patience=25)
    appeal = count_liked(split.shown, len(fandoms.recommender.anime_ids))
    by_popularity = neural.mean_ndcg(np.tile(appeal, (len(split.shown), 1)), split)
    curves = fitted.curves
    assert len(curves.loss) == len(curves.ndcg) == len(curves.seconds) <= 25
    assert curves.loss[-1] < curves.loss[0]
    assert curves.ndcg[curves.best_epoch - 1] == max(curves.ndcg) > by_popularity + 0.05
    # What came back are the weights of the best epoch, not of the last.
    assert neural.mean_ndcg(fitted.net.scores(split.shown), split) == curves.ndcg[curves.best_epoch - 1]


def test_stops_when_it_no_longer_gets_better(fandoms: World) -> None:
    split = hide_share(fandoms.members, 0.2, 4)
    curves = fit(fandoms, validation=split, epochs=12, patience=1, learning_rate=1e-9).curves
    assert (len(curves.loss), curves.best_epoch) == (2, 1)


def test_the_first_epochs_of_many_are_those_of_a_long_training(fandoms: World) -> None:
    # So the published network, which ends at the best epoch of the one on trial, learns as that did.
    fusion, likes = fandoms.recommender.fusion, count_liked(fandoms.members, len(fandoms.recommender.anime_ids))
    params = NeuralParams(factors=8, hidden=8, epochs=6, cold_neighbours=4)
    arguments = (fandoms.members, fusion.content, likes, fusion.ease, params, TASTE, 1)
    _, long = neural.fit_recommender_net(*arguments)
    _, short = neural.fit_recommender_net(*arguments, epochs=2)
    assert short.loss == long.loss[:2]
    assert (long.best_epoch, short.best_epoch) == (6, 2)


def test_the_network_on_trial_knows_nothing_of_those_that_measure(fandoms: World) -> None:
    prepared, params, content = fandoms.prepared, small_params(), fandoms.recommender.fusion.content

    def tried(prepared: pipeline.Prepared) -> tuple[RecommenderNet, neural.LearningCurves]:
        _, ease = pipeline.fit_parts(prepared, prepared.training(), content, params)
        return pipeline.try_net(prepared, content, ease, params)

    net, curves = tried(prepared)
    batch = prepared.members.batch
    ratings = np.where(np.repeat(prepared.measuring, batch.sizes), np.float32(1), batch.ratings)
    hated = replace(prepared, members=replace(prepared.members, batch=replace(batch, ratings=ratings)))
    other, other_curves = tried(hated)
    assert weights_differ(net, other) == []
    # When it ends is decided by the members that the blend is learned on.
    split = hide_share(prepared.members.where(prepared.blending).batch, params.fusion.hidden_share, params.seed)
    assert max(curves.ndcg) == neural.mean_ndcg(net.scores(split.shown), split) > 0
    assert other_curves.ndcg == curves.ndcg


def test_same_seed_same_weights_and_another_seed_others(fitted: Fitted) -> None:
    assert weights_differ(fit(fitted.world).net, fitted.net) == []
    assert "outputs" in weights_differ(fit(fitted.world, seed=2).net, fitted.net)


def test_batch_is_the_same_as_one_by_one(fitted: Fitted) -> None:
    many = fitted.world.members.part(0, 40)
    alone = np.concatenate([fitted.net.scores(many.one(index)) for index in range(len(many))])
    together = fitted.net.scores(many)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-4)
    rows = np.array([3, 38, 0])
    np.testing.assert_allclose(fitted.net.scores_of(many, rows), together[:, rows], rtol=1e-4, atol=1e-4)


def test_contributions_are_what_is_lost_without_each_title(fitted: Fitted) -> None:
    profile = fitted.world.members.one(7)
    targets = np.array([0, 5, 17, 38])
    whole = fitted.net.scores(profile)[0]
    ratings = _ratings(fitted.world, profile)
    expected = []
    for anime_id in ratings:
        rest = {other: rating for other, rating in ratings.items() if other != anime_id}
        batch, _ = ProfileBatch.of([Profile.from_ratings(rest)], fitted.world.recommender.anime_ids)
        expected.append(whole - fitted.net.scores(batch)[0])
    added = fitted.net.contributions(profile, targets)
    assert np.abs(added).max() > 0.01
    np.testing.assert_allclose(added, np.array(expected)[:, targets], atol=1e-4)
    np.testing.assert_allclose(
        fitted.net.mean_contributions(profile), np.array(expected).mean(axis=1), rtol=1e-3, atol=1e-4
    )


def _ratings(world: World, one: ProfileBatch) -> dict[int, float | None]:
    ids = world.recommender.anime_ids[one.rows].tolist()
    ratings = (None if np.isnan(rating) else float(rating) for rating in one.ratings)
    return dict(zip(ids, ratings, strict=True))


def test_a_long_list_is_explained_like_a_short_one(fitted: Fitted) -> None:
    # Explanations are worked out in blocks; this list fills more than one.
    net = fitted.net
    copies = 300
    long = replace(
        net,
        inputs=np.tile(net.inputs, (copies, 1)),
        input_scales=np.tile(net.input_scales, copies) / copies,
        outputs=np.tile(net.outputs, (copies, 1)),
        output_scales=np.tile(net.output_scales, copies),
        biases=np.tile(net.biases, copies),
    )
    rows = np.arange(700, dtype=np.int32)
    one = ProfileBatch(np.array([0, 700]), rows, np.full(700, np.nan, dtype=np.float32), np.ones(700, dtype=np.int8))
    added = long.contributions(one, np.array([4]))
    without = ProfileBatch(np.array([0, 699]), rows[:-1], one.ratings[:-1], one.statuses[:-1])
    lost = long.scores(one)[0, 4] - long.scores(without)[0, 4]
    assert added.shape == (700, 1)
    np.testing.assert_allclose(added[699, 0], lost, atol=1e-4)


def test_a_list_of_nothing_known_is_told_nothing(fitted: Fitted) -> None:
    ids = fitted.world.recommender.anime_ids
    strange = Profile.from_ratings({77_777: 10.0})
    batch, ignored = ProfileBatch.of([strange, Profile.from_ratings({}), fitted.world.profile(0)], ids)
    scores = fitted.net.scores(batch)
    assert ignored[0].tolist() == [77_777]
    assert not scores[:2].any()
    assert scores[2].any()
    assert not fitted.net.scores_of(batch, np.array([1, 2]))[:2].any()
    assert fitted.net.contributions(batch.one(0), np.array([1, 2])).shape == (0, 2)
    alone, _ = ProfileBatch.of([Profile.from_ratings({int(ids[0]): 9.0})], ids)
    assert np.isfinite(fitted.net.contributions(alone, np.array([1, 2]))).all()


def test_restored_scores_are_the_same(fitted: Fitted) -> None:
    restored = RecommenderNet.restore(fitted.net.arrays(), fitted.net.settings())
    batch = fitted.world.members.part(0, 9)
    np.testing.assert_array_equal(restored.scores(batch), fitted.net.scores(batch))
    model: Model = restored  # it is one to the type checker, too
    assert model.name == "recommender_net"


def test_titles_that_nobody_rated_score_like_their_kind_and_not_above_it(fitted: Fitted) -> None:
    world = fitted.world
    lists = count_rated(world.members, len(world.recommender.anime_ids))
    cold = np.flatnonzero(lists == 0)
    assert len(cold) == 3
    scores = fitted.net.scores(world.members)
    assert np.isfinite(scores).all()
    # The three are a Mecha, a Romance and a Sports title; member i is a fan of number i % 3.
    for fandom in range(3):
        fans = scores[fandom::3][:, cold].mean(axis=0)
        assert fans.argmax() == fandom
        assert fans[fandom] < scores[fandom::3][:, 12 * fandom : 12 * fandom + 12].mean()


def test_a_catalogue_of_three_titles_will_do(fandoms: World) -> None:
    content = fandoms.recommender.fusion.content
    tiny = replace(content, vectors=content.vectors[:3], franchise=content.franchise[:3])
    members, _ = ProfileBatch.of(
        [Profile.from_ratings({1: 9.0, 2: None}), Profile.from_ratings({1: 8.0})], np.array([1, 2, 3])
    )
    net, curves = neural.fit_recommender_net(
        members, tiny, np.array([2.0, 0.0, 0.0]), None, NeuralParams(epochs=2), TASTE, 1
    )
    assert np.isfinite(net.scores(members)).all()
    assert len(curves.loss) == curves.best_epoch == 2
    assert curves.ndcg == ()


def test_the_start_repeats_ease(fandoms: World) -> None:
    ease: EaseModel = fandoms.recommender.fusion.ease
    members = fandoms.members
    n = len(fandoms.recommender.anime_ids)
    inputs, outputs = neural.ease_factors(ease, members, n, 5000, seed=1)
    entries = entry_matrix(members, ease.taste.of(members), n)
    np.testing.assert_allclose((entries @ inputs) @ outputs.T, ease.scores(members), atol=1e-3)
