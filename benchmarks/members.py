"""How much better lists become with more members to learn from: the same people judge lists of models that learned
from an eighth, a quarter, half and all of the ratings' members.

Without RecommenderNet, which would take most of the time. Samples are nested and drawn by ``SEED``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from benchmarks.clocked_training import train_apart
from benchmarks.conditions import PARAMS, ROOT, WORK, Unavailable, content_key, describe_run
from benchmarks.people import judged_people, write_training
from benchmarks.quality import judged_lists
from ml.evaluation.metrics import Judged, standard_error
from ml.serving import load_recommender
from ml.training.data import Members

SEED = 1
SHARES = (8, 4, 2, 1)


def run(data: Path, shares: tuple[int, ...] = SHARES, work: Path = WORK, params: Path = PARAMS) -> list[str]:
    """``shares``: parts of the members to learn from, each 1/share."""
    for name in ("rating.csv", "anime.csv"):
        if not (data / name).is_file():
            raise Unavailable(f"{data} holds no {name}")
    key = content_key([params, Path(__file__), *(ROOT / "ml").rglob("*.py")])
    place = work / "members" / f"{key}-{content_key([data / 'rating.csv', data / 'anime.csv'])}"
    place.mkdir(parents=True, exist_ok=True)
    directory, dataset, people = judged_people(data, place)
    members = Members.of(dataset.interactions, dataset.catalogue)
    order = np.random.default_rng(SEED).permutation(len(members))
    lines = []
    for share in shares:
        chosen = np.zeros(len(members), dtype=bool)
        chosen[order[: len(members) // share]] = True
        sample = members.where(chosen)
        folder = place / f"1-of-{share}"
        write_training(folder, directory, dataset.catalogue, sample)
        print(f"learning from {len(sample):,} members", file=sys.stderr, flush=True)
        bundle = folder / "bundle"
        train_apart(folder, bundle, folder / "training.json", network=False, params=params)
        recommender = load_recommender(bundle)
        judged = judged_lists(recommender, recommender.default_model, people, dataset)
        lines.append(row(len(sample), len(sample.batch.rows), judged["plain"], judged["discovery"]))
    return [
        describe_run() + f", judged on {people.words}, without RecommenderNet",
        "",
        "| members | entries | NDCG@10 plain | NDCG@10 discovery | coverage plain | coverage discovery |",
        "|---:|---:|---:|---:|---:|---:|",
        *lines,
    ]


def row(members: int, entries: int, plain: Judged, discovery: Judged) -> str:
    """One line of the table, with standard errors."""
    figures = " | ".join(f"{one.ndcg.mean():.3f} ± {standard_error(one.ndcg):.3f}" for one in (plain, discovery))
    return f"| {members:,} | {entries:,} | {figures} | {plain.coverage:,} | {discovery.coverage:,} |"
