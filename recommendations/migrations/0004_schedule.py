"""What is done by the clock. A table, not a setting: admins may change times or switch an entry off."""

from django.conf import settings
from django.db import migrations

BY_CLOCK = [
    ("Train on what people rated today", "recommendations.tasks.nightly", {"hour": "3", "minute": "0"}),
    ("Score lists that are out of date", "recommendations.tasks.score", {"hour": "5", "minute": "0"}),
]
EVERY_MINUTES = [
    ("See to jobs whose worker died", "recommendations.tasks.sweep", 1),
    ("Train after many changes of lists", "recommendations.tasks.train_after_changes", 10),
]


def add(apps, schema_editor):
    task = apps.get_model("django_celery_beat", "PeriodicTask")
    crontab = apps.get_model("django_celery_beat", "CrontabSchedule")
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    for name, path, times in BY_CLOCK:
        clock, _ = crontab.objects.get_or_create(**times, timezone=settings.TIME_ZONE)
        task.objects.get_or_create(name=name, defaults={"task": path, "crontab": clock})
    for name, path, minutes in EVERY_MINUTES:
        every, _ = interval.objects.get_or_create(every=minutes, period="minutes")
        # Older than its next turn it would only be done twice.
        task.objects.get_or_create(
            name=name, defaults={"task": path, "interval": every, "expire_seconds": 60 * minutes}
        )


def remove(apps, schema_editor):
    names = [row[0] for row in BY_CLOCK + EVERY_MINUTES]
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name__in=names).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("recommendations", "0003_models_in_operation"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(add, remove)]
