"""`python -m catalog.sample --out DIR`: the sample as a directory in the public Kaggle layout."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from catalog.sample.catalogue import load_sample
from catalog.sample.export import write_layout


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m catalog.sample",
        description="Write the sample catalogue and SYNTHETIC ratings of invented members as a data directory.",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty directory")
    parser.add_argument("--members", type=int, default=3000, help="how many members to invent (default 3000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same ratings (default 1)")
    options = parser.parse_args(arguments)
    try:
        summary = write_layout(options.out, load_sample(), members=options.members, seed=options.seed)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"catalog.sample: {error}\n")
        return 2
    sys.stdout.write(f"{options.out}: {summary}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
