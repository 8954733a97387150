"""`make demo`: started the way a person does, in a folder of its own, on SQLite and the file queue."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.ops.running_demo import (
    BASE_DIR,
    RunningDemo,
    processes_of,
    running_demo,
    start_demo,
    stop_demo,
    wait_for_output,
    wait_until_ready,
)

MEMBERS = 120


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which the demo has been started and stopped once, and what that start printed."""
    var = tmp_path_factory.mktemp("demo")
    with running_demo(var, members=MEMBERS) as demo:
        assert_serves_like_production(demo)
        assert_worker_works(demo)
        output = demo.output()
    return var, output


def get(url: str, path: str) -> tuple[int, dict[str, str], bytes]:
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, {key.lower(): value for key, value in response.getheaders()}, response.read()


def assert_serves_like_production(demo: RunningDemo) -> None:
    status, _headers, body = get(demo.url, "/healthz/ready")
    assert (status, json.loads(body)["status"]) == (200, "ok")
    status, headers, body = get(demo.url, "/")
    assert status == 200, "the front page redirects to no https"
    assert "default-src 'self'" in headers["content-security-policy"]
    sheet = re.search(rb'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', body)
    assert sheet, "style sheets have the hash of their content in the name"
    status, headers, _body = get(demo.url, sheet[1].decode())
    assert (status, "immutable" in headers["cache-control"]) == (200, True)
    status, _headers, body = get(demo.url, "/no-such-page")
    assert status == 404
    assert b"DEBUG = True" not in body


def assert_worker_works(demo: RunningDemo) -> None:
    """The training left the scoring of all profiles in the queue; the Celery worker does it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with closing(sqlite3.connect(demo.var / "animerec.sqlite3", timeout=20)) as database:
            states = {
                state for (state,) in database.execute("SELECT state FROM recommendations_job WHERE kind != 'train'")
            }
        if states == {"succeeded"}:
            return
        time.sleep(0.5)
    log = (demo.var / "log" / "worker.log").read_text()
    pytest.fail(f"scoring jobs after a minute: {states}\n{log[-3000:]}")


def test_first_start_prepares_serves_and_names_both_accounts(prepared: tuple[Path, str]) -> None:
    var, output = prepared
    accounts = json.loads((var / "accounts.json").read_text())
    for account in accounts:
        assert account["password"] in output
    assert [account["role"] for account in accounts] == ["member", "admin"]
    assert "synthetic" in output
    for secret in ("accounts.json", "secret-key"):
        assert stat.S_IMODE((var / secret).stat().st_mode) == 0o600, secret


def test_second_start_is_quick_and_repeats_nothing(prepared: tuple[Path, str]) -> None:
    var, _output = prepared
    with closing(sqlite3.connect(var / "animerec.sqlite3")) as database:
        count_models = "SELECT count(*) FROM recommendations_modelversion"
        before = database.execute(count_models).fetchone()
    accounts = (var / "accounts.json").read_text()
    started = time.monotonic()
    with running_demo(var, members=MEMBERS) as demo:
        seconds = time.monotonic() - started
        assert "done in" not in demo.output()
        assert demo.accounts["member"]["password"] in accounts
        with closing(sqlite3.connect(var / "animerec.sqlite3")) as database:
            assert database.execute(count_models).fetchone() == before
    assert seconds < 30


@pytest.mark.parametrize(
    ("service", "marker"),
    [("web", "-m gunicorn"), ("worker", "animerec_site worker"), ("beat", "animerec_site beat")],
)
def test_a_service_that_dies_ends_the_demo_with_its_log(
    prepared: tuple[Path, str], service: str, marker: str
) -> None:
    var, _output = prepared
    process, log = start_demo(var, members=MEMBERS)
    try:
        wait_until_ready(process, log, 60)
        pids = [int(line.split()[0]) for line in processes_of(var) if marker in line]
        os.kill(min(pids), signal.SIGKILL)  # the oldest is the master
        assert process.wait(30) == 1
    finally:
        stop_demo(process, log)
    assert f"{service} ended with exit code -9; the last lines of {var / 'log' / service}.log" in log.read_text()
    assert not processes_of(var)


def test_an_interrupted_first_start_is_finished_by_the_next(tmp_path: Path) -> None:
    process, log = start_demo(tmp_path, members=MEMBERS)
    wait_for_output(process, log, re.compile("Ratings"), 120)
    assert stop_demo(process, log, signal.SIGTERM) == 130
    assert not processes_of(tmp_path)
    done = json.loads((tmp_path / "state.json").read_text())
    assert "catalogue" in done
    assert "model" not in done
    with running_demo(tmp_path, members=MEMBERS) as demo:
        assert "Database:" not in demo.output(), "what was done is not repeated"
        status, _headers, _body = get(demo.url, "/")
        assert status == 200


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run_demo(tmp_path, "--port", str(port))
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        f"Port {port} cannot be used (Address already in use): choose another with PORT="
    ]
    assert list(tmp_path.iterdir()) == [], "nothing was started or prepared"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--port", "abc"), "PORT=abc is not a port: a number from 1 to 65535"),
        (("--port", "70000"), "PORT=70000 is not a port: a number from 1 to 65535"),
        (("--data", "no/such/folder"), "DATA=no/such/folder is not a directory"),
    ],
)
def test_bad_arguments_are_one_line(tmp_path: Path, arguments: tuple[str, ...], line: str) -> None:
    result = run_demo(tmp_path, *arguments)
    assert (result.returncode, result.stderr.splitlines()) == (2, [line])
    assert list(tmp_path.iterdir()) == []


def test_make_passes_port_and_data_on() -> None:
    result = subprocess.run(
        ["make", "--dry-run", "demo", "PORT=8123", "DATA=some folder"], cwd=BASE_DIR, capture_output=True, text=True
    )
    assert 'scripts/demo.py --port "8123" --data "some folder"' in result.stdout


def run_demo(var: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "VAR_DIR": str(var)}
    command = [sys.executable, "scripts/demo.py", *arguments]
    return subprocess.run(command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=30)
