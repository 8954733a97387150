"""The one door for bundles, and the one pointer to the champion."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from ml.artifacts import MANIFEST, read_manifest
from recommendations.models import ModelStatus, ModelVersion
from recommendations.services import store


def publish(bundle: Path, *, created_by: User | None = None) -> ModelVersion:
    """Verify ``bundle``, bring it into the model store, and enter it as a candidate. Twice is the same as once.

    The files come first and the row after them: a row never points at something half-written. A version whose files
    were deleted has them again. Raises :class:`ml.artifacts.BundleError` for a bundle that is damaged or foreign, and
    its kind :class:`recommendations.services.store.StoreError` where the store fails; nothing is stored then.
    """
    manifest = read_manifest(bundle)
    location = store.put(bundle)
    stored = {
        "location": location,
        "sha256": manifest.sha256,
        "size_bytes": (bundle / MANIFEST).stat().st_size + sum(entry["bytes"] for entry in manifest.files.values()),
        "pruned": None,
    }
    return ModelVersion.objects.update_or_create(
        version=manifest.version,
        defaults=stored,
        create_defaults={
            **stored,
            "fingerprint": _fingerprint(manifest.content["data"]["fingerprint"]),
            "git_revision": manifest.content["git_revision"],
            "params": manifest.content["params"],
            "metrics": manifest.content["metrics"],
            "created_by": created_by,
        },
    )[0]


@transaction.atomic
def activate(model: ModelVersion, *, by: User | None = None) -> ModelVersion:
    """Make ``model`` the champion; the one before retires. Rolling back is activating an older version.

    ``by`` is who decided it, if a person did. :class:`ValueError` for a version whose files were deleted.
    """
    # Locked in one order, so that two activations at once follow each other.
    rows = {
        row.pk: row
        for row in ModelVersion.objects.select_for_update()
        .filter(pk__in=[model.pk, *ModelVersion.objects.champion().values_list("pk", flat=True)])
        .order_by("pk")
    }
    chosen = rows[model.pk]
    if chosen.pruned is not None:
        raise ValueError(
            f"model {chosen.version}: its files were deleted on {chosen.pruned:%Y-%m-%d}; publish the bundle again"
        )
    for row in rows.values():
        if row.status == ModelStatus.CHAMPION and row.pk != model.pk:
            row.status = ModelStatus.RETIRED
            row.save(update_fields=["status"])
    if chosen.status != ModelStatus.CHAMPION:
        chosen.status = ModelStatus.CHAMPION
        chosen.activated = chosen.decided = timezone.now()
        chosen.decided_by = by
        chosen.save(update_fields=["status", "activated", "decided", "decided_by"])
    return chosen


@transaction.atomic
def reject(model: ModelVersion, verdict: str, by: User | None = None) -> ModelVersion:
    """Reject ``model``: ``verdict`` says why, ``by`` who, if a person did. :class:`ValueError` for the champion."""
    chosen = ModelVersion.objects.select_for_update().get(pk=model.pk)
    if chosen.status == ModelStatus.CHAMPION:
        raise ValueError(f"model {chosen.version} is the champion: activate another version first")
    chosen.status = ModelStatus.REJECTED
    chosen.verdict = verdict
    chosen.decided = timezone.now()
    chosen.decided_by = by
    chosen.save(update_fields=["status", "verdict", "decided", "decided_by"])
    return chosen


def _fingerprint(hashes: Mapping[str, str]) -> str:
    """One hash for the hashes of the data files that a model learned from."""
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()
