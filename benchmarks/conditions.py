"""What a benchmark needs and may not find, and the conditions it ran under."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "var" / "benchmarks"
"""Where benchmarks keep what need not be made twice. Removing it makes the next run begin anew."""
PARAMS = ROOT / "params.yaml"
GIB = 1 << 30


class Unavailable(Exception):
    """This benchmark cannot be run here; ``str(error)`` says what is missing."""


def describe_run() -> str:
    """Date and machine in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    cores = len(os.sched_getaffinity(0))
    today = datetime.now(UTC).date().isoformat()
    return f"{today}, {cores} cores ({platform.machine()}), {memory:.0f} GiB, Python {platform.python_version()}"


def installed_version(distribution: str) -> str:
    """The version of a package that only benchmarks need; without it the benchmark is not available."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        raise Unavailable(f"{distribution} is not installed; `make benchmark` installs it") from None


def content_key(files: Iterable[Path]) -> str:
    """A short name for the content of some files: what is kept under it holds as long as none of them changes."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
