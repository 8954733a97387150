"""Runs as operators meet them: starting a training, following it, cancelling it, and who may."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recommendations import tasks
from recommendations.models import Job, JobKind, JobState, ModelStatus
from recommendations.services.training import start_training
from tests.recommendations.admin_rows import audit_of, staff_who_may, stored_version

pytestmark = pytest.mark.django_db

RUNS = reverse("admin:recommendations_job_changelist")
TRAIN = reverse("admin:recommendations_job_add")


def page_of(job: Job) -> str:
    return reverse("admin:recommendations_job_change", args=[job.pk])


def cancelling(job: Job) -> str:
    return reverse("admin:job_cancel", args=[job.pk])


@pytest.fixture
def training() -> Job:
    """A training that is under way."""
    return Job.objects.create(
        kind=JobKind.TRAIN, state=JobState.RUNNING, percent=41, stage="fuse", message="weights of the parts",
        log="snapshot: 11,717 ratings\n<b>ease</b>: solving", metrics={"plain_ndcg@10": 0.4321, "rating_rmse": 0.98},
        lease_until=timezone.now() + timedelta(minutes=2), attempts=1,
    )  # fmt: skip


class TestStarting:
    def test_the_page_says_what_saving_does(self, admin_client: Client) -> None:
        page = admin_client.get(TRAIN).content.decode()
        assert "Saving queues a training" in page
        assert "_addanother" not in page
        assert not Job.objects.exists()

    def test_a_second_training_is_refused_in_words(self, admin_client: Client) -> None:
        start_training()
        page = admin_client.post(TRAIN, follow=True).content.decode()
        assert "is not finished yet" in page
        assert Job.objects.count() == 1

    def test_it_is_for_those_who_may_add_jobs(self) -> None:
        assert staff_who_may("view_job").post(TRAIN).status_code == 403
        assert not Job.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_a_training_stays_queued_while_the_broker_is_away(
        self, admin_client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broker_is_away(*_args: object) -> None:
            raise ConnectionError("no broker")

        monkeypatch.setattr(tasks.train, "delay", broker_is_away)
        response = admin_client.post(TRAIN)
        assert response.status_code == 302
        job = Job.objects.get(kind=JobKind.TRAIN)
        assert job.state == JobState.QUEUED
        assert audit_of(job) == [f"admin: Queued training #{job.pk}"]


class TestTheList:
    def test_shows_progress_and_leaves_shards_out_until_they_are_asked_for(
        self, admin_client: Client, training: Job
    ) -> None:
        scoring = Job.objects.create(kind=JobKind.SCORE)
        shard = Job.objects.create(kind=JobKind.SCORE_SHARD, parent=scoring)
        page = admin_client.get(RUNS).content.decode()
        assert 'value="41"' in page
        assert f"#{scoring.pk}" in page
        assert f"#{shard.pk}" not in page
        for asked in ("?shards=with", f"?kind__exact={JobKind.SCORE_SHARD}"):
            assert f"#{shard.pk}" in admin_client.get(RUNS + asked).content.decode()


class TestFollowing:
    def test_the_page_shows_stage_metrics_and_log_and_asks_again_while_it_runs(
        self, admin_client: Client, training: Job
    ) -> None:
        page = admin_client.get(page_of(training)).content.decode()
        live = reverse("admin:job_live", args=[training.pk])
        for expected in ('value="41"', "fuse", "0.432", "rating_rmse", "11,717 ratings", f'hx-get="{live}"'):
            assert expected in page
        assert "&lt;b&gt;ease" in page, "a log is text, whatever it holds"

    def test_the_fragment_stops_asking_at_the_end(self, admin_client: Client, training: Job) -> None:
        live = reverse("admin:job_live", args=[training.pk])
        assert "hx-get" in admin_client.get(live).content.decode()
        made = stored_version("made")
        Job.objects.filter(pk=training.pk).update(state=JobState.SUCCEEDED, percent=100, model_version=made)
        after = admin_client.get(live).content.decode()
        assert "hx-get" not in after
        assert reverse("admin:recommendations_modelversion_change", args=[made.pk]) in after

    def test_a_scoring_counts_its_shards_by_state(self, admin_client: Client) -> None:
        scoring = Job.objects.create(kind=JobKind.SCORE)
        for state in (JobState.SUCCEEDED, JobState.SUCCEEDED, JobState.FAILED):
            Job.objects.create(kind=JobKind.SCORE_SHARD, parent=scoring, state=state)
        assert "2 succeeded, 1 failed" in " ".join(admin_client.get(page_of(scoring)).content.decode().split())

    def test_is_for_those_who_may_view_jobs(self, training: Job) -> None:
        live = reverse("admin:job_live", args=[training.pk])
        assert staff_who_may("view_modelversion").get(live).status_code == 403
        assert staff_who_may("view_job", username="viewer").get(live).status_code == 200

    def test_unknown_runs_are_not_found(self, admin_client: Client) -> None:
        for name in ("job_live", "job_cancel"):
            for unknown in ("999999", "nonsense"):
                assert admin_client.get(reverse(f"admin:{name}", args=[unknown])).status_code == 404


class TestCancelling:
    def test_asks_first_and_says_what_is_lost(self, training: Job) -> None:
        client = staff_who_may("view_job", "change_job")
        page = client.get(cancelling(training)).content.decode()
        assert "what it has worked out is lost" in page
        training.refresh_from_db()
        assert training.state == JobState.RUNNING
        assert not LogEntry.objects.exists()

    def test_on_post_it_is_cancelled_and_noted_with_the_reason(self, training: Job) -> None:
        client = staff_who_may("view_job", "change_job")
        response = client.post(cancelling(training), {"reason": "wrong\n parameters"})
        assert response.headers["Location"] == page_of(training)
        training.refresh_from_db()
        assert training.state == JobState.CANCELLED
        assert training.message == "Cancelled by operator"
        assert audit_of(training) == [
            f"operator: Cancelled training #{training.pk} at 41 %. Reason: wrong parameters"
        ]

    def test_those_who_may_only_view_are_neither_asked_nor_obeyed(self, training: Job) -> None:
        client = staff_who_may("view_job", "add_job")
        assert cancelling(training) not in client.get(page_of(training)).content.decode()
        assert client.get(cancelling(training)).status_code == 403
        assert client.post(cancelling(training)).status_code == 403
        training.refresh_from_db()
        assert training.state == JobState.RUNNING

    @pytest.mark.parametrize("kind", [JobKind.TRAIN, JobKind.SCORE_SHARD])
    def test_what_has_ended_or_is_a_shard_is_refused_in_words(self, admin_client: Client, kind: JobKind) -> None:
        state = JobState.SUCCEEDED if kind == JobKind.TRAIN else JobState.QUEUED
        job = Job.objects.create(kind=kind, state=state)
        response = admin_client.post(cancelling(job))
        assert response.status_code == 409
        assert ("has ended" if kind == JobKind.TRAIN else "cancel the scoring") in response.content.decode()
        job.refresh_from_db()
        assert job.state == state
        assert audit_of(job) == []

    def test_a_cancelled_scoring_takes_its_shards_along(self, admin_client: Client) -> None:
        stored_version("serves", ModelStatus.CHAMPION)
        scoring = Job.objects.create(kind=JobKind.SCORE)
        shard = Job.objects.create(kind=JobKind.SCORE_SHARD, parent=scoring)
        admin_client.post(cancelling(scoring))
        shard.refresh_from_db()
        assert shard.state == JobState.CANCELLED
