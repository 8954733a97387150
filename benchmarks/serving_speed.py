"""What serving costs beside bare NumPy and implicit: one process, one thread, profiles of about 100 entries, one run.

The floor is the least that NumPy has to do for a list of ten by a linear model: add up rows of the dense float32
matrix, weighted by the profile, and take the ten best that are not on it. It stands here over the active titles
(those on somebody's list), once dense and once with the stored (sparse) weights only; bounds are multiples of the
dense one. Times are processor time, the best of several rounds over the same people, so that whatever else the
machine does counts little.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.clocked_training import train_apart
from benchmarks.conditions import PARAMS, ROOT, WORK, Unavailable, content_key, describe_run
from benchmarks.people import judged_people
from ml.evaluation.report import profiles_of
from ml.models.ease import EaseModel
from ml.models.profiles import ProfileBatch
from ml.serving import Recommender, load_recommender
from ml.serving.dials import best_first
from ml.training.data import count_rated, entry_matrix
from ml.types import FranchiseMode, Options

K = 10
SIZES = (80, 120)
MOST_PEOPLE = 60
BATCH = 256
ROUNDS = 15
FACTORS = 128
LINEAR_BOUND = 1.5
LIST_BOUND = 15.0
BATCH_BOUND = 2.0
LOAD_SECONDS_BOUND = 1.0
MEMORY_MB_BOUND = 250.0
BUNDLE_MB_BOUND = 100.0
MEGABYTE = 1e6

SERVE_ONCE = """
import json, sys, time
from pathlib import Path
start = time.perf_counter()
from ml.serving import load_recommender
from ml.types import Options, Profile
imported = time.perf_counter()
recommender = load_recommender(Path(sys.argv[1]))
loaded = time.perf_counter()
for ratings in json.loads(sys.stdin.read()):
    recommender.recommend(Profile.from_ratings({int(key): value for key, value in ratings.items()}))
