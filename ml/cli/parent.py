"""Ending when the process that started us has ended, however it ended."""

from __future__ import annotations

import os
import sys
import threading

ORPHANED = 3


def end_with_parent() -> None:
    """Watch standard input, a pipe whose other end the parent holds: when the parent is gone (a kill -9 included), it
    is closed, and this process ends at once with exit code 3."""

    descriptor = sys.stdin.fileno()

    def watch() -> None:
        # Not sys.stdin: its lock would be held when the interpreter shuts down.
        while os.read(descriptor, 4096):
            continue
        os._exit(ORPHANED)

    threading.Thread(target=watch, name="parent", daemon=True).start()
