"""`manage.py publish_model BUNDLE [--activate]`: the one door for bundles."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ml.artifacts import BundleError
from recommendations.services.registry import activate, publish


class Command(BaseCommand):
    help = "Verify a bundle, copy it into the model store and register it; --activate makes it the champion."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("bundle", type=Path, help="the bundle's directory")
        parser.add_argument("--activate", action="store_true", help="serve from it at once")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            model = publish(options["bundle"])
        except BundleError as error:
            raise CommandError(str(error), returncode=2) from error
        if options["activate"]:
            model = activate(model)
        self.stdout.write(f"{model.version} {model.status}")
