"""`make install` on machines that are not fit for it: one clear line, and nothing changed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BASE_DIR = Path(__file__).resolve().parent.parent.parent
NEEDED = ("sh", "make", "awk", "cmp", "cp", "dirname", "rm")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What `make install` reads, and a `bin` with the tools it uses, but without Python."""
    (tmp_path / "scripts").mkdir()
    for name in ("Makefile", "requirements-dev.txt", "scripts/install.sh"):
        shutil.copy(BASE_DIR / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    for name in NEEDED:
        tool = shutil.which(name)
        assert tool, name
        (tmp_path / "bin" / name).symlink_to(tool)
    return tmp_path


def python(checkout: Path, name: str, script: str) -> None:
    """Put an executable ``name`` into the checkout's `bin`."""
    path = checkout / "bin" / name
    path.write_text(f"#!{shutil.which('sh')}\n{script}\n")
    path.chmod(0o755)


def install(checkout: Path, *variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "install", *variables], cwd=checkout, env={"PATH": str(checkout / "bin")},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def only_line(result: subprocess.CompletedProcess[str]) -> str:
    """What install.sh said; make adds a line of its own when a target fails."""
    assert result.returncode == 2
    lines = [line for line in (result.stdout + result.stderr).splitlines() if not line.startswith("make")]
    assert len(lines) == 1, lines
    return lines[0]


def test_no_python(checkout: Path) -> None:
    assert only_line(install(checkout)) == (
        "AnimeRec needs Python 3.11, 3.12 or 3.13 (found: none); name one with PYTHON=/path/to/python"
    )


@pytest.mark.parametrize("version", ["3.10", "3.14", "2.7"])
def test_another_version_is_named(checkout: Path, version: str) -> None:
    python(checkout, "python3", f"echo {version}")
    line = only_line(install(checkout))
    assert f"(found: python3 is {version})" in line
    assert not (checkout / ".venv").exists()


def test_a_python_named_by_the_person_is_not_replaced_by_another(checkout: Path) -> None:
    python(checkout, "python3", f'exec {sys.executable} "$@"')
    python(checkout, "old-python", "echo 3.10")
    assert "old-python is 3.10" in only_line(install(checkout, "PYTHON=old-python"))


def test_a_missing_venv_module_is_named(checkout: Path) -> None:
    # As on Debian without python3-venv: the interpreter is fine, ensurepip is not there.
    python(checkout, "python3", 'case "$2" in *ensurepip*) exit 1;; *) echo 3.12;; esac')
    line = only_line(install(checkout))
    assert line.startswith("python3 has no venv module")
    assert "python3.12-venv" in line


def test_an_installed_lock_is_not_installed_again(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    # Answers the question for its version and fails at everything else.
    python(checkout, "venv-python", 'case "$2" in *version_info*) echo 3.12;; *) exit 9;; esac')
    shutil.move(checkout / "bin" / "venv-python", checkout / ".venv" / "bin" / "python")
    shutil.copy(checkout / "requirements-dev.txt", checkout / ".venv" / "installed-lock.txt")
    result = install(checkout)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")

    with (checkout / "requirements-dev.txt").open("a") as lock:
        lock.write("\n# changed\n")
    assert install(checkout).returncode != 0, "a changed lock is installed"
