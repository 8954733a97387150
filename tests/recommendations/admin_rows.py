"""What tests of the admin start from: staff who may do this or that, and versions with a small bundle."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client

from recommendations.models import ModelStatus, ModelVersion
from tests.factories import UserFactory


def stored_version(version: str, status: ModelStatus = ModelStatus.CANDIDATE, **fields: Any) -> ModelVersion:
    """A version whose bundle lies whole in the store: a manifest, and one file of three bytes."""
    manifest = json.dumps({"version": version, "files": {"a.npy": {"bytes": 3}}}).encode()
    location = hashlib.sha256(manifest).hexdigest()
    folder = bundle_of(location)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.npy").write_bytes(b"abc")
    (folder / "manifest.json").write_bytes(manifest)
    return ModelVersion.objects.create(version=version, location=location, status=status, **fields)


def bundle_of(location: str) -> Path:
    return Path(settings.MODEL_STORE) / location


def staff_who_may(*codenames: str, username: str = "operator") -> Client:
    """A client of somebody who may enter the admin and do what is named, and nothing else."""
    user = UserFactory(is_staff=True, username=username)
    permissions = Permission.objects.filter(content_type__app_label="recommendations", codename__in=codenames)
    assert len(permissions) == len(codenames)
    user.user_permissions.set(permissions)
    client = Client()
    client.force_login(user)
    return client


def audit_of(row: Model) -> list[str]:
    """Who did what to ``row``, oldest first."""
    entries = LogEntry.objects.filter(object_id=str(row.pk), content_type__model=row._meta.model_name)
    return [f"{entry.user}: {entry.get_change_message()}" for entry in entries.order_by("pk")]
