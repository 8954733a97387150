"""`manage.py import_ratings PATH`: the lists of the members of a public data set, or of the sample."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from catalog.management.importing import ImportCommand
from recommendations.models import ProfileSource
from recommendations.services.dataset_import import import_ratings


class Command(ImportCommand):
    help = (
        "Import rating.csv (Kaggle 2016), animelist.csv or rating_complete.csv (Kaggle 2020) as lists of imported "
        "members. Titles must be there first: import_catalog. Importing twice is the same as once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--source",
            choices=[source.value for source in ProfileSource if source is not ProfileSource.SITE],
            default=ProfileSource.MAL.value,
            help="whose lists these are (default: mal)",
        )

    def run_import(self, path: Path, options: dict[str, Any]) -> None:
        report = import_ratings(
            path,
            source=ProfileSource(options["source"]),
            max_errors=options["max_errors"],
            tell=self.tell,
            watch=self.watch,
        )
        counts = f"{report.new:,} new, {report.changed:,} changed, {report.unchanged:,} as they were"
        if report.unknown_title:
            counts += f", {report.unknown_title:,} skipped (unknown title)"
        self.stdout.write(f"{report.path.name}: {counts}; {report.new_profiles:,} new members")
