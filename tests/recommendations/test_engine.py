"""What a process serves from: how it follows the champion, and what it does when the store fails it."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings as site
from django.test import Client
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem
from pytest_django import Settings

from ml.artifacts import MANIFEST
from ml.types import Profile
from recommendations.models import ModelVersion
from recommendations.services import engine as module
from recommendations.services import store
from recommendations.services.engine import (
    current_engine,
    engine_status,
    forget_engine,
    loaded_engine,
)
from recommendations.services.registry import activate, publish
from tests.recommendations.conftest import damage, folder, settle, settled_version, version

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_process")]
Make = Callable[[str], Path]


def batch_version() -> str | None:
    """What work is served from that waits for the champion itself."""
    engine = current_engine(patience_seconds=60)
    return None if engine is None else engine.version


class Gate:
    """A store that does not answer for the bundles it is closed for, until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = threading.Event()
        self.reached = threading.Event()
        self.locations: set[str] = set()
        original = LocalFileSystem.get_file

        def get_file(filesystem: AbstractFileSystem, source: str, target: str, **kwargs: object) -> None:
            if any(location in source for location in self.locations):
                self.reached.set()
                assert self.open.wait(60), "the test has forgotten to open the gate"
            original(filesystem, source, target, **kwargs)

        monkeypatch.setattr(LocalFileSystem, "get_file", get_file)

    def close_for(self, model: ModelVersion) -> None:
        self.locations.add(model.location)


@pytest.fixture
def gate(fresh_process: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    made = Gate(monkeypatch)
    yield made
    made.open.set()
    settle()


@pytest.fixture
def retry_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.0)


class TestFollowing:
    def test_the_champion_serves_and_rolling_back_is_activating_the_older_one(self, sample_bundle, other_bundle):
        first, second = publish(sample_bundle), publish(other_bundle)
        assert engine_status() == {"state": "none"}
        activate(first)
        assert version() == first.version, "where there is none yet, a request waits for the first"
        activate(second)
        assert settled_version() == second.version
        activate(first)
        assert settled_version() == first.version
        assert engine_status() == {"state": "ok", "version": first.version}

    def test_batch_work_waits_for_the_champion_itself(self, sample_bundle, other_bundle, settings: Settings):
        activate(publish(sample_bundle))
        assert version() is not None
        settings.CHAMPION_CHECK_SECONDS = 3600
        second = activate(publish(other_bundle))
        assert version() != second.version, "it is not time to look yet"
        assert batch_version() == second.version

    def test_without_a_champion_there_is_no_engine(self, sample_bundle):
        assert current_engine() is None
        model = activate(publish(sample_bundle))
        assert version() == model.version
        ModelVersion.objects.all().delete()
        assert current_engine() is None

    def test_what_a_process_has_mapped_survives_the_loss_of_store_and_cache(self, sample_bundle):
        model = activate(publish(sample_bundle))
        recommender = current_engine().recommender
        shutil.rmtree(folder(model))
        shutil.rmtree(site.MODEL_CACHE)
        assert len(recommender.recommend(Profile.of([])).results) == 10

    def test_a_process_that_starts_anew_needs_no_store_while_it_has_its_copy(self, sample_bundle):
        model = activate(publish(sample_bundle))
        assert version() == model.version
        shutil.rmtree(site.MODEL_STORE)
        forget_engine()
        assert version() == model.version

    def test_copies_of_versions_that_nobody_rolls_back_to_are_deleted(self, variant: Make):
        models = [publish(variant(f"200{number}-01-01")) for number in range(3)]
        for model in models:
            activate(model)
            assert settled_version() == model.version
        copies = {path.name for path in Path(site.MODEL_CACHE).iterdir()}
        assert copies == {models[1].location, models[2].location}


