"""Tables as text: for a terminal, and in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ml.evaluation.report import Row

COLUMNS = (
    "model", "mode", "ndcg", "ndcg_stderr", "ndcg_5", "recall", "hit", "coverage", "popularity", "diversity",
    "difference", "difference_stderr", "people",
)  # fmt: skip
SIZE_COLUMNS = (
    "size", "model", "mode", "ndcg", "ndcg_stderr", "ndcg_5", "recall", "coverage", "difference",
    "difference_stderr", "people",
)  # fmt: skip
TRAIT_COLUMNS = ("trait", "mode", "liked", "liked_share", "listed_share", "found", "found_stderr")


def plain(rows: Iterable[Row], columns: Sequence[str]) -> str:
    """Columns padded to one width, numbers with four digits."""
    text = [tuple(columns)] + [tuple(_cell(row[name]) for name in columns) for row in rows]
    widths = [max(len(line[place]) for line in text) for place in range(len(columns))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in text)
    return "\n".join(line.rstrip() for line in lines)


def markdown(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table: the first column to the left, the others, which are numbers, to the right."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    lines = [header, rule, *([str(cell).replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
