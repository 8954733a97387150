"""What the commands do."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np

from ml.artifacts import check_free, verify_bundle
from ml.cli.parent import end_with_parent
from ml.cli.progress import make_progress, stage_percent
from ml.evaluation import card, examples, picture, report, tables
from ml.reading import Interactions, read_anime_ids, read_catalogue, read_dataset, read_interactions
from ml.serving import load_recommender
from ml.training import pipeline, stages
from ml.training.about import current_revision
from ml.training.gram import open_gram
from ml.training.params import read_params
from ml.types import LIKED_RATING, FranchiseMode, InputError, Options, Profile, Status

FITTED = ("content", "popularity", "ease", "ratings", "recommender_net")
STATUSES = tuple(Status)
CODE_DIRECTORY = Path(__file__).resolve().parent


def train(options: argparse.Namespace) -> None:
    """Learn from a data directory and write a bundle."""
    check_free(options.out)
    params = read_params(options.params, options.seed)
    excluded = None if options.exclude_items is None else read_anime_ids(options.exclude_items)
    if options.gram is not None and excluded is not None:
        raise InputError(f"{options.gram}: counts all titles; it cannot be used together with --exclude-items")
    progress = make_progress(options.progress)
    if options.end_with_parent:
        end_with_parent()
    counted = None if options.gram is None else open_gram(options.gram)
    dataset = read_dataset(
        options.data, excluded, lambda percent, message: progress("read", percent, message), options.join
    )
    for note in dataset.notes:
        print(f"note: {note}", file=sys.stderr)
    if counted is not None:
        counted.check(dataset.catalogue.anime_ids, params.ease_taste())

    def tell(metrics: Mapping[str, float]) -> None:
        if options.progress == "json":
            print(json.dumps({"metrics": dict(metrics)}), file=sys.stderr, flush=True)

    revision = current_revision(CODE_DIRECTORY)
    manifest = pipeline.train(dataset, options.out, params, progress, revision, tell, counted)
    print(f"{options.out}: bundle {manifest.version}")


def stage(options: argparse.Namespace) -> None:
    """Run one step of training on artefacts in the work directory."""
    params = read_params(options.params, options.seed)
    progress = make_progress(options.progress, percent_of=stage_percent)
    work = options.work
    if options.stage in {"validate", "prepare"}:
        excluded = None if options.exclude_items is None else read_anime_ids(options.exclude_items)
        dataset = read_dataset(options.data, excluded)
        if options.stage == "validate":
            stages.validate(dataset, work)
        else:
            stages.prepare(dataset, work, params)
    elif options.stage == "fit":
        stages.fit(options.name, work, params, progress)
    elif options.stage == "fuse":
        stages.fuse(work, params, progress)
    elif options.stage == "evaluate":
        stages.evaluate(work, params)
    else:
        check_free(options.out)
        stages.bundle(work, options.out, params, current_revision(CODE_DIRECTORY))


def recommend(options: argparse.Namespace) -> None:
    """Write lists for the profiles of a file."""
    check_writable(options.out)
    recommender = load_recommender(options.bundle)
    people = profiles_of(read_interactions(options.profiles))
    candidates = None if options.candidates is None else read_anime_ids(options.candidates)
    wanted = Options(
        k=options.k,
        balance=options.balance,
        novelty=options.novelty,
        diversity=options.diversity,
        franchise=FranchiseMode(options.franchise),
        candidates=candidates,
        model=options.model,
    )
    rankings = recommender.recommend_batch(list(people.values()), wanted)
    with written_whole(options.out) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("user_id", "rank", "anime_id", "score"))
        for user_id, ranking in zip(people, rankings, strict=True):
            for item in ranking.results:
                writer.writerow((user_id, item.rank, item.anime_id, f"{item.score:.6g}"))
    unknown = sum(len(ranking.ignored) for ranking in rankings)
    if unknown:
        print(f"note: {unknown} entries of titles that the bundle does not know ignored", file=sys.stderr)
    if candidates is not None:
        strange = len(candidates) - len(recommender.titles.rows_of(candidates))
        if strange:
            print(f"note: {strange} candidates that the bundle does not know ignored", file=sys.stderr)
    print(f"{options.out}: lists of {len(people)} people")


def evaluate(options: argparse.Namespace) -> None:
    """Print, and perhaps write, how well every model and every ablation does."""
    for path in (options.out, options.picture, options.card):
        if path is not None:
            check_writable(path)
    text = None if options.card is None else _read_text(options.card)
    if text is not None:
        card.fill(text, options.section, "")  # says before the work begins that a mark is missing
    catalogue = None if options.data is None else read_catalogue(options.data).frame
    recommender = load_recommender(options.bundle)
    profiles = profiles_of(read_interactions(options.profiles))
    liked = liked_by(read_interactions(options.heldout), profiles)
    if not liked:
        raise InputError(f"{options.heldout}: nobody in {options.profiles} liked anything that is held out")
    evaluation = report.evaluate(recommender, profiles, liked)
    shown: list[examples.Example] = []
    if catalogue is not None:
        names = dict(zip(catalogue["anime_id"].tolist(), catalogue["title"].tolist(), strict=True))
        for_all = catalogue["anime_id"][~catalogue["is_adult"]].to_numpy()
        shown = examples.example_lists(recommender, names, for_all, report.K)
    if options.out is not None:
        with written_whole(options.out) as file:
            json.dump(evaluation.as_json(), file, indent=1)
            file.write("\n")
    if options.picture is not None:
        with written_whole(options.picture) as file:
            file.write(picture.draw(evaluation))
    section = card.measured(evaluation, shown) if options.section == "figures" else card.summary(evaluation)
    if text is not None:
        with written_whole(options.card) as file:
            file.write(card.fill(text, options.section, section))
    if options.markdown:
        print(section)
        return
    print(tables.plain(evaluation.all_rows(), tables.COLUMNS))
    print(f"\nby profile size\n{tables.plain(evaluation.by_size(), tables.SIZE_COLUMNS)}")
    print(f"\nby genre and type\n{tables.plain(evaluation.by_trait(), tables.TRAIT_COLUMNS)}")
    if shown:
        print(f"\nexamples\n{card.example_tables(shown)}")


def inspect(options: argparse.Namespace) -> None:
    """Say in words what is in a bundle."""
    manifest = verify_bundle(options.bundle)
    recommender = load_recommender(options.bundle)
    content = manifest.content
    data = content.get("data", {})
    size = sum(entry["bytes"] for entry in manifest.files.values()) / 1e6
    revision = content.get("git_revision") or "unknown"
    print(f"Bundle {manifest.version}, written {content.get('created', '?')} by revision {revision}.")
    print(f"{len(manifest.files)} files, {size:.1f} MB, every one as the manifest says.")
    print(
        f"Learned from {data.get('entries', 0):,} entries ({data.get('ratings', 0):,} rated) of "
        f"{data.get('members', 0):,} members; {data.get('titles_on_lists', 0):,} of "
        f"{len(recommender.anime_ids):,} titles are on somebody's list."
    )
    if "gram" in data:
        gram = data["gram"]
        print(f"EASE: from {gram['entries']:,} entries of {gram['members']:,} members, counted beforehand.")
    for name, digest in data.get("fingerprint", {}).items():
        print(f"  {name}: sha256 {digest}")
    print(f"Models: {', '.join(recommender.model_names)}.")
    for name, value in recommender.fusion.settings()["weights"].items():
        print(f"  blend, {name.replace('_', ' ')}: {value:g}")
    ratings = recommender.ratings
    if ratings is None:
        print("It does not tell what people would rate.")
    else:
        print(
            f"It tells what people would rate by up to {ratings.neighbours.shape[1]} neighbours of every title, "
            f"around a mean of {ratings.mean:.2f}."
        )
    print("On members held out of training:")
    for name, number in content.get("metrics", {}).items():
        print(f"  {name.replace('_', ' ')}: {number:g}")


def profiles_of(entries: Interactions) -> dict[int, Profile]:
    """Everybody's profile by user id; says on standard error how many entries were repeated."""
    if entries.repeated:
        print(f"note: {entries.repeated} repeated entries, the last of each counts", file=sys.stderr)
    user_ids, starts = np.unique(entries.user_ids, return_index=True)
    bounds = [*starts.tolist(), len(entries)]
    return {
        int(user_id): Profile(
            anime_ids=entries.anime_ids[start:stop],
            ratings=entries.ratings[start:stop],
            statuses=tuple(STATUSES[code] for code in entries.statuses[start:stop].tolist()),
        )
        for user_id, start, stop in zip(user_ids, bounds[:-1], bounds[1:], strict=True)
    }


def liked_by(heldout: Interactions, profiles: Mapping[int, Profile]) -> dict[int, set[int]]:
    """The held-out titles that everybody who has a profile liked; nobody who liked none."""
    liked: dict[int, set[int]] = {}
    likes = heldout.ratings >= LIKED_RATING
    for user_id, anime_id in zip(heldout.user_ids[likes].tolist(), heldout.anime_ids[likes].tolist(), strict=True):
        if user_id in profiles:
            liked.setdefault(user_id, set()).add(anime_id)
    return liked


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start})") from None


def check_writable(path: Path) -> None:
    """Say before the work begins what would go wrong at its end."""
    if path.is_dir():
        raise InputError(f"{path}: is a directory, not a file")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: no such directory")


@contextmanager
def written_whole(path: Path) -> Iterator[TextIO]:
    """A file that appears under its name only when everything is written."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
        aside.chmod(0o644)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
