"""Progress on standard error: a line that moves, one JSON object a line for programs, or nothing."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import TextIO

Progress = Callable[[str, float, str], None]

# Where each stage of training begins and ends on the way from 0 to 100 percent.
TRAIN_SPANS = {
    "read": (0, 4),
    "prepare": (4, 5),
    "content": (5, 7),
    "ease": (7, 88),
    "network": (14, 97),
    "fuse": (27, 30),
    "rank": (30, 78),
    "ratings": (78, 98),
    "evaluate": (79, 80),
    "bundle": (98, 100),
}
# Fitted twice, before the blend is learned and after.
HALVES = {"ease": ((7, 14), (80, 88)), "network": ((14, 27), (88, 97)), "ratings": ((78, 79), (97, 98))}
BAR_CHARS = 24


def overall_percent(stage: str, percent: float) -> float:
    """How far training as a whole is, from how far a stage is (both 0-100)."""
    if stage in HALVES:
        low, high = HALVES[stage][percent >= 50]
        return low + (high - low) * (percent % 50 if percent < 100 else 50) / 50
    low, high = TRAIN_SPANS.get(stage, (0, 100))
    return low + (high - low) * percent / 100


def stage_percent(stage: str, percent: float) -> float:
    """How far a stage that runs alone is."""
    return percent


def make_progress(
    style: str,
    stream: TextIO | None = None,
    percent_of: Callable[[str, float], float] = overall_percent,
) -> Progress:
    """A display: ``bar``, ``json``, ``none``, or ``auto`` (a bar on a terminal, plain lines elsewhere)."""
    stream = stream or sys.stderr
    started = time.monotonic()

    def as_json(stage: str, percent: float, message: str) -> None:
        record = {
            "stage": stage,
            "percent": round(percent_of(stage, percent), 1),
            "message": message,
            "seconds": round(time.monotonic() - started, 1),
        }
        print(json.dumps(record), file=stream, flush=True)

    def as_bar(stage: str, percent: float, message: str) -> None:
        done = percent_of(stage, percent)
        filled = round(BAR_CHARS * done / 100)
        bar = "#" * filled + "." * (BAR_CHARS - filled)
        end = "\n" if done >= 100 else ""
        print(f"\r\033[K[{bar}] {done:3.0f}%  {stage}: {message}", end=end, file=stream, flush=True)

    def as_lines(stage: str, percent: float, message: str) -> None:
        print(f"{percent_of(stage, percent):3.0f}%  {stage}: {message}", file=stream, flush=True)

    def nothing(stage: str, percent: float, message: str) -> None:
        return None

    if style == "auto":
        return as_bar if stream.isatty() else as_lines
    return {"json": as_json, "bar": as_bar, "none": nothing}[style]
