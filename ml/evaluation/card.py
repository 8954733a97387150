"""The part of the model card that is measured: its figures in Markdown, put between marks in the text."""

from __future__ import annotations

from collections.abc import Sequence

from ml.evaluation.examples import Example
from ml.evaluation.report import MODES, SIZES, Evaluation, Row
from ml.evaluation.tables import markdown
from ml.types import InputError

LABELS = {
    "fusion": "blend, without the ranker",
    "fusion without ease": "blend without EASE",
    "fusion without content": "blend without content",
    "fusion without popularity": "blend without popularity",
    "ease": "EASE alone",
    "content": "content alone",
    "popularity": "popularity alone",
    "recommender_net": "RecommenderNet alone",
}
MODE_WORDS = {
    "plain": "Plain ranking: anything that is not on the person's list",
    "discovery": "Discovery: franchises that the person has not touched",
}
MIN_LIKES = 100
"""Kinds of titles with fewer held-out likes are not shown: their figures would be chance."""


def summary(evaluation: Evaluation) -> str:
    """Every model and every ablation by every metric, one table for each mode."""
    k = evaluation.judged[evaluation.full, "plain"].k
    header = (
        "list", f"NDCG@{k}", "NDCG@5", f"recall@{k}", f"hit@{k}", "coverage", "popularity", "diversity",
        f"NDCG@{k} against the full list",
    )  # fmt: skip
    blocks = []
    for mode, words in MODE_WORDS.items():
        rows = [row for row in evaluation.all_rows() if row["mode"] == mode]
        table = markdown(
            header,
            [
                (
                    _label(evaluation, row),
                    *(_measured(row, name) for name in ("ndcg", "ndcg_5", "recall", "hit")),
                    row["coverage"],
                    _number(row, "popularity"),
                    _number(row, "diversity"),
                    "" if row["model"] == evaluation.full else _signed(row),
                )
                for row in rows
            ],
        )
        blocks.append(f"{words} ({rows[0]['people']} people):\n\n{table}")
    return "\n\n".join(blocks)


def by_size(evaluation: Evaluation) -> str:
    """NDCG of every model and ablation for people with profiles of each size, one table for each mode."""
    found = evaluation.by_size()
    blocks = []
    for mode, words in MODE_WORDS.items():
        cells = {(row["model"], row["size"]): row for row in found if row["mode"] == mode}
        sizes = [size for size in SIZES if (evaluation.full, size) in cells]
        header = ["list", *(f"{size} titles ({cells[evaluation.full, size]['people']} people)" for size in sizes)]
        names = [system.name for system in evaluation.systems]
        rows = [
            [_label(evaluation, cells[name, sizes[0]]), *(_measured(cells[name, size], "ndcg") for size in sizes)]
            for name in names
            if sizes
        ]
        blocks.append(f"{words}:\n\n{markdown(header, rows)}")
    return "\n\n".join(blocks)


def by_trait(evaluation: Evaluation) -> str:
    """What the full list makes of each kind of title."""
    of = {mode: {row["trait"]: row for row in evaluation.by_trait() if row["mode"] == mode} for mode in MODES}
    rows = []
    for trait, row in of["plain"].items():
        if row["liked"] < MIN_LIKES:
            continue
        other = of["discovery"].get(trait)
        rows.append(
            (
                trait,
                row["liked"],
                _percent(row, "liked_share"),
                _percent(row, "listed_share"),
                _measured(row, "found"),
                "" if other is None else _measured(other, "found"),
            )
        )
    header = ("kind", "held-out likes", "share of likes", "share of places", "found, plain", "found, discovery")
    return markdown(header, rows)


def example_tables(examples: Sequence[Example]) -> str:
    """A heading, what the person rated, and their list with its reasons."""
    blocks = []
    for example in examples:
        rated = ", ".join(f"{name} {rating:g}" for name, rating in example.rated)
        lines = [f"{place}. **{_text(name)}** ({_text(why)})" for place, (name, why) in enumerate(example.listed, 1)]
        head = f"### {example.words}" + (f"\n\nRated: {_text(rated)}." if rated else "")
        blocks.append(f"{head}\n\n" + "\n".join(lines))
    return "\n\n".join(blocks)


def measured(evaluation: Evaluation, examples: Sequence[Example]) -> str:
    """All sections, for a card to show."""
    sections = [
        f"Measured on bundle {evaluation.recommender.version}. Every ± is one standard error over people.",
        f"### Everybody\n\n{summary(evaluation)}",
        f"### By size of the profile\n\nNDCG@10 of people who show so many titles.\n\n{by_size(evaluation)}",
        f"### By genre and type\n\n{by_trait(evaluation)}",
    ]
    if examples:
        sections.append(f"## Examples\n\n{example_tables(examples)}")
    return "\n\n".join(sections)


def fill(text: str, section: str, content: str) -> str:
    """``text`` with ``content`` between the marks ``<!-- SECTION -->`` and ``<!-- /SECTION -->``.
    :class:`~ml.types.InputError` where they are missing."""
    begin, end = f"<!-- {section} -->", f"<!-- /{section} -->"
    before, first, rest = text.partition(begin)
    _, last, after = rest.partition(end)
    if not first or not last:
        raise InputError(f"no place for the section {section!r}: the marks {begin} and {end} are missing")
    return f"{before}{begin}\n\n{content}\n\n{end}{after}"


def _label(evaluation: Evaluation, row: Row) -> str:
    name = str(row["model"])
    return "**full list**" if name == evaluation.full else LABELS.get(name, name)


def _number(row: Row, name: str) -> str:
    return f"{row[name]:.3f}"


def _measured(row: Row, name: str) -> str:
    return f"{row[name]:.3f} ± {row[f'{name}_stderr']:.3f}"


def _signed(row: Row) -> str:
    return f"{row['difference']:+.3f} ± {row['difference_stderr']:.3f}"


def _percent(row: Row, name: str) -> str:
    return f"{row[name]:.1%}"


def _text(words: str) -> str:
    """Words with nothing in them that Markdown would take for markup."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|" else letter for letter in words)
