"""What the model is, how well it does, and where it fails."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ml.types import BundleInfo
from recommendations.selectors.model_card import model_card
from recommendations.services.engine import current_engine


@require_safe
def about_model(request: HttpRequest) -> HttpResponse:
    """The model card, and the figures of the model that serves now."""
    engine = current_engine()
    context: dict[str, Any] = {"card": model_card()}
    if engine is not None:
        info = engine.recommender.info
        context |= {
            "model_version": engine.version,
            "trained": datetime.fromisoformat(info.created) if info.created else None,
            "data": info.data,
            "figures": _figures(info),
            "people": int(info.metrics.get("plain_people", 0)),
        }
    return render(request, "recommendations/about_model.html", context)


def _figures(info: BundleInfo) -> list[dict[str, str]]:
    """What the bundle measured of its own lists, as far as it did: name, plain and discovery."""
    rows = (
        (_("NDCG@10: how many of ten fit, and how high they stand"), "ndcg@10", ".3f"),
        (_("Recall@10: relevant titles, as a share of what ten places could hold"), "recall@10", ".1%"),
        (_("Hit@10: people with at least one relevant title"), "hit@10", ".1%"),
        (_("Coverage: different titles on all lists together"), "coverage", ".0f"),
        (_("Popularity: share of people who have a listed title"), "popularity", ".1%"),
    )
    figures = []
    for label, name, form in rows:
        values = [info.metrics.get(f"{mode}_{name}") for mode in ("plain", "discovery")]
        if None not in values:
            plain, discovery = (format(value, form) for value in values)
            figures.append({"label": label, "plain": plain, "discovery": discovery})
    return figures
