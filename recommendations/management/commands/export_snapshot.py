"""`manage.py export_snapshot --out DIR`: catalogue and ratings in the layout that `python -m ml train` reads."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendations.services.snapshot import export_snapshot


class Command(BaseCommand):
    help = "Write the catalogue and all ratings, without who the people are, into a new directory."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--out", type=Path, required=True, help="the new directory")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            counts = export_snapshot(options["out"])
        except FileExistsError as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(", ".join(f"{count:,} {name}" for name, count in counts.items()))
