"""Settings shared by every environment. Values that differ come from environment variables (docs/operations.md)."""

from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from redis.backoff import NoBackoff
from redis.retry import Retry

from animerec_site.settings.env import BASE_DIR as BASE_DIR
from animerec_site.settings.env import VAR_DIR as VAR_DIR
from animerec_site.settings.env import env

DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "accounts",
    "catalog",
    "recommendations",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.usersessions",
    "csp",
    "django_celery_beat",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
]

MIDDLEWARE = [
    "animerec_site.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Below WhiteNoise, which serves files that were compressed once and for all.
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "animerec_site.urls"
WSGI_APPLICATION = "animerec_site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "recommendations.context.site",
            ],
        },
    },
]

# --- Data ---------------------------------------------------------------------------------------------------

SQLITE_OPTIONS: dict[str, Any] = {
    # IMMEDIATE takes the write lock at BEGIN, so that two writers wait for each other instead of failing midway.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
}


def database(url: str) -> dict[str, Any]:
    """A DATABASES entry of a URL, with the options that our SQLite and Postgres need."""
    config: dict[str, Any] = env.db_url_config(url)
    if config["ENGINE"].endswith("sqlite3"):
        config["OPTIONS"] = {**SQLITE_OPTIONS, **config.get("OPTIONS", {})}
    else:
        config["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE_SECONDS", default=60)
        config["CONN_HEALTH_CHECKS"] = True
    return config


DATABASE_URL = env.str("DATABASE_URL", default="") or f"sqlite:///{VAR_DIR / 'animerec.sqlite3'}"
DATABASES = {"default": database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# A worker never holds a write transaction over more rows than this: on SQLite everybody else waits for it.
WRITE_BATCH_ROWS = env.int("WRITE_BATCH_ROWS", default=500)

REDIS_URL = env.str("REDIS_URL", default="")
REDIS_KEY_PREFIX = env.str("REDIS_KEY_PREFIX", default="animerec")


def redis_cache(url: str) -> dict[str, Any]:
    """A CACHES entry of a URL. A cache that has to be waited for is worse than none."""
    return {
        "BACKEND": "animerec_site.cache.ForgivingRedisCache",
        "LOCATION": url,
        "KEY_PREFIX": REDIS_KEY_PREFIX,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1, "retry": Retry(NoBackoff(), 1)},
    }


if REDIS_URL:
    CACHES = {"default": redis_cache(REDIS_URL)}
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 5000},
        }
    }

# --- Queue --------------------------------------------------------------------------------------------------

TRAINING_TIME_LIMIT_SECONDS = env.int("TRAINING_TIME_LIMIT_SECONDS", default=4 * 3600)
TRAINING_MEMORY_LIMIT_MIB = env.int("TRAINING_MEMORY_LIMIT_MIB", default=12 * 1024)
GATE_TIME_LIMIT_SECONDS = env.int("GATE_TIME_LIMIT_SECONDS", default=3600)
# A folder in a public layout whose ratings are learned from as well; empty: there is none.
TRAINING_CORPUS = env.str("TRAINING_CORPUS", default="")
# Whether a training first counts who watched what together by shards of people over the workers, and learns the rest
# from a sample of members; GRAM_DIR is a folder that all workers share.
TRAINING_SHARDED = env.bool("TRAINING_SHARDED", default=False)
TRAINING_SAMPLE_MEMBERS = env.int("TRAINING_SAMPLE_MEMBERS", default=50_000)
COUNTING_SHARD_PROFILES = env.int("COUNTING_SHARD_PROFILES", default=20_000)
TRAIN_AFTER_CHANGES = env.int("TRAIN_AFTER_CHANGES", default=10_000)
JOB_LEASE_SECONDS = env.int("JOB_LEASE_SECONDS", default=120)
SCORING_SHARD_PROFILES = env.int("SCORING_SHARD_PROFILES", default=2000)
# A job that is still queued after this long may have lost its message: it is sent again.
QUEUE_PATIENCE_SECONDS = env.int("QUEUE_PATIENCE_SECONDS", default=600)

CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TASK_DEFAULT_QUEUE = f"{REDIS_KEY_PREFIX}.default"
if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        # Longer than the longest task, or Redis hands a running training to a second worker.
        "visibility_timeout": TRAINING_TIME_LIMIT_SECONDS + 3600,
        "global_keyprefix": f"{REDIS_KEY_PREFIX}:",
    }
else:
    QUEUE_DIR = VAR_DIR / "queue"
    CELERY_BROKER_URL = "filesystem://localhost"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(QUEUE_DIR / "messages"),
        "data_folder_out": str(QUEUE_DIR / "messages"),
        "control_folder": str(QUEUE_DIR / "control"),
        "store_processed": False,
    }

# --- Models -------------------------------------------------------------------------------------------------

# A folder, or an address that fsspec understands, such as gs://BUCKET/PREFIX.
MODEL_STORE = env.str("MODEL_STORE", default=str(VAR_DIR / "models"))
MODEL_CACHE = Path(env.str("MODEL_CACHE", default=str(VAR_DIR / "model-cache")))
TRAINING_DIR = Path(env.str("TRAINING_DIR", default=str(VAR_DIR / "training")))
GRAM_DIR = Path(env.str("GRAM_DIR", default=str(VAR_DIR / "gram")))
TRAINING_PARAMS = Path(env.str("TRAINING_PARAMS", default=str(BASE_DIR / "params.yaml")))
CHAMPION_CHECK_SECONDS = env.float("CHAMPION_CHECK_SECONDS", default=2.0)
# How long a request of a process that has no model yet waits for the first, before it falls back to popular titles.
CHAMPION_LOAD_PATIENCE_SECONDS = env.float("CHAMPION_LOAD_PATIENCE_SECONDS", default=3.0)
# How often a process looks whether the champion's bundle in the store is whole; 0: never.
MODEL_STORE_CHECK_SECONDS = env.float("MODEL_STORE_CHECK_SECONDS", default=60.0)
# How often a process writes down what it serves from; 0: never.
SERVING_REPORT_SECONDS = env.float("SERVING_REPORT_SECONDS", default=30.0)
# The newest versions whose files pruning leaves in the store, beside the champion and the one before it.
MODEL_VERSIONS_KEPT = env.int("MODEL_VERSIONS_KEPT", default=10)
RECOMMENDATION_CACHE_SECONDS = env.int("RECOMMENDATION_CACHE_SECONDS", default=3600)
MAX_PROFILE_RATINGS = 5000

# --- People -------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_REDIRECT_URL = "for_you"
ACCOUNT_FORMS = {"signup": "accounts.forms.SignupForm"}
ACCOUNT_ADAPTER = "recommendations.account_adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_SESSION_REMEMBER = True
# The rate limits of signing in are by address: without this everybody behind a proxy would share the proxy's.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
SESSION_COOKIE_AGE = 90 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "animerec_site.errors.csrf_failure"

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="AnimeRec <noreply@localhost>")

# --- Pages --------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
# Only what the site itself speaks: else Django and allauth would mix their translations into English pages.
LANGUAGES = [("en", "English")]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
LOCALE_PATHS = [BASE_DIR / "locale"]

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    # Django's admin (unfold runs Alpine, which evaluates expressions) goes without: ADR 0005.
    "EXCLUDE_URL_PREFIXES": ("/admin/",),
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "https:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

# --- API ----------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.BearerTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.parsers.StrictJSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "accounts.problems.problem_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "AnimeRec API",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}

UNFOLD = {
    "SITE_TITLE": "AnimeRec",
    "SITE_HEADER": "AnimeRec",
    "SITE_SYMBOL": "movie",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": f"{STATIC_URL}img/favicon.svg"}],
    "SIDEBAR": {"navigation": "recommendations.admin.navigation.sidebar"},
}
