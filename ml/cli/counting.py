"""The command that counts who watched what together, by shards of people."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ml.cli.commands import check_writable
from ml.cli.parent import end_with_parent
from ml.cli.progress import make_progress, stage_percent
from ml.reading import Catalogue, Interactions, fingerprint, read_catalogue, read_interactions
from ml.reading.dataset import rating_file, watched
from ml.reading.ratings import KEY_COLUMNS, nobody
from ml.reading.rows import read_rows
from ml.training.data import Members
from ml.training.gram import add_grams, write_gram
from ml.training.params import read_params
from ml.types import InputError

STAGE = "gram"
READ_PERCENT = 20


def gram(options: argparse.Namespace) -> None:
    """Count one shard, or add what was counted."""
    check_writable(options.out)
    if (options.data is None) != (options.ratings is None):
        raise InputError("--data names the catalogue for --ratings: give both or neither")
    if options.end_with_parent:
        end_with_parent()
    progress = make_progress(options.progress, percent_of=stage_percent)
    if options.add is not None:
        header = add_grams(options.add, options.out, lambda percent, message: progress(STAGE, percent, message))
    else:
        taste = read_params(options.params).ease_taste()
        ratings = rating_file(options.ratings) if options.ratings.is_dir() else options.ratings
        progress(STAGE, 0, f"reading {ratings.name}")
        catalogue = read_catalogue(options.data)
        members = _members(ratings, catalogue)
        (source,) = fingerprint((ratings,)).values()

        def counting(percent: float, message: str) -> None:
            progress(STAGE, READ_PERCENT + (100 - READ_PERCENT) * percent / 100, message)

        header = write_gram(options.out, members, catalogue.anime_ids, taste, source, counting)
    print(f"{options.out}: {header.entries:,} entries of {header.members:,} members, {header.titles:,} titles")


def _members(path: Path, catalogue: Catalogue) -> Members:
    entries = _entries(path)
    if entries.repeated:
        print(f"note: {path}: {entries.repeated} repeated entries, the last of each counts", file=sys.stderr)
    return Members.of(entries.where(watched(entries)), catalogue)


def _entries(path: Path) -> Interactions:
    """The entries of a file, which here may be a header alone: a shard of people whose lists are empty."""
    if next(read_rows(path, KEY_COLUMNS), None) is None:
        return nobody()
    return read_interactions(path)