# Not getrusage: what the parent held when it started this process counts there.
status = Path("/proc/self/status").read_text()
print(json.dumps({
    "import": imported - start,
    "load": loaded - imported,
    "bytes": 1024 * int(status.partition("VmHWM:")[2].split()[0]),
    "tensorflow": "tensorflow" in sys.modules,
}))
"""


@dataclass(frozen=True, slots=True)
class Floor:
    """The dense matrix over the active titles (a, a), and its rows in the bundle (a,)."""

    active: np.ndarray
    dense: np.ndarray
    sparse_ptr: np.ndarray
    sparse_targets: np.ndarray
    sparse_weights: np.ndarray

    @classmethod
    def of(cls, ease: EaseModel, active: np.ndarray) -> Floor:
        n = len(ease.scales)
        strength = np.repeat(ease.scales, np.diff(ease.indptr))
        matrix = sp.csr_matrix((strength * ease.weights, ease.targets.astype(np.int32), ease.indptr), (n, n))
        own = matrix[active][:, active].tocsr()
        own.sort_indices()
        return cls(active, own.toarray(), own.indptr, own.indices.astype(np.intp), own.data.astype(np.float64))

    def dense_top(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return _top(weights @ self.dense[rows], rows)

    def sparse_top(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        spans = [slice(self.sparse_ptr[row], self.sparse_ptr[row + 1]) for row in rows]
        values = np.concatenate([self.sparse_weights[span] for span in spans])
        values *= np.repeat(weights, [span.stop - span.start for span in spans])
        targets = np.concatenate([self.sparse_targets[span] for span in spans])
        return _top(np.bincount(targets, values, minlength=len(self.active)), rows)


def run(data: Path) -> list[str]:
    for name in ("rating.csv", "anime.csv"):
        if not (data / name).is_file():
            raise Unavailable(f"{data} holds no {name}")
    place = WORK / "quality" / content_key([path for path in data.iterdir() if path.suffix in {".csv", ".json"}])
    place.mkdir(parents=True, exist_ok=True)
    directory, _, people = judged_people(data, place)
    stem = content_key([PARAMS, *(ROOT / "ml").rglob("*.py")])
    bundle = place / f"bundle-{stem}"
    train_apart(directory, bundle, place / f"training-{stem}.json", network=True)
    return measure(bundle, people.shown, directory)


def measure(bundle: Path, shown: ProfileBatch, directory: Path) -> list[str]:
    """The table for a bundle. ``shown``: people to serve; ``directory``: what implicit learns from."""
    from ml.reading import read_dataset
    from ml.training.data import Members

    recommender = load_recommender(bundle)
    dataset = read_dataset(directory)
    members = Members.of(dataset.interactions, dataset.catalogue).batch
    usual = np.flatnonzero((shown.sizes >= SIZES[0]) & (shown.sizes <= SIZES[1]))[:MOST_PEOPLE]
    people = [shown.one(int(index)) for index in usual]
    if not people:
        raise Unavailable(f"nobody has {SIZES[0]} to {SIZES[1]} entries")
    active = np.flatnonzero(count_rated(members, len(recommender.anime_ids)) > 0)
    with threadpool_limits(limits=1, user_api="blas"):
        singles = _singles(recommender, members, active, people)
        together = _together(recommender, active, shown.part(0, min(BATCH, len(shown))))
    return [
        describe_run(),
        f"{len(active):,} active of {len(recommender.anime_ids):,} titles, {len(people)} profiles of "
        f"{statistics.mean(len(one.rows) for one in people):.0f} entries on average, best of {ROUNDS} rounds",
        "",
        *singles,
        "",
        *together,
        "",
        *_process(bundle, recommender, people),
    ]


def _singles(
    recommender: Recommender, members: ProfileBatch, active: np.ndarray, people: Sequence[ProfileBatch]
) -> list[str]:
    ease, appeal = recommender.fusion.ease, recommender.fusion.popularity.appeal
    floor = Floor.of(ease, active)
    profiles = [profiles_of(one, recommender.anime_ids)[0] for one in people]
    rows = [np.searchsorted(active, one.rows[np.isin(one.rows, active)]) for one in people]
    weights = [ease.taste.of(one)[np.isin(one.rows, active)] for one in people]

    def linear(person: int) -> np.ndarray:
        # A new batch each time: it remembers what was worked out for it.
        batch = replace(people[person])
        scores = ease.scores(batch)[0]
        scores[batch.rows] = -np.inf
        return best_first(scores, K, appeal)

    new = Options(k=K, franchise=FranchiseMode.NEW)
    contenders: dict[str, Callable[[int], object]] = {
        "floor, dense": lambda person: floor.dense_top(rows[person], weights[person]),
        "floor, sparse": lambda person: floor.sparse_top(rows[person], weights[person]),
        "linear path": linear,
        "whole list": lambda person: recommender.recommend(profiles[person]),
        "whole list, new franchises": lambda person: recommender.recommend(profiles[person], new),
    }
    peer = _implicit(members, active, people)
    if peer is not None:
        contenders["implicit, user recalculated"] = peer
    times = best_times(contenders, len(people))
    bare = times["floor, dense"]
    bounds = {
        "linear path": LINEAR_BOUND * bare,
        "whole list": LIST_BOUND * bare,
        "whole list, new franchises": LIST_BOUND * bare,
    }
    if peer is not None:
        bounds["linear path"] = min(bounds["linear path"], times["implicit, user recalculated"])
    lines = [f"{'a list of ten':28}{'us':>8}{'x dense':>9}{'x sparse':>9}{'bound us':>10}"]
    for name, seconds in times.items():
        verdict = ""
        if name in bounds:
            verdict = f"{1e6 * bounds[name]:10.0f} {'ok' if seconds <= bounds[name] else 'TOO SLOW'}"
        lines.append(
            f"{name:28}{1e6 * seconds:8.0f}{seconds / bare:9.2f}{seconds / times['floor, sparse']:9.2f}{verdict}"
        )
    if peer is None:
        lines.append("implicit                     not installed: `make benchmark` installs it")
    return lines


def _together(recommender: Recommender, active: np.ndarray, batch: ProfileBatch) -> list[str]:
    """Many profiles at once, beside the product of their dense float32 matrix and that of the model."""
    ease = recommender.fusion.ease
    dense = Floor.of(ease, active).dense
    profiles = entry_matrix(batch, ease.taste.of(batch), len(ease.scales))[:, active].toarray().astype(np.float32)
    times = best_times({"product": lambda _: profiles @ dense, "linear": lambda _: ease.scores(batch)}, 1)
    ratio = times["linear"] / times["product"]
    return [
        f"{len(batch)} profiles at once: linear path {1e3 * times['linear']:.1f} ms, dense product "
        f"{1e3 * times['product']:.1f} ms, ratio {ratio:.2f} (bound: {BATCH_BOUND:g}) {_verdict(ratio, BATCH_BOUND)}"
    ]


def _process(bundle: Path, recommender: Recommender, people: Sequence[ProfileBatch]) -> list[str]:
    """A fresh process that loads the bundle and serves everybody once."""
    ratings = []
    for one in people:
        profile = profiles_of(one, recommender.anime_ids)[0]
        ratings.append(
            {
                int(anime_id): None if np.isnan(rating) else float(rating)
                for anime_id, rating in zip(profile.anime_ids, profile.ratings, strict=True)
            }
        )
    command = [sys.executable, "-c", SERVE_ONCE, str(bundle)]
    done = subprocess.run(command, cwd=ROOT, input=json.dumps(ratings), capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    size = sum(path.stat().st_size for path in bundle.iterdir()) / MEGABYTE
    memory = said["bytes"] / MEGABYTE
    return [
        f"loading {said['load']:.2f} s (bound: {LOAD_SECONDS_BOUND:g}) {_verdict(said['load'], LOAD_SECONDS_BOUND)}, "
        f"importing {said['import']:.2f} s",
        f"process {memory:.0f} MB at most (bound: {MEMORY_MB_BOUND:g}) {_verdict(memory, MEMORY_MB_BOUND)}, "
        f"TensorFlow {'LOADED' if said['tensorflow'] else 'not loaded'}",
        f"bundle {size:.0f} MB (bound: {BUNDLE_MB_BOUND:g}) {_verdict(size, BUNDLE_MB_BOUND)}",
    ]


def best_times(contenders: dict[str, Callable[[int], object]], people: int) -> dict[str, float]:
    """Seconds of processor time that each contender takes for a person, in its best round. They take turns, so that
    what else goes on hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _round in range(ROUNDS):
        for name, serve in contenders.items():
            start = time.process_time()
            for person in range(people):
                serve(person)
            times[name].append((time.process_time() - start) / people)
    return {name: min(seconds) for name, seconds in times.items()}


def _implicit(
    members: ProfileBatch, active: np.ndarray, people: Sequence[ProfileBatch]
) -> Callable[[int], object] | None:
    """A list of ten by implicit's ALS, which solves for the person anew; ``None`` where it is not installed."""
    try:
        from implicit.als import AlternatingLeastSquares
    except ImportError:
        return None
    n = int(max(active.max(), members.rows.max())) + 1
    learned = entry_matrix(members, np.ones(len(members.rows)), n)[:, active].tocsr().astype(np.float32)
    model = AlternatingLeastSquares(factors=FACTORS, iterations=2, num_threads=1, random_state=1)
    model.fit(learned, show_progress=False)
    lists = [entry_matrix(one, np.ones(len(one.rows)), n)[:, active].tocsr().astype(np.float32) for one in people]
    return lambda person: model.recommend(0, lists[person], N=K, recalculate_user=True)


def _top(scores: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The K best, best first, without ``seen``."""
    scores[seen] = -np.inf
    best = np.argpartition(scores, -K)[-K:]
    return best[np.argsort(-scores[best])]


def _verdict(value: float, bound: float) -> str:
    return "ok" if value <= bound else "TOO MUCH"
