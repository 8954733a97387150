"""A data directory: catalogue and ratings together, and what identifies them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ml.reading.catalogue import Catalogue, read_catalogue
from ml.reading.ratings import STATUS_ORDER, Interactions, concatenate, nobody, read_interactions
from ml.types import InputError, Status

# The first of these that is there is read; whatever else lies in the directory is not looked at.
RATING_FILES = ("rating.csv", "animelist.csv", "rating_complete.csv")
CATALOGUE_FILES = ("anime.csv", "anime_with_synopsis.csv", "franchises.json")


@dataclass(frozen=True, slots=True)
class Dataset:
    """What training learns from. Every ``anime_id`` of ``interactions`` is in ``catalogue``.

    ``notes`` says in words what was left out while reading.
    """

    catalogue: Catalogue
    interactions: Interactions
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def rating_file(directory: Path) -> Path:
    """The ratings file of a data directory."""
    if not directory.is_dir():
        raise InputError(f"{directory}: no such directory")
    for name in RATING_FILES:
        if (directory / name).is_file():
            return directory / name
    raise InputError(f"{directory}: holds none of {', '.join(RATING_FILES)}")


def read_dataset(
    directory: Path,
    exclude: np.ndarray | None = None,
    progress: Callable[[float, str], None] = lambda percent, message: None,
    join: Path | None = None,
) -> Dataset:
    """Read a data directory. The titles ``exclude`` (ids) become as good as unreleased: their ratings are
    dropped, their members and community score blanked; the rest of what is known about them stays.

    The ratings of the directory ``join`` are added, as those of other people, whatever their user ids; its catalogue
    is not looked at."""
    ratings = rating_file(directory)
    progress(0, "reading the catalogue")
    catalogue = read_catalogue(directory)
    progress(20, f"reading {ratings.name}")
    joined = None if join is None else rating_file(join)
    # A new site may have nobody of its own yet: there is only what is joined.
    interactions = read_interactions(ratings) if joined is None or _has_rows(ratings) else nobody()
    notes = []
    if interactions.repeated:
        notes.append(f"{ratings}: {interactions.repeated} repeated entries, the last of each counts")
    if joined is not None:
        progress(60, f"reading {joined}")
        interactions = _with_others(interactions, read_interactions(joined))
    known = catalogue.rows_of(interactions.anime_ids) >= 0
    if not known.all():
        notes.append(f"{ratings}: {int((~known).sum())} ratings of titles that are not in anime.csv left out")
    keep = known & watched(interactions)
    if exclude is not None:
        unknown = int((catalogue.rows_of(exclude) < 0).sum())
        if unknown:
            notes.append(f"{unknown} of the excluded ids are not in anime.csv")
        keep &= ~np.isin(interactions.anime_ids, exclude)
        catalogue = catalogue.without_reception(exclude)
    interactions = replace(interactions.where(keep), repeated=0)
    if not len(interactions):
        raise InputError(f"{ratings}: holds no rating of a title in anime.csv")
    files = [ratings, *(directory / name for name in CATALOGUE_FILES if (directory / name).is_file())]
    if joined is not None:
        files.append(joined)
    return Dataset(catalogue, interactions, tuple(files), tuple(notes))


def watched(interactions: Interactions) -> np.ndarray:
    """Which entries are learned from, bool (nnz,): what somebody plans to watch is a wish, not yet a choice."""
    return interactions.statuses != STATUS_ORDER.index(Status.PLANNED)


def _has_rows(path: Path) -> bool:
    with path.open("rb") as file:
        return bool(file.readline() and file.readline().strip())


def _with_others(first: Interactions, others: Interactions) -> Interactions:
    """The entries of both; nobody of ``others`` is taken for one of ``first``."""
    offset = int(first.user_ids.max(initial=-1)) + 1
    both = concatenate([first, replace(others, user_ids=others.user_ids + offset)])
    return replace(both, repeated=first.repeated + others.repeated)


def fingerprint(files: tuple[Path, ...]) -> dict[str, str]:
    """SHA-256 of each file, by name; of a file whose name was there before, by folder and name."""
    result: dict[str, str] = {}
    for path in files:
        with path.open("rb") as file:
            name = path.name if path.name not in result else f"{path.parent.name}/{path.name}"
            result[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return result
