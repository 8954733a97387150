"""Quality of the lists beside other libraries, and what it costs: the same data, the same people, one run.

The settings of the other libraries are tuned on members held out of the ratings (`benchmarks.tuning`); then all are
fitted to all ratings and judged on people that none of them saw.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.clocked_training import Training, train_apart
from benchmarks.conditions import PARAMS, ROOT, WORK, Unavailable, content_key, describe_run, installed_version
from benchmarks.field import PEERS, Peer
from benchmarks.peers import Settings
from benchmarks.people import K, People, judge_lists, judged_people
from benchmarks.tuning import MODES, best_settings, judge_fitted, tune, words
from ml.evaluation.metrics import Judged, standard_error
from ml.evaluation.report import profiles_of
from ml.models.profiles import ProfileBatch
from ml.reading import Dataset
from ml.serving import Recommender, load_recommender
from ml.training.data import Members
from ml.types import FranchiseMode, Options

TIMED_PEOPLE = 100
FRANCHISE_MODES = {"plain": FranchiseMode.OFF, "discovery": FranchiseMode.NEW}
OURS = {
    "ranker": "AnimeRec",
    "fusion": "AnimeRec: blend without the ranker",
    "ease": "AnimeRec: EASE alone",
    "recommender_net": "AnimeRec: RecommenderNet alone",
}
HEADER = (
    "| | NDCG@10 plain | NDCG@10 discovery | coverage plain | coverage discovery | AnimeRec's gain, plain "
    "| training, s | list, ms |"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One recommender: its lists judged plain and for discovery, seconds of training (``None``: part of another
    row's) and milliseconds for one list (median)."""

    name: str
    judged: Mapping[str, Judged]
    training_seconds: float | None
    list_ms: float


def run(data: Path) -> list[str]:
    for name in ("rating.csv", "anime.csv"):
        if not (data / name).is_file():
            raise Unavailable(f"{data} holds no {name}")
    versions = {name: installed_version(name) for name in {peer.distribution for peer in PEERS} if name}
    place = WORK / "quality" / content_key([path for path in data.iterdir() if path.suffix in {".csv", ".json"}])
    place.mkdir(parents=True, exist_ok=True)
    directory, dataset, people = judged_people(data, place)
    ours, training = _ours(directory, place, people, dataset)
    members = Members.of(dataset.interactions, dataset.catalogue)
    rows, tuned = [], []
    for peer in PEERS:
        settings, tried = _tuned(peer, members, dataset, place)
        for words_, chosen in settings.items():
            print(f"  fitting {peer.name} to all members", file=sys.stderr, flush=True)
            rows.append(_peer_row(peer, words_, chosen, members, dataset, people))
        if tried > 1:
            tuned.append(
                f"{peer.name}, best of {tried}: {'; '.join(f'{for_}{words(s)}' for for_, s in settings.items())}"
            )
    judged = [len(ours[0].judged[mode].people) for mode in MODES]
    return [
        describe_run() + ", " + ", ".join(f"{name} {number}" for name, number in sorted(versions.items())),
        f"trained on {len(members):,} members ({training.data['entries']:,} entries), judged on {people.words} "
        f"({judged[0]} plain, {judged[1]} discovery)",
        "",
        *table([*rows, *ours], ours[0]),
        "",
        *tuned,
    ]


