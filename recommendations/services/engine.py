"""The champion in this process: found by its row, verified, mapped, and swapped by one reference.

A process asks the database at most every ``CHAMPION_CHECK_SECONDS`` which version is champion. A new one is
loaded aside; until it is ready, and if it turns out broken, the one before keeps serving.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from ml.serving import BundleError, Recommender, load_recommender
from recommendations.models import ModelVersion

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Engine:
    """A loaded recommender and the row it came from."""

    recommender: Recommender
    model: ModelVersion

    @property
    def version(self) -> str:
        return self.model.version


class _Holder:
    """What this process serves now. ``failed`` is the last version that would not load, and why."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.engine: Engine | None = None
        self.failed: tuple[str, str] | None = None
        self.checked = float("-inf")


_holder = _Holder()
# A version that would not load is tried again after this long: a store may have been unreachable for a moment.
RETRY_SECONDS = 30.0


def current_engine() -> Engine | None:
    """The champion, loaded; the one before while the champion will not load; ``None`` if there is none at all."""
    pause = RETRY_SECONDS if _holder.failed else settings.CHAMPION_CHECK_SECONDS
    now = time.monotonic()
    if now - _holder.checked < pause:
        return _holder.engine
    # One thread looks; the others go on with what is there, unless there is nothing yet.
    if not _holder.lock.acquire(blocking=_holder.engine is None):
        return _holder.engine
    try:
        if now - _holder.checked >= pause:
            _refresh()
            _holder.checked = time.monotonic()
    finally:
        _holder.lock.release()
    return _holder.engine


def forget_engine() -> None:
    """Look again at the next request (after an activation in this process, and between tests)."""
    with _holder.lock:
        _holder.engine, _holder.failed, _holder.checked = None, None, float("-inf")


def engine_status() -> dict[str, str]:
    """What readiness and the admin say: ``state`` is *ok*, *stale* (an older model serves) or *none*."""
    engine = current_engine()
    status = {"state": "none" if engine is None else "ok"}
    if engine is not None:
        status["version"] = engine.version
    if _holder.failed is not None:
        version, reason = _holder.failed
        status["state"] = "none" if engine is None else "stale"
        status["problem"] = f"model {version} cannot be loaded: {reason}"
    return status


def _refresh() -> None:
    champion = ModelVersion.objects.champion().first()
    if champion is None:
        _holder.engine, _holder.failed = None, None
        return
    if _holder.engine is not None and _holder.engine.version == champion.version:
        _holder.failed = None
        return
    started = time.monotonic()
    try:
        recommender = load_recommender(bundle_path(champion), cache_dir=Path(settings.MODEL_CACHE))
    except BundleError as error:
        _holder.failed = (champion.version, str(error))
        logger.error("model %s cannot be loaded, the one before keeps serving: %s", champion.version, error)
        return
    _holder.engine, _holder.failed = Engine(recommender, champion), None
    logger.info("model %s loaded in %.2f s", champion.version, time.monotonic() - started)


def bundle_path(model: ModelVersion) -> Path:
    """Where the bundle of ``model`` lies in the model store."""
    return Path(settings.MODEL_STORE) / model.location
