"""Model versions as operators meet them: what a page says, and promoting, rolling back and rejecting."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recommendations.models import Job, JobKind, ModelStatus, ModelVersion
from tests.recommendations.admin_rows import audit_of, bundle_of, staff_who_may, stored_version

pytestmark = pytest.mark.django_db

MODELS = reverse("admin:recommendations_modelversion_changelist")
METRICS = {
    "plain_ndcg@10": 0.31, "plain_ndcg_stderr": 0.01, "discovery_ndcg@10": 0.2468, "plain_coverage": 1234.0
}  # fmt: skip
JUDGED: dict[str, Any] = {
    "promote": False,
    "people": 412,
    "candidate_version": "new",
    "champion_version": "serves",
    "checks": [
        {
            "name": "plain", "passed": False, "candidate": 0.31, "champion": 0.33, "difference": -0.02,
            "stderr": 0.004, "limit": -0.0078, "words": "plain NDCG@10 0.310: worse beyond error",
        },
        {
            "name": "size", "passed": True, "candidate": 40.5, "champion": None, "difference": None,
            "stderr": None, "limit": 100.0, "words": "size 40.5 MB, inside the limit of 100 MB",
        },
    ],
}  # fmt: skip


@pytest.fixture
def serves() -> ModelVersion:
    return stored_version("serves", ModelStatus.CHAMPION, activated=timezone.now())


@pytest.fixture
def older() -> ModelVersion:
    return stored_version("older", ModelStatus.RETIRED, activated=timezone.now() - timedelta(days=3))


@pytest.fixture
def new() -> ModelVersion:
    return stored_version(
        "new", judged=JUDGED, metrics=METRICS,
        verdict="Rejected: plain NDCG@10 0.310: worse beyond error. The other checks passed: size.",
        params={"seed": 7}, fingerprint="f" * 64, git_revision="abc123", size_bytes=40_500_000,
    )  # fmt: skip


@pytest.fixture
def operator() -> Client:
    return staff_who_may("view_modelversion", "change_modelversion", "view_job")


def page_of(model: ModelVersion) -> str:
    return reverse("admin:recommendations_modelversion_change", args=[model.pk])


def promoting(model: ModelVersion) -> str:
    return reverse("admin:modelversion_promote", args=[model.pk])


def rejecting(model: ModelVersion) -> str:
    return reverse("admin:modelversion_reject", args=[model.pk])


def status_of(model: ModelVersion) -> str:
    model.refresh_from_db()
    return model.status


def text_of(client: Client, address: str) -> str:
    return " ".join(client.get(address).content.decode().split())


class TestTheList:
    def test_shows_figures_and_the_first_sentence_of_the_verdict(
        self, admin_client: Client, new: ModelVersion
    ) -> None:
        page = text_of(admin_client, MODELS)
        for expected in ("0.310", "0.247", "1,234", "Rejected: plain NDCG@10 0.310: worse beyond error."):
            assert expected in page
        assert "The other checks passed" not in page

    def test_the_quality_that_was_measured_stands_in_the_list(
        self, admin_client: Client, champion: ModelVersion
    ) -> None:
        assert f"{champion.metrics['plain_ndcg@10']:.3f}" in admin_client.get(MODELS).content.decode()

    def test_its_actions_lead_to_the_question_and_do_nothing_themselves(
        self, operator: Client, serves: ModelVersion, older: ModelVersion
    ) -> None:
        for action, address in (("make_champion", promoting(older)), ("reject_version", rejecting(older))):
            response = operator.post(MODELS, {"action": action, "_selected_action": [older.pk]})
            assert response.headers["Location"] == address
        assert status_of(older) == ModelStatus.RETIRED
        many = {"action": "make_champion", "_selected_action": [older.pk, serves.pk]}
        assert "Select exactly one" in operator.post(MODELS, many, follow=True).content.decode()


class TestThePage:
    def test_tells_verdict_checks_metrics_and_origin(self, admin_client: Client, new: ModelVersion) -> None:
        Job.objects.create(kind=JobKind.TRAIN, model_version=new, state="succeeded")
        page = text_of(admin_client, page_of(new))
        for expected in (
            "The other checks passed", "412 held-out people", "the champion of then, serves", "-0.0200 ± 0.0040",
            "-0.0078", "inside the limit of 100 MB", "0.310 ± 0.020", "0.247", "1,234", "38.6", "f" * 64, "abc123",
            "seed", "Training #", reverse("about_model"),
        ):  # fmt: skip
            assert expected in page

    def test_offers_acts_to_those_who_may_decide_only(self, operator: Client, new: ModelVersion) -> None:
        assert promoting(new) in text_of(operator, page_of(new))
        viewer = staff_who_may("view_modelversion", username="viewer")
        page = text_of(viewer, page_of(new))
        assert promoting(new) not in page
        assert rejecting(new) not in page

    def test_says_which_files_are_gone(self, admin_client: Client, older: ModelVersion) -> None:
        ModelVersion.objects.filter(pk=older.pk).update(pruned=timezone.now())
        page = text_of(admin_client, page_of(older))
        assert "were deleted on" in page
        assert promoting(older) not in page

    def test_a_version_that_was_published_bare_has_a_page(self, admin_client: Client) -> None:
        bare = stored_version("bare")
        assert "The gate has not judged this version." in text_of(admin_client, page_of(bare))


class TestPromoting:
    def test_asks_first_and_says_what_is_replaced(
        self, operator: Client, serves: ModelVersion, new: ModelVersion
    ) -> None:
        page = text_of(operator, promoting(new))
        assert "This is a promotion: new has not been champion before." in page
        assert "It replaces serves" in page
        assert status_of(new) == ModelStatus.CANDIDATE
        assert not LogEntry.objects.exists()

    def test_on_post_it_serves_and_is_noted(self, operator: Client, serves: ModelVersion, new: ModelVersion) -> None:
        response = operator.post(promoting(new), {"beside": "serves", "reason": "looks better by hand"})
        assert response.headers["Location"] == page_of(new)
        assert status_of(new) == ModelStatus.CHAMPION
        assert status_of(serves) == ModelStatus.RETIRED
        assert new.decided_by is not None
        assert new.decided_by.username == "operator"
        words = "Promoted new, in place of serves. Reason: looks better by hand"
        assert audit_of(new) == [f"operator: {words}"]
        assert new.note.endswith(f"operator: {words}")
        assert words in text_of(operator, page_of(new))
        assert Job.objects.filter(kind=JobKind.SCORE).exists(), "stored lists are scored anew"

    def test_what_has_served_before_is_rolled_back_to(
        self, operator: Client, serves: ModelVersion, older: ModelVersion
    ) -> None:
        assert "This is a rollback: older has been champion before" in text_of(operator, promoting(older))
        operator.post(promoting(older), {"beside": "serves"})
        assert status_of(older) == ModelStatus.CHAMPION
        assert audit_of(older) == ["operator: Rolled back to older, in place of serves. No reason was given"]

    def test_the_first_champion_replaces_nobody(self, operator: Client, new: ModelVersion) -> None:
        operator.post(promoting(new), {"beside": ""})
        assert status_of(new) == ModelStatus.CHAMPION
        assert "in place of none" in audit_of(new)[0]

    def test_it_is_for_those_who_may_change_models(self, serves: ModelVersion, older: ModelVersion) -> None:
        viewer = staff_who_may("view_modelversion", "change_job", "add_job")
        assert viewer.get(promoting(older)).status_code == 403
        assert viewer.post(promoting(older), {"beside": "serves"}).status_code == 403
        viewer.post(MODELS, {"action": "make_champion", "_selected_action": [older.pk]})
        assert status_of(older) == ModelStatus.RETIRED

    def test_nothing_happens_if_another_became_champion_meanwhile(
        self, operator: Client, serves: ModelVersion, older: ModelVersion, new: ModelVersion
    ) -> None:
        response = operator.post(promoting(new), {"beside": "older", "reason": "kept"})
        assert response.status_code == 409
        page = response.content.decode()
        assert "The champion has changed since you were asked" in page
        assert "kept" in page
        assert status_of(serves) == ModelStatus.CHAMPION

    @pytest.mark.parametrize("state", ["pruned", "broken", "cut short", "gone", "champion"])
    def test_what_cannot_serve_is_refused_in_words(
        self, operator: Client, serves: ModelVersion, older: ModelVersion, state: str
    ) -> None:
        model, words = older, ""
        if state == "pruned":
            ModelVersion.objects.filter(pk=older.pk).update(pruned=timezone.now())
            words = "Publish the bundle again"
        elif state == "broken":
            ModelVersion.objects.filter(pk=older.pk).update(status=ModelStatus.BROKEN)
            words = "broken and cannot serve"
        elif state == "cut short":
            (bundle_of(older.location) / "a.npy").write_bytes(b"ab")
            words = "2 bytes where the manifest says 3"
        elif state == "gone":
            (bundle_of(older.location) / "manifest.json").unlink()
            words = "manifest.json: missing"
        else:
            model, words = serves, "is the champion already"
        assert words in text_of(operator, promoting(model))
        response = operator.post(promoting(model), {"beside": "serves"})
        assert response.status_code == 409
        assert words in response.content.decode()
        assert status_of(serves) == ModelStatus.CHAMPION
        assert not LogEntry.objects.exists()

    def test_against_the_gate_it_is_possible_with_a_warning(self, operator: Client, new: ModelVersion) -> None:
        ModelVersion.objects.filter(pk=new.pk).update(status=ModelStatus.REJECTED)
        assert "This version was rejected. Rejected: plain NDCG@10" in text_of(operator, promoting(new))


class TestRejecting:
    def test_asks_first(self, operator: Client, new: ModelVersion) -> None:
        assert "so no list changes" in text_of(operator, rejecting(new))
        assert status_of(new) == ModelStatus.CANDIDATE

    def test_on_post_it_is_rejected_and_the_gate_s_words_stay(self, operator: Client, new: ModelVersion) -> None:
        said = new.verdict
        operator.post(rejecting(new), {"reason": "odd lists"})
        assert status_of(new) == ModelStatus.REJECTED
        assert new.verdict == f"Rejected by operator: odd lists. Before that: {said}"
        assert audit_of(new) == ["operator: Rejected new, which was candidate. Reason: odd lists"]
        assert "odd lists" in new.note

    def test_the_champion_is_not_rejected(self, operator: Client, serves: ModelVersion) -> None:
        assert rejecting(serves) not in text_of(operator, page_of(serves))
        response = operator.post(rejecting(serves))
        assert response.status_code == 409
        assert "Make another version champion first" in response.content.decode()
        assert status_of(serves) == ModelStatus.CHAMPION

    def test_it_is_for_those_who_may_change_models(self, new: ModelVersion) -> None:
        viewer = staff_who_may("view_modelversion")
        assert viewer.get(rejecting(new)).status_code == 403
        assert viewer.post(rejecting(new)).status_code == 403
        assert status_of(new) == ModelStatus.CANDIDATE


def test_unknown_versions_are_not_found(operator: Client) -> None:
    for name in ("modelversion_promote", "modelversion_reject"):
        for unknown in ("999999", "nonsense"):
            assert operator.get(reverse(f"admin:{name}", args=[unknown])).status_code == 404
            assert operator.post(reverse(f"admin:{name}", args=[unknown])).status_code == 404


def test_a_long_reason_is_cut_and_its_markup_is_text(operator: Client, new: ModelVersion) -> None:
    operator.post(rejecting(new), {"reason": "<script>x</script>" + "y" * 2000})
    assert status_of(new) == ModelStatus.REJECTED
    page = text_of(operator, page_of(new))
    assert "&lt;script&gt;x" in page
    assert "y" * 501 not in page
