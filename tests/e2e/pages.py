"""The pages that tests go through: those of `scripts/pages.toml`, which the screenshots show as well."""

from __future__ import annotations

import tomllib

from tests.ops.running_demo import BASE_DIR

_TABLE: dict[str, dict[str, str]] = tomllib.loads((BASE_DIR / "scripts" / "pages.toml").read_text())
VISITOR_PAGES = _TABLE["visitor"]
MEMBER_PAGES = _TABLE["member"]
ERROR_PAGES = _TABLE["error"]