class TestABrokenBundle:
    def test_it_is_refused_and_the_one_before_keeps_serving(self, sample_bundle, other_bundle):
        first, second = activate(publish(sample_bundle)), publish(other_bundle)
        assert version() == first.version
        array = damage(second)
        activate(second)
        assert settled_version() == first.version
        status = engine_status()
        assert (status["state"], status["version"]) == ("stale", first.version)
        for words in (f"model {second.version} cannot be loaded", str(array), "does not match the hash"):
            assert words in status["problem"]

    @pytest.mark.usefixtures("retry_at_once")
    def test_it_heals_when_it_is_published_again(self, sample_bundle, other_bundle):
        first, second = activate(publish(sample_bundle)), publish(other_bundle)
        assert version() == first.version
        shutil.rmtree(folder(second))
        activate(second)
        assert settled_version() == first.version
        assert "missing" in engine_status()["problem"]
        publish(other_bundle)
        assert settled_version() == second.version
        assert engine_status() == {"state": "ok", "version": second.version}

    def test_going_back_to_the_one_before_ends_the_problem_at_once(self, sample_bundle, other_bundle):
        first, second = activate(publish(sample_bundle)), publish(other_bundle)
        assert version() == first.version
        damage(second)
        activate(second)
        assert settled_version() == first.version
        activate(first)
        assert engine_status() == {"state": "ok", "version": first.version}

    def test_without_one_before_there_is_none(self, sample_bundle, client: Client):
        damage(activate(publish(sample_bundle)))
        status = engine_status()
        assert status["state"] == "none"
        assert "does not match the hash" in status["problem"]
        assert client.get("/healthz/ready").json()["model"] == status

    def test_a_sound_bundle_of_something_else_is_a_problem_too(self, sample_bundle, small_bundle: Make):
        first = activate(publish(sample_bundle))
        assert version() == first.version
        activate(publish(small_bundle("one")))
        assert settled_version() == first.version
        assert "not a bundle this program can serve" in engine_status()["problem"]

    @pytest.mark.usefixtures("retry_at_once")
    def test_it_is_logged_once_and_not_at_every_request(self, sample_bundle, caplog: pytest.LogCaptureFixture):
        damage(activate(publish(sample_bundle)))
        for _request in range(3):
            assert settled_version() is None
        errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert [record.name for record in errors] == [module.__name__]
        publish(sample_bundle)
        assert settled_version() is not None
        assert "the model's problem is over" in caplog.text

    @pytest.mark.usefixtures("retry_at_once")
    def test_the_champions_bundle_is_missed_even_while_a_copy_serves(self, sample_bundle, settings: Settings):
        settings.MODEL_STORE_CHECK_SECONDS = 0.001
        model = activate(publish(sample_bundle))
        assert settled_version() == model.version
        settle()
        assert engine_status() == {"state": "ok", "version": model.version}
        settle()
        shutil.copyfile(folder(model) / MANIFEST, folder(model) / "ease.weights.npy")
        assert settled_version() == model.version
        status = engine_status()
        assert (status["state"], status["version"]) == ("ok", model.version)
        assert "ease.weights.npy" in status["problem"]
        assert "bytes where the manifest says" in status["problem"]
        settle()
        publish(sample_bundle)
        assert settled_version() == model.version
        assert "problem" not in engine_status()


