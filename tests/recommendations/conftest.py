"""Models to publish, and a store and a process that hold none yet."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings as site
from pytest_django import Settings

from ml.artifacts import open_arrays, read_manifest, write_bundle
from recommendations.models import ModelVersion
from recommendations.services.engine import current_engine, forget_engine


def settle() -> None:
    """Wait until no thread of this process is loading a model or looking into the store."""
    for thread in threading.enumerate():
        if thread.name.startswith("model "):
            thread.join(60)
            assert not thread.is_alive(), f"{thread.name} hangs"


def folder(model: ModelVersion) -> Path:
    return Path(site.MODEL_STORE) / model.location


def damage(model: ModelVersion) -> Path:
    """Turn over one bit of the largest array in the store."""
    array = max(folder(model).glob("*.npy"), key=lambda path: path.stat().st_size)
    content = bytearray(array.read_bytes())
    content[-1] ^= 1
    array.write_bytes(content)
    return array


def version() -> str | None:
    """What a request is served from that waits for nothing."""
    engine = current_engine()
    return None if engine is None else engine.version


def settled_version() -> str | None:
    """What is served when everything under way has come to its end."""
    version()
    settle()
    return version()


@pytest.fixture
def fresh_process(settings: Settings) -> Iterator[None]:
    """A process that has loaded nothing, an empty model store and an empty cache."""
    settle()
    forget_engine()
    shutil.rmtree(settings.MODEL_STORE, ignore_errors=True)
    shutil.rmtree(settings.MODEL_CACHE, ignore_errors=True)
    yield
    settle()
    forget_engine()


@pytest.fixture
def small_bundle(tmp_path: Path) -> Callable[[str], Path]:
    """Makes sound bundles that differ by a note. They can be stored, but are no recommender."""

    def make(note: str = "one") -> Path:
        out = tmp_path / f"bundle-{note}"
        arrays = {"part.numbers": np.arange(500, dtype=np.int32), "part.empty": np.zeros(0, np.float32)}
        description = {
            "note": note,
            "data": {"fingerprint": {"rating.csv": "0" * 64}},
            "git_revision": "0" * 40,
            "params": {"seed": 1},
            "metrics": {"ndcg": 0.5},
        }
        write_bundle(out, arrays, description)
        return out

    return make


@pytest.fixture
def variant(sample_bundle: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Makes different models: the arrays of the sample's under another date in the manifest."""

    def make(created: str) -> Path:
        manifest = read_manifest(sample_bundle)
        description = {
            key: value for key, value in manifest.content.items() if key not in ("files", "format", "checksum")
        }
        out = tmp_path / f"variant-{created}"
        write_bundle(out, open_arrays(sample_bundle, manifest), {**description, "created": created})
        return out

    return make


@pytest.fixture
def other_bundle(variant: Callable[[str], Path]) -> Path:
    """A second model beside the sample's."""
    return variant("2001-01-01")
