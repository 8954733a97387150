"""Asking the model what it would learn most from: the titles to rate first, for one person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ml.types import Entry, Options, Status
from ml.types import Profile as ScoringProfile
from recommendations.selectors.starters import NO_SIGNALS, Signals, Starter, choose_starters, starter_pool
from recommendations.services.engine import Engine, current_engine

# What people with like lists have watched: the collaborative part, by its name in the bundle.
SHARED_FANS = "ease"


def titles_to_rate(
    *,
    person: ScoringProfile,
    count: int,
    shown: Sequence[int] = (),
    unseen: Sequence[int] = (),
    show_adult: bool = False,
) -> list[int]:
    """Ids of up to ``count`` titles that this person probably knows and whose rating tells most about their taste.

    ``shown``: ids that are being asked about already. ``unseen``: ids that they said they have not seen. The same
    question has the same answer; at most one query.
    """
    pool = starter_pool(show_adult=show_adult)
    taken = {int(anime_id) for anime_id in person.anime_ids} | person.hidden | set(unseen)
    engine = current_engine()
    signals = NO_SIGNALS if engine is None else _signals(engine, pool, person, unseen)
    return choose_starters(pool, count=count, taken=taken, asked=set(shown) - set(unseen), signals=signals)


def _signals(engine: Engine, pool: Sequence[Starter], person: ScoringProfile, unseen: Sequence[int]) -> Signals:
    recommender = engine.recommender
    if SHARED_FANS not in recommender.model_names or not pool or not (len(person) or unseen):
        return NO_SIGNALS
    # Three lists: what they have watched, whatever they made of it; what they have not seen; what they rated.
    watched = [status is not Status.PLANNED for status in person.statuses]
    rated = ~np.isnan(person.ratings)
    profiles = [
        ScoringProfile.of(Entry(int(anime_id)) for anime_id in person.anime_ids[watched]),
        ScoringProfile.of(Entry(anime_id) for anime_id in unseen),
        ScoringProfile.of(
            Entry(int(anime_id), float(rating))
            for anime_id, rating in zip(person.anime_ids[rated], person.ratings[rated], strict=True)
        ),
    ]
    candidates = np.array([starter.anime_id for starter in pool], dtype=np.int64)
    options = Options(k=len(pool), candidates=candidates, model=SHARED_FANS)
    rankings = recommender.recommend_batch(profiles, options)
    near_list, near_unseen, liking = (
        _in_deviations({item.anime_id: item.score for item in ranking.results}) for ranking in rankings
    )
    return Signals(near_list, near_unseen, liking)


def _in_deviations(scores: dict[int, float]) -> dict[int, float]:
    """Scores less their mean, in their standard deviations; nothing where they do not differ."""
    values = np.array(list(scores.values()))
    spread = float(values.std()) if len(values) else 0.0
    if spread < 1e-9:
        return {}
    mean = float(values.mean())
    return {anime_id: (score - mean) / spread for anime_id, score in scores.items()}
