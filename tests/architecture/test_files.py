"""House rules that a linter does not know: what files may hold, and what the documents must name."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

BASE_DIR = Path(__file__).resolve().parent.parent.parent
NOT_OURS = {".git", ".venv", "var", "staticfiles", "dvcwork", "node_modules", "__pycache__"}
MAX_LINES = 400


@cache
def files() -> tuple[Path, ...]:
    """All files of the project, whether committed yet or not; nothing that is generated or installed."""
    return tuple(sorted(_walk(BASE_DIR)))


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in NOT_OURS or path.name.endswith(("_cache", ".egg-info")):
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path


def relative(path: Path) -> str:
    return str(path.relative_to(BASE_DIR))


def with_suffix(*suffixes: str) -> list[Path]:
    return [path for path in files() if path.suffix in suffixes]


def test_no_module_is_long() -> None:
    lengths = {
        relative(path): len(path.read_text().splitlines())
        for path in with_suffix(".py")
        if "migrations" not in path.parts
    }
    assert len(lengths) > 50
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    found = [relative(path) for path in with_suffix(".py") if drawers & {path.stem, path.parent.name}]
    assert found == []


# --- Pages --------------------------------------------------------------------------------------------------

INLINE = {
    "a script of its own": re.compile(r"<script\b(?![^>]*\bsrc=)", re.IGNORECASE),
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "an event handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "an htmx event handler, which is evaluated": re.compile(r"<[^>]*\s(data-)?hx-on[:-]", re.IGNORECASE),
    "a javascript: address": re.compile(r"javascript:", re.IGNORECASE),
}


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("<script>go()</script>", "a script of its own"),
        ('<p class="x"\n  style="color: red">', "a style attribute"),
        ('<button type="button" onclick="go()">', "an event handler"),
        ('<div hx-on:click="go()">', "an htmx event handler, which is evaluated"),
    ],
)
def test_the_patterns_find_what_the_policy_forbids(html: str, reason: str) -> None:
    assert INLINE[reason].search(html)


def test_templates_hold_nothing_that_the_content_security_policy_forbids() -> None:
    templates = [path for path in with_suffix(".html") if "templates" in path.parts]
    assert templates
    found = []
    for path in templates:
        text = re.sub(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", "", path.read_text(), flags=re.DOTALL)
        found += [f"{relative(path)}: {reason}" for reason, pattern in INLINE.items() if pattern.search(text)]
    assert found == []


# --- Documents ----------------------------------------------------------------------------------------------


def environment_variables_read() -> set[str]:
    """The names that settings read: the first argument of every ``env.something(...)``."""
    found = set()
    for path in (BASE_DIR / "animerec_site" / "settings").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "env"
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                found.add(str(node.args[0].value))
    return found


def test_the_operations_page_names_exactly_the_variables_that_settings_read() -> None:
    read = environment_variables_read()
    assert {"SECRET_KEY", "DATABASE_URL"} <= read
    page = (BASE_DIR / "docs" / "operations.md").read_text()
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE))
    assert documented == read


def test_make_help_lists_every_target() -> None:
    makefile = (BASE_DIR / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):(?!=)", makefile, re.MULTILINE))
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert set(phony.split()) == targets
    for command in (["make"], ["make", "help"]):
        output = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=True).stdout
        listed = re.findall(r"^make ([a-z-]+) +\S.*$", output, re.MULTILINE)
        assert sorted(listed) == sorted(targets)


def test_documents_link_to_files_that_exist() -> None:
    broken = []
    for path in with_suffix(".md"):
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text()):
            if not (path.parent / target).exists():
                broken.append(f"{relative(path)}: {target}")
    assert broken == []


def test_decisions_are_numbered_without_gaps_and_say_what_follows() -> None:
    decisions = sorted((BASE_DIR / "docs" / "adr").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    for path in decisions:
        headings = re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], path.name


def test_no_file_names_a_package_index_or_an_image_registry() -> None:
    # Written in pieces, or this file would name them.
    hosts = (
        "py" "pi.org", "python" "hosted.org", "registry.npm" "js", "npm" "js.org", "docker" ".io", "gcr" ".io",
        "ghcr" ".io", "pkg" ".dev", "quay" ".io", "deb." "debian.org", "un" "pkg.com", "js" "delivr.net",
    )  # fmt: skip
    found = []
    for path in files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue  # an image or a font
        found += [f"{relative(path)}: {host}" for host in hosts if host in text]
    assert found == []
