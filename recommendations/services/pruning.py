"""Room: the files of old versions are deleted, never those of the champion or of the version before it."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ml.artifacts import BundleError
from recommendations.models import ModelStatus, ModelVersion
from recommendations.selectors.serving import predecessor
from recommendations.services import store
from recommendations.services.engine import loaded_engine

logger = logging.getLogger(__name__)

# A candidate this young may still be waiting for somebody's decision.
CANDIDATE_KEPT_FOR = timedelta(days=1)


def prune_models(keep: int | None = None) -> list[ModelVersion]:
    """Delete the files of all versions but the champion, the one before it, the newest ``keep`` (default:
    ``MODEL_VERSIONS_KEPT``) and candidates younger than a day; return the versions that lost theirs now.

    The rows stay, marked ``pruned``: marked first, so that nobody activates what is about to go. Where the store
    fails, that is logged, and the next time what has stayed behind is deleted. Copies in this machine's
    ``MODEL_CACHE`` go too, but those of the champion, the one before it, and what this process serves.
    """
    pruned = _mark(settings.MODEL_VERSIONS_KEPT if keep is None else keep)
    try:
        stored = store.sizes()
        for model in ModelVersion.objects.filter(pruned__isnull=False, location__in=stored):
            store.delete(model.location)
            logger.info("model %s: files deleted, %d bytes", model.version, stored[model.location])
    except BundleError as error:
        logger.error("files of old models cannot be deleted: %s", error)
    store.forget_copies(Path(settings.MODEL_CACHE), _served_locations())
    return pruned


@transaction.atomic
def _mark(keep: int) -> list[ModelVersion]:
    # All rows are locked: an activation waits, and then sees the mark.
    present = list(ModelVersion.objects.select_for_update().filter(pruned__isnull=True).order_by("pk"))
    now = timezone.now()
    before = predecessor()
    newest = sorted(present, key=lambda model: (model.created, model.pk), reverse=True)[: max(keep, 0)]
    kept = {model.pk for model in newest} | ({before.pk} if before is not None else set())
    pruned = [
        model
        for model in present
        if model.pk not in kept
        and model.status != ModelStatus.CHAMPION
        and not (model.status == ModelStatus.CANDIDATE and now - model.created < CANDIDATE_KEPT_FOR)
    ]
    for model in pruned:
        model.pruned = now
        model.save(update_fields=["pruned"])
    return pruned


def _served_locations() -> set[str]:
    engine = loaded_engine()
    models = (*ModelVersion.objects.champion(), predecessor(), engine.model if engine else None)
    return {model.location for model in models if model is not None}
