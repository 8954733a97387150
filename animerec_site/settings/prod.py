"""For a public site and for `make demo`, which differ in environment variables only (docs/operations.md)."""

from django.core.exceptions import ImproperlyConfigured

from animerec_site.settings.base import *  # noqa: F403
from animerec_site.settings.base import DATABASE_URL, REDIS_URL
from animerec_site.settings.env import env

SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is not set: a random string of 50 characters or more")

# HTTPS is the rule; only the demo, which serves http://127.0.0.1, sets HTTPS=off.
HTTPS = env.bool("HTTPS", default=True)
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=365 * 24 * 3600) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    if DATABASE_URL.startswith("sqlite") or not REDIS_URL:
        raise ImproperlyConfigured("A public site (HTTPS=on) needs DATABASE_URL (Postgres) and REDIS_URL")
