"""`python -m benchmarks [NAME ...] --data DIR`: run some or all benchmarks.

A benchmark is a module of this package with ``run(data: Path) -> list[str]``, the lines to print; one that cannot
be run here raises ``Unavailable`` and says why.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.conditions import Unavailable


@dataclass(frozen=True, slots=True)
class Benchmark:
    """``words``: what it measures. ``needs_data``: real data have to be named. ``by_name``: takes long, so it is run
    only when it is asked for."""

    module: str
    words: str
    needs_data: bool = True
    by_name: bool = False


BENCHMARKS = {
    "import": Benchmark("import_speed", "importing into Postgres, beside a raw COPY"),
    "training": Benchmark("training_cost", "training without RecommenderNet, beside EASE alone"),
    "neural": Benchmark("neural_speed", "RecommenderNet's interactions a second, beside plain Keras"),
    "serving": Benchmark("serving_speed", "lists, beside bare NumPy and implicit"),
    "quality": Benchmark("quality", "quality, training time and time of a list, beside other libraries"),
    "members": Benchmark("members", "quality by the number of members to learn from", by_name=True),
    "growth": Benchmark("growth", "time and memory at 1, 4 and 16 times the ratings", needs_data=False, by_name=True),
    "sharded": Benchmark("sharded", "counting and scoring shared out over processes", needs_data=False, by_name=True),
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Run benchmarks.",
        epilog="\n".join(f"{name:10}{one.words}" for name, one in BENCHMARKS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    usual = [name for name, one in BENCHMARKS.items() if not one.by_name]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: {', '.join(usual)}")
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("ANIMEREC_DATA") or None,
        help="folder of real data that holds mal2016/, or that folder itself (default: $ANIMEREC_DATA)",
    )
    options = parser.parse_args(arguments)
    names = options.names or usual
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    data: Path = options.data or Path()
    if options.data is None and any(BENCHMARKS[name].needs_data for name in names):
        parser.error("name the real data with --data DIR or ANIMEREC_DATA")
    if (data / "mal2016").is_dir():
        data = data / "mal2016"
    skipped = 0
    for name in names:
        print(f"== {name}: {BENCHMARKS[name].words}", flush=True)
        try:
            lines = importlib.import_module(f"benchmarks.{BENCHMARKS[name].module}").run(data.resolve())
        except Unavailable as reason:
            print(f"not run: {reason}", file=sys.stderr)
            skipped += 1
        else:
            print("\n".join(lines), flush=True)
    # Asked for by name and not run is a failure; of "all" those that can be run are.
    return 1 if skipped and (options.names or skipped == len(names)) else 0


if __name__ == "__main__":
    sys.exit(main())
