"""Child processes that are certain to end: for scripts/demo.py.

Each child leads a session of its own, so that a Ctrl-C in the terminal reaches the demo alone, and the demo decides
how each of them ends. Signals only set a flag; every wait looks at it. So no signal can arrive between the start
of a child and the note that it exists.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

TICK_SECONDS = 0.1
# How long a service may take to end by itself before it is told more firmly, and then killed.
GRACE_SECONDS = 8.0
LOG_LINES_SHOWN = 20


class Interrupted(Exception):
    """Somebody pressed Ctrl-C, or sent SIGTERM or SIGHUP."""


class ProcessFailed(Exception):
    """``str()`` says which process ended how, followed by the last lines of its log."""

    def __init__(self, name: str, code: int | None, log: Path | None, reason: str = "") -> None:
        lines = [f"{name} {reason or f'ended with exit code {code}'}"]
        if log is not None and log.is_file():
            last = log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
            lines = [f"{lines[0]}; the last lines of {log}:", *(f"  {line}" for line in last)]
        super().__init__("\n".join(lines))


class Service:
    def __init__(self, name: str, process: subprocess.Popen[str], log: Path | None) -> None:
        self.name = name
        self.process = process
        self.log = log


class Processes:
    """Starts children in ``cwd`` with ``env``, and ends all of them, with all that they started."""

    def __init__(self, *, cwd: Path, env: dict[str, str]) -> None:
        self.cwd = cwd
        self.env = env
        self.services: list[Service] = []
        self._stop = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._stop = True

    def sleep(self, seconds: float) -> None:
        """Sleep; raises :class:`Interrupted` within a tick of a signal."""
        end = time.monotonic() + seconds
        while not self._stop and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, TICK_SECONDS))
        if self._stop:
            raise Interrupted

    def start(self, name: str, command: Sequence[str], *, log: Path | None = None, stdin: str = "") -> Service:
        """Start a child; its output goes into a new file ``log``, or where ours goes."""
        if self._stop:
            raise Interrupted
        output = log.open("w") if log is not None else None
        try:
            process = subprocess.Popen(
                command, cwd=self.cwd, env=self.env, text=True, start_new_session=True,
                stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT if output else None,
            )  # fmt: skip
        finally:
            if output is not None:
                output.close()
        service = Service(name, process, log)
        self.services.append(service)
        assert process.stdin is not None  # noqa: S101 - asked for above
        try:
            process.stdin.write(stdin)
            process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended already; whoever waits for it sees how
        return service

    def run(self, command: Sequence[str], *, log: Path | None = None, stdin: str = "") -> int:
        """Run a command to its end and return its exit code."""
        service = self.start(command[0], command, log=log, stdin=stdin)
        while (code := service.process.poll()) is None:
            self.sleep(TICK_SECONDS)
        self.services.remove(service)
        return code

    def require_running(self) -> None:
        for service in self.services:
            code = service.process.poll()
            if code is not None:
                raise ProcessFailed(service.name, code, service.log)

    def end_all(self) -> None:
        """End every child: politely, firmly, for good. Further signals change nothing."""
        running = [service.process for service in self.services if service.process.poll() is None]
        family = descendants([process.pid for process in running])
        # INT lets a management command clean up after itself and ends gunicorn and Celery gracefully;
        # QUIT makes Celery give up the task it works on.
        for number in (signal.SIGINT, signal.SIGQUIT):
            for process in running:
                if process.poll() is None:
                    process.send_signal(number)
            deadline = time.monotonic() + GRACE_SECONDS
            while time.monotonic() < deadline and any(process.poll() is None for process in running):
                time.sleep(TICK_SECONDS)
            family |= descendants([process.pid for process in running if process.poll() is None])
        for pid in family | {process.pid for process in running if process.poll() is None}:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue  # the rule: it has ended by itself
        for process in running:
            process.wait()
        self.services.clear()


def descendants(roots: Sequence[int]) -> set[int]:
    """The ids of all processes that ``roots`` started, directly or not, in whatever session they are."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    queue = list(roots)
    while queue:
        for child in children.get(queue.pop(), ()):
            if child not in found:
                found.add(child)
                queue.append(child)
    return found


def _parents() -> list[tuple[int, int]]:
    """(process, its parent) of every process: from /proc where there is one (a slim image has no ps), else ps."""
    proc = Path("/proc")
    if not (proc / "self" / "stat").is_file():
        output = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        return [(int(pid), int(parent)) for pid, parent in (line.split() for line in output.splitlines())]
    pairs = []
    for entry in proc.iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue  # ended since it was listed
            # "pid (name) state ppid ...", and a name may hold spaces and parentheses.
            pairs.append((int(entry.name), int(stat.rpartition(")")[2].split()[1])))
    return pairs
