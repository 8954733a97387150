"""For the test suite: fast hashing, mail in memory, an own Redis prefix; the database of DATABASE_URL or SQLite."""

import os
import tempfile
from pathlib import Path

from animerec_site.settings.base import *  # noqa: F403
from animerec_site.settings.base import DATABASES, REDIS_URL

SECRET_KEY = "tests-only"  # noqa: S105
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
CELERY_TASK_STORE_EAGER_RESULT = False

# One folder and one database a process, so that two runs on one machine do not meet. tests/conftest.py removes them.
TEST_RUN = f"animerec-tests-{os.getpid()}"
VAR_DIR = Path(tempfile.gettempdir()) / TEST_RUN
STATIC_ROOT = VAR_DIR / "static"
MODEL_STORE = str(VAR_DIR / "models")
MODEL_CACHE = VAR_DIR / "model-cache"
TRAINING_DIR = VAR_DIR / "training"
GRAM_DIR = VAR_DIR / "gram"
CHAMPION_CHECK_SECONDS = 0.0
# Tests wait for a model, and ask for the two that follow where they are about them.
CHAMPION_LOAD_PATIENCE_SECONDS = 60.0
MODEL_STORE_CHECK_SECONDS = 0.0
SERVING_REPORT_SECONDS = 0.0

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: WAL, IMMEDIATE and the busy timeout are part of what is tested.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "tests.sqlite3")}
else:
    DATABASES["default"]["TEST"] = {"NAME": TEST_RUN.replace("-", "_")}
if REDIS_URL:
    CACHES["default"]["KEY_PREFIX"] = TEST_RUN  # noqa: F405
