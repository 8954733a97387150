"""From a data set to a bundle, step by step. `train` runs the steps in memory, `stage` one at a time."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ml.artifacts import Manifest, write_bundle
from ml.evaluation.report import evaluate_split
from ml.evaluation.splits import choose_members, hide_share
from ml.models.content import ContentModel
from ml.models.ease import EaseModel
from ml.models.fusion import FusionModel, FusionWeights
from ml.models.popularity import PopularityModel
from ml.models.ranker import RankerHeads, RankerModel
from ml.models.titles import Titles
from ml.reading import Catalogue, Dataset, fingerprint
from ml.serving import Recommender
from ml.serving.loading import disassemble
from ml.training.content import fit_content
from ml.training.data import Members, count_liked
from ml.training.ease import fit_ease
from ml.training.fusion import fit_fusion_weights
from ml.training.params import Params
from ml.training.popularity import expected_likes, fit_popularity
from ml.training.ranker import Ground, fit_ranker
from ml.training.titles import describe_titles
from ml.types import BundleInfo

Progress = Callable[[str, float, str], None]


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
    prepared: Prepared, members: Members, content: ContentModel, params: Params, progress: Progress = silent
) -> tuple[PopularityModel, EaseModel]:
    """Popularity and EASE, fitted to ``members``."""
    return (
        fit_popularity_part(prepared, members, content, params),
        fit_ease_part(prepared, members, content, params, progress),
    )


def fit_content_part(prepared: Prepared, params: Params) -> ContentModel:
    return fit_content(prepared.catalogue, params.content, params.content_taste(), params.seed)


def fit_popularity_part(
    prepared: Prepared, members: Members, content: ContentModel, params: Params
) -> PopularityModel:
    return fit_popularity(members.batch, prepared.catalogue, content, params.titles.unreleased_likes_share)


def fit_ease_part(
    prepared: Prepared, members: Members, content: ContentModel, params: Params, progress: Progress = silent
) -> EaseModel:
    likes = expected_likes(members.batch, prepared.catalogue, content, params.titles.unreleased_likes_share)
    return fit_ease(
        members.batch,
        content,
        likes,
        params.ease,
        params.ease_taste(),
        lambda percent, message: progress("ease", percent, message),
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
    progress: Progress = silent,
) -> RankerHeads:
    """The ranker, learned out of fold on all members but those that measure."""

    def fit(members: Members) -> tuple[PopularityModel, EaseModel]:
        return fit_parts(prepared, members, content, params)

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
    params: Params,
) -> RankerModel | None:
    """The ranker over parts that were fitted to ``members``; nothing where it has learned nothing."""
    if not any(heads.knows(head) for head in heads.forests):
        return None
    ground = ranker_ground(prepared, fusion.content, titles, fusion.weights, params)
    return RankerModel(fusion, titles, ground.facts(members.batch), heads)


def measure(
    prepared: Prepared, titles: Titles, fusion: FusionModel, ranker: RankerModel | None, params: Params
) -> dict[str, float]:
    """What the lists and the parts alone reach on held-out members that nothing was learned from."""
    batch = prepared.members.where(prepared.measuring).batch
    if not len(batch):
        return {}
    recommender = Recommender(_unpublished(), titles, fusion, params.serving.shortlist_titles, ranker)
    split = hide_share(batch, params.fusion.hidden_share, params.seed)
    return evaluate_split(recommender, split)


def train(
    dataset: Dataset, out: Path, params: Params, progress: Progress = silent, git_revision: str = ""
) -> Manifest:
    """Fit the parts without the held-out members to learn the blend, several times without others to teach the
    ranker, then with all, and write the bundle."""
    progress("prepare", 0, "splitting members")
    prepared = prepare(dataset, params)
    progress("content", 0, "reading what titles are about")
    content = fit_content_part(prepared, params)
    titles = describe(prepared, params)
    popularity, ease = fit_parts(prepared, prepared.training(), content, params, _half(progress, 0))
    weights = learn_blend(prepared, content, popularity, ease, params, progress)
    heads = learn_ranker(prepared, content, titles, weights, params, progress)
    progress("evaluate", 0, "measuring on held-out members")
    fusion = FusionModel(ease, content, popularity, weights)
    ranker = place_ranker(prepared, prepared.training(), fusion, titles, heads, params)
    metrics = measure(prepared, titles, fusion, ranker, params)
    popularity, ease = fit_parts(prepared, prepared.members, content, params, _half(progress, 1))
    fusion = FusionModel(ease, content, popularity, weights)
    ranker = place_ranker(prepared, prepared.members, fusion, titles, heads, params)
    progress("bundle", 0, f"writing {out}")
    files = fingerprint(dataset.files)
    manifest = publish(out, prepared, files, titles, fusion, ranker, params, metrics, git_revision)
    progress("bundle", 100, f"wrote {out}")
    return manifest


def publish(
    out: Path,
    prepared: Prepared,
    fingerprints: Mapping[str, str],
    titles: Titles,
    fusion: FusionModel,
    ranker: RankerModel | None,
    params: Params,
    metrics: Mapping[str, float],
    git_revision: str,
) -> Manifest:
    """Write the bundle."""
    arrays, settings = disassemble(titles, fusion, params.serving.shortlist_titles, ranker)
    return write_bundle(
        out, arrays, {**description(prepared, fingerprints, params, metrics, git_revision), "settings": settings}
    )


def description(
    prepared: Prepared,
    fingerprints: Mapping[str, str],
    params: Params,
    metrics: Mapping[str, float],
    git_revision: str,
) -> dict[str, Any]:
    """What the manifest says besides the files."""
    batch = prepared.members.batch
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "git_revision": git_revision,
        "data": {
            "fingerprint": dict(fingerprints),
            "titles": len(prepared.catalogue),
            "titles_on_lists": len(np.unique(batch.rows)),
            "members": len(prepared.members),
            "entries": len(batch.rows),
            "ratings": int((~np.isnan(batch.ratings)).sum()),
        },
        "params": params.as_dict(),
        "metrics": dict(metrics),
    }


def current_revision(directory: Path) -> str:
    """The git revision of the code, empty where there is none (an image without a checkout)."""
    try:
        result = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=directory, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return result.stdout.strip()


def _half(progress: Progress, half: int) -> Progress:
    """The display of one of two fits: the first fills 0 to 50 percent, the second the rest."""
    words = ("without held-out members", "with all members")[half]
    return lambda stage, percent, message: progress(stage, 50 * half + percent / 2, f"{message} ({words})")


def _unpublished() -> BundleInfo:
    return BundleInfo(version="", created="")
