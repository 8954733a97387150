"""From a bundle on disk to a recommender, and back: which array belongs to which part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ml.artifacts import BundleError, Manifest, cached_copy, open_arrays, verify_bundle
from ml.models.base import Model, Stored
from ml.models.content import ContentModel
from ml.models.ease import EaseModel
from ml.models.fusion import FusionModel
from ml.models.popularity import PopularityModel
from ml.models.ranker import RankerModel
from ml.models.ratings import RatingModel
from ml.models.recommender_net import RecommenderNet
from ml.models.titles import Titles
from ml.serving.recommender import Recommender
from ml.types import BundleInfo

DEFAULT_SHORTLIST = 100
# Models that a bundle may hold beside the parts of the blend.
OTHERS = (RecommenderNet,)


def load_recommender(bundle_dir: Path, cache_dir: Path | None = None) -> Recommender:
    """Open a bundle. With ``cache_dir`` a verified private copy is made there and mapped; without it the
    bundle is verified and mapped where it lies. :class:`BundleError` says in one line what is wrong."""
    if cache_dir is None:
        directory, manifest = bundle_dir, verify_bundle(bundle_dir)
    else:
        directory, manifest = cached_copy(bundle_dir, cache_dir)
    return open_recommender(directory, manifest)


def open_recommender(directory: Path, manifest: Manifest) -> Recommender:
    """Map a bundle that has been verified. :class:`BundleError` if it is the bundle of something else."""
    arrays = open_arrays(directory, manifest)
    try:
        return assemble(manifest_info(manifest), arrays, manifest.content["settings"])
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"{directory}: not a bundle this program can serve ({error!r})") from None


def manifest_info(manifest: Manifest) -> BundleInfo:
    """What the manifest says, for people."""
    content = manifest.content
    return BundleInfo(
        version=manifest.version,
        created=str(content.get("created", "")),
        metrics=content.get("metrics", {}),
        params=content.get("params", {}),
        data=content.get("data", {}),
    )


def assemble(info: BundleInfo, arrays: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> Recommender:
    """Put a recommender together from arrays named ``<part>.<array>`` and the settings of every part."""

    def of(part: str) -> dict[str, np.ndarray]:
        prefix = f"{part}."
        return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}

    fusion = FusionModel.restore(
        of("fusion"),
        settings["fusion"],
        ease=EaseModel.restore(of("ease"), settings["ease"]),
        content=ContentModel.restore(of("content"), settings["content"]),
        popularity=PopularityModel.restore(of("popularity"), settings["popularity"]),
    )
    titles = Titles.restore(of("titles"), settings["titles"])
    shortlist = int(settings.get("serving", {}).get("shortlist", DEFAULT_SHORTLIST))
    others = tuple(kind.restore(of(kind.name), settings[kind.name]) for kind in OTHERS if kind.name in settings)
    ranker = None
    if "ranker" in settings:
        ranker = RankerModel.restore(of("ranker"), settings["ranker"], fusion=fusion, titles=titles, others=others)
        ranker.check()
    ratings = None
    if RatingModel.name in settings:
        ratings = RatingModel.restore(of(RatingModel.name), settings[RatingModel.name])
    return Recommender(info, titles, fusion, shortlist, ranker, others, ratings)


def disassemble(
    titles: Titles,
    fusion: FusionModel,
    shortlist: int = DEFAULT_SHORTLIST,
    ranker: RankerModel | None = None,
    others: Sequence[Model] = (),
    ratings: RatingModel | None = None,
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and settings such that :func:`assemble` gives the same recommender."""
    arrays: dict[str, np.ndarray] = {}
    settings: dict[str, Any] = {"serving": {"shortlist": shortlist}}
    parts: dict[str, Stored] = {
        "titles": titles,
        "ease": fusion.ease,
        "content": fusion.content,
        "popularity": fusion.popularity,
        "fusion": fusion,
    }
    if ranker is not None:
        parts[ranker.name] = ranker
    parts.update({model.name: model for model in others})
    if ratings is not None:
        parts[ratings.name] = ratings
    for name, part in parts.items():
        settings[name] = part.settings()
        arrays.update({f"{name}.{key}": array for key, array in part.arrays().items()})
    return arrays, settings
