"""Starts the site the way `make demo` does, for tests that need it running."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent
READY = re.compile(r"AnimeRec is ready: (http://\S+?)/$", re.MULTILINE)
# What a person's shell does not have, or what would lead the demo to the servers that other tests use.
NOT_A_PERSONS = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "VAR_DIR", "PORT", "DATA")
STOP_SECONDS = 30


@dataclass(frozen=True)
class RunningDemo:
    """``accounts`` maps "member" and "admin" to {"username", "password"}."""

    url: str
    accounts: dict[str, dict[str, str]]
    var: Path
    process: subprocess.Popen[bytes]
    log: Path

    def output(self) -> str:
        return self.log.read_text(errors="replace")


@contextmanager
def running_demo(
    var_dir: Path,
    *,
    members: int = 300,
    port: int | None = None,
    data: Path | None = None,
    timeout_seconds: float = 300,
) -> Iterator[RunningDemo]:
    """The site of `make demo`, ready, on SQLite and the file queue below ``var_dir``; ended on leaving, like Ctrl-C.

    With the same ``var_dir`` again it starts in seconds. ``data`` is what `make demo DATA=` takes. Raises
    AssertionError with the output if it does not get ready, or if a process is left at the end.
    """
    process, log = start_demo(var_dir, members=members, port=port, data=data)
    try:
        url = wait_until_ready(process, log, timeout_seconds)
        var = next(var_dir.glob("**/accounts.json")).parent
        people = json.loads((var / "accounts.json").read_text())
        yield RunningDemo(url, {person["role"]: person for person in people}, var, process, log)
    finally:
        stop_demo(process, log)
    assert not processes_of(var_dir), f"left after the end: {processes_of(var_dir)}"


def start_demo(
    var_dir: Path, *, members: int = 300, port: int | None = None, data: Path | None = None
) -> tuple[subprocess.Popen[bytes], Path]:
    """Start it and return at once: the process, and the file with what it prints."""
    var_dir.mkdir(parents=True, exist_ok=True)
    log = var_dir / "demo-output.txt"
    command = [sys.executable, "scripts/demo.py", "--port", str(port or free_port()), "--data", str(data or "")]
    kept = {key: value for key, value in os.environ.items() if key not in NOT_A_PERSONS}
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=BASE_DIR, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            env={**kept, "VAR_DIR": str(var_dir), "DEMO_MEMBERS": str(members)},
        )  # fmt: skip
    return process, log


def wait_until_ready(process: subprocess.Popen[bytes], log: Path, timeout_seconds: float) -> str:
    wait_for_output(process, log, READY, timeout_seconds)
    match = READY.search(log.read_text(errors="replace"))
    assert match is not None
    return match[1]


def wait_for_output(
    process: subprocess.Popen[bytes], log: Path, pattern: re.Pattern[str], timeout_seconds: float
) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not pattern.search(log.read_text(errors="replace")):
        text = log.read_text(errors="replace")
        assert process.poll() is None, f"the demo ended with exit code {process.returncode}:\n{text}"
        assert time.monotonic() < deadline, f"nothing like {pattern.pattern} after {timeout_seconds} s:\n{text}"
        time.sleep(0.1)


def stop_demo(process: subprocess.Popen[bytes], log: Path, number: signal.Signals = signal.SIGINT) -> int:
    """Send a signal to the demo alone, and return its exit code."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        text = log.read_text(errors="replace")
        raise AssertionError(f"the demo did not end within {STOP_SECONDS} s:\n{text}") from None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processes_of(var_dir: Path) -> list[str]:
    """The command lines of all living processes that were started for ``var_dir``, whoever their parent is now."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes()
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if f"VAR_DIR={var_dir}".encode() in environment:
            found.append(f"{entry.name} {command.replace(bytes(1), b' ').decode(errors='replace')}")
    return found
