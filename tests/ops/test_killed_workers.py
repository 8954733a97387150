"""kill -9 of a worker at every stage of its work: the champion goes on serving, the run is marked, the next one
succeeds, and nothing is left behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops import dying_worker
from tests.ops.running_demo import processes_of
from tests.ops.running_system import LEASE_SECONDS, MEMBERS, System, prepared_site, wait_for

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sample_bundle: Path) -> Iterator[System]:
    with prepared_site(tmp_path_factory.mktemp("site") / "var", sample_bundle) as system:
        yield system


@pytest.fixture
def system(site: System, tmp_path: Path) -> Iterator[System]:
    # Several shards of several batches each.
    with site.copy(tmp_path / "var", SCORING_SHARD_PROFILES="50", WRITE_BATCH_ROWS="20") as own:
        yield own


def kill_at(system: System, place: str) -> None:
    """Start a worker and wait until it has been killed there, with all of its processes."""
    worker = system.start_worker("dying", "tests.ops.dying_worker", KILL_AT=place)
    assert worker.wait(240) == -9, system.logs()
    wait_for(lambda: not processes_of(system.folder), 30)


def wait_for_the_lease_to_end(system: System) -> None:
    wait_for(
        lambda: (
            not system.sql(
                "SELECT 1 FROM recommendations_job WHERE state = 'running' AND lease_until >= clock_timestamp()"
            )
        ),
        LEASE_SECONDS + 10,
    )


def assert_nothing_is_left(system: System) -> None:
    assert not list((system.folder / "training").glob("*"))
    stored = list((system.folder / "models").iterdir())
    assert all(re.fullmatch(r"[0-9a-f]{64}", folder.name) for folder in stored)
    assert all((folder / "manifest.json").is_file() for folder in stored)
    locations = {row[0] for row in system.sql("SELECT location FROM recommendations_modelversion")}
    assert {folder.name for folder in stored} == locations
    assert not system.sql("SELECT 1 FROM recommendations_job WHERE state IN ('queued', 'running')")


@pytest.mark.parametrize("place", dying_worker.TRAINING)
def test_a_training(system: System, place: str) -> None:
    before = system.champion()
    system.manage("train", "--enqueue")
    first = system.last_job("train")
    kill_at(system, place)
    assert system.job(first)["state"] == "running"
    assert system.champion() == before

    wait_for_the_lease_to_end(system)
    system.start_worker()
    failed = system.wait_for_job(first, "failed", "succeeded")
    assert failed["state"] == "failed"
    assert failed["message"].startswith("The worker died at ")
    assert "snapshot: Exporting a snapshot" in failed["log"]
    assert system.champion() == before

    system.manage("train", "--enqueue")
    second = system.last_job("train")
    assert second != first
    assert system.wait_for_job(second, "failed", "succeeded")["state"] == "succeeded", system.job(second)
    scoring = "SELECT count(*) FROM recommendations_job WHERE state IN ('queued', 'running')"
    wait_for(lambda: system.one(scoring) == 0)
    assert_nothing_is_left(system)


@pytest.mark.parametrize("place", dying_worker.SCORING)
def test_a_scoring(system: System, place: str) -> None:
    system.manage("score")
    parent = system.last_job("score")
    kill_at(system, place)
    assert system.job(parent)["state"] == "running" or system.job(parent)["state"] == "queued"

    wait_for_the_lease_to_end(system)
    system.start_worker()
    assert system.wait_for_job(parent, "failed", "succeeded")["state"] == "succeeded"
    lists, members, models = system.sql(
        "SELECT count(*), count(DISTINCT profile_id), count(DISTINCT model_version_id) FROM recommendations_toplist"
    )[0]
    assert (lists, members, models) == (MEMBERS, MEMBERS, 1)
    assert_nothing_is_left(system)


def test_a_worker_that_is_told_to_stop_hands_its_training_over(system: System) -> None:
    system.manage("train", "--enqueue")
    job = system.last_job("train")
    first = system.start_worker("one")
    wait_for(lambda: system.job(job)["stage"] not in ("", "snapshot"))
    worker = system.job(job)["worker"]
    system.start_worker("two")
    first.terminate()
    done = system.wait_for_job(job, "failed", "succeeded")
    assert (done["state"], done["attempts"]) == ("succeeded", 2), done
    assert done["worker"] != worker
    assert first.wait(60) == 0
