"""A site of its own on Postgres and Redis, as processes: for tests that stop, kill and watch them.

Redis is private, on a free port. The database is one of its own on the server that DATABASE_URL names, copied from
one that is prepared once.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest

from tests.ops.running_demo import BASE_DIR, free_port

MEMBERS = 120
# Enough of a training to go through every stage in seconds.
PARAMS = """
holdout: {min_entries: 5}
ranker: {max_members: 60, folds: 2, trees: {trees: 5}}
neural: {enabled: false}
"""
PATIENCE_SECONDS = 240.0
LEASE_SECONDS = 6


def need_servers() -> str:
    """The URL of Postgres, or a skip that says what is missing."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        pytest.skip("DATABASE_URL names no Postgres: workers that share a database are not tried")
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed: no private Redis can be started")
    return url


@contextmanager
def prepared_site(folder: Path, sample_bundle: Path) -> Iterator[System]:
    """A system with the sample's catalogue, ``MEMBERS`` members and a champion; nothing runs but Redis."""
    server = need_servers()
    folder.mkdir(parents=True, exist_ok=True)
    system = System(folder, server, f"animerec_system_{os.getpid()}_{free_port()}")
    system.sql_of_server(f"CREATE DATABASE {system.database}")
    try:
        with running_redis(folder) as port:
            system.redis_port = port
            system.manage("migrate", "--noinput")
            data = folder / "data"
            python = [sys.executable, "-m", "catalog.sample", "--out", str(data), "--members", str(MEMBERS)]
            subprocess.run(python, cwd=BASE_DIR, check=True, capture_output=True)
            system.manage("import_catalog", str(data))
            system.manage("import_ratings", str(data), "--source", "sample")
            system.manage("publish_model", str(sample_bundle), "--activate")
            yield system
            system.end_all()
    finally:
        system.end_all()
        system.drop(system.database)


@contextmanager
def running_redis(folder: Path) -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        wait_for(lambda: subprocess.run(["redis-cli", "-p", str(port), "ping"], capture_output=True).returncode == 0)
        yield port
    finally:
        process.terminate()
        process.wait()


@dataclass
class System:
    """Processes, database and folders that belong together. ``folder`` holds the model store and the logs."""

    folder: Path
    server: str
    database: str
    redis_port: int = 0
    extra: dict[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @contextmanager
    def copy(self, folder: Path, **extra: str) -> Iterator[System]:
        """The same as it is now, for one test: a database, a store and a key prefix of its own."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(self.folder / "models", folder / "models")
        other = System(folder, self.server, f"{self.database}_{free_port()}", self.redis_port, extra)
        self.sql_of_server(f"CREATE DATABASE {other.database} TEMPLATE {self.database}")
        try:
            yield other
        finally:
            other.end_all()
            self.drop(other.database)

    @property
    def environment(self) -> dict[str, str]:
        params = self.folder / "params.yaml"
        if not params.is_file():
            params.write_text(PARAMS)
        return {
            **{key: value for key, value in os.environ.items() if key not in ("VAR_DIR", "REQUIRE_SERVICES")},
            "DJANGO_SETTINGS_MODULE": "animerec_site.settings.prod",
            "SECRET_KEY": "a key for tests " * 4,
            "HTTPS": "off",
            "DATABASE_URL": self.url,
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "REDIS_KEY_PREFIX": self.database,
            "VAR_DIR": str(self.folder),
            "TRAINING_PARAMS": str(params),
            "JOB_LEASE_SECONDS": str(LEASE_SECONDS),
            "STATIC_ROOT": str(self.folder / "static"),
            "PYTHONUNBUFFERED": "1",
            **self.extra,
        }

    @property
    def url(self) -> str:
        return urlunsplit(urlsplit(self.server)._replace(path=f"/{self.database}"))

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=BASE_DIR, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, name: str, *command: str, **extra: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=BASE_DIR, env={**self.environment, **extra}, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def start_worker(self, name: str = "worker", app: str = "animerec_site", **extra: str) -> subprocess.Popen[bytes]:
        options = ("--concurrency", "1", "--loglevel", "INFO", "--hostname", f"{name}@%h")
        return self.start(name, sys.executable, "-m", "celery", "-A", app, "worker", *options, **extra)

    def start_web(self) -> str:
        """gunicorn with two processes; the answer is its URL, once it is ready."""
        self.manage("collectstatic", "--noinput")
        url = f"http://127.0.0.1:{free_port()}"
        self.start(
            "web", sys.executable, "-m", "gunicorn", "animerec_site.wsgi", "--bind", url.removeprefix("http://"),
            "--workers", "2", "--threads", "4", "--worker-class", "gthread", "--no-control-socket",
        )  # fmt: skip
        wait_for(lambda: _answers(f"{url}/healthz/ready"), 60)
        return url

    def end_all(self) -> None:
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.processes.clear()

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return _run(self.url, statement, values)

    def one(self, statement: str, *values: object) -> Any:
        """The one value of the one row."""
        ((value,),) = self.sql(statement, *values)
        return value

    def sql_of_server(self, statement: str) -> None:
        _run(self.server, statement, ())

    def drop(self, database: str) -> None:
        self.sql_of_server(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def job(self, job_id: int) -> Mapping[str, Any]:
        names = ("state", "stage", "percent", "message", "log", "worker", "attempts")
        (row,) = self.sql(f"SELECT {', '.join(names)} FROM recommendations_job WHERE id = %s", job_id)  # noqa: S608
        return dict(zip(names, row, strict=True))

    def last_job(self, kind: str) -> int:
        return int(self.one("SELECT max(id) FROM recommendations_job WHERE kind = %s", kind))

    def champion(self) -> str:
        return str(self.one("SELECT version FROM recommendations_modelversion WHERE status = 'champion'"))

    def wait_for_job(self, job_id: int, *states: str) -> Mapping[str, Any]:
        try:
            wait_for(lambda: self.job(job_id)["state"] in states)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.job(job_id)}\n{self.logs()}") from None
        return self.job(job_id)

    def logs(self) -> str:
        return "\n".join(f"== {path.name}\n{path.read_text()[-6000:]}" for path in self.folder.glob("*.log"))


def _run(url: str, statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


def wait_for(done: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"not so after {seconds:.0f} s"
        time.sleep(0.1)
