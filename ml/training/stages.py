"""The steps of training one at a time, with their artefacts as `.npy` and `.json` files in a work directory.

Each step is the function that `train` calls; only where its inputs come from and where its results go differs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from ml.models.base import Stored
from ml.models.content import ContentModel
from ml.models.ease import EaseModel
from ml.models.fusion import FusionModel, FusionWeights
from ml.models.popularity import PopularityModel
from ml.models.profiles import ProfileBatch
from ml.models.ranker import RankerHeads, RankerModel
from ml.models.ratings import RatingModel
from ml.models.recommender_net import RecommenderNet
from ml.models.titles import Titles
from ml.reading import Catalogue, Dataset, fingerprint
from ml.reading.catalogue import NUMBER_COLUMNS
from ml.training import pipeline
from ml.training.data import Members
from ml.training.params import Params
from ml.types import InputError

TUNING, FINAL = "tuning", "final"
LIST_COLUMNS = ("genres", "studios")


def validate(dataset: Dataset, work: Path) -> None:
    """Write what is in the data to ``validate.json``."""
    entries = dataset.interactions
    _write_json(
        work / "validate.json",
        {
            "titles": len(dataset.catalogue),
            "entries": len(entries),
            "members": len(np.unique(entries.user_ids)),
            "titles_on_lists": len(np.unique(entries.anime_ids)),
            "unrated_share": round(float(np.isnan(entries.ratings).mean()), 4),
            "notes": list(dataset.notes),
            "fingerprint": fingerprint(dataset.files),
        },
    )


def prepare(dataset: Dataset, work: Path, params: Params) -> None:
    prepared = pipeline.prepare(dataset, params)
    batch = prepared.members.batch
    _write_arrays(
        work / "prepared",
        {
            "user_ids": prepared.members.user_ids,
            "indptr": batch.indptr,
            "rows": batch.rows,
            "ratings": batch.ratings,
            "statuses": batch.statuses,
            "blending": prepared.blending,
            "measuring": prepared.measuring,
        },
    )
    frame = dataset.catalogue.frame
    _write_json(work / "prepared" / "catalogue.json", json.loads(frame.to_json(orient="columns")))
    _write_json(work / "prepared" / "files.json", fingerprint(dataset.files))


def fit(name: str, work: Path, params: Params, progress: pipeline.Progress) -> None:
    """Fit ``content``, ``popularity``, ``ease``, ``ratings`` or ``recommender_net``; all but the first without the
    held-out members and with."""
    prepared = _prepared(work)
    if name == "content":
        _save(work / "content", pipeline.fit_content_part(prepared, params))
        return
    content = _content(work)
    if name == RecommenderNet.name:
        _fit_net(work / name, work, prepared, content, params, progress)
        return
    if name == RatingModel.name:
        tried = pipeline.try_ratings(prepared, content, params)
        _save_ratings(work, TUNING, tried)
        _save_ratings(work, FINAL, pipeline.fit_rating_part(prepared, content, tried, params))
        return
    for variant, members in ((TUNING, prepared.training()), (FINAL, prepared.members)):
        if name == "popularity":
            _save(work / name / variant, pipeline.fit_popularity_part(prepared, members, content, params))
        else:
            _save(work / name / variant, pipeline.fit_ease_part(prepared, members, content, params, progress))


def _fit_net(
    directory: Path,
    work: Path,
    prepared: pipeline.Prepared,
    content: ContentModel,
    params: Params,
    progress: pipeline.Progress,
) -> None:
    """The learning curves say at which epoch the network for all members ends. Without a network they say why."""
    left_out = pipeline.why_no_net(prepared, params)
    if left_out:
        progress("network", 100, f"left out: {left_out}")
        _write_json(directory / "curves.json", {pipeline.LEFT_OUT: left_out})
        return
    net, curves = pipeline.try_net(prepared, content, _ease(work, TUNING), params, progress)
    _save(directory / TUNING, net)
    _write_json(directory / "curves.json", curves.as_dict())
    epochs = curves.best_epoch
    net = pipeline.fit_net(prepared, prepared.members, content, _ease(work, FINAL), params, epochs, progress)
    _save(directory / FINAL, net)


def fuse(work: Path, params: Params, progress: pipeline.Progress) -> None:
    """Learn the blend, then the ranker, which fits the parts anew for every fold of members."""
    prepared = _prepared(work)
    parts = _parts(work, TUNING)
    weights = pipeline.learn_blend(prepared, *parts, params, progress)
    settings = FusionModel(parts[2], parts[0], parts[1], weights).settings()
    _write_json(work / "fusion.json", settings)
    titles = pipeline.describe(prepared, params)
    epochs = int(_curves(work).get("best_epoch", 0))
    heads = pipeline.learn_ranker(prepared, parts[0], titles, weights, params, epochs, progress)
    _save(work / "ranker", heads)


def evaluate(work: Path, params: Params) -> None:
    """Measure on held-out members; writes ``metrics.json``."""
    prepared = _prepared(work)
    fusion = _fusion(work, TUNING)
    titles = pipeline.describe(prepared, params)
    net = _net(work, TUNING)
    ranker = _ranker(work, prepared, prepared.training(), fusion, titles, net, params)
    metrics = pipeline.measure(prepared, titles, fusion, ranker, net, _ratings(work, TUNING), params)
    _write_json(work / "metrics.json", metrics)


def bundle(work: Path, out: Path, params: Params, git_revision: str) -> None:
    prepared = _prepared(work)
    titles = pipeline.describe(prepared, params)
    fusion = _fusion(work, FINAL)
    net = _net(work, FINAL)
    pipeline.publish(
        out,
        prepared,
        _read_json(work / "prepared" / "files.json"),
        titles,
        fusion,
        _ranker(work, prepared, prepared.members, fusion, titles, net, params),
        net,
        _ratings(work, FINAL),
        _curves(work),
        params,
        _read_json(work / "metrics.json"),
        git_revision,
    )


def _prepared(work: Path) -> pipeline.Prepared:
    directory = work / "prepared"
    arrays = _read_arrays(directory)
    records = _read_json(directory / "catalogue.json")
    frame = pd.DataFrame({name: list(column.values()) for name, column in records.items()})
    for column in LIST_COLUMNS:
        frame[column] = [tuple(names) for names in frame[column]]
    for column in NUMBER_COLUMNS:
        frame[column] = frame[column].astype(np.float64)
    try:
        batch = ProfileBatch(*(arrays[name] for name in ("indptr", "rows", "ratings", "statuses")))
        return pipeline.Prepared(
            Catalogue(frame), Members(arrays["user_ids"], batch), arrays["blending"], arrays["measuring"]
        )
    except KeyError as error:
        _missing(directory / f"{error.args[0]}.npy")


def _content(work: Path) -> ContentModel:
    return ContentModel.restore(*_load(work / "content"))


def _parts(work: Path, variant: str) -> tuple[ContentModel, PopularityModel, EaseModel]:
    return (
        _content(work),
        PopularityModel.restore(*_load(work / "popularity" / variant)),
        _ease(work, variant),
    )


def _ease(work: Path, variant: str) -> EaseModel:
    return EaseModel.restore(*_load(work / "ease" / variant))


def _net(work: Path, variant: str) -> RecommenderNet | None:
    if pipeline.LEFT_OUT in _curves(work):
        return None
    return RecommenderNet.restore(*_load(work / RecommenderNet.name / variant))


def _save_ratings(work: Path, variant: str, model: RatingModel | None) -> None:
    """Where nobody rated anything there are settings without a model."""
    directory = work / RatingModel.name / variant
    if model is None:
        _write_json(directory / "settings.json", None)
    else:
        _save(directory, model)


def _ratings(work: Path, variant: str) -> RatingModel | None:
    arrays, settings = _load(work / RatingModel.name / variant)
    return None if settings is None else RatingModel.restore(arrays, settings)


def _curves(work: Path) -> dict[str, Any]:
    return _read_json(work / RecommenderNet.name / "curves.json")


def _fusion(work: Path, variant: str) -> FusionModel:
    content, popularity, ease = _parts(work, variant)
    return FusionModel(ease, content, popularity, _weights(work))


def _weights(work: Path) -> FusionWeights:
    return FusionWeights(**_read_json(work / "fusion.json")["weights"])


def _ranker(
    work: Path,
    prepared: pipeline.Prepared,
    members: Members,
    fusion: FusionModel,
    titles: Titles,
    net: RecommenderNet | None,
    params: Params,
) -> RankerModel | None:
    heads = RankerHeads.restore(*_load(work / "ranker"))
    return pipeline.place_ranker(prepared, members, fusion, titles, heads, net, params)


def _save(directory: Path, model: Stored) -> None:
    _write_arrays(directory, model.arrays())
    _write_json(directory / "settings.json", model.settings())


def _load(directory: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    return _read_arrays(directory), _read_json(directory / "settings.json")


def _write_arrays(directory: Path, arrays: Mapping[str, np.ndarray]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        np.save(directory / f"{name}.npy", array, allow_pickle=False)


def _read_arrays(directory: Path) -> dict[str, np.ndarray]:
    if not directory.is_dir():
        _missing(directory)
    return {path.stem: np.load(path, allow_pickle=False) for path in sorted(directory.glob("*.npy"))}


def _write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _read_json(path: Path) -> Any:
    if not path.is_file():
        _missing(path)
    return json.loads(path.read_text(encoding="utf-8"))


def _missing(path: Path) -> NoReturn:
    raise InputError(f"{path}: missing; run the stages before this one first")
