"""The command that lets a candidate through the gate or not."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ml.artifacts import read_manifest
from ml.cli.commands import check_writable, liked_by, profiles_of, written_whole
from ml.cli.parent import end_with_parent
from ml.cli.progress import make_progress, stage_percent
from ml.evaluation.gate import Contender, judge_candidate
from ml.reading import Interactions, read_interactions
from ml.reading.ratings import KEY_COLUMNS, nobody
from ml.reading.rows import read_rows
from ml.serving import load_recommender
from ml.training.params import read_params

STAGE = "gate"
READING_PERCENT = 10
BYTES_A_MB = 1e6


def gate(options: argparse.Namespace) -> None:
    """Judge a candidate beside the champion, write the verdict and print its words. A rejected candidate is no error:
    the decision stands in the file."""
    check_writable(options.out)
    if options.end_with_parent:
        end_with_parent()
    params = read_params(options.params).gate
    progress = make_progress(options.progress, percent_of=stage_percent)
    progress(STAGE, 0, "reading bundles and profiles")
    candidate = _contender(options.candidate)
    champion = None if options.champion is None else _contender(options.champion)
    profiles = profiles_of(_entries(options.profiles))
    liked = liked_by(_entries(options.heldout), profiles)

    def judging(percent: float, message: str) -> None:
        progress(STAGE, READING_PERCENT + (100 - READING_PERCENT) * percent / 100, message)

    verdict = judge_candidate(candidate, champion, profiles, liked, params, judging)
    with written_whole(options.out) as file:
        json.dump(verdict.as_json(), file, indent=1, ensure_ascii=False, allow_nan=False)
        file.write("\n")
    print(verdict.words)


def _contender(bundle: Path) -> Contender:
    recommender = load_recommender(bundle)
    size = sum(int(entry["bytes"]) for entry in read_manifest(bundle).files.values())
    return Contender(recommender, size / BYTES_A_MB)


def _entries(path: Path) -> Interactions:
    """The entries of a file, which here may be a header alone: a new site has nobody to judge by."""
    if next(read_rows(path, KEY_COLUMNS), None) is None:
        return nobody()
    return read_interactions(path)
