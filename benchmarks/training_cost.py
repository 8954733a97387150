"""What training costs: all of it but RecommenderNet, as a multiple of solving EASE once.

The solve is the textbook's: the Gram matrix of who watched what, a ridge, one inverse, in 32 bits, on the same lists.
Our own solve inside the training (a Cholesky factor, inverted in place) is shown beside it.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.clocked_training import train_apart
from benchmarks.conditions import GIB, Unavailable, describe_run

BOUND = 20.0
RUNS_OF_SOLVE = 3
RIDGE = 130.0


def run(data: Path) -> list[str]:
    if not (data / "rating.csv").is_file():
        raise Unavailable(f"{data} holds no rating.csv")
    solves = [textbook_seconds(data) for _run in range(RUNS_OF_SOLVE)]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        training = train_apart(data, place / "bundle", place / "training.json", network=False)
    solves += [textbook_seconds(data) for _run in range(RUNS_OF_SOLVE)]
    solve, solve_cpu = (min(column) for column in zip(*solves, strict=True))
    # Twice: without held-out members, and with all. The fits that teach the ranker report nothing.
    own, own_cpu = (seconds / 2 for seconds in training.seconds_of("ease: solving"))
    ratio, ratio_cpu = training.seconds / solve, training.cpu_seconds / solve_cpu
    verdict = "ok" if ratio <= BOUND else "TOO SLOW"
    return [
        describe_run(),
        "                                      time    CPU time",
        f"training without RecommenderNet   {training.seconds:7.1f} s   {training.cpu_seconds:7.1f} s"
        f"   peak {training.peak_bytes / GIB:.2f} GiB",
        f"EASE as in the textbook, alone    {solve:7.1f} s   {solve_cpu:7.1f} s"
        f"   best of {len(solves)}, before and after",
        f"our EASE solve, in the training   {own:7.1f} s   {own_cpu:7.1f} s   mean of 2",
        f"training / textbook EASE          {ratio:7.1f}     {ratio_cpu:7.1f}     bound: {BOUND:.0f} {verdict}",
        f"training / our solve              {training.seconds / own:7.1f}     {training.cpu_seconds / own_cpu:7.1f}",
        "",
        "| stage | s | CPU s | peak, GiB |",
        "|---|---:|---:|---:|",
        *(
            f"| {stage.label} | {stage.seconds:.1f} | {stage.cpu_seconds:.1f} | {stage.peak_bytes / GIB:.2f} |"
            for stage in training.stages
        ),
    ]


def textbook_seconds(data: Path) -> tuple[float, float]:
    """Seconds, by the clock and of processors, of EASE as published (H. Steck, WWW 2019) on the lists of ``data``,
    once they are read."""
    from ml.reading import read_dataset
    from ml.training.data import Members, entry_matrix

    dataset = read_dataset(data)
    batch = Members.of(dataset.interactions, dataset.catalogue).batch
    watched = np.unique(batch.rows)
    entries = entry_matrix(batch, np.ones(len(batch.rows)), len(dataset.catalogue))[:, watched]
    start, start_cpu = time.perf_counter(), time.process_time()
    gram = (entries.T @ entries).toarray()
    gram[np.diag_indices_from(gram)] += np.float32(RIDGE)
    inverse = np.linalg.inv(gram)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return time.perf_counter() - start, time.process_time() - start_cpu
