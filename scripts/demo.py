"""`make demo`: the site as production runs it, on this machine, with nothing but Python.

The first start prepares a folder (database, static files, data, accounts, model) step by step. A step is noted as
done only after it has succeeded, and each may be repeated, so an interrupted start is simply started again. Then
gunicorn and a Celery worker run until Ctrl-C.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from processes import Interrupted, Processes, ProcessFailed

BASE_DIR = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
SAMPLE_SEED = 1
SAMPLE_MEMBERS = 3000
READY_SECONDS = 120.0
# A training that was killed keeps its lease for this long; then another one may take it up. Shorter than the default:
# here nobody else could be working on it.
LEASE_SECONDS = 30
LEASE_RETRY_SECONDS = 8
EXIT_BAD_INPUT = 2
EXIT_BUSY = 2
EXIT_INTERRUPTED = 130


@dataclass(frozen=True)
class Demo:
    """What to show and where: ``data`` is a directory in a Kaggle layout, or none for the sample."""

    port: int
    data: Path | None
    members: int
    var: Path

    @property
    def own_database(self) -> bool:
        return not os.environ.get("DATABASE_URL")

    @property
    def sqlite(self) -> Path:
        return self.var / "animerec.sqlite3"

    @property
    def source(self) -> Path:
        return self.data or self.var / "sample"

    @property
    def log(self) -> Path:
        return self.var / "log"


@dataclass(frozen=True)
class Step:
    """One part of the preparation. ``made_of`` says from what: the step is repeated when that has changed."""

    name: str
    title: str
    commands: Sequence[Sequence[str]]
    made_of: str
    result: Path | None = None
    shows_progress: bool = False
    stdin: str = ""


def main() -> int:
    # Lines appear as they are printed also where the output is a file.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        demo = parse_arguments()
        require_free_port(demo.port)
    except ValueError as error:
        print(error, file=sys.stderr)
        return EXIT_BAD_INPUT
    processes = Processes(cwd=BASE_DIR, env=environment(demo))
    code = EXIT_INTERRUPTED
    try:
        prepare(demo, processes)
        code = 0  # from here on, Ctrl-C is the way to end it
        serve(demo, processes)
    except Interrupted:
        print("\nStopping")
    except ProcessFailed as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    finally:
        processes.end_all()
    return code


def parse_arguments() -> Demo:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--port", default="8000")
    parser.add_argument("--data", default="", metavar="DIR", help="a directory in a Kaggle layout; else the sample")
    parser.add_argument("--members", type=int, default=int(os.environ.get("DEMO_MEMBERS") or SAMPLE_MEMBERS))
    options = parser.parse_args()
    if not options.port.isdecimal() or not 0 < int(options.port) < 65536:
        raise ValueError(f"PORT={options.port} is not a port: a number from 1 to 65535")
    data = Path(options.data).expanduser().resolve() if options.data else None
    if data is not None and not data.is_dir():
        raise ValueError(f"DATA={options.data} is not a directory")
    return Demo(port=int(options.port), data=data, members=options.members, var=var_dir(data))


def var_dir(data: Path | None) -> Path:
    """Every data set and every database has a folder of its own, so that models and data never mix."""
    root = Path(os.environ.get("VAR_DIR") or BASE_DIR / "var").resolve()
    database = os.environ.get("DATABASE_URL", "")
    if data is None and not database:
        return root
    name = data.name if data else "sample"
    return root / f"{name}-{digest(str(data), database)[:8]}"


def require_free_port(port: int) -> None:
    with socket.socket() as probe:
        # As gunicorn does: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ValueError(f"Port {port} cannot be used ({error.strerror}): choose another with PORT=") from None


def environment(demo: Demo) -> dict[str, str]:
    """Production settings, told by the environment alone that this is http://127.0.0.1."""
    for folder in (demo.var, demo.log, demo.var / "mail"):
        folder.mkdir(parents=True, exist_ok=True)
    demo.var.chmod(0o700)
    mail = quote_plus(str(demo.var / "mail"), safe="/")
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "animerec_site.settings.prod",
        "SECRET_KEY": secret_key(demo.var / "secret-key"),
        "HTTPS": "off",
        "VAR_DIR": str(demo.var),
        "STATIC_ROOT": str(demo.var / "static"),
        "EMAIL_URL": f"filemail:///{mail}",
        "JOB_LEASE_SECONDS": str(LEASE_SECONDS),
        "PYTHONUNBUFFERED": "1",
    }


