"""A process of its own: followed, bounded, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from recommendations.services.child import ChildError, Limits, run_child

PATIENCE = Limits(seconds=60)


def run(code: str, limits: Limits = PATIENCE, look=lambda: None) -> list[str]:
    lines: list[str] = []
    run_child("The work", ["-c", code], limits, on_line=lines.append, on_look=look)
    return lines


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_its_lines_arrive():
    assert run("import sys; print('one', file=sys.stderr); print('two', file=sys.stderr)") == ["one", "two"]


def test_a_failure_says_what_was_said_last():
    with pytest.raises(ChildError, match="The work ended with exit code 4: no room"):
        run("import sys; print('no room', file=sys.stderr); sys.exit(4)")


def test_a_kill_is_told_from_a_failure():
    with pytest.raises(ChildError, match="killed by SIGKILL; perhaps the machine ran out of memory"):
        run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")


def test_too_long():
    with pytest.raises(ChildError, match="longer than 0 s"):
        run("import time; time.sleep(60)", Limits(seconds=0))


def test_too_much_memory():
    code = "import time; held = bytearray(300 * 2**20); time.sleep(60)"
    with pytest.raises(ChildError, match=r"used \d+ MiB, more than the 100 MiB allowed"):
        run(code, Limits(seconds=60, memory_mib=100))


def test_what_the_caller_raises_ends_it():
    pids: list[int] = []

    def stop() -> None:
        if pids:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_child(
            "The work",
            ["-c", "import os, sys, time; print(os.getpid(), file=sys.stderr, flush=True); time.sleep(60)"],
            PATIENCE,
            on_line=lambda line: pids.append(int(line)),
            on_look=stop,
        )
    assert gone(pids[0])


def test_it_ends_when_whoever_started_it_is_killed():
    """As by kill -9 of a worker: nothing of the parent's can run any more."""
    code = "\n".join(
        [
            "from ml.cli.parent import end_with_parent",
            "import os, sys, time",
            "end_with_parent()",
            "print(os.getpid(), file=sys.stderr, flush=True)",
            "time.sleep(60)",
        ]
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", f"""
import os; os.environ["DJANGO_SETTINGS_MODULE"] = "animerec_site.settings.test"
from recommendations.services.child import Limits, run_child
run_child("x", ["-c", {code!r}], Limits(60), on_line=lambda line: print(line, flush=True), on_look=lambda: None)
"""],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert psutil.pid_exists(pid)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert gone(pid)
