"""Fitting: against closed forms, and on titles that nobody has rated."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ml.models.profiles import ProfileBatch
from ml.models.taste import TasteWeights
from ml.reading import read_dataset
from ml.training import pipeline
from ml.training.data import entry_matrix
from ml.training.ease import EaseParams, solve
from ml.training.params import Params, read_params
from ml.types import Entry, InputError, Options, Profile, Status
from tests.ml.conftest import World, fit_world, small_params
from tests.ml.worlds import ANIME_COLUMNS, write_csv, write_ratings

ROOT = Path(__file__).parents[2]


def batch_of(*profiles: Profile) -> ProfileBatch:
    ids = np.arange(1, 30, dtype=np.int64)
    return ProfileBatch.of(list(profiles), ids)[0]


def test_taste_weights_by_hand() -> None:
    taste = TasteWeights(rating_weight=0.5, unrated=0.6, planned=0.3, dropped=0.1)
    batch = batch_of(
        Profile.of(
            [
                Entry(1, 10),
                Entry(2, 6),
                Entry(3),
                Entry(4, status=Status.PLANNED),
                Entry(5, status=Status.DROPPED),
            ]
        ),
        Profile.of([Entry(1, 1), Entry(2, 10), Entry(3, 10), Entry(4, 10)]),
    )
    # Mean 8: 1 + 0.5 * 2 / 2 and 1 - 0.5 * 2 / 2; mean 7.75: 1 - 0.5 * 6.75 / 2 is cut off at 0.
    expected = [1.5, 0.5, 0.6, 0.3, 0.1, 0.0, 1.5625, 1.5625, 1.5625]
    np.testing.assert_allclose(taste.of(batch), expected, rtol=1e-6)


def test_one_low_rating_is_a_dislike_only_against_a_prior() -> None:
    batch = batch_of(Profile.from_ratings({1: 2}))
    assert TasteWeights(prior_weight=0).of(batch)[0] == 1
    assert TasteWeights(prior_weight=1, prior_mean=8, rating_weight=0.5).of(batch)[0] == pytest.approx(0.25)


def test_ease_is_the_closed_form() -> None:
    rng = np.random.default_rng(3)
    lists = (rng.random((40, 8)) < 0.4).astype(np.float64)
    gram = lists.T @ lists
    params = EaseParams(ridge=7, dropout=0, franchise_prior=0)
    ours = solve(gram.astype(np.float32), np.arange(8), params)
    inverse = np.linalg.inv(gram + 7 * np.eye(8))
    expected = inverse / -np.diag(inverse)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_the_franchise_prior_ties_parts_and_dropout_loosens() -> None:
    gram = np.diag([10.0, 10.0, 10.0]).astype(np.float32)
    tied = solve(gram.copy(), np.array([0, 0, 1]), EaseParams(ridge=8, dropout=0, franchise_prior=4))
    # (18 4; 4 18) inverted and scaled: 4 / 18 between the parts, nothing towards the stranger.
    assert tied[0, 1] == pytest.approx(4 / 18)
    assert tied[0, 2] == 0
    loosened = solve(gram.copy(), np.array([0, 0, 1]), EaseParams(ridge=8, dropout=0.5, franchise_prior=4))
    assert loosened[0, 1] == pytest.approx(4 / 28)


def test_the_stored_matrix_is_the_fitted_one(fandoms: World) -> None:
    params = small_params()
    n = len(fandoms.recommender.anime_ids)
    warm = np.arange(36)
    entries = entry_matrix(fandoms.members, params.ease_taste().of(fandoms.members), n)[:, warm]
    gram = (entries.T @ entries).toarray()
    dense = solve(gram, fandoms.recommender.titles.franchise[warm], params.ease)
    profile = fandoms.members.one(0)
    weights = np.zeros(36)
    weights[profile.rows] = params.ease_taste().of(profile)
    everything_kept = replace(params, ease=replace(params.ease, keep=36))
    content = pipeline.fit_content_part(fandoms.prepared, everything_kept)
    stored = pipeline.fit_ease_part(fandoms.prepared, fandoms.prepared.members, content, everything_kept)
    scores = stored.scores(profile)[0]
    np.testing.assert_allclose(scores[:36], weights @ dense, atol=2e-4)


def test_only_the_strongest_weights_of_each_title_are_kept(fandoms: World) -> None:
    ease = fandoms.recommender.fusion.ease
    warm_targets = ease.targets[ease.targets < 36]
    assert np.bincount(warm_targets).max() == small_params().ease.keep


def test_titles_that_nobody_rated_find_the_fans_of_their_kind(fandoms: World) -> None:
    unseen = np.array([9000, 9001, 9002])  # Mecha, Romance, Sports
    for member in range(30):
        profile = fandoms.profile(member)
        for model in ("ease", "content", "fusion"):
            results = fandoms.recommender.recommend(profile, Options(k=3, candidates=unseen, model=model)).results
            assert results[0].anime_id == 9000 + member % 3, model


def test_popularity_counts_who_liked(tmp_path: Path) -> None:
    titles = [(n, f"T{n}", "Drama", "TV", 12, 7, members) for n, members in ((1, 40), (2, 40), (3, 4), (4, ""))]
    write_csv(tmp_path / "anime.csv", ANIME_COLUMNS, list(titles))
    write_ratings(tmp_path / "rating.csv", [(1, 1, 8), (2, 1, 10), (3, 1, 9), (4, 1, 9), (1, 2, 7), (2, 2, 9)])
    appeal = fit_world(tmp_path, small_params()).recommender.fusion.popularity.appeal
    assert appeal[0] == 1
    assert appeal[1] == pytest.approx(np.sqrt(1 / 4))
    # Title 3: 4 members at the rate of 5 likes among 80. Title 4: unknown, half its neighbours' mean of 2.5.
    assert appeal[2] == pytest.approx(np.sqrt(4 * 5 / 80 / 4))
    assert appeal[3] == pytest.approx(np.sqrt(0.5 * 2.5 / 4))


def test_the_blend_is_learned_on_members_the_parts_have_not_seen(fandoms: World) -> None:
    prepared = fandoms.prepared
    assert not (prepared.blending & prepared.measuring).any()
    seen = set(prepared.training().user_ids.tolist())
    assert seen.isdisjoint(prepared.members.user_ids[prepared.blending].tolist())
    assert seen.isdisjoint(prepared.members.user_ids[prepared.measuring].tolist())


def test_a_bundle_says_what_it_was_made_of_and_reaches(served) -> None:
    assert served.info.data["members"] == 240
    assert set(served.info.data["fingerprint"]) == {
        "rating.csv",
        "anime.csv",
        "anime_with_synopsis.csv",
        "franchises.json",
    }
    assert served.info.params["ease"]["ridge"] == 5
    assert served.info.metrics["plain_ndcg@10"] > served.info.metrics["popularity_plain_ndcg@10"]
    assert served.info.metrics["recommender_net_plain_ndcg@10"] > served.info.metrics["popularity_plain_ndcg@10"]


def test_a_small_catalogue_needs_no_network_and_no_tensorflow(fandoms_dir: Path, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom ml.reading import read_dataset\n"
        "from ml.training import pipeline\nfrom ml.training.params import Params\n"
        f"manifest = pipeline.train(read_dataset(Path({str(fandoms_dir)!r})), Path({str(tmp_path / 'bundle')!r}), "
        "Params())\n"
        "print(manifest.content['learning']['recommender_net']['left_out'], '/', 'tensorflow' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert result.stdout == "39 titles, and neural.fewest_titles is 1,000 / False\n", result.stderr


def test_without_tensorflow_there_is_no_network(fandoms: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pipeline.why_no_net(fandoms.prepared, small_params()) == ""
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert pipeline.why_no_net(fandoms.prepared, small_params()) == "TensorFlow is not installed"


@pytest.mark.parametrize("members", [1, 3])
def test_a_handful_of_ratings_is_enough_to_train(tmp_path: Path, members: int) -> None:
    titles = [(n, f"T{n}", "Drama", "TV", 12, 7, 40) for n in range(1, 4)]
    write_csv(tmp_path / "anime.csv", ANIME_COLUMNS, list(titles))
    write_ratings(tmp_path / "rating.csv", [(member, 1, 8) for member in range(members)])
    manifest = pipeline.train(read_dataset(tmp_path), tmp_path / "bundle", Params())
    assert manifest.content["metrics"] == {}


def test_params_file_holds_the_defaults_and_nothing_is_left_out() -> None:
    import yaml

    path = ROOT / "params.yaml"
    assert read_params(path) == Params()

    def names(value: object) -> object:
        return {key: names(inner) for key, inner in value.items()} if isinstance(value, dict) else None

    assert names(yaml.safe_load(path.read_text())) == names(Params().as_dict())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ease:\n  rigde: 5\n", "no parameter ease.rigde"),
        ("ease: 5\n", "ease must hold names and values"),
        ("seed: many\n", "seed is 'many'"),
        ("seed: true\n", "seed is True"),
        ("ease: [1\n", "not YAML"),
        ("- 1\n", "the file must hold names and values"),
        ("ease:\n  ridge: 10\n  franchise_prior: 10\n", "less than ease.ridge"),
        ("ease:\n  dropout: 1\n", "less than 1"),
        ("fusion:\n  size_grid: [a]\n", "fusion.size_grid is"),
        ("neural:\n  enabled: 1\n", "neural.enabled is 1"),
        ("neural:\n  epochs: 0\n", "neural.epochs must be at least 1"),
        ("neural:\n  learning_rate: 0\n", "neural.learning_rate must be more than 0"),
        ("neural:\n  learning_rate: 3e-4\n", "neural.learning_rate is '3e-4'"),
        ("neural:\n  shown_least: 0.9\n  shown_most: 0.1\n", "shown_most no less than it"),
    ],
)
def test_bad_params_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match="params") as caught:
        read_params(path)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_seed_of_the_command_line_wins(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("seed: 4\n")
    assert read_params(path).seed == 4
    assert read_params(path, seed=9).seed == 9
