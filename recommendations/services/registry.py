"""The one door for bundles, and the one pointer to the champion."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from ml.artifacts import cached_copy
from recommendations.models import ModelStatus, ModelVersion


def publish(bundle: Path, *, created_by: User | None = None) -> ModelVersion:
    """Verify ``bundle``, copy it into the model store, and enter it as a candidate. Twice is the same as once.

    The files come first and the row after them: a row never points at something half-written. Raises
    :class:`ml.artifacts.BundleError` for a bundle that is damaged or foreign; nothing is stored then.
    """
    stored, manifest = cached_copy(bundle, Path(settings.MODEL_STORE))
    return ModelVersion.objects.get_or_create(
        version=manifest.version,
        defaults={
            "location": stored.name,
            "fingerprint": _fingerprint(manifest.content["data"]["fingerprint"]),
            "git_revision": manifest.content["git_revision"],
            "params": manifest.content["params"],
            "metrics": manifest.content["metrics"],
            "created_by": created_by,
        },
    )[0]


@transaction.atomic
def activate(model: ModelVersion) -> ModelVersion:
    """Make ``model`` the champion; the one before retires. Rolling back is activating an older version."""
    # Locked in one order, so that two activations at once follow each other.
    rows = {
        row.pk: row
        for row in ModelVersion.objects.select_for_update()
        .filter(pk__in=[model.pk, *ModelVersion.objects.champion().values_list("pk", flat=True)])
        .order_by("pk")
    }
    for row in rows.values():
        if row.status == ModelStatus.CHAMPION and row.pk != model.pk:
            row.status = ModelStatus.RETIRED
            row.save(update_fields=["status"])
    chosen = rows[model.pk]
    if chosen.status != ModelStatus.CHAMPION:
        chosen.status = ModelStatus.CHAMPION
        chosen.activated = timezone.now()
        chosen.save(update_fields=["status", "activated"])
    return chosen


def _fingerprint(hashes: Mapping[str, str]) -> str:
    """One hash for the hashes of the data files that a model learned from."""
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()
