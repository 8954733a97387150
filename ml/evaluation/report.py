"""Tables of models by metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import numpy as np

from ml.evaluation.metrics import Judged, judge
from ml.evaluation.splits import Split
from ml.models.profiles import ProfileBatch
from ml.serving import Recommender
from ml.types import FranchiseMode, Options, Profile, Status

STATUSES = tuple(Status)
K = 10
MODES = {"plain": FranchiseMode.OFF, "discovery": FranchiseMode.NEW}


def profiles_of(batch: ProfileBatch, anime_ids: np.ndarray) -> list[Profile]:
    """The profiles of a batch, with anime ids instead of rows."""
    result = []
    for start, stop in zip(batch.indptr[:-1], batch.indptr[1:], strict=True):
        result.append(
            Profile(
                anime_ids=anime_ids[batch.rows[start:stop]],
                ratings=batch.ratings[start:stop],
                statuses=tuple(STATUSES[code] for code in batch.statuses[start:stop].tolist()),
            )
        )
    return result


def judge_model(
    recommender: Recommender,
    profiles: Mapping[int, Profile],
    liked: Mapping[int, Set[int]],
    model: str,
    mode: str,
    k: int = K,
) -> Judged:
    """Let one model (a name from ``model_names``) list k titles for everybody, and judge the lists.
    ``mode``: "plain" or "discovery"."""
    people = [person for person in sorted(profiles) if liked.get(person)]
    options = Options(k=k, model=model, franchise=MODES[mode])
    rankings = recommender.recommend_batch([profiles[person] for person in people], options)
    lists = {
        person: [item.anime_id for item in ranking.results] for person, ranking in zip(people, rankings, strict=True)
    }
    franchise = None
    if mode == "discovery":
        of = dict(zip(recommender.anime_ids.tolist(), recommender.titles.franchise.tolist(), strict=True))

        def franchise(anime_id: int) -> object:
            return of.get(anime_id, ("alone", anime_id))

    seen = {person: set(profile.anime_ids.tolist()) for person, profile in profiles.items()}
    return judge(lists, seen, liked, k, franchise)


def evaluate(
    recommender: Recommender, profiles: Mapping[int, Profile], liked: Mapping[int, Set[int]], k: int = K
) -> list[dict[str, object]]:
    """One row for each model and mode: its name, the mode and the metrics with standard errors."""
    rows: list[dict[str, object]] = []
    for mode in MODES:
        for model in recommender.model_names:
            judged = judge_model(recommender, profiles, liked, model, mode, k)
            rows.append({"model": model, "mode": mode, **judged.means()})
    return rows


def evaluate_split(recommender: Recommender, split: Split, k: int = K) -> dict[str, float]:
    """The metrics that a bundle carries: of the blend, and NDCG of every part."""
    ids = recommender.anime_ids
    profiles = dict(enumerate(profiles_of(split.shown, ids)))
    liked = {person: set(ids[rows].tolist()) for person, rows in enumerate(split.liked())}
    metrics: dict[str, float] = {}
    for row in evaluate(recommender, profiles, liked, k):
        model, mode = str(row["model"]), str(row["mode"])
        names: Sequence[str] = ("ndcg",)
        if model == recommender.default_model:
            names = ("ndcg", "ndcg_stderr", "recall", "hit", "coverage", "popularity", "people")
        for name in names:
            value = row[name]
            assert isinstance(value, int | float)  # noqa: S101 - tells mypy what Judged.means holds
            label = f"{name}@{k}" if name in {"ndcg", "recall", "hit"} else name
            prefix = "" if model == recommender.default_model else f"{model}_"
            metrics[f"{prefix}{mode}_{label}"] = round(float(value), 4)
    return metrics
