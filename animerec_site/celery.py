"""The Celery application; `celery -A animerec_site worker`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "animerec_site.settings.dev")

app = Celery("animerec")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
