"""Parsing the command line, and turning errors into one line and an exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ml.artifacts import BundleError
from ml.cli import commands, counting, gating
from ml.types import FranchiseMode, InputError

BAD_INPUT = 2
PROGRESS_STYLES = ("auto", "bar", "json", "none")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. 0 = done, 2 = bad input (one line on standard error says what and where)."""
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except (InputError, BundleError) as error:
        line = " ".join(str(error).split())
        print(f"error: {line}", file=sys.stderr)
        return BAD_INPUT
    except OSError as error:
        print(f"error: {error.filename or 'file'}: {error.strerror or error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m ml", description="Train, run and judge the recommender.")
    commands_ = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    train = commands_.add_parser("train", help="learn from a data directory and write a bundle")
    train.add_argument("--data", type=Path, required=True, metavar="DIR")
    train.add_argument("--out", type=Path, required=True, metavar="BUNDLE")
    train.add_argument("--join", type=Path, metavar="DIR", help="learn from the ratings of this directory as well")
    train.add_argument(
        "--gram",
        type=Path,
        metavar="FILE",
        help="who watched what together among all members, when DIR holds a sample",
    )
    _add_end_with_parent(train)
    _add_training(train)
    train.set_defaults(run=commands.train)

    gram = commands_.add_parser("gram", help="count who watched what together, by shards of people, and add shards")
    gram.add_argument("--out", type=Path, required=True, metavar="FILE")
    what = gram.add_mutually_exclusive_group(required=True)
    what.add_argument("--ratings", type=Path, metavar="CSV", help="count the whole lists of these members")
    what.add_argument("--add", type=Path, nargs="+", metavar="FILE", help="add what was counted")
    gram.add_argument("--data", type=Path, metavar="DIR", help="with --ratings: the catalogue")
    _add_end_with_parent(gram)
    gram.add_argument("--params", type=Path, metavar="YAML", help="default: the built-in parameters")
    gram.add_argument("--progress", choices=PROGRESS_STYLES, default="auto")
    gram.set_defaults(run=counting.gram)

    stage = commands_.add_parser("stage", help="one step of training; artefacts go into a work directory")
    steps = stage.add_subparsers(title="stages", required=True, metavar="STAGE", dest="stage")
    for name, words in (
        ("validate", "read the data and say what is in it"),
        ("prepare", "put the data in model coordinates and hold members out"),
        ("fit", "fit one model"),
        ("fuse", "learn the weights of the parts"),
        ("evaluate", "measure on held-out members"),
        ("bundle", "write the bundle"),
    ):
        step = steps.add_parser(name, help=words)
        if name == "fit":
            step.add_argument("name", choices=commands.FITTED, metavar="NAME", help="|".join(commands.FITTED))
        if name in {"validate", "prepare"}:
            step.add_argument("--data", type=Path, required=True, metavar="DIR")
        if name == "bundle":
            step.add_argument("--out", type=Path, required=True, metavar="BUNDLE")
        step.add_argument("--work", type=Path, required=True, metavar="DIR", help="where artefacts lie")
        _add_training(step, exclude=name in {"validate", "prepare"})
        step.set_defaults(run=commands.stage)

    recommend = commands_.add_parser("recommend", help="list titles for the profiles of a CSV file")
    recommend.add_argument("--bundle", type=Path, required=True)
    recommend.add_argument("--profiles", type=Path, required=True, metavar="CSV", help="user_id,anime_id,rating")
    recommend.add_argument("--out", type=Path, required=True, metavar="CSV")
    recommend.add_argument("--k", type=int, default=10)
    recommend.add_argument("--candidates", type=Path, metavar="CSV", help="list only these (column anime_id)")
    for dial, words in (
        ("balance", "0 = content only, 1 = collaborative only"),
        ("novelty", "0 = popular, 1 = niche"),
        ("diversity", "0 = none, 1 = as different as can be"),
    ):
        recommend.add_argument(f"--{dial}", type=float, metavar="0..1", help=words)
    modes = [mode.value for mode in FranchiseMode]
    recommend.add_argument("--franchise", choices=modes, default=FranchiseMode.OFF.value)
    recommend.add_argument("--model", metavar="NAME", help="rank by one part alone")
    recommend.set_defaults(run=commands.recommend)

    evaluate = commands_.add_parser("evaluate", help="judge every model on held-out ratings")
    evaluate.add_argument("--bundle", type=Path, required=True)
    evaluate.add_argument("--profiles", type=Path, required=True, metavar="CSV")
    evaluate.add_argument("--heldout", type=Path, required=True, metavar="CSV")
    evaluate.add_argument("--out", type=Path, metavar="JSON")
    evaluate.add_argument("--picture", type=Path, metavar="SVG", help="draw NDCG of every model and ablation")
    evaluate.add_argument(
        "--markdown", action="store_true", help="print a section of the model card instead of tables"
    )
    evaluate.add_argument(
        "--data", type=Path, metavar="DIR", help="name titles by its anime.csv and show example lists"
    )
    evaluate.add_argument("--card", type=Path, metavar="MD", help="put the section into this model card")
    evaluate.add_argument(
        "--section",
        choices=("figures", "few-ratings"),
        default="figures",
        help="figures: all there is; few-ratings: the summary alone, for profiles of a few ratings",
    )
    evaluate.set_defaults(run=commands.evaluate)

    gate = commands_.add_parser("gate", help="say whether a candidate may take the champion's place")
    gate.add_argument("--candidate", type=Path, required=True, metavar="BUNDLE")
    gate.add_argument("--champion", type=Path, metavar="BUNDLE", help="without it: compare with popularity")
    gate.add_argument("--profiles", type=Path, required=True, metavar="CSV")
    gate.add_argument("--heldout", type=Path, required=True, metavar="CSV")
    gate.add_argument("--out", type=Path, required=True, metavar="JSON", help="the verdict, its words and its checks")
    gate.add_argument("--params", type=Path, metavar="YAML", help="limits: section gate; default: the built-in ones")
    gate.add_argument("--progress", choices=PROGRESS_STYLES, default="auto")
    _add_end_with_parent(gate)
    gate.set_defaults(run=gating.gate)

    inspect = commands_.add_parser("inspect", help="say what is in a bundle")
    inspect.add_argument("--bundle", type=Path, required=True)
    inspect.set_defaults(run=commands.inspect)
    return top


def _add_training(parser: argparse.ArgumentParser, exclude: bool = True) -> None:
    parser.add_argument("--params", type=Path, metavar="YAML", help="default: the built-in parameters")
    parser.add_argument("--seed", type=int, metavar="N")
    if exclude:
        parser.add_argument("--exclude-items", type=Path, metavar="CSV", help="titles to treat as unreleased")
    parser.add_argument("--progress", choices=PROGRESS_STYLES, default="auto")


def _add_end_with_parent(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--end-with-parent", action="store_true", help="standard input is a pipe of the parent: end when it closes"
    )
