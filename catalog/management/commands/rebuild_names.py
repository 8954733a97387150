"""`manage.py rebuild_names`: puts the names that search compares right, should they ever differ from the titles."""

from typing import Any

from django.core.management.base import BaseCommand

from catalog.models import AnimeName
from catalog.names import rebuild_names


class Command(BaseCommand):
    help = "Check the search's names of every title and mend what differs. Changes nothing where all is well."

    def handle(self, *args: Any, **options: Any) -> None:
        changed = rebuild_names()
        self.stdout.write(f"{AnimeName.objects.count():,} names, {changed:,} changed")
