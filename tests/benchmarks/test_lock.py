"""What `make benchmark` installs: the pins of everything else, and nothing that would change them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from tests.architecture.test_locks import BASE_DIR, names, pins

LOCK = "requirements-benchmark.txt"


def test_the_libraries_to_compare_with_share_the_pins_of_all_else() -> None:
    own, development = pins(LOCK), pins("requirements-dev.txt")
    versions: dict[str, set[str]] = {}
    for (name, _marker), version in development.items():
        versions.setdefault(name, set()).add(version)
    assert {
        name: version for (name, _m), version in own.items() if version not in versions.get(name, {version})
    } == {}
    assert {"implicit", "cornac"} <= names(LOCK) - names("requirements-dev.txt")


def test_every_one_of_them_is_locked() -> None:
    project = tomllib.loads((Path(BASE_DIR) / "pyproject.toml").read_text())
    wanted = {
        re.split(r"[^A-Za-z0-9._-]", requirement)[0] for requirement in project["dependency-groups"]["benchmark"]
    }
    assert wanted <= names(LOCK), "run `make lock`"
