"""What a person would rate a title: by hand, on members held out, and what is said where nothing is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml.artifacts import read_manifest
from ml.evaluation.ratings import hidden_ratings, judge_ratings
from ml.evaluation.splits import hide_share
from ml.models.content import ContentModel
from ml.models.profiles import ProfileBatch
from ml.models.ratings import SPREAD_PRIOR_RATINGS, Interval, RatingModel
from ml.reading import read_dataset
from ml.serving import Recommender
from ml.serving.loading import assemble, disassemble
from ml.training import pipeline
from ml.training.data import Members
from ml.training.params import read_params
from ml.training.ratings import RatingParams, calibrated, fit_ratings
from ml.types import BundleInfo, Entry, InputError, Profile, Status
from tests.ml.conftest import small_params
from tests.ml.worlds import write_fandoms, write_ratings

IDS = np.array([10, 20, 30, 40])
BY_HAND = RatingModel(
    biases=np.array([0.5, -0.5, 0.0, 1.0], dtype=np.float32),
    spreads=np.full(4, 1.5, dtype=np.float32),
    neighbours=np.array([[1, 2], [0, 2], [0, 1], [0, 1]], dtype=np.uint16),
    likeness=np.array([[0.25, 0.5], [0.25, 0], [0.5, 0.5], [0, 0]], dtype=np.float16),
    mean=7.0,
    spread=1.0,
    person_shrink=1.0,
    near_shrink=0.25,
    interval=Interval((0.0, 0.0, 1.0, 0.0, 0.0), -1.0, 0.5),
)


def one(*entries: Entry) -> ProfileBatch:
    return ProfileBatch.of([Profile.of(entries)], IDS)[0]


def test_a_rating_by_hand() -> None:
    # 8 and 5.5 are 0.5 above and 1 below what the titles lead to expect: -0.5 / (2 + 1) is how generous they are.
    profile = one(Entry(10, 8), Entry(20, 5.5), Entry(30))
    generosity = -0.5 / 3
    first, second = 0.5 - generosity, -1.0 - generosity
    predicted = BY_HAND.predict(profile, np.array([2, 3]))
    lean = (0.5 * first + 0.5 * second) / (1 + 0.25)
    np.testing.assert_allclose(predicted.ratings, [7 + generosity + lean, 7 + generosity + 1.0], rtol=1e-6)
    spread = np.sqrt((first**2 + second**2 + SPREAD_PRIOR_RATINGS) / (2 + SPREAD_PRIOR_RATINGS))
    np.testing.assert_allclose(predicted.lows, predicted.ratings - spread, rtol=1e-6)
    np.testing.assert_allclose(predicted.highs, predicted.ratings + 0.5 * spread, rtol=1e-6)
    np.testing.assert_allclose(predicted.features[:, 4], [1 / 1.25, 0])


def test_ratings_and_intervals_stay_between_one_and_ten() -> None:
    delighted = replace(BY_HAND, biases=np.full(4, 5, dtype=np.float32)).predict(one(), np.arange(4))
    assert (delighted.ratings == 10).all()
    assert (delighted.highs == 10).all()
    assert (delighted.lows < 10).all()
    appalled = replace(BY_HAND, biases=np.full(4, -9, dtype=np.float32)).predict(one(), np.arange(4))
    assert (appalled.ratings == 1).all()
    assert (appalled.lows == 1).all()


def test_many_titles_are_the_same_as_one_by_one() -> None:
    profile = one(Entry(10, 9), Entry(40, 2))
    together = BY_HAND.predict(profile, np.arange(4))
    alone = [BY_HAND.predict(profile, np.array([row])) for row in range(4)]
    np.testing.assert_array_equal(together.ratings, np.concatenate([each.ratings for each in alone]))
    np.testing.assert_array_equal(together.lows, np.concatenate([each.lows for each in alone]))


def test_save_and_load_give_the_same_ratings(served: Recommender) -> None:
    assert served.ratings is not None
    arrays, settings = disassemble(served.titles, served.fusion, ratings=served.ratings)
    again = assemble(BundleInfo("again", ""), arrays, settings)
    profile = Profile.from_ratings({1000: 9, 2000: 4})
    for anime_id in served.anime_ids.tolist():
        assert again.predict_rating(profile, anime_id) == served.predict_rating(profile, anime_id)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> pipeline.Prepared:
    params = small_params()
    params = replace(params, holdout=replace(params.holdout, member_share=0.5))
    return pipeline.prepare(read_dataset(write_fandoms(tmp_path_factory.mktemp("many"), members=1500)), params)


@pytest.fixture(scope="module")
def content(prepared: pipeline.Prepared) -> ContentModel:
    return pipeline.fit_content_part(prepared, small_params())


@pytest.fixture(scope="module")
def fitted(prepared: pipeline.Prepared, content: ContentModel) -> RatingModel:
    model = fit_ratings(prepared.training(), prepared.catalogue, content, RatingParams())
    assert model is not None
    return model


def test_neighbours_are_of_the_same_fandom(fitted: RatingModel, prepared: pipeline.Prepared) -> None:
    fandom = prepared.catalogue.anime_ids // 1000
    for row in np.flatnonzero(fandom < 9):
        weight = fitted.likeness[row].astype(float)
        at_home = fandom[fitted.neighbours[row]] == fandom[row]
        assert weight[at_home].sum() > 2 * weight[~at_home].sum()
        assert weight[fitted.neighbours[row] == row].sum() == 0, "nothing is its own neighbour"


def test_it_beats_the_mean_of_the_title_and_of_the_person(fitted: RatingModel, prepared: pipeline.Prepared) -> None:
    split = hide_share(prepared.members.where(prepared.measuring).batch, 0.2, seed=2)
    people = hidden_ratings(split)
    training = prepared.training().batch
    rated = ~np.isnan(training.ratings)
    counts = np.bincount(training.rows[rated], minlength=len(prepared.catalogue))
    sums = np.bincount(training.rows[rated], training.ratings[rated], minlength=len(prepared.catalogue))
    mean = float(training.ratings[rated].mean())
    of_title = np.where(counts > 0, sums / np.maximum(counts, 1), mean)
    by_title, by_both = [], []
    for shown, rows, ratings in people:
        by_title.append(ratings - of_title[rows])
        own = float(np.nanmean(shown.ratings)) if not np.isnan(shown.ratings).all() else mean
        by_both.append(ratings - own - of_title[rows] + mean)
    reached = judge_ratings(fitted, people)
    for baseline in (by_title, by_both):
        error = np.concatenate(baseline)
        assert reached["rating_rmse"] < 0.9 * np.sqrt(np.square(error).mean())
        assert reached["rating_mae"] < 0.9 * np.abs(error).mean()


def test_four_of_five_ratings_lie_in_the_interval(fitted: RatingModel, prepared: pipeline.Prepared) -> None:
    batch = prepared.members.where(prepared.blending).batch
    model = calibrated(fitted, batch, 0.2, seed=1)
    assert model.interval != fitted.interval
    others = prepared.members.where(prepared.measuring).batch
    for share in (0.2, 0.8):
        reached = judge_ratings(model, hidden_ratings(hide_share(others, share, seed=3)))
        assert reached["rating_interval_coverage"] == pytest.approx(0.8, abs=0.05)


def test_whoever_is_hard_to_tell_gets_a_wider_interval_that_fits_them_too(
    prepared: pipeline.Prepared, content: ContentModel
) -> None:
    """Every second member rates as titles deserve, the others nearly at random."""
    rng = np.random.default_rng(8)
    count, titles = 400, len(prepared.catalogue)
    deserved = rng.normal(6.5, 1, titles)
    noise = np.where(np.arange(count) % 2, 1.8, 0.4)
    rows = np.concatenate([rng.permutation(titles)[:24] for _ in range(count)])
    ratings = deserved[rows] + np.repeat(noise, 24) * rng.standard_normal(len(rows))
    batch = ProfileBatch(
        np.arange(count + 1) * 24, rows, np.clip(ratings, 1, 10).astype(np.float32), np.ones(len(rows), dtype=np.int8)
    )
    fitted = fit_ratings(Members(np.arange(count), batch), prepared.catalogue, content, RatingParams())
    assert fitted is not None
    model = calibrated(fitted, batch.part(0, 200), 0.2, seed=1)
    widths = []
    for parity in (0, 1):
        own = [
            person for index, person in enumerate(hidden_ratings(hide_share(batch.part(200, 400), 0.2, seed=3)))
            if index % 2 == parity
        ]  # fmt: skip
        assert judge_ratings(model, own)["rating_interval_coverage"] == pytest.approx(0.8, abs=0.08)
        predicted = [model.predict(shown, hidden) for shown, hidden, _ in own]
        widths.append(np.mean([(each.highs - each.lows).mean() for each in predicted]))
    assert widths[1] > 2 * widths[0]


def test_too_few_held_out_ratings_leave_the_interval_as_it_was(fitted: RatingModel) -> None:
    nobody = ProfileBatch.of([], np.arange(3))[0]
    assert calibrated(fitted, nobody, 0.2, seed=1) == fitted


def test_a_title_that_nobody_rated_is_told_by_its_like(served: Recommender) -> None:
    fan = Profile.from_ratings({1000: 10, 1001: 10, 1002: 9, 2000: 3, 2001: 4, 2002: 3})
    mecha, romance = served.predict_rating(fan, 9000), served.predict_rating(fan, 9001)
    assert mecha is not None
    assert romance is not None
    assert mecha.rating > romance.rating


def test_the_community_rating_is_what_to_expect_of_a_title_that_few_rated(
    prepared: pipeline.Prepared, content: ContentModel
) -> None:
    rows = prepared.catalogue.rows_of(np.array([9000, 9001]))
    frame = prepared.catalogue.frame.copy()
    frame.loc[rows, "score"] = [8.4, 7.0]
    model = fit_ratings(prepared.training(), replace(prepared.catalogue, frame=frame), content, RatingParams())
    assert model is not None
    better, worse = model.biases[rows]
    assert better != worse


def test_a_prediction_is_for_what_is_not_rated(served: Recommender) -> None:
    profile = Profile.from_ratings({1000: 9, 1002: 8, 1004: 9})
    rated = served.predict_rating(profile, 1000)
    without = served.predict_rating(Profile.from_ratings({1002: 8, 1004: 9}), 1000)
    assert rated is not None
    assert rated == without, "their own rating of it says nothing"
    assert rated.support == 2
    assert 1 <= rated.low <= rated.rating <= rated.high <= 10


@pytest.mark.parametrize(
    ("profile", "anime_id"),
    [
        (Profile.from_ratings({}), 1000),
        (Profile.from_ratings({1000: 9}), 1000),
        (Profile.from_ratings({1002: None}), 1000),
        (Profile.of([Entry(1002, status=Status.PLANNED)]), 1000),
        (Profile.from_ratings({77_777: 9}), 1000),
        (Profile.from_ratings({1002: 9}), 77_777),
    ],
)
def test_nothing_is_told_where_nothing_is_known(served: Recommender, profile: Profile, anime_id: int) -> None:
    assert served.predict_rating(profile, anime_id) is None


def test_an_old_bundle_tells_nothing(served: Recommender) -> None:
    old = assemble(BundleInfo("old", ""), *disassemble(served.titles, served.fusion))
    assert old.ratings is None
    assert old.predict_rating(Profile.from_ratings({1002: 9}), 1000) is None


def test_the_bundle_tells_how_well_it_predicts(bundle: Path) -> None:
    metrics = read_manifest(bundle).content["metrics"]
    assert 0.3 < metrics["rating_mae"] < metrics["rating_rmse"] < 2
    assert 0.6 < metrics["rating_interval_coverage"] < 0.95


def test_lists_are_the_same_with_and_without_it(served: Recommender) -> None:
    without = Recommender(served.info, served.titles, served.fusion, 100, served.ranker)
    profile = Profile.from_ratings({1000: 9, 2000: 8})
    assert without.recommend(profile).results == served.recommend(profile).results


def test_where_nobody_rated_there_is_no_model(fandoms_dir: Path, tmp_path: Path) -> None:
    for name in ("anime.csv", "anime_with_synopsis.csv", "franchises.json"):
        (tmp_path / name).write_bytes((fandoms_dir / name).read_bytes())
    rows: list[tuple[object, ...]] = [(member, 1000 + title, -1) for member in range(30) for title in range(8)]
    write_ratings(tmp_path / "rating.csv", rows)
    params = small_params()
    prepared = pipeline.prepare(read_dataset(tmp_path), params)
    content = pipeline.fit_content_part(prepared, params)
    assert pipeline.try_ratings(prepared, content, params) is None
    assert pipeline.fit_rating_part(prepared, content, None, params) is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("ratings: {near_shrink: 0}", "ratings.near_shrink must be more than 0"),
        ("ratings: {neighbours: 0}", "ratings.neighbours must be at least 1"),
        ("ratings: {min_ratings: many}", "ratings.min_ratings is 'many'"),
    ],
)
def test_bad_parameters_are_named(tmp_path: Path, values: str, words: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(values)
    with pytest.raises(InputError, match=words):
        read_params(path)


def test_no_ratings_are_judged_as_nothing() -> None:
    people: list[Any] = []
    assert judge_ratings(BY_HAND, people) == {}
