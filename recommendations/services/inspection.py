"""A look at every version in the model store, so that a broken one is known before somebody needs it."""

from __future__ import annotations

import logging

from ml.artifacts import BundleError
from recommendations.models import ModelStatus, ModelVersion
from recommendations.services import store

logger = logging.getLogger(__name__)


def inspect_versions() -> list[ModelVersion]:
    """Mark versions *broken* whose files in the store are missing or cut short, and those *retired* that are whole
    again; return the broken ones.

    The champion keeps its status, whatever it is like: it may serve from private copies, and the processes raise the
    alarm themselves. Where the store does not answer nothing is said of anybody.
    """
    broken: list[ModelVersion] = []
    for model in ModelVersion.objects.filter(pruned__isnull=True).exclude(status=ModelStatus.CHAMPION).order_by("pk"):
        try:
            store.check(model.location)
        except store.StoreError as error:
            logger.warning("the model store does not answer, its versions are not looked at: %s", error)
            return broken
        except BundleError as error:
            broken.append(model)
            _mark(model, ModelStatus.BROKEN, f"Broken: {error}")
        else:
            if model.status == ModelStatus.BROKEN:
                _mark(model, ModelStatus.RETIRED, "Its files are whole again.")
    return broken


def _mark(model: ModelVersion, status: ModelStatus, words: str) -> None:
    if model.status != status:
        logger.log(logging.ERROR if status == ModelStatus.BROKEN else logging.INFO, "model %s: %s", model, words)
        note = f"{model.note}\n{words}".strip()
        # Not one that has become champion meanwhile.
        ModelVersion.objects.filter(pk=model.pk, status=model.status).update(status=status, note=note)
