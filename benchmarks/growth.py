"""How time and memory of training grow with the data: generated ratings at 1, 4 and 16 times those of the 2016 set.

Every size is generated and trained in a process of its own; what is done is kept, so an interrupted run goes on.
RecommenderNet is trained at the sizes that ``NETWORK_UP_TO`` allows.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clocked_training import Training, train_apart
from benchmarks.conditions import GIB, PARAMS, ROOT, WORK, content_key, describe_run
from benchmarks.generated_data import write_generated

SEED = 1
BOUND_TIMES = 16
BOUND_GIB = 12.0
NETWORK_UP_TO = 4


@dataclass(frozen=True, slots=True)
class Size:
    """``times`` the ratings of the 2016 set, which has 4,000 members; ``titles`` in the catalogue."""

    times: int
    members: int
    titles: int

    @property
    def network(self) -> bool:
        return self.times <= NETWORK_UP_TO


SIZES = (Size(1, 4_000, 12_294), Size(4, 16_000, 18_000), Size(16, 64_000, 25_000))


def run(
    data: Path | None = None, sizes: Sequence[Size] = SIZES, work: Path = WORK, params: Path = PARAMS
) -> list[str]:
    """``data`` is not looked at: everything is generated."""
    code = content_key([params, Path(__file__).with_name("generated_data.py"), *(ROOT / "ml").rglob("*.py")])
    done = [(size, train_size(size, work / "growth" / code, params)) for size in sizes]
    lines = [describe_run(), "", *summary(done), "", *stages(done)]
    for size, training in done:
        if size.times == BOUND_TIMES:
            verdict = "ok" if training.peak_bytes <= BOUND_GIB * GIB else "TOO MUCH"
            lines += [
                "",
                f"peak at {size.times} times: {training.peak_bytes / GIB:.2f} GiB (bound: {BOUND_GIB:.0f}) {verdict}",
            ]
    return lines


def train_size(size: Size, place: Path, params: Path) -> Training:
    """Generate the data of one size and train on them, unless an earlier run has."""
    place.mkdir(parents=True, exist_ok=True)
    name = f"members{size.members}-titles{size.titles}"
    data = place.parent / f"data-{content_key([Path(__file__).with_name('generated_data.py')])}" / name
    if not (data / "complete.json").is_file():
        print(f"generating {size.times} times the ratings, {size.titles:,} titles", file=sys.stderr, flush=True)
        arguments = [str(data), str(size.members), str(size.titles)]
        subprocess.run([sys.executable, "-m", "benchmarks.growth", *arguments], cwd=ROOT, check=True)
    print(f"training at {size.times} times", file=sys.stderr, flush=True)
    return train_apart(data, place / name, place / f"{name}.json", network=size.network, params=params)


def summary(done: Iterable[tuple[Size, Training]]) -> list[str]:
    """The sizes: what was trained on, what it took and what was learned."""
    lines = [
        "| ratings | members | entries | titles | on lists | training, s | CPU, s | peak, GiB "
        "| RecommenderNet | NDCG@10, lists | popularity |",
        "|---|" + "---:|" * 10,
    ]
    for size, training in done:
        data, metrics = training.data, training.metrics
        lines.append(
            f"| {size.times} x | {data['members']:,} | {data['entries']:,} | {data['titles']:,} "
            f"| {data['titles_on_lists']:,} | {training.seconds:,.0f} | {training.cpu_seconds:,.0f} "
            f"| {training.peak_bytes / GIB:.2f} "
            f"| {'yes' if 'recommender_net_plain_ndcg@10' in metrics else 'no'} "
            f"| {metrics.get('plain_ndcg@10', float('nan')):.3f} "
            f"| {metrics.get('popularity_plain_ndcg@10', float('nan')):.3f} |"
        )
    return lines


def stages(done: Sequence[tuple[Size, Training]]) -> list[str]:
    """Seconds (by the clock, and of processors) and peak memory of every stage at every size."""
    labels = list(dict.fromkeys(stage.label for _size, training in done for stage in training.stages))
    heads = [f"{size.times} x, {unit}" for size, _training in done for unit in ("s", "CPU s", "GiB")]
    lines = [f"| stage | {' | '.join(heads)} |", "|---|" + "---:|" * len(heads)]
    for label in labels:
        cells = []
        for _size, training in done:
            stage = next((one for one in training.stages if one.label == label), None)
            if stage is None:
                cells += ["", "", ""]
            else:
                cells += [f"{stage.seconds:.1f}", f"{stage.cpu_seconds:.1f}", f"{stage.peak_bytes / GIB:.2f}"]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return lines


def main(directory: str, members: str, titles: str) -> None:
    """Generate one size in this process."""
    entries = write_generated(Path(directory), int(members), int(titles), SEED)
    (Path(directory) / "complete.json").write_text(json.dumps({"entries": entries}))


if __name__ == "__main__":
    main(*sys.argv[1:])
