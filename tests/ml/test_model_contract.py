"""What every model must do, whatever it is made of. A new model joins by being in ``NAMES``."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml.artifacts import BundleError
from ml.models.profiles import ProfileBatch
from ml.serving import Recommender, load_recommender
from ml.serving.loading import assemble, disassemble
from ml.types import BundleInfo, Options, Profile, ReasonKind
from tests.ml.conftest import World, fit_world, small_params
from tests.ml.worlds import CHECKERBOARD_MEMBERS, checkerboard_id, withheld

NAMES = ("ranker", "fusion", "ease", "content", "popularity", "recommender_net")
PERSONAL = ("ranker", "fusion", "ease", "content")
ADDITIVE = tuple(name for name in NAMES if name != "recommender_net")  # in that, titles on a list work together


def listed(recommender: Recommender, profile: Profile, **options: Any) -> list[int]:
    results = recommender.recommend(profile, Options(**options)).results
    return [item.anime_id for item in results]


def test_all_models_are_under_contract(checkerboard: World) -> None:
    assert set(checkerboard.recommender.model_names) == set(NAMES)


@pytest.mark.parametrize("name", PERSONAL)
def test_first_on_the_list_is_the_withheld_diagonal(checkerboard: World, name: str) -> None:
    for member in range(CHECKERBOARD_MEMBERS):
        profile = checkerboard.profile(member)
        first = listed(checkerboard.recommender, profile, k=1, model=name)
        assert first == [checkerboard_id(withheld(member))]


@pytest.mark.parametrize("name", NAMES)
def test_batch_is_the_same_as_one_by_one(fandoms: World, name: str) -> None:
    model = fandoms.models[name]
    many = fandoms.members.part(0, 64)
    together = model.scores(many)
    alone = np.concatenate([model.scores(many.one(index)) for index in range(len(many))])
    assert together.shape == (64, len(fandoms.recommender.anime_ids))
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_lists_of_a_batch_are_the_lists_of_single_profiles(fandoms: World, name: str) -> None:
    profiles = [fandoms.profile(member) for member in range(40)]
    together = fandoms.recommender.recommend_batch(profiles, Options(model=name))
    for profile, ranking in zip(profiles, together, strict=True):
        assert [item.anime_id for item in ranking.results] == listed(fandoms.recommender, profile, model=name)


@pytest.mark.parametrize("name", NAMES)
def test_lists_nothing_that_is_on_the_list_and_all_else_once(fandoms: World, name: str) -> None:
    profile = fandoms.profile(3)
    everything = set(fandoms.recommender.anime_ids.tolist())
    result = listed(fandoms.recommender, profile, k=1000, model=name)
    assert len(result) == len(set(result))
    assert set(result) == everything - set(profile.anime_ids.tolist())


@pytest.mark.parametrize("name", NAMES)
def test_unknown_ids_change_nothing_and_are_reported(fandoms: World, name: str) -> None:
    known = fandoms.profile(5)
    ratings = {
        int(anime_id): None if np.isnan(rating) else float(rating)
        for anime_id, rating in zip(known.anime_ids, known.ratings, strict=True)
    }
    strange = Profile.from_ratings({**ratings, 77_777: 10.0, 5: 1.0})
    ranking = fandoms.recommender.recommend(strange, Options(model=name))
    assert [item.anime_id for item in ranking.results] == listed(fandoms.recommender, known, model=name)
    assert sorted(ranking.ignored) == [5, 77_777]
    assert ranking.known == len(known)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_profile_gets_the_popular_titles(fandoms: World, name: str) -> None:
    ranking = fandoms.recommender.recommend(Profile.from_ratings({}), Options(model=name))
    popular = listed(fandoms.recommender, Profile.from_ratings({}), model="popularity")
    assert [item.anime_id for item in ranking.results] == popular
    assert all(np.isfinite(item.score) for item in ranking.results)
    assert {reason.kind for item in ranking.results for reason in item.reasons} == {ReasonKind.POPULAR}


@pytest.mark.parametrize("name", ADDITIVE)
def test_contributions_add_up_to_the_score(fandoms: World, name: str) -> None:
    model = fandoms.models[name]
    profile = fandoms.members.one(7)
    targets = np.array([0, 5, 17, 38])
    added = model.contributions(profile, targets)
    assert added.shape == (len(profile.rows), len(targets))
    if name == "popularity":
        assert not added.any()
        return
    # What the ranker chose among was brought by the blend: its shares are the blend's.
    blend = fandoms.recommender.fusion
    expected = (blend if name == "ranker" else model).scores(profile)[0, targets]
    if name in {"fusion", "ranker"}:
        fused = blend.fuse(profile)
        expected = expected - fused.weights[0, 2] * fused.parts["popularity"][0, targets]
    np.testing.assert_allclose(added.sum(axis=0), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_mean_contributions_are_the_mean_over_all_titles(fandoms: World, name: str) -> None:
    model = fandoms.models[name]
    profile = fandoms.members.one(11)
    all_titles = np.arange(len(fandoms.recommender.anime_ids))
    mean = model.contributions(profile, all_titles).mean(axis=1)
    np.testing.assert_allclose(model.mean_contributions(profile), mean, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_save_and_load_give_the_same_scores(fandoms: World, name: str) -> None:
    original = fandoms.recommender
    restored = assemble(
        BundleInfo("again", ""),
        *disassemble(
            original.titles,
            original.fusion,
            ranker=original.ranker,
            others=[original.models["recommender_net"]],
        ),
    )
    batch = fandoms.members.part(0, 5)
    np.testing.assert_array_equal(restored.models[name].scores(batch), original.models[name].scores(batch))


def test_same_seed_same_answer(fandoms: World, fandoms_dir: Path) -> None:
    again = fit_world(fandoms_dir, small_params())
    batch = fandoms.members.part(0, 5)
    for name in NAMES:
        answer = again.models[name].scores(batch)
        np.testing.assert_array_equal(answer, fandoms.models[name].scores(batch), err_msg=name)


@pytest.mark.parametrize("name", ["titles", "ranker", "ease", "content", "popularity", "ratings", "recommender_net"])
def test_a_part_with_one_changed_byte_is_refused(bundle: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "bundle"
    shutil.copytree(bundle, copy)
    victims = sorted(copy.glob(f"{name}.*.npy"))
    assert victims
    for victim in victims:
        sound = victim.read_bytes()
        victim.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
        with pytest.raises(BundleError, match=victim.name.replace(".", r"\.")):
            load_recommender(copy)
        victim.write_bytes(sound)
    assert load_recommender(copy).model_names


def test_no_profiles_no_lists(fandoms: World) -> None:
    assert fandoms.recommender.recommend_batch([]) == []
    empty, ignored = ProfileBatch.of([], fandoms.recommender.anime_ids)
    assert (len(empty), ignored) == (0, [])
