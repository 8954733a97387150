"""Typed readers of the environment: one place that says which variables exist.

Every variable is optional here; `prod` insists on the ones a public site cannot do without.
"""

from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent.parent

env = environ.Env()

# Run-time state of the embedded default (database, models, mail, queue) lives below one folder.
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()
