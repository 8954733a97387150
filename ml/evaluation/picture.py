"""A picture of an evaluation: NDCG of every model and ablation with its 95 % interval, as SVG."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from ml.evaluation.card import LABELS
from ml.evaluation.report import Evaluation, Row

ROW, TOP, BOTTOM = 30, 92, 58
LABELS_END, PANEL, GAP, RIGHT = 210, 300, 64, 48
WIDTH = LABELS_END + 2 * PANEL + GAP + RIGHT
PAPER, INK, MUTED, GRID, ACCENT = "#ffffff", "#1f2328", "#59636e", "#d9dee3", "#0b6bcb"
NORMAL_95 = 1.96
TICK = 0.1


def draw(evaluation: Evaluation) -> str:
    """Two panels, plain and discovery, that share their rows and their scale. The full list is drawn in colour, the
    bundle's other models filled, the ablations hollow."""
    k = evaluation.judged[evaluation.full, "plain"].k
    rows = evaluation.all_rows()
    ablations = {system.name for system in evaluation.systems if system.is_ablation}
    names = [system.name for system in evaluation.systems]
    limit = max(_high(row) for row in rows)
    ticks = int(limit / TICK) + 1
    end = TOP + ROW * len(names)
    height = end + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="13" role="img">',
        f"<title>NDCG@{k} of every model and ablation</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>',
        _text(16, 28, f"NDCG@{k} of every model and ablation", INK, size=17, weight=600),
        _text(
            16, 48, "Point: mean over people. Line: 95 % interval. Hollow: the blend with one part left out.", MUTED
        ),
    ]
    for place, name in enumerate(names):
        label = "full list" if name == evaluation.full else LABELS.get(name, name)
        weight = 600 if name == evaluation.full else 400
        y = TOP + ROW * (place + 0.5) + 4
        parts.append(_text(LABELS_END - 14, y, label, INK, anchor="end", weight=weight))
    for panel, mode in enumerate(("plain", "discovery")):
        left = LABELS_END + panel * (PANEL + GAP)
        own = {row["model"]: row for row in rows if row["mode"] == mode}
        people = own[evaluation.full]["people"]
        parts.append(_text(left, TOP - 14, f"{mode} ({people} people)", INK, weight=600))
        for tick in range(ticks + 1):
            x = left + PANEL * tick / ticks
            parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{end}" stroke="{GRID}"/>')
            parts.append(_text(x, end + 18, f"{tick * TICK:.1f}", MUTED, anchor="middle", size=12))
        for place, name in enumerate(names):
            colour = ACCENT if name == evaluation.full else MUTED if name in ablations else INK
            hollow = name in ablations
            parts += _point(own[name], left, TOP + ROW * (place + 0.5), PANEL / (ticks * TICK), colour, hollow)
    parts.append(_text(16, height - 14, f"Bundle {evaluation.recommender.version}", MUTED, size=12))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _point(row: Row, left: float, y: float, scale: float, colour: str, hollow: bool) -> Iterable[str]:
    mean, low, high = row["ndcg"], _low(row), _high(row)
    fill = PAPER if hollow else colour
    x = left + scale * mean
    yield (
        f'<line x1="{left + scale * low:.1f}" x2="{left + scale * high:.1f}" y1="{y}" y2="{y}" '
        f'stroke="{colour}" stroke-width="2"/>'
    )
    yield f'<circle cx="{x:.1f}" cy="{y}" r="5" fill="{fill}" stroke="{colour}" stroke-width="2"/>'
    yield _text(left + scale * high + 8, y + 4, f"{mean:.3f}", colour, size=12)


def _low(row: Row) -> float:
    return max(0.0, row["ndcg"] - NORMAL_95 * row["ndcg_stderr"])


def _high(row: Row) -> float:
    return row["ndcg"] + NORMAL_95 * row["ndcg_stderr"]


def _text(
    x: float, y: float, words: str, colour: str, *, anchor: str = "start", size: int = 13, weight: int = 400
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="{size}" '
        f'font-weight="{weight}" stroke="{PAPER}" stroke-width="4" paint-order="stroke">{escape(words)}</text>'
    )
