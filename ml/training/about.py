"""What a manifest says about a bundle: when, by which code, from what."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ml.training.data import Members
from ml.training.params import Params


def description(
    members: Members,
    titles: int,
    fingerprints: Mapping[str, str],
    params: Params,
    metrics: Mapping[str, float],
    git_revision: str,
) -> dict[str, Any]:
    """What the manifest says besides the files."""
    batch = members.batch
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "git_revision": git_revision,
        "data": {
            "fingerprint": dict(fingerprints),
            "titles": titles,
            "titles_on_lists": len(np.unique(batch.rows)),
            "members": len(members),
            "entries": len(batch.rows),
            "ratings": int((~np.isnan(batch.ratings)).sum()),
        },
        "params": params.as_dict(),
        "metrics": dict(metrics),
    }


def current_revision(directory: Path) -> str:
    """The git revision of the code, empty where there is none (an image without a checkout)."""
    try:
        result = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=directory, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return result.stdout.strip()
