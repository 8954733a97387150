"""`manage.py score`: queue the scoring of every profile."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendations import tasks
from recommendations.services.jobs import AlreadyRunningError
from recommendations.services.scoring import start_scoring


class Command(BaseCommand):
    help = "Queue the scoring of all profiles, in shards, for the Celery workers."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            parent, shards = start_scoring()
        except AlreadyRunningError as error:
            raise CommandError(str(error), returncode=2) from error
        tasks.enqueue(*shards)
        self.stdout.write(f"Scoring job {parent.pk}: {len(shards)} shards are queued")
