"""What a process may load: web processes stay small, serving needs NumPy alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BASE_DIR = Path(__file__).resolve().parent.parent.parent
TRAINING_ONLY = ("tensorflow", "keras", "pandas", "sklearn", "scipy", "comet_ml", "dvc")


def run_fresh(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a new interpreter with production settings on the embedded default."""
    environment = {
        **{key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}},
        "DJANGO_SETTINGS_MODULE": "animerec_site.settings.prod",
        "SECRET_KEY": "for-this-process-only",
        "HTTPS": "off",
    }
    return subprocess.run(
        [sys.executable, "-c", code], cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param("import django; django.setup(); import animerec_site.urls", id="URLconf"),
        pytest.param("import animerec_site.wsgi", id="wsgi"),
    ],
)
def test_a_web_process_leaves_training_libraries_unimported(entry: str) -> None:
    code = f"import sys\n{entry}\nprint([name for name in {TRAINING_ONLY!r} if name in sys.modules])"
    result = run_fresh(code)
    assert (result.returncode, result.stdout.strip()) == (0, "[]"), result.stderr


def test_a_worker_loads_no_tensorflow_either() -> None:
    # It starts training as a process of its own: TensorFlow survives no fork.
    code = (
        "import sys, django; django.setup(); import animerec_site.celery, recommendations.tasks\n"
        "print('tensorflow' in sys.modules)"
    )
    result = run_fresh(code)
    assert (result.returncode, result.stdout.strip()) == (0, "False"), result.stderr


def test_serving_imports_where_neither_django_nor_tensorflow_exist() -> None:
    blocked = ("django", "rest_framework", "celery", "redis", "yaml", "tqdm", *TRAINING_ONLY)
    code = (
        f"import sys\nfor name in {blocked!r}: sys.modules[name] = None\n"
        "import ml.serving, ml.models, ml.artifacts\nprint('imported')"
    )
    result = run_fresh(code)
    assert (result.returncode, result.stdout.strip()) == (0, "imported"), result.stderr