def table(rows: Iterable[Row], first: Row) -> list[str]:
    """A Markdown table. The gain is that of ``first`` over each, with its 95 % interval, over the same people."""
    lines = [HEADER, "|---" + "|---:" * (HEADER.count("|") - 2) + "|"]
    for row in rows:
        plain, discovery = (row.judged[mode] for mode in MODES)
        difference = first.judged["plain"].ndcg - plain.ndcg
        gain = "" if row is first else f"{difference.mean():+.3f} ± {1.96 * standard_error(difference):.3f}"
        cells = (
            row.name,
            f"{plain.ndcg.mean():.3f} ± {standard_error(plain.ndcg):.3f}",
            f"{discovery.ndcg.mean():.3f} ± {standard_error(discovery.ndcg):.3f}",
            f"{plain.coverage:,}",
            f"{discovery.coverage:,}",
            gain,
            "" if row.training_seconds is None else f"{row.training_seconds:.1f}",
            f"{row.list_ms:.2f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _tuned(peer: Peer, members: Members, dataset: Dataset, place: Path) -> tuple[dict[str, Settings], int]:
    """The settings to show, by the words that tell them apart, and how many were tried."""
    if len(peer.tried) == 1:
        return {"": peer.tried[0]}, 1
    file = place / f"tuning-{content_key([ROOT / 'benchmarks' / f'{name}.py' for name in ('peers', 'people')])}.jsonl"
    tried = tune(peer, members, dataset.catalogue, file)
    best = best_settings(tried)
    if best["plain"] == best["discovery"]:
        return {"": best["plain"]}, len(tried)
    return {f"{mode}: ": settings for mode, settings in best.items()}, len(tried)


def _peer_row(peer: Peer, for_: str, settings: Settings, members: Members, dataset: Dataset, people: People) -> Row:
    start = time.perf_counter()
    fitted = peer.fit(members.batch, len(dataset.catalogue), settings)
    seconds = time.perf_counter() - start
    name = f"{peer.name}, tuned for {for_.rstrip(': ')}" if for_ else peer.name
    reached = judge_fitted(fitted, people, dataset.catalogue)
    return Row(name, reached, seconds, _list_ms(fitted.list_of_ten, people))


def _ours(directory: Path, place: Path, people: People, dataset: Dataset) -> tuple[list[Row], Training]:
    """Ours, trained by the command that everybody uses; what an earlier run of the same code trained is taken."""
    stem = content_key([PARAMS, *(ROOT / "ml").rglob("*.py")])
    bundle = place / f"bundle-{stem}"
    training = train_apart(directory, bundle, place / f"training-{stem}.json", network=True)
    recommender = load_recommender(bundle)
    seconds = {
        recommender.default_model: training.seconds,
        "ease": training.seconds_of("ease:")[0] / 2,  # fitted twice: without held-out members and with all
    }
    rows = [
        Row(OURS[model], *_judged(recommender, model, people, dataset, seconds.get(model)))
        for model in recommender.model_names
        if model in OURS
    ]
    return rows, training


def judged_lists(recommender: Recommender, model: str, people: People, dataset: Dataset) -> dict[str, Judged]:
    """The lists of one model of a bundle, judged plain and for discovery."""
    profiles = profiles_of(people.shown, recommender.anime_ids)
    judged = {}
    for mode, franchise in FRANCHISE_MODES.items():
        rankings = recommender.recommend_batch(profiles, Options(k=K, model=model, franchise=franchise))
        lists = [
            dataset.catalogue.rows_of(np.array([item.anime_id for item in ranking.results], dtype=np.int64))
            for ranking in rankings
        ]
        judged[mode] = judge_lists(lists, people, dataset.catalogue, discovery=mode == "discovery")
    return judged


def _judged(
    recommender: Recommender, model: str, people: People, dataset: Dataset, seconds: float | None
) -> tuple[dict[str, Judged], float | None, float]:
    def one(person: ProfileBatch) -> object:
        return recommender.recommend(profiles_of(person, recommender.anime_ids)[0], Options(k=K, model=model))

    return judged_lists(recommender, model, people, dataset), seconds, _list_ms(one, people)


def _list_ms(list_of_ten: Callable[[ProfileBatch], object], people: People) -> float:
    """Milliseconds for one list, median over some people, with one thread for linear algebra, as in a web process."""
    seconds = []
    with threadpool_limits(limits=1, user_api="blas"):
        for index in range(min(TIMED_PEOPLE, len(people))):
            person = people.shown.one(index)
            start = time.perf_counter()
            list_of_ten(person)
            seconds.append(time.perf_counter() - start)
    return 1e3 * statistics.median(seconds)
