"""Who lists are judged by: people that nothing was trained or tuned on."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ml.evaluation.metrics import Judged, judge
from ml.evaluation.splits import Split, choose_members, hide_share
from ml.models.profiles import ProfileBatch
from ml.reading import Catalogue, Dataset, read_dataset, read_interactions
from ml.training.data import Members

K = 10
SEED = 20
HELD_OUT_SHARE = 0.12
HELD_OUT_MOST = 500
HELD_OUT_MIN_ENTRIES = 20
HIDDEN_SHARE = 0.2
TEST_FILES = ("test_profiles.csv", "test_heldout.csv")


@dataclass(frozen=True, slots=True)
class People:
    """m people: what a recommender is shown of their lists and what is held out. ``words`` says who they are."""

    words: str
    split: Split

    def __len__(self) -> int:
        return len(self.split.shown)

    @property
    def shown(self) -> ProfileBatch:
        return self.split.shown


def judged_people(data: Path, work: Path) -> tuple[Path, Dataset, People]:
    """The directory to train on, what is in it, and the people to judge by: those of ``test_profiles.csv`` and
    ``test_heldout.csv`` where ``data`` holds them, else members that are taken out of the ratings."""
    dataset = read_dataset(data)
    if all((data / name).is_file() for name in TEST_FILES):
        return data, dataset, _test_people(data, dataset.catalogue)
    members, people = take_out(Members.of(dataset.interactions, dataset.catalogue), SEED)
    training = work / "training"
    write_training(training, data, dataset.catalogue, members)
    return training, read_dataset(training), people


def take_out(members: Members, seed: int) -> tuple[Members, People]:
    """The members to train on, and some others of whose entries a fifth is held out."""
    chosen = choose_members(members.batch, HELD_OUT_SHARE, HELD_OUT_MOST, HELD_OUT_MIN_ENTRIES, seed)
    out = np.zeros(len(members), dtype=bool)
    out[chosen] = True
    split = hide_share(members.where(out).batch, HIDDEN_SHARE, seed)
    return members.where(~out), People(f"{len(chosen)} members held out of the ratings", split)


def judge_lists(lists: list[np.ndarray], people: People, catalogue: Catalogue, discovery: bool) -> Judged:
    """Judge lists of rows of the catalogue, one for each of ``people``."""
    shown = people.shown
    seen = {
        person: set(shown.rows[start:stop].tolist())
        for person, (start, stop) in enumerate(zip(shown.indptr[:-1], shown.indptr[1:], strict=True))
    }
    liked = {person: set(rows.tolist()) for person, rows in enumerate(people.split.liked()) if len(rows)}
    franchise: Callable[[int], object] | None = None
    if discovery:
        franchise = dict(enumerate(catalogue.frame["franchise"].tolist())).__getitem__
    return judge({person: rows.tolist() for person, rows in enumerate(lists)}, seen, liked, K, franchise)


def _test_people(data: Path, catalogue: Catalogue) -> People:
    shown, held = (Members.of(read_interactions(data / name), catalogue) for name in TEST_FILES)
    return People(f"{len(shown)} members of {TEST_FILES[0]}", Split(shown.batch, _of_users(held, shown.user_ids)))


def _of_users(members: Members, user_ids: np.ndarray) -> ProfileBatch:
    """The lists of ``user_ids`` (sorted), an empty one for whoever has none."""
    known = members.where(np.isin(members.user_ids, user_ids))
    sizes = np.zeros(len(user_ids), dtype=np.int64)
    sizes[np.searchsorted(user_ids, known.user_ids)] = known.batch.sizes
    indptr = np.concatenate(([0], np.cumsum(sizes)))
    return ProfileBatch(indptr, known.batch.rows, known.batch.ratings, known.batch.statuses)


def write_training(directory: Path, data: Path, catalogue: Catalogue, members: Members) -> None:
    """A data directory with the entries of ``members`` as its ratings, and links to all other files."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("anime.csv", "anime_with_synopsis.csv", "franchises.json"):
        link = directory / name
        link.unlink(missing_ok=True)
        if (data / name).is_file():
            link.symlink_to((data / name).resolve())
    batch = members.batch
    users = members.user_ids[batch.owners()].tolist()
    titles = catalogue.anime_ids[batch.rows].tolist()
    ratings = np.nan_to_num(batch.ratings, nan=-1).tolist()
    with (directory / "rating.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("user_id", "anime_id", "rating"))
        writer.writerows(
            (user, title, f"{rating:g}") for user, title, rating in zip(users, titles, ratings, strict=True)
        )