def secret_key(path: Path) -> str:
    if not path.is_file():
        write_private(path, secrets.token_urlsafe(64))
    return path.read_text()


def accounts(path: Path) -> list[dict[str, str]]:
    """The two accounts, invented once. Their passwords are random, because a port may be forwarded."""
    if not path.is_file():
        people = [
            {"role": role, "username": role, "password": secrets.token_urlsafe(9)} for role in ("member", "admin")
        ]
        write_private(path, json.dumps(people, indent=2))
    return json.loads(path.read_text())


def write_private(path: Path, text: str) -> None:
    """Whole or not at all, and readable by its owner only."""
    aside = path.with_name(path.name + ".new")
    aside.unlink(missing_ok=True)
    with open(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
    aside.replace(path)


# --- Preparation --------------------------------------------------------------------------------------------


def steps(demo: Demo) -> list[Step]:
    python, manage = sys.executable, [sys.executable, "manage.py"]
    lock = BASE_DIR / "requirements-dev.txt"
    migrations = sorted(BASE_DIR.glob("*/migrations/*.py"))
    static = sorted(path for path in (BASE_DIR / "static").rglob("*") if path.is_file())
    if demo.data is None:
        sample = fingerprint([*sorted((BASE_DIR / "catalog" / "sample").glob("*.*"))])
        data = digest(sample, str(demo.members), str(SAMPLE_SEED))
    else:
        data = digest(*stamps(demo.data))
    people = json.dumps(accounts(demo.var / "accounts.json"))
    sample_command = [
        python, "-m", "catalog.sample", "--out", str(demo.source),
        "--members", str(demo.members), "--seed", str(SAMPLE_SEED),
    ]  # fmt: skip
    source = "mal" if demo.data else "sample"
    all_steps = [
        Step(
            "database", "Database", [[*manage, "migrate", "--noinput"]],
            fingerprint([lock, *migrations]), result=demo.sqlite if demo.own_database else None,
        ),
        Step(
            "static", "Static files", [[*manage, "collectstatic", "--noinput", "--clear"]],
            fingerprint([lock, *static]), result=demo.var / "static",
        ),
        Step("sample", "Sample (its members and ratings are synthetic)", [sample_command], data, result=demo.source),
        Step("catalogue", "Catalogue", [[*manage, "import_catalog", str(demo.source)]], data, shows_progress=True),
        Step(
            "ratings", "Ratings", [[*manage, "import_ratings", str(demo.source), "--source", source]],
            data, shows_progress=True,
        ),
        Step("accounts", "Accounts", [[python, "scripts/demo_accounts.py"]], digest(people), stdin=people),
        Step(
            "model", "Model", [[*manage, "train"]],
            digest(data, fingerprint([BASE_DIR / "params.yaml"])), result=demo.var / "models", shows_progress=True,
        ),
    ]  # fmt: skip
    return [step for step in all_steps if step.name != "sample" or demo.data is None]


def prepare(demo: Demo, processes: Processes) -> None:
    state_file = demo.var / "state.json"
    done: dict[str, str] = json.loads(state_file.read_text()) if state_file.is_file() else {}
    if demo.own_database and not demo.sqlite.is_file():
        done = {key: value for key, value in done.items() if key == "static"}
    for step in steps(demo):
        if done.get(step.name) == step.made_of and (step.result is None or step.result.exists()):
            continue
        run(demo, step, processes)
        done[step.name] = step.made_of
        write_private(state_file, json.dumps(done, indent=2))


def run(demo: Demo, step: Step, processes: Processes) -> None:
    print(f"{step.title} ...")
    started = time.monotonic()
    if step.name == "sample":
        shutil.rmtree(demo.source, ignore_errors=True)  # what an interrupted start may have left
    log = None if step.shows_progress else demo.log / f"{step.name}.log"
    patience = time.monotonic() + LEASE_SECONDS + 15
    for command in step.commands:
        code = processes.run(command, log=log, stdin=step.stdin)
        if step.name == "model" and code == EXIT_BUSY:
            print(
                f"An earlier training was cut off; it is taken up again when its lease ends, within {LEASE_SECONDS} s"
            )
            while code == EXIT_BUSY and time.monotonic() < patience:
                processes.sleep(LEASE_RETRY_SECONDS)
                code = processes.run(command, log=log, stdin=step.stdin)
        if code != 0:
            raise ProcessFailed(step.title, code, log)
    print(f"{step.title}: done in {time.monotonic() - started:.1f} s")


def digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def fingerprint(files: Iterable[Path]) -> str:
    """Of names and contents: a checkout changes the times of files without changing them."""
    parts = [f"{file.name}:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files if file.is_file()]
    return digest(*parts)


def stamps(folder: Path) -> list[str]:
    """Names, sizes and times: a data set may be too large to read at every start."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return [f"{file.name}:{file.stat().st_size}:{file.stat().st_mtime_ns}" for file in files]


# --- Serving ------------------------------------------------------------------------------------------------


def serve(demo: Demo, processes: Processes) -> None:
    """Start the services, wait until the site is ready, and watch them until one ends or Ctrl-C."""
    processes.start("web", web_command(demo), log=demo.log / "web.log")
    processes.start("worker", worker_command(), log=demo.log / "worker.log")
    processes.start("beat", beat_command(), log=demo.log / "beat.log")
    model = wait_until_ready(demo, processes)
    print_welcome(demo, model)
    while True:
        processes.require_running()
        processes.sleep(0.3)


def web_command(demo: Demo) -> list[str]:
    return [
        sys.executable, "-m", "gunicorn", "animerec_site.wsgi",
        "--bind", f"{HOST}:{demo.port}",
        "--workers", "2", "--threads", "4", "--worker-class", "gthread",
        "--graceful-timeout", "3",
        # The control socket lies in the home directory, where two demos would meet.
        "--no-control-socket",
        "--access-logfile", str(demo.log / "access.log"),
    ]  # fmt: skip


def worker_command() -> list[str]:
    return [
        sys.executable, "-m", "celery", "-A", "animerec_site", "worker",
        "--concurrency", "1", "--loglevel", "INFO",
        # One worker has nobody to gossip with, and on the file broker each message is a file.
        "--without-gossip", "--without-mingle", "--without-heartbeat",
    ]  # fmt: skip


def beat_command() -> list[str]:
    """The clock. Not `worker --beat`: that one goes on by itself when its worker is killed."""
    return [sys.executable, "-m", "celery", "-A", "animerec_site", "beat", "--loglevel", "INFO", "--pidfile="]


def wait_until_ready(demo: Demo, processes: Processes) -> dict[str, str]:
    """Wait for /healthz/ready; return what it says of the model, which may be "degraded" but never missing."""
    deadline = time.monotonic() + READY_SECONDS
    answer: dict[str, Any] = {}
    while time.monotonic() < deadline:
        processes.require_running()
        status, answer = ask_health(demo.port)
        if status == http.client.OK and answer["status"] == "ok":
            return answer["model"]
        processes.sleep(0.3)
    if answer.get("model"):
        return answer["model"]
    raise ProcessFailed("web", None, demo.log / "web.log", f"was not ready after {READY_SECONDS:.0f} s")


def ask_health(port: int) -> tuple[int, dict[str, Any]]:
    # Not urllib: it would ask a proxy that the environment names.
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", "/healthz/ready")
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError):
        return 0, {}
    finally:
        connection.close()


def print_welcome(demo: Demo, model: dict[str, str]) -> None:
    address = f"http://{HOST}:{demo.port}"
    print(f"\nAnimeRec is ready: {address}/\n")
    for person in accounts(demo.var / "accounts.json"):
        where = "/admin/" if person["role"] == "admin" else "/accounts/login/"
        print(f"  {person['username']:8} password {person['password']:14} {address}{where}")
    if demo.data is None:
        print("\nThe anime are real; the members and their ratings are synthetic.")
    if model.get("state") != "ok":
        print(f"\nNo usable model ({model}): the site shows popular titles. `manage.py train` makes a new one.")
    print(f"Logs are in {demo.log}. Ctrl-C stops everything.")


if __name__ == "__main__":
    sys.exit(main())
