"""Lists of models and ablations, judged: overall, by profile size and by kind of title."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.evaluation.ablations import System, systems
from ml.evaluation.metrics import Judged, intra_list_diversity, judge
from ml.evaluation.splits import Split
from ml.models.profiles import ProfileBatch
from ml.serving import Recommender
from ml.types import FranchiseMode, Options, Profile, Status

Row = dict[str, Any]

STATUSES = tuple(Status)
K = 10
MODES = {"plain": FranchiseMode.OFF, "discovery": FranchiseMode.NEW}
SIZES = ("1-9", "10-49", "50-149", "150+")
SIZE_BOUNDS = (9, 49, 149)
BUNDLED = ("ndcg", "ndcg_stderr", "ndcg_5", "recall", "hit", "coverage", "popularity", "diversity", "people")
"""What a bundle says of its own lists; of its parts it says the NDCG."""


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
    titles, vectors = recommender.titles, recommender.fusion.content.vectors

    def diversity(listed: Sequence[int]) -> float:
        return intra_list_diversity(vectors[titles.rows_of(np.array(listed, dtype=np.int64))])

    return judge(lists, _seen(profiles), liked, k, unit_of(recommender, mode), diversity)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Every system's lists, judged in both modes: ``judged[name, mode]``. Differences are to ``full``, the first."""

    recommender: Recommender
    profiles: Mapping[int, Profile]
    liked: Mapping[int, Set[int]]
    systems: Sequence[System]
    judged: Mapping[tuple[str, str], Judged]

    @property
    def full(self) -> str:
        return self.systems[0].name

    def rows(self, *, ablations: bool) -> list[Row]:
        """The metrics of every model or of every ablation in every mode, with the paired difference."""
        return [
            self._row(system.name, mode)
            for mode in MODES
            for system in self.systems
            if system.is_ablation == ablations
        ]

    def all_rows(self) -> list[Row]:
        """Models and ablations in their order."""
        return [self._row(system.name, mode) for mode in MODES for system in self.systems]

    def by_size(self) -> list[Row]:
        """The same for people with profiles of each size, as far as there are any."""
        rows = []
        for mode in MODES:
            people = self.judged[self.full, mode].people
            sizes = np.array([len(self.profiles[person]) for person in people], dtype=np.int64)
            place = np.searchsorted(SIZE_BOUNDS, sizes)
            for number, size in enumerate(SIZES):
                chosen = place == number
                if chosen.any():
                    rows += [{"size": size, **self._row(system.name, mode, chosen)} for system in self.systems]
        return rows

    def by_trait(self) -> list[Row]:
        """How the full list treats titles of each genre and type, most liked first.

        ``liked``: how many held-out titles of the kind were liked; ``liked_share``: their share of all those liked;
        ``listed_share``: the kind's share of all places on the lists; ``found``: the share of the liked that stand
        on their person's list (in discovery: whose franchise does), with the standard error of that ratio over
        people.
        """
        return [row for mode in MODES for row in self._traits(mode)]

    def as_json(self) -> Row:
        """All of it. ``rows`` holds the bundle's own models."""
        return {
            "bundle": self.recommender.version,
            "k": self.judged[self.full, "plain"].k,
            "rows": self.rows(ablations=False),
            "ablations": self.rows(ablations=True),
            "by_size": self.by_size(),
            "by_trait": self.by_trait(),
        }

    def _row(self, name: str, mode: str, people: np.ndarray | None = None) -> Row:
        own, full = self.judged[name, mode], self.judged[self.full, mode]
        if people is not None:
            own, full = own.where(people), full.where(people)
        difference, error = own.against(full)
        return {
            "model": name,
            "mode": mode,
            **own.means(),
            "difference": difference,
            "difference_stderr": error,
        }

    def _traits(self, mode: str) -> list[Row]:
        titles, judged = self.recommender.titles, self.judged[self.full, mode]
        unit = unit_of(self.recommender, mode) or (lambda title: title)
        seen = _seen(self.profiles)
        count = len(titles.trait_names)
        liked, found = np.zeros((len(judged.people), count)), np.zeros((len(judged.people), count))
        listed = np.zeros(count)
        wanted = places = 0
        for number, (person, titles_listed) in enumerate(zip(judged.people, judged.lists, strict=True)):
            touched = {unit(title) for title in seen[person]} if mode == "discovery" else set()
            there = {unit(title) for title in titles_listed}
            for title in self.liked[person]:
                if unit(title) in touched:
                    continue
                wanted += 1
                traits = _traits_of(self.recommender, title)
                liked[number, traits] += 1
                found[number, traits] += unit(title) in there
            places += len(titles_listed)
            for title in titles_listed:
                listed[_traits_of(self.recommender, title)] += 1
        rows: list[Row] = []
        for trait in np.argsort(-liked.sum(axis=0), kind="stable").tolist():
            total = liked[:, trait].sum()
            if total:
                share, error = ratio(found[:, trait], liked[:, trait])
                rows.append(
                    {
                        "trait": titles.trait_names[trait],
                        "mode": mode,
                        "liked": int(total),
                        "liked_share": float(total) / wanted,
                        "listed_share": float(listed[trait]) / max(places, 1),
                        "found": share,
                        "found_stderr": error,
                    }
                )
        return rows


