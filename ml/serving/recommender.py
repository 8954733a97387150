"""The recommender: profiles and options in, lists with reasons out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ml.models.base import Model
from ml.models.fusion import FusionModel
from ml.models.profiles import ProfileBatch
from ml.models.ranker import RankerModel
from ml.models.ratings import RatingModel
from ml.models.titles import Titles
from ml.serving.lists import ListMaker
from ml.serving.standing import find_standing
from ml.types import (
    BundleInfo,
    InputError,
    Options,
    PredictedRating,
    Profile,
    Ranking,
    Reason,
    Recommendation,
    SimilarTitle,
    Standing,
)

SHARD_PROFILES = 256


class Recommender:
    """Scores profiles with the models of one bundle. Immutable, so threads may share it."""

    def __init__(
        self,
        info: BundleInfo,
        titles: Titles,
        fusion: FusionModel,
        shortlist: int,
        ranker: RankerModel | None = None,
        others: Sequence[Model] = (),
        ratings: RatingModel | None = None,
    ) -> None:
        """``others``: further models that can be asked for by name; of these the list is made only as far as the
        ranker looks at them. ``ratings``: what tells :meth:`predict_rating`."""
        self.info = info
        self.version = info.version
        self.titles = titles
        self.fusion = fusion
        self.ranker = ranker
        self.ratings = ratings
        parts: tuple[Model, ...] = (fusion, fusion.ease, fusion.content, fusion.popularity)
        first: tuple[Model, ...] = () if ranker is None else (ranker,)
        self.models: Mapping[str, Model] = {model.name: model for model in (*first, *parts, *others)}
        self._lists = ListMaker(titles, fusion, self.models, ranker, shortlist)

    @property
    def model_names(self) -> tuple[str, ...]:
        return tuple(self.models)

    @property
    def default_model(self) -> str:
        """What ranks where nothing else is asked for: the ranker, or the blend in a bundle without one."""
        return self.model_names[0]

    @property
    def anime_ids(self) -> np.ndarray:
        """int64 (n,), sorted: every title that the bundle knows."""
        return self.titles.anime_ids

    def recommend(self, profile: Profile, options: Options = Options()) -> Ranking:  # noqa: B008 - frozen
        """The list for one profile, every title with its reasons."""
        return self.recommend_batch([profile], options, with_reasons=True)[0]

    def recommend_batch(
        self,
        profiles: Sequence[Profile],
        options: Options = Options(),  # noqa: B008 - frozen
        *,
        with_reasons: bool = False,
    ) -> list[Ranking]:
        """The lists for many profiles, in their order; the same as one by one, but scored together. Without
        reasons (the default) ``reasons`` of every title is empty."""
        self._check(options)
        allowed = self._lists.allowed(options)
        rankings: list[Ranking] = []
        for start in range(0, len(profiles), SHARD_PROFILES):
            rankings += self._shard(profiles[start : start + SHARD_PROFILES], options, allowed, with_reasons)
        return rankings

    def similar(self, anime_id: int, k: int = 10) -> list[SimilarTitle]:
        """Up to k titles that share fans with a title, then up to k that are like it in content; nothing for
        an id that the bundle does not know."""
        rows = self.titles.rows_of(np.array([anime_id]))
        if not len(rows):
            return []
        neighbours = []
        for by, model in (("fans", self.fusion.ease), ("content", self.fusion.content)):
            found, scores = model.similar(int(rows[0]), k)
            neighbours += [
                SimilarTitle(int(self.anime_ids[row]), float(score), by)
                for row, score in zip(found, scores, strict=True)
            ]
        return neighbours

    def tells_rating_of(self, anime_id: int) -> bool:
        """Whether :meth:`predict_rating` has something to say of a title to those who rated others."""
        return self.ratings is not None and len(self.titles.rows_of(np.array([anime_id]))) > 0

    def predict_rating(self, profile: Profile, anime_id: int) -> PredictedRating | None:
        """What the person would rate a title, or would have been thought to if they had not rated it. Nothing where
        they rated no other title that the bundle knows, for a title that it does not know, and in a bundle without
        a rating model."""
        if self.ratings is None or not self.tells_rating_of(anime_id):
            return None
        others = profile.where((profile.anime_ids != anime_id) & ~np.isnan(profile.ratings))
        one, _ = ProfileBatch.of([others], self.anime_ids)
        if not len(one.rows):
            return None
        predicted = self.ratings.predict(one, self.titles.rows_of(np.array([anime_id])))
        return PredictedRating(
            rating=float(predicted.ratings[0]),
            low=float(predicted.lows[0]),
            high=float(predicted.highs[0]),
            support=len(one.rows),
        )

    def standing(self, profile: Profile, anime_id: int, options: Options = Options()) -> Standing:  # noqa: B008 - frozen
        """Where a title stands in the whole list that ``options`` ask for, and what keeps it from standing higher.
        Up to ``options.k`` the places are those of :meth:`recommend`."""
        self._check(options)
        return find_standing(self._lists, self.titles, profile, anime_id, options)

    def _check(self, options: Options) -> None:
        if options.model is not None and options.model not in self.models:
            raise InputError(f"no model {options.model!r}; there are {', '.join(self.models)}")

    def _shard(
        self,
        profiles: Sequence[Profile],
        options: Options,
        allowed: np.ndarray | None,
        with_reasons: bool,
    ) -> list[Ranking]:
        batch, ignored = ProfileBatch.of(profiles, self.anime_ids)
        scored = self._lists.score(batch, options)
        rankings = []
        for index, profile in enumerate(profiles):
            own_parts = {name: part[index] for name, part in scored.parts.items()}
            offer = self._lists.offer(profile, scored, index, options, allowed)
            listed = self._lists.chosen(self._lists.ranked(scored, index, offer, options), options, options.k)
            reasons: Sequence[tuple[Reason, ...]] = [()] * len(listed.rows)
            if with_reasons:
                reasons = self._lists.reasons(scored, index, listed.rows, listed.carriers)
            rankings.append(
                Ranking(
                    results=tuple(
                        Recommendation(
                            rank=rank,
                            anime_id=int(self.anime_ids[row]),
                            score=float(value),
                            components={name: float(part[row]) for name, part in own_parts.items()},
                            reasons=why,
                        )
                        for rank, (row, value, why) in enumerate(
                            zip(listed.rows, listed.scores, reasons, strict=True), start=1
                        )
                    ),
                    ignored=tuple(int(anime_id) for anime_id in ignored[index]),
                    known=len(batch.one(index).rows),
                )
            )
        return rankings
