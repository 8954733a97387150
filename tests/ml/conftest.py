"""The small worlds, read and fitted once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from ml.models.base import Model
from ml.models.fusion import FusionModel, FusionWeights
from ml.models.profiles import ProfileBatch
from ml.reading import read_dataset
from ml.serving import Recommender, load_recommender
from ml.training import pipeline
from ml.training.params import Params
from ml.types import BundleInfo, Profile
from tests.ml import worlds


@dataclass(frozen=True)
class World:
    """A data set and the models fitted to all of its members."""

    prepared: pipeline.Prepared
    recommender: Recommender

    @property
    def models(self) -> dict[str, Model]:
        return dict(self.recommender.models)

    @property
    def members(self) -> ProfileBatch:
        return self.prepared.members.batch

    def batch_of(self, titles: Sequence[int]) -> ProfileBatch:
        """One profile that rates all of ``titles`` alike."""
        profile = Profile.from_ratings(dict.fromkeys(titles, 8.0))
        return ProfileBatch.of([profile], self.recommender.anime_ids)[0]

    def profile(self, member: int) -> Profile:
        """The list of a member (from 0)."""
        one = self.members.one(member)
        ids = self.recommender.anime_ids[one.rows]
        ratings = (None if np.isnan(rating) else float(rating) for rating in one.ratings)
        return Profile.from_ratings(dict(zip(ids.tolist(), ratings, strict=True)))


def small_params() -> Params:
    """Parameters for worlds of a few dozen titles."""
    params = Params()
    return replace(
        params,
        holdout=replace(params.holdout, min_entries=5),
        ease=replace(params.ease, ridge=5.0, franchise_prior=1.0, keep=20, fans=10),
        neural=replace(params.neural, fewest_titles=0, factors=8, hidden=8, epochs=4, cold_neighbours=4),
        content=replace(params.content, synopsis_factors=8, min_word_titles=2),
        ranker=replace(
            params.ranker,
            folds=2,
            cold_share=0.2,
            trees=replace(params.ranker.trees, trees=30, rows_a_tree=100, learning_rate=0.06, depth=4),
        ),
    )


def fit_world(directory: Path, params: Params) -> World:
    prepared = pipeline.prepare(read_dataset(directory), params)
    content = pipeline.fit_content_part(prepared, params)
    popularity, ease = pipeline.fit_parts(prepared, prepared.members, content, params)
    fusion = FusionModel(ease, content, popularity, FusionWeights())
    titles = pipeline.describe(prepared, params)
    epochs = params.neural.epochs
    heads = pipeline.learn_ranker(prepared, content, titles, fusion.weights, params, epochs)
    net = pipeline.fit_net(prepared, prepared.members, content, ease, params, epochs)
    ranker = pipeline.place_ranker(prepared, prepared.members, fusion, titles, heads, net, params)
    info = BundleInfo("test", "")
    return World(prepared, Recommender(info, titles, fusion, shortlist=20, ranker=ranker, others=(net,)))


@pytest.fixture(scope="session")
def checkerboard(tmp_path_factory: pytest.TempPathFactory) -> World:
    return fit_world(worlds.write_checkerboard(tmp_path_factory.mktemp("checkerboard")), small_params())


@pytest.fixture(scope="session")
def fandoms_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return worlds.write_fandoms(tmp_path_factory.mktemp("fandoms"))


@pytest.fixture(scope="session")
def fandoms(fandoms_dir: Path) -> World:
    return fit_world(fandoms_dir, small_params())


@pytest.fixture(scope="session")
def bundle(fandoms_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle trained on the fandoms. Nobody may change it: copy it first."""
    out = tmp_path_factory.mktemp("bundles") / "fandoms"
    pipeline.train(read_dataset(fandoms_dir), out, small_params())
    return out


@pytest.fixture(scope="session")
def served(bundle: Path) -> Recommender:
    return load_recommender(bundle)
