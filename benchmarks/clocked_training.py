"""`python -m benchmarks.clocked_training DATA BUNDLE REPORT`: the training of `python -m ml train`, with a clock.

Runs in a process of its own, so that its peak memory is its own. REPORT is a JSON file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.conditions import PARAMS, ROOT
from benchmarks.stage_clock import Stage, StageClock


@dataclass(frozen=True, slots=True)
class Training:
    """A training that was run: seconds from the first byte read to the bundle on disk (by the clock, and of
    processors), ``peak_bytes`` of resident memory, its stages, and what the manifest says of data and quality."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    stages: tuple[Stage, ...]
    data: dict[str, Any]
    metrics: dict[str, float]

    def seconds_of(self, words: str) -> tuple[float, float]:
        """Seconds of all stages whose label holds ``words``: by the clock, and of processors."""
        found = [stage for stage in self.stages if words in stage.label]
        return sum(stage.seconds for stage in found), sum(stage.cpu_seconds for stage in found)


def train_apart(data: Path, bundle: Path, report: Path, network: bool, params: Path = PARAMS) -> Training:
    """Train in a new process (with or without RecommenderNet), or read what an earlier run reported."""
    if not (report.is_file() and bundle.is_dir()):
        command = [sys.executable, "-m", "benchmarks.clocked_training", str(data), str(bundle), str(report)]
        options = ["--params", str(params), *([] if network else ["--no-network"])]
        subprocess.run([*command, *options], cwd=ROOT, check=True, stdout=sys.stderr)
    said = json.loads(report.read_text())
    return Training(**{**said, "stages": tuple(Stage(**stage) for stage in said["stages"])})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clocked_training", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("report", type=Path)
    parser.add_argument("--params", type=Path, default=PARAMS)
    parser.add_argument("--no-network", action="store_true", help="train without RecommenderNet")
    options = parser.parse_args()

    # A process of its own counts from here: reading the data is part of training, loading libraries is not.
    from ml.reading import read_dataset
    from ml.training import pipeline
    from ml.training.params import read_params

    params = read_params(options.params)
    if options.no_network:
        params = without_network(params)
    clock = StageClock()
    began = time.perf_counter()

    def show(stage: str, percent: float, message: str) -> None:
        clock(stage, percent, message)
        print(f"{time.perf_counter() - began:8.1f} s  {stage}: {message}", flush=True)

    dataset = read_dataset(options.data, progress=lambda percent, message: show("read", percent, message))
    manifest = pipeline.train(dataset, options.bundle, params, show)
    clock.stop()
    training = Training(
        clock.seconds,
        clock.cpu_seconds,
        clock.peak_bytes,
        tuple(clock.stages.values()),
        dict(manifest.content["data"]),
        dict(manifest.content["metrics"]),
    )
    options.report.write_text(json.dumps(asdict(training), indent=1) + "\n")


def without_network(params: Any) -> Any:
    """The same parameters with RecommenderNet left out."""
    return replace(params, neural=replace(params.neural, enabled=False))


if __name__ == "__main__":
    main()
