"""The linear model as it is stored and summed up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml.models.ease import EaseModel
from ml.models.profiles import ProfileBatch
from ml.training.ease import EaseParams, _strongest, weights_kept
from ml.types import Profile
from tests.ml.conftest import World


def dense(ease: EaseModel) -> np.ndarray:
    """The stored matrix in full, float64 (n, n)."""
    n = len(ease.scales)
    matrix = np.zeros((n, n))
    sources = np.repeat(np.arange(n), np.diff(ease.indptr))
    matrix[sources, ease.targets] = ease.weights * ease.scales[sources].astype(np.float64)
    return matrix


def test_scores_and_contributions_are_those_of_the_dense_product(fandoms: World) -> None:
    ease = fandoms.recommender.fusion.ease
    matrix = dense(ease)
    targets = np.array([30, 2, 38, 7])
    for member in range(40):
        one = fandoms.members.one(member)
        added = ease.taste.of(one)[:, None] * matrix[one.rows]
        np.testing.assert_allclose(ease.scores(one)[0], added.sum(axis=0), atol=1e-5)
        np.testing.assert_allclose(ease.contributions(one, targets), added[:, targets], atol=1e-6)


def test_a_score_does_not_depend_on_who_else_is_in_the_batch(fandoms: World) -> None:
    ease = fandoms.recommender.fusion.ease
    many = fandoms.members.part(0, 200)
    alone = np.concatenate([ease.scores(many.one(index)) for index in range(len(many))])
    np.testing.assert_array_equal(ease.scores(many), alone)


def test_a_list_without_known_titles_reaches_nothing(fandoms: World) -> None:
    ease = fandoms.recommender.fusion.ease
    nobody, _ = ProfileBatch.of([Profile.from_ratings({})], fandoms.recommender.anime_ids)
    assert not ease.scores(nobody).any()
    assert ease.contributions(nobody, np.array([1, 2])).shape == (0, 2)


@pytest.mark.parametrize("least", [0, 3])
def test_the_strongest_weights_of_each_column_are_kept(least: int) -> None:
    rng = np.random.default_rng(least)
    weights = rng.standard_normal((40, 40)).astype(np.float32)
    keep = rng.integers(least, 9, 40)
    kept = _strongest(weights, keep).toarray()
    for column in range(40):
        best = np.argsort(-np.abs(weights[:, column]))[: keep[column]]
        wanted = np.zeros(40, dtype=np.float32)
        wanted[best] = weights[best, column]
        np.testing.assert_array_equal(kept[:, column], wanted)


def test_a_title_on_few_lists_keeps_fewer_weights() -> None:
    lists = np.concatenate([np.array([1, 12, 30, 900]), np.zeros(300)])
    params = replace(EaseParams(), keep=100)
    assert weights_kept(lists, params)[:4].tolist() == [50, 60, 100, 100]
    assert weights_kept(lists[:4], params).tolist() == [4, 4, 4, 4], "there are no more titles"
