"""The operations page: what it shows, what is wrong in words, its buttons, and that it answers with a dead broker."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from celery import current_app
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from recommendations.admin.figures import line_chart
from recommendations.models import Job, JobKind, JobState, ModelStatus, ModelVersion, ServingProcess
from recommendations.selectors.operations import VERSIONS_SHOWN
from tests.factories import EntryFactory, UserFactory
from tests.recommendations.admin_rows import audit_of, staff_who_may, stored_version

pytestmark = pytest.mark.django_db

PAGE = reverse("admin_operations")
LIVE = reverse("admin_operations_live")
WORKERS = reverse("admin_operations_workers")
TRAIN = reverse("admin_operations_train")
SCORE = reverse("admin_operations_score")


def text_of(client: Client, address: str = PAGE) -> str:
    return " ".join(client.get(address).content.decode().split())


def measured(version: str, ndcg: float, status: ModelStatus = ModelStatus.RETIRED) -> ModelVersion:
    metrics = {"plain_ndcg@10": ndcg, "plain_ndcg_stderr": 0.01, "discovery_ndcg@10": 0.2, "plain_coverage": 900.0}
    return stored_version(version, status, metrics=metrics, activated=timezone.now())


@pytest.fixture
def serves() -> ModelVersion:
    return measured("serves", 0.31, ModelStatus.CHAMPION)


class TestWhoMay:
    def test_it_is_for_staff_who_may_view_jobs(self, client: Client) -> None:
        assert client.get(PAGE).status_code == 302
        assert staff_who_may("view_modelversion").get(PAGE).status_code == 403
        viewer = staff_who_may("view_job", username="viewer")
        for address in (PAGE, LIVE):
            assert viewer.get(address).status_code == 200

    def test_who_may_only_view_finds_no_buttons_and_cannot_act(self, serves: ModelVersion) -> None:
        measured("older", 0.3)
        viewer = staff_who_may("view_job", "view_modelversion")
        page = text_of(viewer)
        assert 'method="post" action="/admin/recommendations' not in page
        assert "/promote/" not in page
        for address in (TRAIN, SCORE):
            assert viewer.post(address).status_code == 403
        assert not Job.objects.exists()

    def test_reading_an_address_that_acts_is_refused(self, admin_client: Client) -> None:
        for address in (TRAIN, SCORE):
            assert admin_client.get(address).status_code == 405
        assert not Job.objects.exists()

    def test_forms_need_their_token(self, admin_user: object) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(admin_user)  # type: ignore[arg-type]
        assert strict.post(TRAIN).status_code == 403
        assert not Job.objects.exists()

    def test_the_index_and_the_sidebar_lead_to_it(self, admin_client: Client) -> None:
        assert admin_client.get(reverse("admin:index")).content.decode().count(f'href="{PAGE}"') == 2
        without = staff_who_may("view_modelversion").get(reverse("admin:index")).content.decode()
        assert PAGE not in without
        assert reverse("admin:recommendations_modelversion_changelist") in without


class TestWhatItShows:
    def test_an_empty_site_is_told_what_to_do(self, admin_client: Client) -> None:
        page = text_of(admin_client)
        assert "No model is champion" in page
        assert "Train a model" in page

    def test_the_champion_its_figures_and_the_way_back(self, admin_client: Client, serves: ModelVersion) -> None:
        older = measured("older", 0.3)
        ModelVersion.objects.filter(pk=older.pk).update(activated=timezone.now() - timedelta(days=1))
        page = text_of(admin_client)
        assert "plain 0.310, discovery 0.200" in page
        assert "Roll back to the one before: older" in page
        assert reverse("admin:modelversion_promote", args=[older.pk]) in page

    def test_processes_and_whether_they_follow(self, admin_client: Client, serves: ModelVersion) -> None:
        now = timezone.now()
        ServingProcess.objects.create(name="web:1", version="serves", seen=now)
        ServingProcess.objects.create(name="web:2", version="older", problem="a.npy: hash", seen=now)
        ServingProcess.objects.create(name="web:3", version="older", seen=now - timedelta(hours=1))
        page = text_of(admin_client)
        assert "web:2 serves older though serves is champion: a.npy: hash" in page
        assert "the process follows by itself" in page
        assert "web:1" in page
        assert "web:3" not in page

    def test_a_training_that_failed_is_an_alarm_until_the_next(self, admin_client: Client, serves: object) -> None:
        Job.objects.create(kind=JobKind.TRAIN, state=JobState.FAILED, message="out of memory")
        assert "The last training failed: out of memory" in text_of(admin_client)
        Job.objects.create(kind=JobKind.TRAIN, state=JobState.SUCCEEDED)
        assert "The last training failed" not in text_of(admin_client)

    def test_jobs_that_nobody_takes_are_an_alarm(self, admin_client: Client, serves: object) -> None:
        job = Job.objects.create(kind=JobKind.TRAIN)
        assert "no worker takes it" not in text_of(admin_client)
        Job.objects.filter(pk=job.pk).update(created=timezone.now() - timedelta(hours=1))
        assert "1 job has been waiting for more than 10 minutes, and no worker takes it" in text_of(admin_client)
        Job.objects.create(
            kind=JobKind.SCORE_SHARD, state=JobState.RUNNING, lease_until=timezone.now() + timedelta(minutes=1)
        )
        assert "no worker takes it" not in text_of(admin_client), "the worker is busy with another job"

    def test_it_looks_again_often_while_something_runs(self, admin_client: Client, serves: object) -> None:
        assert 'hx-trigger="every 30s"' in text_of(admin_client, LIVE)
        Job.objects.create(kind=JobKind.TRAIN, state=JobState.RUNNING, percent=62, stage="rank")
        running = text_of(admin_client, LIVE)
        assert 'hx-trigger="every 3s"' in running
        assert 'value="62"' in running

    def test_a_new_version_shows_the_whole_page_anew(self, admin_client: Client, serves: ModelVersion) -> None:
        asks = re.search(r'hx-get="([^"]+seen=[^"]+)"', text_of(admin_client))
        assert asks is not None
        assert "HX-Refresh" not in admin_client.get(asks[1]).headers
        measured("new", 0.4)
        assert admin_client.get(asks[1]).headers["HX-Refresh"] == "true"


class TestCharts:
    def test_every_figure_stands_in_a_table_too(self, admin_client: Client, serves: ModelVersion) -> None:
        measured("older", 0.2987)
        page = text_of(admin_client)
        assert page.count("<svg") == 3
        assert "0.299 ± 0.020" in page
        assert "champion 0.310" in page

    def test_points_stand_where_their_values_are(self, serves: ModelVersion) -> None:
        models = [measured("low", 0.2), measured("high", 0.4), serves, stored_version("not measured")]
        chart = line_chart("plain", "NDCG", models, "plain_ndcg@10", "plain_ndcg_stderr")
        low, high, middle = chart.points
        assert low.x < high.x < middle.x
        assert high.y < middle.y < low.y, "y grows downwards"
        assert high.high < high.y < high.low
        assert middle.y == pytest.approx(high.y + (low.y - high.y) * 0.45, abs=0.2)
        assert chart.champion == middle
        for point in chart.points:
            assert chart.left < point.x < chart.right
            assert chart.top <= point.high
            assert point.low <= chart.bottom

    @pytest.mark.parametrize("values", [[], [0.0], [0.3, 0.3]])
    def test_nothing_and_sameness_can_be_drawn(self, values: list[float]) -> None:
        models = [ModelVersion(version=str(n), metrics={"x": value}) for n, value in enumerate(values)]
        chart = line_chart("x", "X", models, "x")
        assert len(chart.points) == len(values)


class TestButtons:
    def test_train_queues_one_and_notes_who(self, admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        page = admin_client.post(TRAIN, follow=True).content.decode()
        assert "A training is queued." in page
        job = Job.objects.get()
        assert job.created_by is not None
        assert audit_of(job) == [f"admin: Queued training #{job.pk}"]
        assert "is not finished yet" in admin_client.post(TRAIN, follow=True).content.decode()
        assert Job.objects.count() == 1

    def test_score_queues_shards_and_notes_who(self, admin_client: Client, serves: ModelVersion) -> None:
        EntryFactory()
        page = admin_client.post(SCORE, follow=True).content.decode()
        assert "queued, in 1 shard." in page
        job = Job.objects.get(kind=JobKind.SCORE)
        assert audit_of(job) == [f"admin: Queued scoring #{job.pk} of all lists with serves"]
        assert "is not finished yet" in admin_client.post(SCORE, follow=True).content.decode()

    def test_there_is_nothing_to_score_with_without_a_champion(self, admin_client: Client) -> None:
        assert "nothing to score with" in admin_client.post(SCORE, follow=True).content.decode()
        assert not Job.objects.exists()

    def test_who_did_what_stands_below(self, admin_client: Client) -> None:
        admin_client.post(TRAIN)
        assert str(LogEntry.objects.get().get_change_message()) in text_of(admin_client)


class TestWorkers:
    def test_a_dead_broker_is_said_in_words(self, admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(current_app.conf, "broker_url", "redis://127.0.0.1:1/0")
        assert "op-workers" in text_of(admin_client), "the page itself does not ask the broker"
        page = text_of(admin_client, WORKERS)
        assert "No worker answers: the broker cannot be reached." in page

    def test_silence_is_said_in_words(self, admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(current_app.conf, "broker_url", "memory://")
        page = text_of(admin_client, WORKERS)
        assert "No worker answers." in page
        assert "0 messages wait" in page

    def test_it_is_for_those_who_may_view_jobs(self) -> None:
        assert staff_who_may("view_modelversion").get(WORKERS).status_code == 403


def test_the_page_asks_a_fixed_number_of_questions(admin_client: Client, serves: ModelVersion) -> None:
    measured("older", 0.3)
    Job.objects.create(kind=JobKind.TRAIN, state=JobState.SUCCEEDED, model_version=serves)
    admin_client.get(PAGE)

    def questions() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert admin_client.get(PAGE).status_code == 200
        return len(asked)

    before = questions()
    for number in range(2 * VERSIONS_SHOWN):
        model = measured(f"v{number}", 0.3)
        Job.objects.create(kind=JobKind.TRAIN, state=JobState.SUCCEEDED, model_version=model)
        ServingProcess.objects.create(name=f"web:{number}", version="serves", seen=timezone.now())
    assert questions() == before
    assert before <= 25
    assert f"{VERSIONS_SHOWN} versions" in text_of(admin_client)


@pytest.mark.parametrize("kind", ["job", "modelversion"])
def test_lists_ask_a_fixed_number_of_questions(admin_client: Client, serves: ModelVersion, kind: str) -> None:
    address = reverse(f"admin:recommendations_{kind}_changelist")

    def one_more(number: int) -> None:
        user = UserFactory()
        model = stored_version(f"v{number}", decided_by=user)
        Job.objects.create(kind=JobKind.TRAIN, state=JobState.SUCCEEDED, model_version=model, created_by=user)

    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert admin_client.get(address).status_code == 200
        return len(asked)

    one_more(0)
    questions()
    before = questions()
    for number in range(1, 10):
        one_more(number)
    assert questions() == before


def test_the_schedule_is_changed_in_the_same_look(admin_client: Client) -> None:
    for name in ("periodictask", "crontabschedule", "intervalschedule", "clockedschedule", "solarschedule"):
        for kind in ("changelist", "add"):
            response = admin_client.get(reverse(f"admin:django_celery_beat_{name}_{kind}"))
            assert response.status_code == 200
            assert "unfold/css/styles.css" in response.content.decode()
    page = admin_client.get(reverse("admin:django_celery_beat_periodictask_add")).content.decode()
    assert "recommendations.tasks.nightly" in page, "the registered tasks are there to choose from"
