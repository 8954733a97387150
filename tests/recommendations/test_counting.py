"""Counting by shards of people: the same as in one process, whoever dies meanwhile, and the training after it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from catalog.models import Anime
from ml.artifacts import read_manifest
from ml.cli.main import main
from ml.training.gram import open_gram
from recommendations import tasks
from recommendations.models import Job, JobCause, JobKind, JobState, ModelVersion, Profile
from recommendations.services import counting, jobs, judges, training
from recommendations.services.child import ChildError, run_child
from recommendations.services.counting import CountingError, run_counting, run_counting_shard, start_counting
from recommendations.services.snapshot import JUDGES, RATINGS, export_snapshot
from recommendations.services.training import start_training
from tests.factories import EntryFactory, ProfileFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shared_folder(settings, tmp_path):
    settings.GRAM_DIR = tmp_path / "gram"
    settings.COUNTING_SHARD_PROFILES = 6


@pytest.fixture
def people(sample_catalogue):
    """Ten people with lists of their own, and one whose list holds nothing but a plan."""
    titles = list(Anime.objects.by_popularity()[:30])
    profiles = [ProfileFactory() for _ in range(10)]
    rng = np.random.default_rng(7)
    for profile in profiles:
        for place in rng.choice(len(titles), 12, replace=False):
            rating = None if rng.random() < 0.2 else int(rng.integers(1, 11))
            status = ("completed", "watching", "dropped", "planned")[rng.integers(4)]
            EntryFactory(
                profile=profile, anime=titles[place], rating=None if status == "planned" else rating, status=status
            )
    EntryFactory(profile=ProfileFactory(), anime=titles[0], rating=None, status="planned")
    return profiles


def one_process(folder: Path) -> Path:
    """The Gram file of an exported snapshot, counted at once."""
    export_snapshot(folder / "snapshot")
    out = folder / "single.gram"
    arguments = ["--data", folder / "snapshot", "--ratings", folder / "snapshot" / RATINGS, "--out", out]
    assert main(["gram", *map(str, arguments), "--params", str(settings.TRAINING_PARAMS)]) == 0
    return out


def same(one: Path, other: Path) -> None:
    first, second = open_gram(one), open_gram(other)
    rows = np.arange(first.header.titles)
    np.testing.assert_allclose(second.among(rows), first.among(rows), rtol=1e-5)
    np.testing.assert_array_equal(second.counts, first.counts)
    assert (second.header.members, second.header.entries) == (first.header.members, first.header.entries)


def test_shards_together_are_what_one_process_counts(people, settings, tmp_path):
    settings.COUNTING_SHARD_PROFILES = 4
    parent, shards = start_counting()
    assert len(shards) == 3
    for number, shard in enumerate(shards):
        assert run_counting(parent.pk) is None, "shards are still at work"
        assert counting.counted_countings() == []
        run_counting_shard(shard.pk)
        parent.refresh_from_db()
        assert parent.message == f"{number + 1} of 3 shards counted"
    assert counting.counted_countings() == [parent]
    file = run_counting(parent.pk)
    parent.refresh_from_db()
    assert (parent.state, parent.percent, parent.payload["gram"]) == (JobState.SUCCEEDED, 100, str(file))
    same(one_process(tmp_path), file)
    assert open_gram(file).header.members == 10
    # Nothing is left of the lists, nor of the shards.
    assert not list(Path(settings.TRAINING_DIR).glob("job-*"))
    assert sorted(path.name for path in file.parent.iterdir()) == ["catalogue", "sum.gram"]


def test_judges_are_not_counted(people, tmp_path, monkeypatch):
    monkeypatch.setattr(judges, "FEWEST_MEMBERS", 5)
    monkeypatch.setattr(judges, "SHARE", 0.4)
    parent, shards = start_counting()
    for shard in shards:
        run_counting_shard(shard.pk)
    file = run_counting(parent.pk)
    same(one_process(tmp_path), file)
    assert 0 < open_gram(file).header.members < 10


def test_a_shard_whose_worker_was_killed_is_counted_once(
    people, tmp_path, monkeypatch, django_capture_on_commit_callbacks
):
    parent, shards = start_counting()

    class Killed(BaseException):
        """What nobody can catch."""

    def dies_after_writing(name, arguments, limits, **listeners):
        run_child(name, arguments, limits, **listeners)
        raise Killed

    monkeypatch.setattr(counting, "run_child", dies_after_writing)
    monkeypatch.setattr(jobs, "release", lambda job: None)
    with pytest.raises(Killed):
        run_counting_shard(shards[0].pk)
    monkeypatch.undo()
    late = Job.objects.get(pk=shards[0].pk)
    assert late.state == JobState.RUNNING
    assert run_counting_shard(shards[0].pk) is None, "its lease has not run out"
    Job.objects.filter(pk=shards[0].pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep()  # sends what is stale or was never sent; the worker is this process
    parent.refresh_from_db()
    assert parent.state == JobState.SUCCEEDED, parent.message
    assert Job.objects.get(pk=shards[0].pk).attempts == 2
    same(one_process(tmp_path), Path(parent.payload["gram"]))


def test_a_sum_whose_worker_died_is_added_by_another(people, tmp_path, django_capture_on_commit_callbacks):
    parent, shards = start_counting()
    for shard in shards:
        run_counting_shard(shard.pk)
    jobs.claim(parent.pk)
    assert run_counting(parent.pk) is None
    Job.objects.filter(pk=parent.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep()
    parent.refresh_from_db()
    assert (parent.state, parent.attempts) == (JobState.SUCCEEDED, 2)
    same(one_process(tmp_path), Path(parent.payload["gram"]))


def test_a_shard_that_fails_fails_the_counting_with_the_reason(people, settings, django_capture_on_commit_callbacks):
    settings.TRAINING_TIME_LIMIT_SECONDS = 0
    parent, shards = start_counting()
    with pytest.raises(ChildError):
        tasks.count_shard(shards[0].pk)
    settings.TRAINING_TIME_LIMIT_SECONDS = 600
    with django_capture_on_commit_callbacks(execute=True):
        tasks.count_shard(shards[1].pk)  # the last one sends the counting to be added
    parent.refresh_from_db()
    assert parent.state == JobState.FAILED
    assert "1 of 2 shards failed" in parent.message
    assert "longer than 0 s" in parent.message
    assert start_counting()[0].pk != parent.pk


def test_a_counting_that_is_cancelled_stops(people):
    parent, shards = start_counting()
    with pytest.raises(jobs.AlreadyRunningError):
        start_counting()
    run_counting_shard(shards[0].pk)
    assert jobs.cancel(parent.pk)
    assert run_counting_shard(shards[1].pk) is None
    assert run_counting(parent.pk) is None


def test_titles_that_appear_meanwhile_do_not_part_the_shards(people):
    parent, shards = start_counting()
    run_counting_shard(shards[0].pk)
    Anime.objects.create(pk=999_999, title="New since then", type="tv")
    for shard in shards[1:]:
        run_counting_shard(shard.pk)
    assert open_gram(run_counting(parent.pk)).header.titles == Anime.objects.count() - 1


def test_the_corpus_is_a_shard_too(people, settings, sample_dir, tmp_path):
    settings.TRAINING_CORPUS = str(sample_dir)
    parent, shards = start_counting()
    for shard in shards:
        run_counting_shard(shard.pk)
    assert open_gram(run_counting(parent.pk)).header.members == 10 + 400


def test_an_older_sum_makes_way(people):
    files = []
    for _night in range(2):
        parent, shards = start_counting()
        for shard in shards:
            run_counting_shard(shard.pk)
        files.append(run_counting(parent.pk))
    assert not files[0].exists()
    assert files[1].exists()


def test_there_must_be_somebody_to_count(sample_catalogue):
    with pytest.raises(CountingError, match="nobody"):
        start_counting()
    assert not Job.objects.exists()


def test_a_sample_holds_so_many_members_and_all_judges(people, tmp_path, monkeypatch):
    monkeypatch.setattr(judges, "FEWEST_MEMBERS", 5)
    monkeypatch.setattr(judges, "SHARE", 0.4)
    monkeypatch.setattr(judges, "FEWEST_ENTRIES", 1)
    everybody = export_snapshot(tmp_path / "all")
    sampled = export_snapshot(tmp_path / "sample", sample_members=3)
    assert (sampled["judges"], sampled["anime"]) == (everybody["judges"], everybody["anime"])
    assert 0 < everybody["judges"] < 10
    assert lists_in(tmp_path / "sample" / JUDGES) == lists_in(tmp_path / "all" / JUDGES)
    three = lists_in(tmp_path / "sample" / RATINGS)
    assert len(three) <= 3
    assert three < lists_in(tmp_path / "all" / RATINGS)
    export_snapshot(tmp_path / "again", sample_members=3)
    assert lists_in(tmp_path / "again" / RATINGS) == three
    # Where more are allowed than there are, all are there.
    export_snapshot(tmp_path / "many", sample_members=50)
    assert lists_in(tmp_path / "many" / RATINGS) == lists_in(tmp_path / "all" / RATINGS)


def lists_in(path: Path) -> set[tuple[str, ...]]:
    """What each member of a ratings file has on the list; not who it is."""
    lists: dict[str, list[str]] = {}
    for line in path.read_text().splitlines()[1:]:
        member, _, entry = line.partition(",")
        lists.setdefault(member, []).append(entry)
    return {tuple(entries) for entries in lists.values()}


def test_a_sharded_training_counts_first_and_learns_the_rest_from_a_sample(
    settings, sample_catalogue, sample_dir, django_capture_on_commit_callbacks, monkeypatch
):
    call_command("import_ratings", str(sample_dir), "--source", "sample", verbosity=0)
    settings.TRAINING_SHARDED = True
    settings.TRAINING_SAMPLE_MEMBERS = 150
    settings.COUNTING_SHARD_PROFILES = 150
    monkeypatch.setattr(tasks, "score_all", lambda cause: None)
    with django_capture_on_commit_callbacks(execute=True):
        tasks.train_now(JobCause.SCHEDULE)
    job = Job.objects.get(kind=JobKind.TRAIN)
    assert job.state == JobState.SUCCEEDED, job.message
    assert Job.objects.filter(kind=JobKind.COUNT_SHARD, state=JobState.SUCCEEDED).count() == 3
    assert job.payload["counted"]["profiles"] == Profile.objects.count() == 400
    assert training.new_changes() == 0
    model = ModelVersion.objects.get()
    data = read_manifest(Path(settings.MODEL_STORE) / model.location).content["data"]
    counted = open_gram(Path(job.payload["counted"]["gram"])).header
    assert data["members"] == 150
    assert data["gram"]["members"] == counted.members > 350
    assert data["gram"]["entries"] == counted.entries > 2 * data["entries"]


def test_a_training_waits_for_its_counting_and_fails_with_it(people, settings):
    settings.TRAINING_SHARDED = True
    job = start_training()
    shards = counting.count_before(job.pk)
    assert [shard.kind for shard in shards] == [JobKind.COUNT_SHARD] * 2
    assert counting.count_before(job.pk) == [], "under way already"
    parent = Job.objects.get(kind=JobKind.COUNT)
    assert counting.training_after(parent.pk) == []
    jobs.cancel(parent.pk)
    assert counting.training_after(parent.pk) == [job]
    tasks.train(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "Cancelled" in job.message
    assert not ModelVersion.objects.exists()


def test_a_training_of_one_process_waits_for_nothing(people):
    assert counting.count_before(start_training().pk) is None
    assert not Job.objects.filter(kind=JobKind.COUNT).exists()
