"""Which libraries are compared with, and the settings of each that are tried."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.peers import Fitted, Settings, fit_als, fit_cornac_ease, fit_item_neighbours, fit_popularity
from ml.models.profiles import ProfileBatch


@dataclass(frozen=True, slots=True)
class Peer:
    """``fit(members, titles, settings)``; ``tried``: the settings to choose from, on members held out of training.
    ``distribution``: the package that has to be installed, empty = none."""

    name: str
    distribution: str
    tried: tuple[Settings, ...]
    fit: Callable[[ProfileBatch, int, Settings], Fitted]


ALS_GRID: tuple[Settings, ...] = tuple(
    {"factors": factors, "regularization": regularization, "alpha": alpha, "iterations": iterations, "input": kind}
    for factors, regularization, alpha, iterations, kind in (
        *itertools.product((64, 128, 256, 512), (5.0, 10.0, 16.0), (1.0,), (15,), ("rating",)),
        *itertools.product((128, 256), (10.0,), (1.0,), (15,), ("binary",)),
        *((256, regularization, alpha, 15, "rating") for regularization, alpha in ((20.0, 2.0), (30.0, 2.0))),
        *itertools.product((256, 512), (30.0,), (3.0,), (15,), ("rating",)),
        *itertools.product((256, 512), (50.0,), (5.0,), (15,), ("rating",)),
        (256, 5.0, 0.5, 15, "rating"),
        (256, 10.0, 1.0, 30, "rating"),
        (512, 20.0, 2.0, 15, "rating"),
    )
)
NEIGHBOURS_GRID: tuple[Settings, ...] = tuple(
    {"similarity": similarity, "neighbours": neighbours, "input": "binary"}
    for similarity, neighbours in (
        *itertools.product(("CosineRecommender", "TFIDFRecommender"), (3, 5, 10, 20, 50, 200, 500, 1000)),
        ("BM25Recommender", 500),
    )
)
EASE_GRID: tuple[Settings, ...] = (
    *({"ridge": ridge, "positive": False, "input": "rating"} for ridge in (60, 120, 250, 500)),
    *({"ridge": ridge, "positive": False, "input": "binary"} for ridge in (120, 250)),
    {"ridge": 250, "positive": True, "input": "rating"},
)
PEERS = (
    Peer("popularity (number of likes)", "", ({},), fit_popularity),
    Peer("implicit: item kNN", "implicit", NEIGHBOURS_GRID, fit_item_neighbours),
    Peer("implicit: ALS", "implicit", ALS_GRID, fit_als),
    Peer("Cornac: EASE", "cornac", EASE_GRID, fit_cornac_ease),
)
