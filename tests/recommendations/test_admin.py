"""Models and jobs as operators meet them: rolling back, starting a training, and who may."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from recommendations import tasks
from recommendations.models import Job, JobKind, JobState, ModelStatus, ModelVersion
from recommendations.services.training import start_training
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

MODELS = reverse("admin:recommendations_modelversion_changelist")
TRAIN = reverse("admin:recommendations_job_add")


@pytest.fixture
def older() -> ModelVersion:
    return ModelVersion.objects.create(version="older", location="older", status=ModelStatus.RETIRED)


def staff_who_may(*codenames: str) -> Client:
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def roll_back_to(model: ModelVersion, client: Client) -> str:
    client.post(MODELS, {"action": "make_champion", "_selected_action": [model.pk]})
    model.refresh_from_db()
    return model.status


def test_rolling_back_is_for_those_who_may_change_models(older: ModelVersion) -> None:
    assert roll_back_to(older, staff_who_may("view_modelversion")) == ModelStatus.RETIRED
    assert roll_back_to(older, staff_who_may("view_modelversion", "change_modelversion")) == ModelStatus.CHAMPION


def test_the_quality_that_was_measured_stands_in_the_list(admin_client: Client, champion: ModelVersion) -> None:
    assert f"{champion.metrics['plain_ndcg@10']:.3f}" in admin_client.get(MODELS).content.decode()


def test_the_page_says_what_saving_does(admin_client: Client) -> None:
    page = admin_client.get(TRAIN).content.decode()
    assert "Saving queues a training" in page
    assert "_addanother" not in page


def test_a_second_training_is_refused_in_words(admin_client: Client) -> None:
    start_training()
    page = admin_client.post(TRAIN, follow=True).content.decode()
    assert "is not finished yet" in page
    assert Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_training_stays_queued_while_the_broker_is_away(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broker_is_away(*_args: object) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr(tasks.train, "delay", broker_is_away)
    response = admin_client.post(TRAIN)
    assert response.status_code == 302
    assert Job.objects.get(kind=JobKind.TRAIN).state == JobState.QUEUED
