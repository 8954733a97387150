"""One training as its job row shows it: stage, percent, metrics so far and log, kept while it goes on, so that they
are there also when the worker is killed."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from recommendations.models import Job
from recommendations.services import jobs

LOG_LINES_KEPT = 400
HEARTBEAT_SECONDS = 2.0

Listener = Callable[[int, str], None]


class Run:
    """``listener`` is told (percent, message) as well, for a person who waits at a terminal."""

    def __init__(self, job: Job, listener: Listener | None = None) -> None:
        self.job = job
        self._listener = listener
        self._log: deque[str] = deque(maxlen=LOG_LINES_KEPT)
        self._percent = 0
        self._stage = self._message = ""
        self._metrics: dict[str, float] = {}
        self._span = (0, 100)
        self._started = time.monotonic()
        self._told = float("-inf")

    @property
    def log(self) -> str:
        return "\n".join(self._log)

    def begin(self, stage: str, percent: int, end: int, message: str) -> None:
        """A stage of ours begins; what a process reports until the next one lies between ``percent`` and ``end``."""
        self._span = (percent, end)
        self._note(stage, percent, message)
        self.tell()

    def on_line(self, line: str) -> None:
        """A line of the process: progress or metrics in JSON, or words for the log."""
        record = _json(line)
        if "percent" in record:
            low, high = self._span
            percent = low + int(record["percent"] * (high - low) / 100)
            self._note(str(record.get("stage", "")), percent, str(record.get("message", "")))
        elif isinstance(record.get("metrics"), Mapping):
            self._metrics = record["metrics"]
        else:
            self._add(line)

    def on_look(self) -> None:
        """Renew the lease every few seconds; raises :class:`jobs.LeaseLostError` if it is not ours any more."""
        if time.monotonic() - self._told >= HEARTBEAT_SECONDS:
            self.tell()

    def tell(self) -> None:
        self._told = time.monotonic()
        jobs.heartbeat(
            self.job,
            percent=self._percent,
            message=self._message,
            stage=self._stage,
            metrics=self._metrics,
            log=self.log,
        )
        if self._listener is not None:
            self._listener(self._percent, self._message)

    def _note(self, stage: str, percent: int, message: str) -> None:
        if (stage, message) != (self._stage, self._message):
            self._add(f"{stage}: {message}")
        self._stage, self._percent, self._message = stage, max(self._percent, min(percent, 99)), message

    def _add(self, line: str) -> None:
        self._log.append(f"{time.monotonic() - self._started:8.1f} s  {line}")


def _json(line: str) -> dict[str, Any]:
    if not line.startswith("{"):
        return {}
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
