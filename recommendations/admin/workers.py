"""What the queue and its workers say, asked in a way that ends within seconds also when nobody answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from celery import current_app
from kombu.exceptions import KombuError

# A worker that has not answered within this time counts as away.
ANSWER_SECONDS = 1.0
CONNECT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker that answered: its name, the tasks that it works on, and those it holds back for later."""

    name: str
    active: list[str]
    reserved: int


@dataclass(frozen=True, slots=True)
class QueueState:
    """``problem``: why the broker could not be asked. ``waiting``: messages that no worker has taken yet."""

    workers: list[Worker]
    waiting: int | None = None
    problem: str = ""


def ask_workers() -> QueueState:
    """Ask the broker and, through it, all workers. It takes about two seconds, and with a dead broker no longer."""
    options = {
        **current_app.conf.broker_transport_options,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": 2 * ANSWER_SECONDS,
        "retry_on_timeout": False,
    }
    connection = current_app.connection_for_write(connect_timeout=CONNECT_SECONDS, transport_options=options)
    try:
        with connection:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=CONNECT_SECONDS)
            inspect = current_app.control.inspect(timeout=ANSWER_SECONDS, connection=connection)
            active: dict[str, list[dict[str, Any]]] = inspect.active() or {}
            reserved: dict[str, list[Any]] = (inspect.reserved() or {}) if active else {}
            waiting = _waiting(connection)
    except (KombuError, OSError, *connection.connection_errors, *connection.channel_errors) as error:
        return QueueState([], problem=" ".join(str(error).split()) or type(error).__name__)
    workers = [
        Worker(name, [_words(task) for task in tasks], len(reserved.get(name, []))) for name, tasks in active.items()
    ]
    return QueueState(sorted(workers, key=lambda worker: worker.name), waiting)


def _words(task: dict[str, Any]) -> str:
    arguments = ", ".join(str(argument) for argument in task.get("args") or [])
    return f"{str(task.get('name', '')).rpartition('.')[2]}({arguments})"


def _waiting(connection: Any) -> int:
    try:
        return int(
            connection.default_channel.queue_declare(current_app.conf.task_default_queue, passive=True).message_count
        )
    except connection.channel_errors:  # Redis has no such list while it is empty
        return 0
