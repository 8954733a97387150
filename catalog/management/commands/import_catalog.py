"""`manage.py import_catalog PATH`: titles, synopses and franchises from the public data sets."""

from pathlib import Path
from typing import Any

from catalog.importers.catalogue import import_catalogue
from catalog.management.importing import ImportCommand


class Command(ImportCommand):
    help = (
        "Import titles from anime.csv (Kaggle 2016 or 2020, or our own snapshots), mal_tv_*.csv, "
        "anime_with_synopsis.csv and franchises.json. Importing twice is the same as once."
    )

    def run_import(self, path: Path, options: dict[str, Any]) -> None:
        reports = import_catalogue(path, max_errors=options["max_errors"], tell=self.tell, watch=self.watch)
        for report in reports:
            written = report.written
            counts = f"{written.new:,} new, {written.changed:,} changed, {written.unchanged:,} as they were"
            if written.unknown:
                counts += f", {written.unknown:,} not in the catalogue"
            self.stdout.write(f"{report.path.name} ({report.layout}): {counts}")