def evaluate(
    recommender: Recommender, profiles: Mapping[int, Profile], liked: Mapping[int, Set[int]], k: int = K
) -> Evaluation:
    """Let every model and every ablation list k titles for everybody, and judge the lists."""
    compared = systems(recommender)
    judged = {
        (system.name, mode): judge_model(system.recommender, profiles, liked, system.model, mode, k)
        for mode in MODES
        for system in compared
    }
    return Evaluation(recommender, profiles, liked, compared, judged)


def evaluate_split(recommender: Recommender, split: Split, k: int = K) -> dict[str, float]:
    """The metrics that a bundle carries: of its lists, and the NDCG of every part alone."""
    ids = recommender.anime_ids
    profiles = dict(enumerate(profiles_of(split.shown, ids)))
    liked = {person: set(ids[rows].tolist()) for person, rows in enumerate(split.liked())}
    metrics: dict[str, float] = {}
    for mode in MODES:
        for model in recommender.model_names:
            means = judge_model(recommender, profiles, liked, model, mode, k).means()
            is_full = model == recommender.default_model
            for name in BUNDLED if is_full else BUNDLED[:1]:
                prefix = "" if is_full else f"{model}_"
                metrics[f"{prefix}{mode}_{_label(name, k)}"] = round(float(means[name]), 4)
    return metrics


def ratio(part: np.ndarray, whole: np.ndarray) -> tuple[float, float]:
    """sum(part) / sum(whole) over people, and its standard error (linearised: Cochran, Sampling Techniques, 1977,
    section 6.3)."""
    share = float(part.sum() / whole.sum())
    count = len(part)
    residual = part - share * whole
    error = math.sqrt(count / max(count - 1, 1) * float(np.square(residual).sum())) / float(whole.sum())
    return share, error


def _label(name: str, k: int) -> str:
    if name == "ndcg_5":
        return "ndcg@5"
    return f"{name}@{k}" if name in {"ndcg", "recall", "hit"} else name


def _seen(profiles: Mapping[int, Profile]) -> dict[int, set[int]]:
    return {person: set(profile.anime_ids.tolist()) for person, profile in profiles.items()}


def unit_of(recommender: Recommender, mode: str) -> Callable[[int], object] | None:
    """What counts once in a list: a title's franchise in discovery, nothing special in plain ranking."""
    if mode != "discovery":
        return None
    of = dict(zip(recommender.anime_ids.tolist(), recommender.titles.franchise.tolist(), strict=True))
    return lambda anime_id: of.get(anime_id, ("alone", anime_id))


def _traits_of(recommender: Recommender, anime_id: int) -> np.ndarray:
    rows = recommender.titles.rows_of(np.array([anime_id]))
    return recommender.titles.traits_of(int(rows[0])) if len(rows) else np.zeros(0, dtype=np.int64)
