"""The champion in this process: found by its row, verified and mapped aside, and swapped by one reference.

A process asks the database at most every ``CHAMPION_CHECK_SECONDS`` which version is champion. A new one is loaded
by a thread that reads the store and touches no database, so that a slow store holds up no request; until it is ready,
and if it turns out broken, the one before keeps serving. What a process serves and what is wrong goes into its row
of :class:`ServingProcess`.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from ml.artifacts import BundleError, read_manifest
from ml.serving import Recommender, open_recommender
from recommendations.models import ModelVersion, ServingProcess
from recommendations.selectors.serving import predecessor
from recommendations.services import store

logger = logging.getLogger(__name__)

# What failed is tried again after this long: a store may have been unreachable for a moment.
RETRY_SECONDS = 15.0
# A load that takes longer is told as a problem.
SLOW_SECONDS = 5.0
# A load that takes longer is taken for lost (a connection that nobody ever closes) and begun anew.
GIVE_UP_SECONDS = 600.0
# The row of a process that was not seen for this long is deleted.
FORGOTTEN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Engine:
    """A loaded recommender and the row it came from."""

    recommender: Recommender
    model: ModelVersion

    @property
    def version(self) -> str:
        return self.model.version


@dataclass(frozen=True, slots=True)
class _Problem:
    version: str
    words: str


@dataclass(eq=False, slots=True)
class _Load:
    """What a thread is at: loading ``model``, or only looking whether its bundle in the store is whole."""

    model: ModelVersion
    only_check: bool
    keep: frozenset[str]  # the copies in MODEL_CACHE that stay, by location
    started: float = field(default_factory=time.monotonic)
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def age_seconds(self) -> float:
        return time.monotonic() - self.started


@dataclass(eq=False, slots=True)
class _Holder:
    """What this process serves now. ``load`` is the thread that counts: what another brings is thrown away."""

    engine: Engine | None = None
    load: _Load | None = None
    problem: _Problem | None = None
    logged: tuple[str, str] | None = None  # the problem that was logged last
    reported: tuple[str, tuple[str, str] | None] | None = None  # version and problem that the row holds
    looked: float = float("-inf")
    tried: float = float("-inf")  # when the last load, or look into the store, ended
    reported_at: float = float("-inf")
    started: datetime = field(default_factory=timezone.now)
    lock: threading.Lock = field(default_factory=threading.Lock)


_holder = _Holder()


def _after_fork() -> None:
    """A child has the mapped model of its parent, but neither its threads nor whoever held its lock."""
    global _holder
    _holder = _Holder(engine=_holder.engine)


os.register_at_fork(after_in_child=_after_fork)


def current_engine(*, patience_seconds: float | None = None) -> Engine | None:
    """The champion, loaded; the one before while it is loading or will not load; ``None`` if there is none at all.

    Waits only while there is none: until the load is ``CHAMPION_LOAD_PATIENCE_SECONDS`` old. Batch work that wants
    the champion itself says how long it waits for it though an older one is there: ``patience_seconds``.
    """
    _look(at_once=patience_seconds is not None)
    load = _holder.load
    if load is not None and not load.only_check:
        if patience_seconds is not None:
            load.done.wait(patience_seconds)
        elif _holder.engine is None:
            load.done.wait(max(0.0, settings.CHAMPION_LOAD_PATIENCE_SECONDS - load.age_seconds))
    return _holder.engine


def loaded_engine() -> Engine | None:
    """What this process serves from at this moment, without looking whether there is a new champion."""
    return _holder.engine


def forget_engine() -> None:
    """Begin anew at the next request, as a process that has just started."""
    with _holder.lock:
        _holder.engine, _holder.load, _holder.problem, _holder.logged = None, None, None, None
        _holder.looked = _holder.tried = float("-inf")


def engine_status() -> dict[str, str]:
    """What readiness says: ``state`` is *ok*, *stale* (the champion will not load, an older model serves) or *none*.

    ``problem`` can stand beside *ok*: the champion serves, but its bundle in the store is not what it was.
    """
    engine = current_engine()
    status = {"state": "none" if engine is None else "ok"}
    if engine is not None:
        status["version"] = engine.version
    problem = _current_problem()
    if problem is not None:
        if engine is not None and engine.version != problem.version:
            status["state"] = "stale"
        status["problem"] = problem.words
    return status


def forget_old_processes() -> int:
    """Delete the rows of processes that have not been seen for an hour; how many there were."""
    return ServingProcess.objects.filter(seen__lt=timezone.now() - FORGOTTEN_AFTER).delete()[0]


def _look(*, at_once: bool) -> None:
    """Ask which version is champion, if it is time; follow it, and report."""

    def due() -> bool:
        return at_once or time.monotonic() - _holder.looked >= settings.CHAMPION_CHECK_SECONDS

    # One thread looks; the others go on with what is there, unless there is nothing yet.
    if not due() or not _holder.lock.acquire(blocking=at_once or _holder.engine is None):
        return
    try:
        if due():
            champion = ModelVersion.objects.champion().first()
            _holder.looked = time.monotonic()
            _follow(champion)
            _log_problem()
            _report()
    finally:
        _holder.lock.release()


def _follow(champion: ModelVersion | None) -> None:
    """Start what has to be done to serve ``champion``, unless it is being done."""
    if champion is None:
        _holder.engine, _holder.load, _holder.problem = None, None, None
        return
    serves = _holder.engine is not None and _holder.engine.version == champion.version
    load, problem = _holder.load, _holder.problem
    if load is not None and load.model.version == champion.version and load.age_seconds < GIVE_UP_SECONDS:
        return
    # One load at a time counts. That of a version which is champion no more cannot be stopped; it is let go.
    _holder.load = None
    if problem is not None and problem.version != champion.version:
        _holder.problem = problem = None
    if problem is not None:
        pause = RETRY_SECONDS
    elif serves:
        pause = settings.MODEL_STORE_CHECK_SECONDS or float("inf")
    else:
        pause = 0.0
    if time.monotonic() - _holder.tried >= pause:
        _start(champion, only_check=serves)


def _start(champion: ModelVersion, *, only_check: bool) -> None:
    keep = {champion.location}
    if not only_check:
        before = _holder.engine.model if _holder.engine is not None else None
        keep |= {model.location for model in (before, predecessor()) if model is not None}
    _holder.load = load = _Load(champion, only_check, frozenset(keep))
    try:
        threading.Thread(target=_run, args=(load,), name=f"model {champion.version}", daemon=True).start()
    except RuntimeError as error:  # no more threads on this machine
        _finish(load, None, str(error))


def _run(load: _Load) -> None:
    """What the thread does. Whatever goes wrong in it becomes a problem in words: nobody else would hear of it."""
    engine, reason = None, ""
    try:
        if load.only_check:
            store.check(load.model.location)
        else:
            path = store.fetch(load.model.location, Path(settings.MODEL_CACHE))
            engine = Engine(open_recommender(path, read_manifest(path)), load.model)
            logger.info("model %s loaded in %.2f s", engine.version, load.age_seconds)
    except BundleError as error:
        reason = str(error)
    except Exception as error:
        logger.exception("loading model %s", load.model.version)
        reason = f"{type(error).__name__}: {error}"
    with _holder.lock:
        counts = _holder.load is load
        if counts:
            _finish(load, engine, reason)
    load.done.set()
    if engine is not None and counts:
        store.forget_copies(Path(settings.MODEL_CACHE), load.keep)


def _finish(load: _Load, engine: Engine | None, reason: str) -> None:
    _holder.load, _holder.tried = None, time.monotonic()
    if engine is not None:
        _holder.engine = engine
    version = load.model.version
    if not reason:
        _holder.problem = None
    elif load.only_check:
        _holder.problem = _Problem(version, f"model {version} is served from a private copy; in the store: {reason}")
    else:
        _holder.problem = _Problem(version, f"model {version} cannot be loaded: {reason}")
    _log_problem()


def _current_problem() -> _Problem | None:
    """What is wrong: what failed last, or else a load that takes too long."""
    load = _holder.load
    if _holder.problem is not None or load is None or load.age_seconds < SLOW_SECONDS:
        return _holder.problem
    what = "the store has not answered" if load.only_check else "still loading"
    return _Problem(load.model.version, f"model {load.model.version}: {what} for {load.age_seconds:.0f} s")


def _problem_key() -> tuple[str, str] | None:
    """What tells one problem from another: not how long it has lasted."""
    problem = _current_problem()
    if problem is None:
        return None
    return (problem.version, problem.words if problem is _holder.problem else "slow")


def _log_problem() -> None:
    key = _problem_key()
    if key == _holder.logged:
        return
    problem = _current_problem()
    if problem is not None:
        serves = "no model" if _holder.engine is None else f"model {_holder.engine.version}"
        logger.error("%s (this process serves %s)", problem.words, serves)
    elif _holder.problem is None and _holder.load is None:
        logger.info("the model's problem is over")
    _holder.logged = key


def _report() -> None:
    """Write down what this process serves, on a change and every ``SERVING_REPORT_SECONDS``.

    Never inside of somebody's transaction, which a failure would end; and a failure is only logged.
    """
    every = settings.SERVING_REPORT_SECONDS
    if not every or connection.in_atomic_block:
        return
    version = "" if _holder.engine is None else _holder.engine.version
    saying = (version, _problem_key())
    if saying == _holder.reported and time.monotonic() - _holder.reported_at < every:
        return
    problem = _current_problem()
    name = f"{socket.gethostname()[:80]}:{os.getpid()}"
    values = {
        "version": version,
        "problem": "" if problem is None else problem.words,
        "started": _holder.started,
        "seen": timezone.now(),
    }
    try:
        if not ServingProcess.objects.filter(name=name).update(**values):
            ServingProcess.objects.create(name=name, **values)
    except (DatabaseError, InterfaceError) as error:
        logger.warning("what this process serves cannot be written down: %s", error)
    _holder.reported, _holder.reported_at = saying, time.monotonic()
