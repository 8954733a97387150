"""A long computation in a process of its own: followed line by line, ended when it must not go on.

Worker children are daemonic and TensorFlow is not fork-safe, and a process gives its memory back only by ending.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.conf import settings

LOOK_SECONDS = 0.5
KILL_GRACE_SECONDS = 10
MIB = 2**20


class ChildError(Exception):
    """The process did not do its work; ``str()`` is one line for people."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``seconds`` by the clock; ``memory_mib`` of the process with all that it started, 0: no limit."""

    seconds: float
    memory_mib: int = 0


def run_child(
    name: str,
    arguments: Sequence[str],
    limits: Limits,
    *,
    on_line: Callable[[str], None],
    on_look: Callable[[], None],
) -> None:
    """Run ``python ARGUMENTS`` to its end; raises :class:`ChildError` unless it ends with 0.

    ``on_line`` is called with each line of its standard error, ``on_look`` about twice a second; whatever they raise
    ends the process. Standard input is a pipe that is never written to: it closes when this process dies, however it
    dies, and the child ends by that (``--end-with-parent``).
    """
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, errors="replace", env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    last = ""
    try:
        lines = _lines_of(process)
        deadline = time.monotonic() + limits.seconds
        while True:
            try:
                line = lines.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                line = ""
            if line is None:
                break
            if line:
                last = line
                on_line(line)
            if time.monotonic() > deadline:
                raise ChildError(f"{name} took longer than {limits.seconds:g} s and was ended")
            used = _memory_mib(process.pid) if limits.memory_mib else 0
            if used > limits.memory_mib:
                raise ChildError(
                    f"{name} used {used} MiB, more than the {limits.memory_mib} MiB allowed, and was ended"
                )
            on_look()
        code = process.wait()
    finally:
        _end(process)
    if code < 0:
        why = "; perhaps the machine ran out of memory" if code == -signal.SIGKILL else ""
        raise ChildError(f"{name} was killed by {signal.Signals(-code).name}{why}")
    if code:
        raise ChildError(f"{name} ended with exit code {code}: {last or 'no output'}")


def _lines_of(process: subprocess.Popen[str]) -> queue.Queue[str | None]:
    """The lines as they come, and ``None`` at the end; read by a thread, so that nobody waits for a silent child."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stderr is not None  # noqa: S101 - asked for above
        for line in process.stderr:
            lines.put(line.rstrip("\n"))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def _memory_mib(pid: int) -> int:
    """Resident memory of a process and all that it started."""
    import psutil  # only workers have it

    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    total = 0
    for one in family:
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue  # it has ended since
    return int(total // MIB)


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None  # noqa: S101 - asked for above
    process.stdin.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(KILL_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