class TestAStoreThatFails:
    @pytest.mark.usefixtures("retry_at_once")
    @pytest.mark.parametrize("error", [OSError(errno.EHOSTUNREACH, "No route to host"), ValueError("no token")])
    def test_unreachable(self, sample_bundle, other_bundle, monkeypatch: pytest.MonkeyPatch, error: Exception):
        first, second = activate(publish(sample_bundle)), publish(other_bundle)
        assert version() == first.version

        def get_file(*args: object, **kwargs: object) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(LocalFileSystem, "get_file", get_file)
            activate(second)
            assert settled_version() == first.version
            status = engine_status()
            assert status["state"] == "stale"
            assert "route to host" in status["problem"] or "no token" in status["problem"]
            settle()
        assert settled_version() == second.version
        assert engine_status() == {"state": "ok", "version": second.version}

    def test_a_failure_is_not_repeated_at_every_request(self, sample_bundle, monkeypatch: pytest.MonkeyPatch):
        asked = []

        def get_file(filesystem: AbstractFileSystem, source: str, target: str, **kwargs: object) -> None:
            asked.append(source)
            raise OSError(errno.EHOSTUNREACH, "No route to host")

        monkeypatch.setattr(LocalFileSystem, "get_file", get_file)
        activate(publish(sample_bundle))
        for _request in range(5):
            assert settled_version() is None
        assert len(asked) == 1

    def test_slow_requests_are_answered_by_the_one_before(
        self, champion, other_bundle, gate: Gate, client: Client, monkeypatch: pytest.MonkeyPatch
    ):
        def answer() -> str:
            response = client.post(
                "/api/v1/recommendations/", {"ratings": [], "k": 5}, content_type="application/json"
            )
            assert response.status_code == 200
            assert len(response.json()["results"]) == 5
            return response.json()["model_version"]

        monkeypatch.setattr(module, "SLOW_SECONDS", 0.0)
        assert answer() == champion.version
        second = publish(other_bundle)
        gate.close_for(second)
        activate(second)
        assert answer() == champion.version
        assert gate.reached.wait(60)
        assert answer() == champion.version
        status = engine_status()
        assert (status["state"], status["version"]) == ("stale", champion.version)
        assert f"model {second.version}: still loading for 0 s" in status["problem"]
        gate.open.set()
        settle()
        assert answer() == second.version
        assert engine_status() == {"state": "ok", "version": second.version}

    def test_slow_and_nothing_to_serve_yet(
        self, sample_catalogue, sample_bundle, gate: Gate, client: Client, settings: Settings
    ):
        settings.CHAMPION_LOAD_PATIENCE_SECONDS = 0.01
        model = publish(sample_bundle)
        gate.close_for(model)
        activate(model)
        response = client.post("/api/v1/recommendations/", {"ratings": [], "k": 5}, content_type="application/json")
        assert response.json()["model_version"] is None
        assert len(response.json()["results"]) == 5
        assert client.get("/healthz/ready").json()["status"] == "degraded"
        gate.open.set()
        assert settled_version() == model.version

    def test_the_newest_wins_over_a_slow_older_one(self, sample_bundle, variant: Make, gate: Gate):
        first, slow, newest = (publish(bundle) for bundle in (sample_bundle, variant("2001"), variant("2002")))
        activate(first)
        assert version() == first.version
        gate.close_for(slow)
        activate(slow)
        assert version() == first.version
        assert gate.reached.wait(60)
        activate(newest)
        assert batch_version() == newest.version
        gate.open.set()
        settle()  # now the older one has arrived as well
        assert version() == newest.version

    def test_a_load_that_never_ends_is_begun_anew(
        self, sample_bundle, gate: Gate, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ):
        settings.CHAMPION_LOAD_PATIENCE_SECONDS = 0.0
        model = publish(sample_bundle)
        gate.close_for(model)
        activate(model)
        assert version() is None
        assert gate.reached.wait(60)
        gate.locations.clear()  # the next to ask is answered, the first is not
        monkeypatch.setattr(module, "GIVE_UP_SECONDS", 0.0)
        monkeypatch.setattr(module, "RETRY_SECONDS", 0.0)
        assert batch_version() == model.version

    def test_a_child_of_a_process_that_is_loading_begins_anew(self, sample_bundle, other_bundle, gate: Gate):
        first, second = activate(publish(sample_bundle)), publish(other_bundle)
        assert version() == first.version
        gate.close_for(second)
        activate(second)
        assert version() == first.version
        assert gate.reached.wait(60)
        with module._holder.lock:  # as if a thread were looking just now
            child = os.fork()
            if child == 0:
                signal.alarm(30)  # a child that waits for its parent's lock would wait for ever
                inherited = loaded_engine()
                forget_engine()
                os._exit(0 if inherited and inherited.version == first.version and not loaded_engine() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_store_is_not_asked_for_what_is_served_already(sample_bundle, monkeypatch: pytest.MonkeyPatch):
    model = activate(publish(sample_bundle))
    assert version() == model.version

    def fetch(*args: object) -> Path:
        raise AssertionError("the model is loaded already")

    monkeypatch.setattr(store, "fetch", fetch)
    assert settled_version() == model.version
    assert engine_status() == {"state": "ok", "version": model.version}
