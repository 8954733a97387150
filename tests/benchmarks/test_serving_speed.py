"""The bare NumPy that serving is measured by answers what serving answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks import serving_speed
from benchmarks.serving_speed import Floor, K
from ml.evaluation.report import profiles_of
from ml.models.profiles import ProfileBatch
from ml.reading import read_dataset
from ml.serving import load_recommender
from ml.training.data import Members, count_rated
from ml.types import Options


def members(directory: Path) -> ProfileBatch:
    dataset = read_dataset(directory)
    return Members.of(dataset.interactions, dataset.catalogue).batch


def test_the_floors_make_the_list_of_the_linear_model(bundle: Path, fandoms_dir: Path) -> None:
    recommender = load_recommender(bundle)
    batch, ids, ease = members(fandoms_dir), recommender.anime_ids, recommender.fusion.ease
    active = np.flatnonzero(count_rated(batch, len(ids)) > 0)
    assert len(active) == 36
    floor = Floor.of(ease, active)
    for person in range(20):
        one = batch.one(person)
        profile = profiles_of(one, ids)[0]
        options = Options(k=K, model="ease", candidates=ids[active])
        listed = [item.anime_id for item in recommender.recommend(profile, options).results]
        rows, weights = np.searchsorted(active, one.rows), ease.taste.of(one)
        assert ids[active[floor.dense_top(rows, weights)]].tolist() == listed
        assert ids[active[floor.sparse_top(rows, weights)]].tolist() == listed


def test_the_table_of_a_small_bundle(bundle: Path, fandoms_dir: Path, monkeypatch) -> None:
    monkeypatch.setattr(serving_speed, "SIZES", (10, 30))
    monkeypatch.setattr(serving_speed, "ROUNDS", 1)
    text = "\n".join(serving_speed.measure(bundle, members(fandoms_dir), fandoms_dir))
    for part in ("floor, dense", "floor, sparse", "linear path", "whole list", "profiles at once", "bundle 0 MB"):
        assert part in text
    assert "TensorFlow not loaded" in text
