"""Time and peak memory of every stage of a training, taken from the progress it reports."""

from __future__ import annotations

import contextlib
import re
import resource
import time
from dataclasses import dataclass
from pathlib import Path

CLEAR_REFS = Path("/proc/self/clear_refs")
RESET_HIGH_WATER_MARK = "5"
PATH = re.compile(r" ?\S*/\S*")
NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(slots=True)
class Stage:
    """What one stage took in all: ``seconds`` by the clock, ``cpu_seconds`` of all threads together (which says more
    on a machine that others use too), and ``peak_bytes`` of resident memory at its highest."""

    label: str
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0


class StageClock:
    """A progress display that measures. What is reported begins a stage, which lasts until another is reported.

    Stages that differ only in numbers or paths are one. Where the system does not let a process reset its high-water
    mark, the peak of a stage is the highest so far.
    """

    def __init__(self) -> None:
        self.stages: dict[str, Stage] = {}
        self._current: Stage | None = None
        self._began = (0.0, 0.0)

    def __call__(self, stage: str, percent: float, message: str) -> None:
        label = f"{stage}: {NUMBER.sub('N', PATH.sub('', message))}"
        if self._current is not None and self._current.label == label:
            return
        self.stop()
        self._current = self.stages.setdefault(label, Stage(label))
        with contextlib.suppress(OSError):
            CLEAR_REFS.write_text(RESET_HIGH_WATER_MARK)
        self._began = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        """End the stage that runs."""
        stage = self._current
        if stage is None:
            return
        stage.seconds += time.perf_counter() - self._began[0]
        stage.cpu_seconds += time.process_time() - self._began[1]
        stage.peak_bytes = max(stage.peak_bytes, 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        self._current = None

    @property
    def seconds(self) -> float:
        """Of all stages."""
        return sum(stage.seconds for stage in self.stages.values())

    @property
    def cpu_seconds(self) -> float:
        """Of all stages."""
        return sum(stage.cpu_seconds for stage in self.stages.values())

    @property
    def peak_bytes(self) -> int:
        """Of the stage that took most."""
        return max((stage.peak_bytes for stage in self.stages.values()), default=0)
