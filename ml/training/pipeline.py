"""From a data set to a bundle, step by step. `train` runs the steps in memory, `stage` one at a time."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.artifacts import Manifest, write_bundle
from ml.evaluation.ratings import hidden_ratings, judge_ratings
from ml.evaluation.report import evaluate_split
from ml.evaluation.splits import Split, choose_members, hide_share
from ml.models.content import ContentModel
from ml.models.ease import EaseModel
from ml.models.fusion import FusionModel, FusionWeights
from ml.models.popularity import PopularityModel
from ml.models.ranker import RankerHeads, RankerModel
from ml.models.ratings import RatingModel
from ml.models.recommender_net import RecommenderNet
from ml.models.titles import Titles
from ml.reading import Catalogue, Dataset, fingerprint
from ml.serving import Recommender
from ml.serving.loading import disassemble
from ml.training.about import description
from ml.training.content import fit_content
from ml.training.data import Members, count_liked
from ml.training.ease import fit_ease
from ml.training.fusion import fit_fusion_weights
from ml.training.gram import Gram
from ml.training.params import Params
from ml.training.popularity import expected_likes, fit_popularity
from ml.training.ranker import Ground, Parts, fit_ranker
from ml.training.ratings import calibrated, fit_ratings, with_interval_of
from ml.training.titles import describe_titles
from ml.types import BundleInfo

if TYPE_CHECKING:
    from ml.training.neural import LearningCurves

Progress = Callable[[str, float, str], None]
LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class Prepared:
    """Members, and which of them are held out: ``blending`` and ``measuring`` are bool (m,)."""

    catalogue: Catalogue
    members: Members
    blending: np.ndarray
    measuring: np.ndarray

    def training(self) -> Members:
        """The members that nothing is held out of."""
        return self.members.where(~(self.blending | self.measuring))


def silent(stage: str, percent: float, message: str) -> None:
    """A progress display that shows nothing."""


def prepare(dataset: Dataset, params: Params) -> Prepared:
    """Put the data in model coordinates and choose the members to hold out."""
    members = Members.of(dataset.interactions, dataset.catalogue)
    holdout = params.holdout
    chosen = choose_members(
        members.batch, holdout.member_share, holdout.max_members, holdout.min_entries, params.seed
    )
    blending = np.zeros(len(members), dtype=bool)
    measuring = np.zeros(len(members), dtype=bool)
    blending[chosen] = True
    measuring[chosen[::3]] = True
    blending &= ~measuring
    return Prepared(dataset.catalogue, members, blending, measuring)


def fit_parts(
    prepared: Prepared,
    members: Members,
    content: ContentModel,
    params: Params,
    progress: Progress = silent,
    counted: Gram | None = None,
) -> tuple[PopularityModel, EaseModel]:
    """Popularity and EASE, fitted to ``members``; EASE to those that are ``counted``, if that is given."""
    return (
        fit_popularity_part(prepared, members, content, params),
        fit_ease_part(prepared, members, content, params, progress, counted),
    )


def fit_content_part(prepared: Prepared, params: Params) -> ContentModel:
    return fit_content(prepared.catalogue, params.content, params.content_taste(), params.seed)


def fit_popularity_part(
    prepared: Prepared, members: Members, content: ContentModel, params: Params
) -> PopularityModel:
    return fit_popularity(members.batch, prepared.catalogue, content, params.titles.unreleased_likes_share)


def fit_ease_part(
    prepared: Prepared,
    members: Members,
    content: ContentModel,
    params: Params,
    progress: Progress = silent,
    counted: Gram | None = None,
) -> EaseModel:
    likes = expected_likes(members.batch, prepared.catalogue, content, params.titles.unreleased_likes_share)
    return fit_ease(
        members.batch,
        content,
        likes,
        params.ease,
        params.ease_taste(),
        lambda percent, message: progress("ease", percent, message),
        counted,
    )


def try_ratings(prepared: Prepared, content: ContentModel, params: Params) -> RatingModel | None:
    """The rating predictor without the held-out members, as sure as those allow that the blend is learned on."""
    model = fit_ratings(prepared.training(), prepared.catalogue, content, params.ratings)
    heldout = prepared.members.where(prepared.blending).batch
    return None if model is None else calibrated(model, heldout, params.fusion.hidden_share, params.seed)


def fit_rating_part(
    prepared: Prepared, content: ContentModel, tried: RatingModel | None, params: Params
) -> RatingModel | None:
    """The rating predictor, fitted to all members and as sure as the one ``tried`` without some."""
    model = fit_ratings(prepared.members, prepared.catalogue, content, params.ratings)
    return None if model is None else with_interval_of(model, tried)


def why_no_net(prepared: Prepared, params: Params) -> str:
    """Why the bundle is to hold no RecommenderNet, in words; empty if it is to hold one."""
    titles, fewest = len(prepared.catalogue), params.neural.fewest_titles
    if not params.neural.enabled:
        return "neural.enabled is false"
    if titles < fewest:
        return f"{titles:,} titles, and neural.fewest_titles is {fewest:,}"
    if importlib.util.find_spec("tensorflow") is None:
        return "TensorFlow is not installed"
    return ""


def fit_net(
    prepared: Prepared,
    members: Members,
    content: ContentModel,
    ease: EaseModel,
    params: Params,
    epochs: int,
    progress: Progress = silent,
) -> RecommenderNet:
    """RecommenderNet, fitted to ``members`` for so many epochs. ``ease`` must be fitted to the same members."""
    return _fit_net(prepared, members, content, ease, params, epochs, None, progress)[0]


def try_net(
    prepared: Prepared, content: ContentModel, ease: EaseModel, params: Params, progress: Progress = silent
) -> tuple[RecommenderNet, LearningCurves]:
    """RecommenderNet without the held-out members, from its best epoch: that in which it served those best that
    the blend is learned on. Where there are none, all epochs are run. ``ease`` must not have seen them either."""
    blending = prepared.members.where(prepared.blending).batch
    validation = hide_share(blending, params.fusion.hidden_share, params.seed) if len(blending) else None
    epochs = params.neural.epochs
    return _fit_net(prepared, prepared.training(), content, ease, params, epochs, validation, progress)


def _fit_net(
    prepared: Prepared,
    members: Members,
    content: ContentModel,
    ease: EaseModel,
    params: Params,
    epochs: int,
    validation: Split | None,
    progress: Progress,
) -> tuple[RecommenderNet, LearningCurves]:
    progress("network", 0, "loading TensorFlow")
    # Here and not above: nothing else needs it, and it takes seconds and half a gigabyte to load.
    from ml.training.neural import fit_recommender_net

    return fit_recommender_net(
        members.batch,
        content,
        expected_likes(members.batch, prepared.catalogue, content, params.titles.unreleased_likes_share),
        ease,
        params.neural,
        params.ease_taste(),
        params.seed,
        validation,
        lambda percent, message: progress("network", percent, message),
        epochs,
    )


def describe(prepared: Prepared, params: Params) -> Titles:
    return describe_titles(
        prepared.catalogue,
        count_liked(prepared.members.batch, len(prepared.catalogue)),
        params.titles.marginal_member_share,
        params.titles.main_ova_episodes,
    )


def learn_blend(
    prepared: Prepared,
    content: ContentModel,
    popularity: PopularityModel,
    ease: EaseModel,
    params: Params,
    progress: Progress = silent,
) -> FusionWeights:
    """Weights of the parts, learned on held-out members; the parts must not have seen those."""
    return fit_fusion_weights(
        FusionModel(ease, content, popularity, FusionWeights()),
        prepared.members.where(prepared.blending).batch,
        content.franchise,
        params.fusion,
        params.seed,
        lambda percent, message: progress("fuse", percent, message),
    )


def learn_ranker(
    prepared: Prepared,
    content: ContentModel,
    titles: Titles,
    weights: FusionWeights,
    params: Params,
    epochs: int,
    progress: Progress = silent,
) -> RankerHeads:
    """The ranker, learned out of fold on all members but those that measure. It looks at RecommenderNet too, fitted
    for ``epochs`` in each fold; 0: there is none."""

    def fit(members: Members) -> Parts:
        popularity, ease = fit_parts(prepared, members, content, params)
        others = (fit_net(prepared, members, content, ease, params, epochs),) if epochs else ()
        return Parts(popularity, ease, others)

    return fit_ranker(
        prepared.members.where(~prepared.measuring),
        ranker_ground(prepared, content, titles, weights, params),
        fit,
        params.ranker,
        params.seed,
        lambda percent, message: progress("rank", percent, message),
    )


def ranker_ground(
    prepared: Prepared, content: ContentModel, titles: Titles, weights: FusionWeights, params: Params
) -> Ground:
    return Ground(
        catalogue=prepared.catalogue,
        content=content,
        titles=titles,
        weights=weights,
        ease=params.ease,
        prior_mean_rating=params.prior_mean_rating,
        unreleased_likes_share=params.titles.unreleased_likes_share,
    )


def place_ranker(
    prepared: Prepared,
    members: Members,
    fusion: FusionModel,
    titles: Titles,
    heads: RankerHeads,
    net: RecommenderNet | None,
    params: Params,
) -> RankerModel | None:
    """The ranker over parts that were fitted to ``members``; nothing where it has learned nothing."""
    if not any(heads.knows(head) for head in heads.forests):
        return None
    ground = ranker_ground(prepared, fusion.content, titles, fusion.weights, params)
    others = () if net is None else (net,)
    return RankerModel(fusion, titles, ground.facts(members.batch), heads, others)


def measure(
    prepared: Prepared,
    titles: Titles,
    fusion: FusionModel,
    ranker: RankerModel | None,
    net: RecommenderNet | None,
    ratings: RatingModel | None,
    params: Params,
) -> dict[str, float]:
    """What the lists, the parts alone and the predicted ratings reach on held-out members that nothing was learned
    from."""
    batch = prepared.members.where(prepared.measuring).batch
    if not len(batch):
        return {}
    recommender = Recommender(
        _unpublished(), titles, fusion, params.serving.shortlist_titles, ranker, () if net is None else (net,)
    )
    split = hide_share(batch, params.fusion.hidden_share, params.seed)
    metrics = evaluate_split(recommender, split)
    return metrics if ratings is None else {**metrics, **judge_ratings(ratings, hidden_ratings(split))}


def train(
    dataset: Dataset,
    out: Path,
    params: Params,
    progress: Progress = silent,
    git_revision: str = "",
    on_metrics: Callable[[Mapping[str, float]], None] = lambda metrics: None,
    counted: Gram | None = None,
) -> Manifest:
    """Fit the parts without the held-out members to learn the blend, several times without others to teach the
    ranker, then with all, and write the bundle. ``on_metrics`` is told what was measured before the last fit begins.
    ``counted``: who watched what together among all members, where ``dataset`` holds a sample of them."""
    progress("prepare", 0, "splitting members")
    prepared = prepare(dataset, params)
    progress("content", 0, "reading what titles are about")
    content = fit_content_part(prepared, params)
    titles = describe(prepared, params)
    popularity, ease = fit_parts(prepared, prepared.training(), content, params, _half(progress, 0))
    net = curves = None
    left_out = why_no_net(prepared, params)
    if left_out:
        progress("network", 0, f"left out: {left_out}")
    else:
        net, curves = try_net(prepared, content, ease, params, _half(progress, 0))
    weights = learn_blend(prepared, content, popularity, ease, params, progress)
    epochs = 0 if curves is None else curves.best_epoch
    heads = learn_ranker(prepared, content, titles, weights, params, epochs, progress)
    progress("ratings", 0, "learning what people would rate")
    ratings = try_ratings(prepared, content, params)
    progress("evaluate", 0, "measuring on held-out members")
    fusion = FusionModel(ease, content, popularity, weights)
    ranker = place_ranker(prepared, prepared.training(), fusion, titles, heads, net, params)
    metrics = measure(prepared, titles, fusion, ranker, net, ratings, params)
    on_metrics(metrics)
    popularity, ease = fit_parts(prepared, prepared.members, content, params, _half(progress, 1), counted)
    fusion = FusionModel(ease, content, popularity, weights)
    if curves is not None:
        net = fit_net(prepared, prepared.members, content, ease, params, epochs, _half(progress, 1))
    ranker = place_ranker(prepared, prepared.members, fusion, titles, heads, net, params)
    progress("ratings", 50, "learning what people would rate (with all members)")
    ratings = fit_rating_part(prepared, content, ratings, params)
    progress("bundle", 0, f"writing {out}")
    files = fingerprint(dataset.files)
    learning = {LEFT_OUT: left_out} if curves is None else curves.as_dict()
    manifest = publish(
        out, prepared, files, titles, fusion, ranker, net, ratings, learning, params, metrics, git_revision, counted
    )
    progress("bundle", 100, f"wrote {out}")
    return manifest


def publish(
    out: Path,
    prepared: Prepared,
    fingerprints: Mapping[str, str],
    titles: Titles,
    fusion: FusionModel,
    ranker: RankerModel | None,
    net: RecommenderNet | None,
    ratings: RatingModel | None,
    learning: Mapping[str, Any],
    params: Params,
    metrics: Mapping[str, float],
    git_revision: str,
    counted: Gram | None = None,
) -> Manifest:
    """Write the bundle. ``learning``: the network's learning curves, or why there is none."""
    others = () if net is None else (net,)
    arrays, settings = disassemble(titles, fusion, params.serving.shortlist_titles, ranker, others, ratings)
    about = description(prepared.members, len(prepared.catalogue), fingerprints, params, metrics, git_revision)
    about["learning"] = {RecommenderNet.name: dict(learning)}
    if counted is not None:
        about["data"]["gram"] = counted.description()
    return write_bundle(out, arrays, {**about, "settings": settings})


def _half(progress: Progress, half: int) -> Progress:
    """The display of one of two fits: the first fills 0 to 50 percent, the second the rest."""
    words = ("without held-out members", "with all members")[half]
    return lambda stage, percent, message: progress(stage, 50 * half + percent / 2, f"{message} ({words})")


def _unpublished() -> BundleInfo:
    return BundleInfo(version="", created="")
