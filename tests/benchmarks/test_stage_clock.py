"""The clock that training reports to."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.stage_clock import StageClock


def test_a_stage_lasts_until_the_next_and_numbers_and_paths_do_not_make_new_ones() -> None:
    clock = StageClock()
    clock("rank", 0, "part 1 of 3")
    time.sleep(0.05)
    clock("rank", 30, "part 2 of 3")
    clock("bundle", 0, "writing some/where/else")
    clock.stop()
    assert list(clock.stages) == ["rank: part N of N", "bundle: writing"]
    assert clock.stages["rank: part N of N"].seconds >= 0.05
    assert clock.stages["bundle: writing"].seconds < 0.05
    assert clock.seconds == sum(stage.seconds for stage in clock.stages.values())


def test_the_peak_is_that_of_the_stage() -> None:
    clock = StageClock()
    clock("small", 0, "")
    clock("large", 0, "")
    block = np.ones(25_000_000)
    block[0] = 2
    clock.stop()
    small, large = (clock.stages[f"{name}: "] for name in ("small", "large"))
    assert large.peak_bytes - small.peak_bytes > 0.8 * block.nbytes
    assert clock.peak_bytes == large.peak_bytes


def test_stopping_twice_counts_once() -> None:
    clock = StageClock()
    clock.stop()
    assert clock.seconds == 0
    assert clock.peak_bytes == 0
