"""What the import commands have in common: arguments, progress on stderr, one line for whatever goes wrong."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from catalog.importers.problems import ImportStopped
from catalog.importers.tables import Progress


class ImportCommand(BaseCommand):
    """Bad input ends the command with exit code 2 and one line on stderr."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="PATH", help="a directory, or a single file")
        parser.add_argument(
            "--max-errors",
            type=_count,
            default=0,
            metavar="N",
            help="how many bad rows to report and skip before the import stops (default: 0)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._bars = options["verbosity"] > 0
        try:
            self.run_import(options["path"], options)
        except ImportStopped as error:
            raise CommandError(str(error), returncode=2) from error

    def run_import(self, path: Path, options: dict[str, Any]) -> None:
        raise NotImplementedError

    def tell(self, text: str) -> None:
        with tqdm.external_write_mode():
            self.stderr.write(text)

    @contextmanager
    def watch(self, description: str, total_bytes: int) -> Iterator[Progress]:
        """A progress bar; none where stderr is no terminal."""
        disable = None if self._bars else True
        with tqdm(desc=description, total=total_bytes, unit="B", unit_scale=True, disable=disable) as bar:
            yield bar.update


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"“{text}” is not a whole number from 0")
    return int(text)
