"""The three locks: one resolution, hashes everywhere, and a web image without training libraries."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

BASE_DIR = Path(__file__).resolve().parent.parent.parent
LOCKS = ("requirements.txt", "requirements-web.txt", "requirements-dev.txt")
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;]+)\s*(?:;\s*([^\\]*?))?\s*\\$")


def pins(lock: str) -> dict[tuple[str, str], str]:
    """(package, environment marker) -> version."""
    found = {}
    for line in (BASE_DIR / lock).read_text().splitlines():
        match = PIN.match(line)
        if match:
            found[match[1], match[3] or ""] = match[2]
        else:
            assert re.match(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$", line), f"{lock}: {line}"
    return found


def names(lock: str) -> set[str]:
    return {name for name, _marker in pins(lock)}


def test_all_locks_hold_the_same_versions() -> None:
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        for (name, _marker), version in pins(lock).items():
            versions.setdefault(name, set()).add(version)
    everything = {name: {v for (n, _m), v in pins("requirements-dev.txt").items() if n == name} for name in versions}
    assert {name: found for name, found in versions.items() if found != everything[name]} == {}


def test_each_lock_holds_the_smaller_one() -> None:
    assert names("requirements-web.txt") < names("requirements.txt") < names("requirements-dev.txt")


def test_the_web_lock_has_no_training_libraries() -> None:
    training = {
        "tensorflow",
        "tensorflow-cpu",
        "keras",
        "dvc",
        "dvc-gs",
        "comet-ml",
        "pandas",
        "scikit-learn",
        "scipy",
    }
    assert names("requirements-web.txt") & training == set()
    assert {"tensorflow", "keras", "dvc", "comet-ml"} <= names("requirements.txt"), "the names above are right"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_packages_and_hashes_only(lock: str) -> None:
    # pins() refuses any other line: no index address, no option, no comment.
    assert len(pins(lock)) > 30


def test_every_dependency_of_the_project_is_locked() -> None:
    project = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())
    wanted = {
        "requirements-web.txt": project["project"]["dependencies"],
        "requirements.txt": project["project"]["optional-dependencies"]["train"],
        "requirements-dev.txt": project["dependency-groups"]["dev"],
    }
    for lock, requirements in wanted.items():
        found = {re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower() for requirement in requirements}  # type: ignore[index]
        assert found - names(lock) == set(), f"run `make lock`: {lock}"
