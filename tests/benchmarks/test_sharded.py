"""Counting shared out over processes: the same matrix, and what the table says of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.growth import Size
from benchmarks.sharded import (
    Counted,
    Finished,
    Scored,
    count_size,
    counting_table,
    deal_out,
    largest_difference,
    run,
    run_at_once,
    scoring_table,
)
from tests.ml import worlds

TINY = Size(1, 150, 120)
GIB = 1 << 30


def test_two_processes_count_what_one_counts(tmp_path: Path) -> None:
    counted = count_size(TINY, tmp_path)
    assert counted.difference < 1e-6
    assert counted.titles == 120
    assert counted.entries == len((next(tmp_path.rglob("rating.csv"))).read_text().splitlines()) - 1
    for process in (counted.single, *counted.shards, counted.adding):
        assert process.peak_bytes > 30e6
        assert process.cpu_seconds > 0
        assert process.seconds > 0
    assert counted.sharded_seconds > max(one.seconds for one in counted.shards)
    assert not list((tmp_path / "sharded").iterdir()), "files of that size are not kept"


def test_without_servers_only_the_counting_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    lines = run(None, (TINY,), TINY, tmp_path)
    assert any(line.startswith("| 2 shards and adding them |") for line in lines)
    assert lines[-1] == "scoring by Celery workers not run: DATABASE_URL names no Postgres server"


def test_members_are_dealt_out_whole(tmp_path: Path) -> None:
    world = worlds.write_fandoms(tmp_path / "world")
    parts = [tmp_path / f"{number}.csv" for number in range(3)]
    deal_out(world / "rating.csv", parts)
    rows = [part.read_text().splitlines() for part in parts]
    header, *everything = (world / "rating.csv").read_text().splitlines()
    assert Counter(row for own in rows for row in own[1:]) == Counter(everything)
    assert {own[0] for own in rows} == {header}
    members = [{row.partition(",")[0] for row in own[1:]} for own in rows]
    assert sum(map(len, members)) == len(set.union(*members)) == 240
    sizes = [len(own) for own in rows]
    assert max(sizes) - min(sizes) < 40


def test_a_difference_is_found(tmp_path: Path) -> None:
    world = worlds.write_fandoms(tmp_path / "world")
    parts = [tmp_path / f"{number}.csv" for number in range(2)]
    deal_out(world / "rating.csv", parts)
    for part in parts:
        command = ["--data", str(world), "--ratings", str(part), "--out", str(part.with_suffix(".gram"))]
        run_at_once([["-m", "ml", "gram", *command]])
    one, other = (part.with_suffix(".gram") for part in parts)
    assert largest_difference(one, other) > 0.01
    assert largest_difference(one, one) == 0


def test_a_process_that_fails_is_no_measurement() -> None:
    with pytest.raises(Exception, match="exit status 3"):
        run_at_once([["-c", "pass"], ["-c", "import sys; sys.exit(3)"]])


def test_the_tables_by_hand() -> None:
    counted = Counted(
        1_600_000,
        18_000,
        Finished(12.0, 11.0, 2 * GIB),
        (Finished(6.0, 5.0, GIB), Finished(8.0, 7.0, GIB)),
        Finished(2.0, 1.5, GIB // 4),
        10.0,
        2.5e-8,
    )
    lines = counting_table(counted, Size(4, 16_000, 18_000))
    assert lines[0] == "4 times the ratings: 1,600,000 entries of 16,000 members, 18,000 titles"
    assert lines[4:] == [
        "| one process | 12.0 | 11.0 | 2.00 |",
        "| shard 1, with the others at once | 6.0 | 5.0 | 1.00 |",
        "| shard 2, with the others at once | 8.0 | 7.0 | 1.00 |",
        "| adding the shards | 2.0 | 1.5 | 0.25 |",
        "| 2 shards and adding them | 10.0 | 13.5 | 1.00 |",
        "",
        "speed-up of the counting alone: 1.50, with the adding: 1.20",
        "largest difference of the sum: 2.5e-08 of the largest number",
    ]
    scored = [Scored(100_000, 1, 200.0, (GIB,)), Scored(100_000, 2, 110.0, (GIB, GIB // 2))]
    assert scoring_table(scored)[4:] == [
        "| 1 | 200 | 500 | 1.00 | 1.00 |",
        "| 2 | 110 | 909 | 1.00, 0.50 | 1.82 |",
    ]
