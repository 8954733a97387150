"""The gate in operation: a candidate is judged beside the champion, and becomes champion or is rejected.

The rules and the words are those of :mod:`ml.evaluation.gate`; here they are run in a process of their own on the
judges of the snapshot (:mod:`recommendations.services.judges`), and the decision is carried out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.models import User
from ml.artifacts import BundleError
from recommendations.models import ModelStatus, ModelVersion
from recommendations.services import store
from recommendations.services.child import Limits, run_child
from recommendations.services.registry import activate, reject
from recommendations.services.run import Run
from recommendations.services.snapshot import JUDGES, JUDGES_HELDOUT

Verdict = dict[str, Any]


def judge(candidate: ModelVersion, snapshot: Path, out: Path, run: Run) -> Verdict:
    """Judge ``candidate`` beside the champion on the judges of ``snapshot``; ``out``: a file to write into.

    A champion whose bundle cannot be had is not judged beside: it cannot keep a better model out.
    """
    arguments = [
        "-m", "ml", "gate", "--candidate", str(store.fetch(candidate.location, Path(settings.MODEL_CACHE))),
        "--profiles", str(snapshot / JUDGES), "--heldout", str(snapshot / JUDGES_HELDOUT),
        "--out", str(out), "--params", str(settings.TRAINING_PARAMS), "--progress", "json", "--end-with-parent",
    ]  # fmt: skip
    missing = ""
    champion = ModelVersion.objects.champion().exclude(pk=candidate.pk).first()
    if champion is not None:
        try:
            folder = store.fetch(champion.location, Path(settings.MODEL_CACHE))
        except BundleError as error:
            missing = f" The champion {champion.version} could not be judged beside it: {error}."
        else:
            arguments += ["--champion", str(folder)]
    limits = Limits(settings.GATE_TIME_LIMIT_SECONDS, settings.TRAINING_MEMORY_LIMIT_MIB)
    run_child("The gate", arguments, limits, on_line=run.on_line, on_look=run.on_look)
    verdict: Verdict = json.loads(out.read_text(encoding="utf-8"))
    verdict["words"] += missing
    verdict["beside"] = None if champion is None else champion.version
    return verdict


@transaction.atomic
def decide(candidate: ModelVersion, verdict: Verdict, *, by: User | None = None) -> ModelVersion:
    """Make the candidate champion or reject it, as ``verdict`` says, and keep the verdict.

    It stays a candidate where another model has become champion since: it was not judged beside that one.
    """
    champion = ModelVersion.objects.select_for_update().champion().exclude(pk=candidate.pk).first()
    words = verdict["words"]
    judged = {key: value for key, value in verdict.items() if key != "words"}
    now = None if champion is None else champion.version
    if now != verdict["beside"]:
        words = f"Not decided: the champion became {now or 'none'} while this model was judged. {words}"
    ModelVersion.objects.filter(pk=candidate.pk).update(verdict=words, judged=judged)
    candidate.refresh_from_db()
    if now != verdict["beside"] or candidate.status == ModelStatus.CHAMPION:
        return candidate
    if verdict["promote"]:
        return activate(candidate, by=by)
    return reject(candidate, words, by=by)
