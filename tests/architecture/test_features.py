"""What `docs/features.md` says is shown by tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
ROWS = [
    line
    for line in (ROOT / "docs" / "features.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| what")
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:60])
def test_every_feature_has_its_test(row: str) -> None:
    named = re.findall(r"`(tests/[^`]+)`", row)
    assert named, f"no test is named: {row}"
    for name in named:
        path, *inside = name.split("::")
        assert (ROOT / path).is_file(), f"{path} does not exist"
        body: list[ast.stmt] = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
        for part in inside:
            found = [node for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == part]
            assert found, f"{path} has no {part}"
            body = found[0].body


def test_the_page_has_rows() -> None:
    assert len(ROWS) > 30
