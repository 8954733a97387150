"""A candidate beside the champion: judged in a process of its own on the judges of a snapshot, and decided on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from recommendations.models import Job, JobKind, ModelStatus, ModelVersion
from recommendations.services import gate, jobs, judges
from recommendations.services.registry import activate, publish
from recommendations.services.run import Run
from recommendations.services.snapshot import export_snapshot
from tests.ml.gate_world import contrary, rebuilt

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> Run:
    job = jobs.claim(jobs.create_job(JobKind.TRAIN).pk)
    assert job is not None
    return Run(job)


def verdict(beside: ModelVersion | None, *, promote: bool = True) -> dict[str, Any]:
    return {"promote": promote, "words": "So be it.", "beside": beside and beside.version, "checks": []}


class TestDeciding:
    @pytest.fixture
    def candidate(self, champion: ModelVersion, sample_bundle: Path, tmp_path: Path) -> ModelVersion:
        return publish(rebuilt(sample_bundle, tmp_path / "other", contrary))

    def test_promotion_retires_the_champion(self, champion: ModelVersion, candidate: ModelVersion) -> None:
        decided = gate.decide(candidate, verdict(champion))
        champion.refresh_from_db()
        assert (decided.status, champion.status) == (ModelStatus.CHAMPION, ModelStatus.RETIRED)
        assert (decided.verdict, decided.judged["beside"]) == ("So be it.", champion.version)

    def test_rejection_leaves_the_champion_alone(self, champion: ModelVersion, candidate: ModelVersion) -> None:
        decided = gate.decide(candidate, verdict(champion, promote=False))
        assert (decided.status, decided.verdict) == (ModelStatus.REJECTED, "So be it.")
        assert ModelVersion.objects.champion().get() == champion

    def test_another_champion_since_leaves_it_undecided(
        self, champion: ModelVersion, candidate: ModelVersion, sample_bundle: Path, tmp_path: Path
    ) -> None:
        other = publish(rebuilt(sample_bundle, tmp_path / "third", lambda arrays: None, without="ranker"))
        activate(other)
        decided = gate.decide(candidate, verdict(champion))
        assert decided.status == ModelStatus.CANDIDATE
        assert decided.verdict.startswith(f"Not decided: the champion became {other.version}")
        assert ModelVersion.objects.champion().get() == other


class TestJudging:
    @pytest.fixture
    def snapshot(
        self, champion: ModelVersion, sample_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Path:
        monkeypatch.setattr(judges, "SHARE", 0.3)
        call_command("import_ratings", str(sample_dir), "--source", "sample", verbosity=0)
        assert export_snapshot(tmp_path / "snapshot")["judges"] > 60
        return tmp_path / "snapshot"

    def test_one_made_worse_on_purpose_is_rejected_with_the_reason_in_words(
        self, champion: ModelVersion, snapshot: Path, sample_bundle: Path, tmp_path: Path, run: Run
    ) -> None:
        worse = publish(rebuilt(sample_bundle, tmp_path / "worse", contrary, without="ranker"))
        found = gate.judge(worse, snapshot, tmp_path / "verdict.json", run)
        assert not found["promote"]
        decided = gate.decide(worse, found)
        assert decided.status == ModelStatus.REJECTED
        assert decided.verdict.startswith("Rejected")
        assert "NDCG@10" in decided.verdict
        assert "plain" in [check["name"] for check in decided.judged["checks"] if not check["passed"]]
        assert ModelVersion.objects.champion().get() == champion

    def test_one_as_good_passes_within_error(
        self, champion: ModelVersion, snapshot: Path, sample_bundle: Path, tmp_path: Path, run: Run
    ) -> None:
        # Another model, but what it lists is the same: only the part that predicts ratings is missing.
        same = publish(rebuilt(sample_bundle, tmp_path / "same", lambda arrays: None, without="ratings"))
        assert same != champion
        found = gate.judge(same, snapshot, tmp_path / "verdict.json", run)
        assert found["promote"], found["words"]
        (plain,) = [check for check in found["checks"] if check["name"] == "plain"]
        assert plain["difference"] == 0
        job = Job.objects.get(pk=run.job.pk)
        assert job.stage == "gate"

    def test_a_champion_that_cannot_be_had_keeps_nobody_out(
        self, champion: ModelVersion, snapshot: Path, sample_bundle: Path, tmp_path: Path, run: Run
    ) -> None:
        candidate = publish(rebuilt(sample_bundle, tmp_path / "candidate", lambda arrays: None, without="ratings"))
        for root in (Path(settings.MODEL_STORE), settings.MODEL_CACHE):
            for path in (root / champion.location).glob("*"):
                path.unlink()
        found = gate.judge(candidate, snapshot, tmp_path / "verdict.json", run)
        assert f"The champion {champion.version} could not be judged beside it" in found["words"]
        assert gate.decide(candidate, found).status == ModelStatus.CHAMPION
