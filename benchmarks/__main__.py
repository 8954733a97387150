"""`python -m benchmarks [NAME ...] --data DIR`: run some or all benchmarks.

A benchmark is a module of this package with ``run(data: Path) -> list[str]``, the lines to print; one that cannot
be run here raises ``Unavailable`` and says why.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

from benchmarks.conditions import Unavailable

BENCHMARKS = {"import": "import_speed"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Run benchmarks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("ANIMEREC_DATA") or None,
        help="folder of real data that holds mal2016/, or that folder itself (default: $ANIMEREC_DATA)",
    )
    options = parser.parse_args()
    unknown = set(options.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    if options.data is None:
        parser.error("name the real data with --data DIR or ANIMEREC_DATA")
    data = options.data / "mal2016" if (options.data / "mal2016").is_dir() else options.data
    skipped = 0
    for name in options.names or BENCHMARKS:
        print(f"== {name}", flush=True)
        try:
            lines = importlib.import_module(f"benchmarks.{BENCHMARKS[name]}").run(data)
        except Unavailable as reason:
            print(f"not run: {reason}", file=sys.stderr)
            skipped += 1
        else:
            print("\n".join(lines), flush=True)
    # Asked for by name and not run is a failure; of "all" those that can be run are.
    return 1 if skipped and (options.names or skipped == len(BENCHMARKS)) else 0


if __name__ == "__main__":
    sys.exit(main())
