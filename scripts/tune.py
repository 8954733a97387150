"""Looks for better training parameters: `python scripts/tune.py --data DIR --out RESULTS.jsonl`.

Members are held out of `rating.csv` (other files of ratings are not read): two thirds of them teach the blend, as in
training, the others measure. A trial is the parameters of `params.yaml` with some values of ``SPACE`` in their place;
what it reached, person by person, is a line in the results. A trial that stands there already is not run again: to go
on after an interruption, start the same command. One stage at a time, because they cost so differently:

    linear    content, popularity, EASE and the blend of them; the lists are those of the blend
    ranker    the ranker over them; the lists are the full ones
    network   RecommenderNet, which ranks alone

The best of many trials is better than it should be: some of it is chance. Confirm it with another ``--seed``, which
holds other members out, and only then put it into `params.yaml`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

# Started as a file, not as a module: the packages lie one directory up.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ml.evaluation.metrics import standard_error
from ml.evaluation.report import judge_model, profiles_of
from ml.evaluation.splits import Split, hide_share, show_few
from ml.models.fusion import FusionModel
from ml.models.recommender_net import RecommenderNet
from ml.reading import fingerprint, read_dataset
from ml.serving import Recommender
from ml.training import pipeline
from ml.training.params import Params, read_params
from ml.types import BundleInfo, InputError

Values = dict[str, Any]

SPACE: dict[str, dict[str, tuple[Any, ...]]] = {
    "linear": {
        "ease.ridge": (60.0, 90.0, 130.0, 200.0, 300.0, 500.0),
        "ease.dropout": (0.0, 0.05, 0.1, 0.15, 0.25),
        "ease.franchise_prior": (0.0, 20.0, 40.0, 60.0),
        "ease.rating_weight": (0.0, 0.25, 0.5, 0.75),
        "ease.unrated": (0.4, 0.6, 0.8),
        "ease.prior_weight": (0.0, 1.0, 3.0),
        "content.genre_weight": (0.5, 1.0, 2.0),
        "content.type_weight": (0.05, 0.15, 0.4),
        "content.synopsis_weight": (0.3, 0.6, 1.2),
        "content.synopsis_factors": (32, 64, 128),
        "content.franchise_bonus": (0.0, 0.5, 1.0),
        "content.rating_weight": (0.5, 1.0, 1.5),
        "content.unrated": (0.2, 0.4, 0.7),
        "fusion.discovery_weight": (0.3, 0.5, 0.7),
    },
    "ranker": {
        "ranker.shortlist": (60, 100, 200),
        "ranker.max_members": (2400, 4000),
        "ranker.kind_titles": (0, 5),
        "ranker.discovery_rounds": (1, 3),
        "ranker.hidden_share": (0.1, 0.2, 0.3),
        "ranker.niche_weight": (0.0, 0.15, 0.3),
        "ranker.discovery_niche_weight": (0.0, 0.05, 0.15),
        "ranker.trees.trees": (200, 400, 600),
        "ranker.trees.learning_rate": (0.02, 0.03, 0.06),
        "ranker.trees.depth": (4, 6, 8),
        "ranker.trees.leaves": (15, 31, 63),
        "ranker.trees.leaf_weight": (1.0, 4.0, 10.0),
        "ranker.trees.columns": (0.2, 0.4, 0.8),
        "ranker.trees.rows": (0.4, 0.6, 1.0),
        "ranker.trees.l2": (1.0, 5.0, 20.0),
    },
    "network": {
        "neural.factors": (128, 256, 384),
        "neural.hidden": (128, 256, 512),
        "neural.logit_scale": (10.0, 25.0, 40.0),
        "neural.popularity_share": (0.5, 1.0),
        "neural.shown_least": (0.0, 0.1, 0.3),
        "neural.unliked_target": (0.0, 0.3, 0.5),
        "neural.unrated_target": (0.3, 0.5, 0.7),
        "neural.learning_rate": (0.0001, 0.0003, 0.001),
        "neural.weight_decay": (0.0, 0.0001, 0.001),
    },
}
# What is to become better: the weighted mean of NDCG@10 in these views. Name: mode, ratings shown (None: all but the
# hidden share), weight.
VIEWS: dict[str, tuple[str, int | None, float]] = {
    "plain": ("plain", None, 1.0),
    "discovery": ("discovery", None, 1.0),
    "plain, 3 shown": ("plain", 3, 0.5),
    "discovery, 3 shown": ("discovery", 3, 0.5),
}


@dataclass(frozen=True, slots=True)
class Trial:
    """What parameters reached: for each view the NDCG@10 of everybody who has something to find there."""

    values: Values
    ndcg: Mapping[str, Mapping[int, float]]

    @property
    def means(self) -> dict[str, float]:
        return {view: float(np.mean(list(own.values()))) if own else 0.0 for view, own in self.ndcg.items()}

    @property
    def objective(self) -> float:
        total = sum(weight for _, _, weight in VIEWS.values())
        return sum(VIEWS[view][2] * mean for view, mean in self.means.items()) / total

    def against(self, other: Trial) -> tuple[float, float]:
        """Difference in the objective, person by person, and its standard error."""
        total = sum(weight for _, _, weight in VIEWS.values())
        people = sorted({person for own in self.ndcg.values() for person in own})
        part = dict.fromkeys(people, 0.0)
        for view, own in self.ndcg.items():
            # So that the mean over all people is the weighted sum of the views' means, each over its own people.
            share = VIEWS[view][2] / total * len(people) / max(len(own), 1)
            for person, value in own.items():
                part[person] += share * (value - other.ndcg[view][person])
        differences = np.array(list(part.values()))
        return (float(differences.mean()) if len(differences) else 0.0), standard_error(differences)


class Results:
    """The file of results: one JSON object a line, in the order in which they were reached."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Trial] = {}
        if not path.parent.is_dir():
            raise InputError(f"{path.parent}: no such directory")
        if not path.exists():
            return
        text = path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                record = json.loads(line)
                ndcg = {
                    view: {int(person): float(value) for person, value in own.items()}
                    for view, own in record["ndcg"].items()
                }
                self._known[record["key"]] = Trial(record["values"], ndcg)
            except (ValueError, KeyError, TypeError, AttributeError):
                raise InputError(f"{path}, line {number}: not a result of this program") from None
        if whole != text:  # a line that was cut off by a kill
            path.write_text(whole, encoding="utf-8")

    def get(self, key: str) -> Trial | None:
        return self._known.get(key)

    def add(self, key: str, stage: str, seed: int, trial: Trial, seconds: float) -> None:
        record = {
            "key": key,
            "stage": stage,
            "seed": seed,
            "values": trial.values,
            "objective": round(trial.objective, 5),
            "means": {view: round(mean, 5) for view, mean in trial.means.items()},
            "seconds": round(seconds, 1),
            "ndcg": {view: {str(person): value for person, value in own.items()} for view, own in trial.ndcg.items()},
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        self._known[key] = trial


class Bench:
    """Runs trials of one stage on one data set and one choice of held-out members."""

    def __init__(self, data: Path, stage: str, params: Params, people: int, results: Results) -> None:
        self._dataset = read_dataset(data)
        self._files = fingerprint(self._dataset.files)
        self._stage = stage
        # A third of those held out measures: as many as asked for, but never more than half of all are held out.
        self._params = replace(params, holdout=replace(params.holdout, member_share=0.5, max_members=3 * people))
        self._results = results
        self._linear: tuple[Params, pipeline.Prepared, FusionModel] | None = None

    def run(self, values: Values) -> Trial | None:
        """The trial with these values, from the results if it stands there; nothing if they are no parameters."""
        try:
            params = changed(self._params, values)
        except InputError as error:
            print(f"left out {values}: {error}")
            return None
        key = self._key(params)
        trial = self._results.get(key)
        if trial is None:
            started = time.perf_counter()
            trial = Trial(values, self._measure(params))
            self._results.add(key, self._stage, params.seed, trial, time.perf_counter() - started)
        return trial

    def _key(self, params: Params) -> str:
        own = json.dumps([self._stage, params.as_dict(), self._files, VIEWS], sort_keys=True)
        return hashlib.sha256(own.encode()).hexdigest()[:16]

    def _measure(self, params: Params) -> dict[str, dict[int, float]]:
        prepared, fusion = self._fit_linear(params)
        titles = pipeline.describe(prepared, params)
        net, epochs, ranker = None, 0, None
        left_out = pipeline.why_no_net(prepared, params)
        if self._stage == "network" and left_out:
            raise InputError(f"there is no network to tune: {left_out}")
        if self._stage != "linear" and not left_out:
            net, curves = pipeline.try_net(prepared, fusion.content, fusion.ease, params)
            epochs = curves.best_epoch
        if self._stage == "ranker":
            heads = pipeline.learn_ranker(prepared, fusion.content, titles, fusion.weights, params, epochs)
            ranker = pipeline.place_ranker(prepared, prepared.training(), fusion, titles, heads, net, params)
        others = () if net is None else (net,)
        shortlist = params.serving.shortlist_titles
        recommender = Recommender(BundleInfo("", ""), titles, fusion, shortlist, ranker, others)
        model = RecommenderNet.name if self._stage == "network" else recommender.default_model
        batch = prepared.members.where(prepared.measuring).batch
        result = {}
        for view, (mode, shown, _weight) in VIEWS.items():
            split = (
                hide_share(batch, params.fusion.hidden_share, params.seed)
                if shown is None
                else show_few(batch, shown, params.seed)
            )
            result[view] = _ndcg(recommender, split, model, mode)
        return result

    def _fit_linear(self, params: Params) -> tuple[pipeline.Prepared, FusionModel]:
        """The parts and their blend. They are kept: later stages change nothing about them."""
        same = replace(params, ranker=Params().ranker, neural=Params().neural)
        if self._linear is None or self._linear[0] != same:
            prepared = pipeline.prepare(self._dataset, params)
            content = pipeline.fit_content_part(prepared, params)
            popularity, ease = pipeline.fit_parts(prepared, prepared.training(), content, params)
            weights = pipeline.learn_blend(prepared, content, popularity, ease, params)
            self._linear = same, prepared, FusionModel(ease, content, popularity, weights)
        return self._linear[1:]


def _ndcg(recommender: Recommender, split: Split, model: str, mode: str) -> dict[int, float]:
    ids = recommender.anime_ids
    profiles = dict(enumerate(profiles_of(split.shown, ids)))
    liked = {person: set(ids[rows].tolist()) for person, rows in enumerate(split.liked())}
    judged = judge_model(recommender, profiles, liked, model, mode)
    return dict(zip(judged.people, judged.ndcg.round(5).tolist(), strict=True))


def changed(params: Params, values: Values) -> Params:
    """``params`` with values by dotted name, checked as if they stood in `params.yaml`."""
    tree = json.loads(json.dumps(params.as_dict()))
    for name, value in values.items():
        *sections, last = name.split(".")
        place = tree
        for section in sections:
            place = place[section]
        place[last] = value
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        yaml.safe_dump(tree, file)
        file.flush()
        try:
            return read_params(Path(file.name))
        except InputError as error:
            raise InputError(str(error).replace(f"{file.name}: ", "")) from None


def value_of(params: Params, name: str) -> Any:
    """The value with a dotted name."""
    for part in name.split("."):
        params = getattr(params, part)
    return params


def coordinates(
    space: Mapping[str, tuple[Any, ...]], run: Callable[[Values], Trial | None], params: Params
) -> Iterator[Trial]:
    """One parameter after the other, each value beside the best so far; what is better by more than its standard
    error is kept. Ends with a round in which nothing was."""
    best = run({})
    assert best is not None  # noqa: S101 - the parameters as they are have been read
    yield best
    tried: list[Values] = []
    found = True
    while found:
        found = False
        for name, grid in space.items():
            for value in grid:
                values = {**best.values, name: value}
                if values in tried or value == best.values.get(name, value_of(params, name)):
                    continue
                tried.append(values)
                trial = run(values)
                if trial is None:
                    continue
                yield trial
                gain, error = trial.against(best)
                if gain > error:
                    best, found = trial, True


def at_random(
    space: Mapping[str, tuple[Any, ...]], run: Callable[[Values], Trial | None], seed: int
) -> Iterator[Trial]:
    """Every parameter drawn by itself."""
    first = run({})
    assert first is not None  # noqa: S101 - the parameters as they are have been read
    yield first
    draw = np.random.default_rng(seed)
    while True:
        trial = run({name: grid[int(draw.integers(len(grid)))] for name, grid in space.items()})
        if trial is not None:
            yield trial


def show(number: int, trial: Trial, first: Trial) -> str:
    gain, error = trial.against(first)
    words = ", ".join(f"{name} {value}" for name, value in trial.values.items()) or "the parameters as they are"
    means = " | ".join(f"{view} {mean:.4f}" for view, mean in trial.means.items())
    return f"{number:4d}  {trial.objective:.4f}  {gain:+.4f} ± {error:.4f}  {means}  {words}"


def conclude(trials: list[Trial]) -> str:
    """The best trial, what it gains on the first, and its values as they would stand in `params.yaml`."""
    if not trials:
        return "nothing was tried"
    best = max(trials, key=lambda trial: trial.objective)
    gain, error = best.against(trials[0])
    lines = [
        f"best of {len(trials)}: {best.objective:.4f}, {gain:+.4f} ± {error:.4f} beside the parameters as they are"
    ]
    return "\n".join(lines + [f"  {name}: {value}" for name, value in best.values.items()])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="JSONL", help="results; read again to go on")
    parser.add_argument(
        "--params", type=Path, default=Path("params.yaml"), metavar="YAML", help="where to start from"
    )
    parser.add_argument("--stage", choices=tuple(SPACE), default="linear")
    parser.add_argument("--search", choices=("coordinate", "random"), default="coordinate")
    parser.add_argument("--trials", type=int, default=50, help="stop after so many, those in the results included")
    parser.add_argument("--seed", type=int, help="chooses the members held out and random trials")
    parser.add_argument("--people", type=int, default=300, help="how many members measure, if there are enough")
    options = parser.parse_args(arguments)
    trials: list[Trial] = []
    try:
        params = read_params(options.params, options.seed)
        bench = Bench(options.data, options.stage, params, options.people, Results(options.out))
        space = SPACE[options.stage]
        search = (
            coordinates(space, bench.run, params)
            if options.search == "coordinate"
            else at_random(space, bench.run, params.seed)
        )
        for trial in search:
            trials.append(trial)
            print(show(len(trials), trial, trials[0]), flush=True)
            if len(trials) >= options.trials:
                break
    except (InputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"interrupted; what was tried stands in {options.out}\n{conclude(trials)}")
        return 130
    print(conclude(trials))
    return 0


if __name__ == "__main__":
    sys.exit(main())
