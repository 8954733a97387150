"""Figures as admins read them: a version's metrics as tables, and some of them over versions as line charts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recommendations.models import ModelStatus, ModelVersion

NORMAL_95 = 1.96
WIDTH, HEIGHT = 340.0, 170.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 14.0, 14.0, 26.0

KEY = re.compile(r"(?:(?P<part>\w+?)_)?(?P<mode>plain|discovery)_(?P<measure>.+)")
COUNTS = ("coverage", "people")
SHARES = ("recall@10", "hit@10", "popularity")
MEASURES = {
    "ndcg@10": gettext_lazy("NDCG@10"),
    "ndcg@5": gettext_lazy("NDCG@5"),
    "recall@10": gettext_lazy("Recall@10"),
    "hit@10": gettext_lazy("Hit@10"),
    "coverage": gettext_lazy("Coverage, titles"),
    "popularity": gettext_lazy("Popularity of what is listed"),
    "diversity": gettext_lazy("Diversity"),
    "people": gettext_lazy("People who judged"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A measure of a version in both modes; ``part``: of that part of the model alone."""

    label: str
    plain: str
    discovery: str


@dataclass(frozen=True, slots=True)
class Point:
    """A version in a chart: its value and error as text, and where it stands in the picture."""

    model: ModelVersion
    value: str
    error: str
    x: float
    y: float
    low: float
    high: float

    @property
    def is_champion(self) -> bool:
        return self.model.status == ModelStatus.CHAMPION


@dataclass(frozen=True, slots=True)
class Chart:
    """A line chart in a picture of ``WIDTH`` by ``HEIGHT``; ``line``: the points attribute of its polyline."""

    name: str
    title: str
    points: list[Point]
    line: str
    ticks: list[tuple[float, str]]
    has_errors: bool
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    top: float = TOP
    bottom: float = HEIGHT - BOTTOM

    @property
    def champion(self) -> Point | None:
        return next((point for point in self.points if point.is_champion), None)


def number(value: Any, digits: int = 3) -> str:
    """A number as text; empty where there is none."""
    return f"{value:,.{digits}f}" if isinstance(value, int | float) else ""


def mode_rows(metrics: Mapping[str, Any]) -> list[Row]:
    """What a version says of its own lists, then of the lists that its parts make alone."""
    rows = [
        Row(str(label), *(_cell(metrics, mode, measure) for mode in ("plain", "discovery")))
        for measure, label in MEASURES.items()
    ]
    parts = dict.fromkeys(found["part"] for key in metrics if (found := KEY.fullmatch(key)) and found["part"])
    for part in parts:
        cells = (number(metrics.get(f"{part}_{mode}_ndcg@10")) for mode in ("plain", "discovery"))
        rows.append(Row(_("NDCG@10 of %(part)s alone") % {"part": part}, *cells))
    return [row for row in rows if row.plain or row.discovery]


def other_rows(metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The metrics that are not of a mode, by their names."""
    return [(key, number(value)) for key, value in metrics.items() if not KEY.fullmatch(key)]


def check_rows(checks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The checks of the gate, with their numbers as text."""
    return [
        {
            **check,
            **{name: _short(check.get(name), check) for name in ("candidate", "champion", "limit")},
            "difference": _signed(check),
        }
        for check in checks
    ]


def charts(models: Sequence[ModelVersion]) -> list[Chart]:
    """Charts of the versions, oldest first; a version that was not measured is left out."""
    return [
        line_chart("plain", _("Plain NDCG@10"), models, "plain_ndcg@10", "plain_ndcg_stderr"),
        line_chart("discovery", _("Discovery NDCG@10"), models, "discovery_ndcg@10", "discovery_ndcg_stderr"),
        line_chart("coverage", _("Coverage, different titles listed"), models, "plain_coverage", digits=0),
    ]


def line_chart(
    name: str, title: str, models: Sequence[ModelVersion], key: str, error_key: str = "", digits: int = 3
) -> Chart:
    """A chart of ``metrics[key]``, with bars of 95 % of the error where ``metrics[error_key]`` tells it."""
    measured = [model for model in models if isinstance(model.metrics.get(key), int | float)]
    values = [float(model.metrics[key]) for model in measured]
    errors = [NORMAL_95 * float(model.metrics.get(error_key) or 0.0) for model in measured]
    low = min((value - error for value, error in zip(values, errors, strict=True)), default=0.0)
    high = max((value + error for value, error in zip(values, errors, strict=True)), default=1.0)
    margin = 0.1 * (high - low) or 0.1 * abs(high) or 1.0
    low, high = max(0.0, low - margin), high + margin
    place = _scale(low, high)
    step = (WIDTH - LEFT - RIGHT) / max(1, len(measured))
    points = [
        Point(
            model=model,
            value=number(value, digits),
            error=number(error, digits) if error else "",
            x=round(LEFT + step * (index + 0.5), 1),
            y=place(value),
            low=place(value - error),
            high=place(value + error),
        )
        for index, (model, value, error) in enumerate(zip(measured, values, errors, strict=True))
    ]
    ticks = [
        (place(value), number(value, digits)) for value in (low + part * (high - low) for part in (0.1, 0.5, 0.9))
    ]
    line = " ".join(f"{point.x},{point.y}" for point in points)
    return Chart(name, title, points, line, ticks, any(errors))


def _scale(low: float, high: float) -> Callable[[float], float]:
    def place(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low), 1)

    return place


def _short(value: Any, check: Mapping[str, Any]) -> str:
    """Of quality, which has an error, four digits; of a guard rail what tells it from its limit."""
    if not isinstance(value, int | float):
        return ""
    if check.get("stderr") is not None:
        return f"{value:.4f}"
    return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _signed(check: Mapping[str, Any]) -> str:
    text, error = (_short(check.get(name), check) for name in ("difference", "stderr"))
    if text and check["difference"] > 0:
        text = f"+{text}"
    return f"{text} ± {error}" if text and error else text


def _cell(metrics: Mapping[str, Any], mode: str, measure: str) -> str:
    value = metrics.get(f"{mode}_{measure}")
    if not isinstance(value, int | float):
        return ""
    if measure in SHARES:
        return f"{value:.1%}"
    error = metrics.get(f"{mode}_ndcg_stderr") if measure == "ndcg@10" else None
    text = number(value, 0 if measure in COUNTS else 3)
    return f"{text} ± {NORMAL_95 * error:.3f}" if error else text
