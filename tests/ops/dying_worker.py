"""A Celery worker that is killed with kill -9, parent and child, when a job gets to the place that KILL_AT names.

``celery -A tests.ops.dying_worker worker``. Nothing of a process can run after a SIGKILL: what is left then is what a
crash, the kernel's memory killer or a lost node leaves.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from celery.signals import worker_process_init

from animerec_site.celery import app as app

TRAINING = ("snapshot", "train", "rank", "publish", "gate", "decide")
SCORING = ("between batches", "before the shard's end", "before the end of all")


def die() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def before(module: Any, name: str, when: Callable[..., bool] = lambda *args, **kwargs: True) -> None:
    original = getattr(module, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        if when(*args, **kwargs):
            die()
        return original(*args, **kwargs)

    setattr(module, name, call)


@worker_process_init.connect
def arm(**_kwargs: Any) -> None:
    from recommendations.services import jobs, run, scoring

    place = os.environ["KILL_AT"]
    stored = []

    def second_batch(*_args: Any) -> bool:
        stored.append(1)
        return len(stored) == 2

    if place == "between batches":
        before(scoring, "_store", second_batch)
    elif place == "before the shard's end":
        before(jobs, "succeed")
    elif place == "before the end of all":
        before(scoring, "finish_parent_of")
    elif place in ("snapshot", "train", "publish", "gate", "decide"):
        # The row says that the stage has begun, and nothing of it is done.
        tell = run.Run.tell

        def told(self: run.Run) -> None:
            tell(self)
            if self._stage == place:
                die()

        run.Run.tell = told  # type: ignore[method-assign]
    else:
        # In the middle of what the training process does.
        before(run.Run, "on_line", lambda _run, line: f'"stage": "{place}"' in line)
