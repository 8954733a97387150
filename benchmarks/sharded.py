"""Work shared out over processes: counting the Gram matrix by shards of people, and scoring by Celery workers.

Counting: `python -m ml gram` on generated ratings, 4 and 64 times those of the 2016 set, in one process and in two.
Scoring: 100,000 profiles in a database of their own, by one worker and by two. It needs Postgres and Redis
(DATABASE_URL, REDIS_URL) and is left out, with the reason, where they are not there.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.clocked_training import train_apart
from benchmarks.conditions import GIB, PARAMS, ROOT, WORK, Unavailable, content_key, describe_run
from benchmarks.growth import Size
from ml.training.gram import BLOCK_TITLES, open_gram, triangle_size

# Enough members for counting to be most of the work: at 4 times the ratings most of it grows with titles alone.
COUNTING = (Size(4, 16_000, 18_000), Size(64, 256_000, 18_000))
SCORING = Size(25, 100_000, 12_294)
# The model that scores is trained on as many members as the 2016 set has: a list costs the same whoever taught it.
TEACHERS = Size(1, 4_000, 12_294)
PROCESSES = 2
SILENT = ("--progress", "none")
LOOK_SECONDS = 0.2
PATIENCE_SECONDS = 4 * 3600


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that has ended well: ``seconds`` by the clock, and what the system says that it used."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Counted:
    """``single``: all members in one process. ``shards``: the same in several at once; ``adding`` them afterwards.
    ``sharded_seconds``: from the start of the first to the end of the adding. ``difference``: the largest between
    both matrices, beside the largest number in them."""

    entries: int
    titles: int
    single: Finished
    shards: tuple[Finished, ...]
    adding: Finished
    sharded_seconds: float
    difference: float


@dataclass(frozen=True, slots=True)
class Scored:
    """``seconds`` from queueing the scoring of ``profiles`` to its end; ``peak_bytes``: of the largest process of
    each worker (which maps the model, shared with the others)."""

    profiles: int
    workers: int
    seconds: float
    peak_bytes: tuple[int, ...]


def run(
    data: Path | None = None,
    counting: Sequence[Size] = COUNTING,
    scoring: Size = SCORING,
    work: Path = WORK,
) -> list[str]:
    """``data`` is not looked at: everything is generated."""
    lines = [describe_run()]
    for size in counting:
        lines += ["", *counting_table(count_size(size, work), size)]
    try:
        check_servers()
    except Unavailable as reason:
        return [*lines, "", f"scoring by Celery workers not run: {reason}"]
    return [*lines, "", *scoring_table(score_size(scoring, TEACHERS, work))]


def generated(size: Size, work: Path) -> Path:
    """The data of one size, generated unless an earlier run has."""
    name = f"members{size.members}-titles{size.titles}"
    data = work / "growth" / f"data-{content_key([Path(__file__).with_name('generated_data.py')])}" / name
    if not (data / "complete.json").is_file():
        data.parent.mkdir(parents=True, exist_ok=True)
        print(f"generating lists of {size.members:,} members", file=sys.stderr, flush=True)
        arguments = [str(data), str(size.members), str(size.titles)]
        subprocess.run([sys.executable, "-m", "benchmarks.growth", *arguments], cwd=ROOT, check=True)
    return data


def count_size(size: Size, work: Path, processes: int = PROCESSES) -> Counted:
    """Count the lists of one size both ways."""
    data = generated(size, work)
    place = work / "sharded"
    place.mkdir(parents=True, exist_ok=True)
    parts = [place / f"part{number}.csv" for number in range(processes)]
    deal_out(data / "rating.csv", parts)
    whole, total = place / "single.gram", place / "sum.gram"
    files = [place / f"part{number}.gram" for number in range(processes)]
    print("counting in one process", file=sys.stderr, flush=True)
    (single,) = run_at_once([_counting(data, data / "rating.csv", whole)])
    print(f"counting in {processes} processes", file=sys.stderr, flush=True)
    start = time.perf_counter()
    shards = run_at_once([_counting(data, part, file) for part, file in zip(parts, files, strict=True)])
    (adding,) = run_at_once([["-m", "ml", "gram", "--add", *map(str, files), "--out", str(total), *SILENT]])
    seconds = time.perf_counter() - start
    header = open_gram(whole).header
    counted = Counted(
        header.entries, header.titles, single, tuple(shards), adding, seconds, largest_difference(whole, total)
    )
    for file in (*parts, *files, whole, total):
        file.unlink()
    return counted


def deal_out(ratings: Path, parts: Sequence[Path]) -> None:
    """Share the members of a ratings file out: the next one goes to the part with the fewest entries."""
    written = [0] * len(parts)
    member, place = "", 0
    files = [part.open("w", encoding="utf-8", newline="") for part in parts]
    try:
        with ratings.open(encoding="utf-8", newline="") as source:
            rows = csv.reader(source)
            header = next(rows)
            writers = [csv.writer(file) for file in files]
            for writer in writers:
                writer.writerow(header)
            for row in rows:
                if row[0] != member:
                    member, place = row[0], written.index(min(written))
                writers[place].writerow(row)
                written[place] += 1
    finally:
        for file in files:
            file.close()


def largest_difference(one: Path, other: Path) -> float:
    """Between two Gram files, beside the largest number of the first."""
    first, second = open_gram(one), open_gram(other)
    largest, difference = 0.0, 0.0
    for row in range(0, first.header.titles, BLOCK_TITLES):
        part = triangle_size(row), triangle_size(min(row + BLOCK_TITLES, first.header.titles))
        numbers = first.numbers(*part)
        largest = max(largest, float(np.abs(numbers).max()))
        difference = max(difference, float(np.abs(numbers - second.numbers(*part)).max()))
    return difference / largest


def run_at_once(commands: Sequence[Sequence[str]]) -> list[Finished]:
    """Run ``python ARGUMENTS`` of each at the same time, to the end of all."""
    with ThreadPoolExecutor(len(commands)) as pool:
        return list(pool.map(_run_to_its_end, commands))


def counting_table(counted: Counted, size: Size) -> list[str]:
    """What counting took, one way and the other."""
    rows = [("one process", counted.single)]
    rows += [(f"shard {number}, with the others at once", one) for number, one in enumerate(counted.shards, start=1)]
    rows.append(("adding the shards", counted.adding))
    return [
        f"{size.times} times the ratings: {counted.entries:,} entries of {size.members:,} members, "
        f"{counted.titles:,} titles",
        "",
        "| counting | s | CPU, s | peak, GiB |",
        "|---|---:|---:|---:|",
        *(
            f"| {name} | {one.seconds:.1f} | {one.cpu_seconds:.1f} | {one.peak_bytes / GIB:.2f} |"
            for name, one in rows
        ),
        f"| {len(counted.shards)} shards and adding them | {counted.sharded_seconds:.1f} | "
        f"{sum(one.cpu_seconds for _name, one in rows[1:]):.1f} | "
        f"{max(one.peak_bytes for _name, one in rows[1:]) / GIB:.2f} |",
        "",
        f"speed-up of the counting alone: {counted.single.seconds / max(one.seconds for one in counted.shards):.2f}, "
        f"with the adding: {counted.single.seconds / counted.sharded_seconds:.2f}",
        f"largest difference of the sum: {counted.difference:.1e} of the largest number",
    ]


def check_servers() -> None:
    """Raise :class:`Unavailable` without Postgres and Redis."""
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        raise Unavailable("DATABASE_URL names no Postgres server")
    if not os.environ.get("REDIS_URL"):
        raise Unavailable("REDIS_URL names no Redis server")


def score_size(size: Size, teachers: Size, work: Path, workers: Sequence[int] = (1, PROCESSES)) -> list[Scored]:
    """Score everybody by so many workers, for each number of ``workers``, from the same state."""
    lessons, lists = generated(teachers, work), generated(size, work)
    code = content_key([PARAMS, *(ROOT / "ml").rglob("*.py")])
    place = work / "sharded" / code
    place.mkdir(parents=True, exist_ok=True)
    # Both hold the same titles: they are made first, from the same seed.
    bundle = place / f"bundle-members{teachers.members}-titles{teachers.titles}"
    print(f"training on {teachers.members:,} members", file=sys.stderr, flush=True)
    train_apart(lessons, bundle, bundle.with_suffix(".json"), network=False)
    with own_site(work / "sharded" / "site") as environment:
        manage = [sys.executable, "manage.py"]
        for command in (
            ["migrate", "--noinput"],
            ["import_catalog", str(lessons)],
            ["import_ratings", str(lists)],
            ["publish_model", str(bundle), "--activate"],
        ):
            print(f"manage.py {command[0]}", file=sys.stderr, flush=True)
            subprocess.run([*manage, *command], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        return [_score(environment, count) for count in workers]


@contextmanager
def own_site(folder: Path) -> Iterator[dict[str, str]]:
    """The environment of a site with a database and keys in Redis of its own, which are dropped afterwards."""
    from urllib.parse import urlsplit, urlunsplit

    import psycopg2
    import redis

    url = urlsplit(os.environ["DATABASE_URL"])
    name = f"animerec_benchmark_{os.getpid()}"
    server = psycopg2.connect(urlunsplit(url))
    server.autocommit = True
    try:
        with server.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield {
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "animerec_site.settings.prod",
                "SECRET_KEY": "a key for benchmarks " * 3,
                "HTTPS": "off",
                "DATABASE_URL": urlunsplit(url._replace(path=f"/{name}")),
                "REDIS_KEY_PREFIX": name,
                "VAR_DIR": str(folder),
            }
        finally:
            with server.cursor() as cursor:
                cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
            with redis.Redis.from_url(os.environ["REDIS_URL"]) as broker:
                for key in broker.scan_iter(match=f"{name}:*"):
                    broker.delete(key)
    finally:
        server.close()


def _score(environment: Mapping[str, str], count: int) -> Scored:
    import psycopg2

    connection = psycopg2.connect(environment["DATABASE_URL"])
    connection.autocommit = True
    running = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE recommendations_toplist, recommendations_job CASCADE")
            cursor.execute("SELECT count(*) FROM recommendations_profile")
            profiles = int(cursor.fetchone()[0])
            print(f"scoring {profiles:,} profiles by {count} workers", file=sys.stderr, flush=True)
            for number in range(count):
                options = ["--concurrency", "1", "--loglevel", "WARNING", "--hostname", f"worker{number}@%h"]
                command = [sys.executable, "-m", "celery", "-A", "animerec_site", "worker", *options]
                running.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL))
            peaks = [0] * count
            start = time.perf_counter()
            score = [sys.executable, "manage.py", "score"]
            subprocess.run(score, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
            state = "queued"
            while state not in ("succeeded", "failed"):
                time.sleep(LOOK_SECONDS)
                peaks = [max(peak, _largest_bytes(one.pid)) for peak, one in zip(peaks, running, strict=True)]
                cursor.execute("SELECT state, message FROM recommendations_job WHERE kind = 'score'")
                state, message = cursor.fetchone()
                if time.perf_counter() - start > PATIENCE_SECONDS:
                    raise TimeoutError(f"the scoring did not end: {message}")
            seconds = time.perf_counter() - start
            cursor.execute("SELECT count(*) FROM recommendations_toplist")
            written = int(cursor.fetchone()[0])
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.wait()
        connection.close()
    if state == "failed" or written != profiles:
        raise RuntimeError(f"{written:,} of {profiles:,} lists were written: {message}")
    return Scored(profiles, count, seconds, tuple(peaks))


def scoring_table(done: Sequence[Scored]) -> list[str]:
    """What scoring took with every number of workers."""
    return [
        f"scoring {done[0].profiles:,} profiles",
        "",
        "| workers | s | lists a second | peak of a worker's process, GiB | speed-up |",
        "|---:|---:|---:|---:|---:|",
        *(
            f"| {one.workers} | {one.seconds:.0f} | {one.profiles / one.seconds:,.0f} "
            f"| {', '.join(f'{peak / GIB:.2f}' for peak in one.peak_bytes)} | {done[0].seconds / one.seconds:.2f} |"
            for one in done
        ),
    ]


def _counting(data: Path, ratings: Path, out: Path) -> list[str]:
    files = ["--data", str(data), "--ratings", str(ratings), "--out", str(out)]
    return ["-m", "ml", "gram", *files, "--params", str(PARAMS), *SILENT]


def _run_to_its_end(arguments: Sequence[str]) -> Finished:
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    # Not process.wait(): only this says what the process used.
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return Finished(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, 1024 * usage.ru_maxrss)


def _largest_bytes(pid: int) -> int:
    """Resident memory of the largest of a worker's processes."""
    import psutil

    try:
        worker = psutil.Process(pid)
        return max(int(one.memory_info().rss) for one in (worker, *worker.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0
