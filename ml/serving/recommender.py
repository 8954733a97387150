"""The recommender: profiles and options in, lists with reasons out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ml.models.base import Model
from ml.models.fusion import PARTS, TUNED_BALANCE, Fused, FusionModel
from ml.models.profiles import ProfileBatch
from ml.models.ranker import RankerModel
from ml.models.titles import Titles
from ml.serving.dials import NEUTRAL_NOVELTY, best_first, diversified, with_novelty
from ml.serving.franchises import FranchiseIndex, Offer
from ml.serving.reasons import Explainer
from ml.types import (
    BundleInfo,
    FranchiseMode,
    InputError,
    Options,
    Profile,
    Ranking,
    Reason,
    ReasonKind,
    Recommendation,
    SimilarTitle,
    Status,
)

SHARD_PROFILES = 256
COMPONENT_NAMES = {
    "ease": "collaborative",
    "recommender_net": "collaborative",
    "content": "content",
    "popularity": "popularity",
}


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
    ) -> None:
        """``others``: further models that can be asked for by name; of these the list is made only as far as the
        ranker looks at them."""
        self.info = info
        self.version = info.version
        self.titles = titles
        self.fusion = fusion
        self.ranker = ranker
        parts: tuple[Model, ...] = (fusion, fusion.ease, fusion.content, fusion.popularity)
        first: tuple[Model, ...] = () if ranker is None else (ranker,)
        self.models: Mapping[str, Model] = {model.name: model for model in (*first, *parts, *others)}
        self._shortlist = shortlist
        self._franchises = FranchiseIndex(titles)

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
        if options.model is not None and options.model not in self.models:
            raise InputError(f"no model {options.model!r}; there are {', '.join(self.models)}")
        allowed = None
        if options.candidates is not None:
            allowed = np.zeros(len(self.titles), dtype=bool)
            allowed[self.titles.rows_of(options.candidates)] = True
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

    def _shard(
        self,
        profiles: Sequence[Profile],
        options: Options,
        allowed: np.ndarray | None,
        with_reasons: bool,
    ) -> list[Ranking]:
        batch, ignored = ProfileBatch.of(profiles, self.anime_ids)
        balance = TUNED_BALANCE if options.balance is None else options.balance
        model = options.model or self.default_model
        ranker = self.ranker if self.ranker is not None and model == self.ranker.name else None
        alone = None if ranker is not None or model == self.fusion.name else model
        tuned = fused = None
        if alone is None:
            tuned = self.fusion.fuse(batch)
            fused = tuned if balance == TUNED_BALANCE else self.fusion.turned(tuned, batch, balance)
            scores, parts = fused.scores, {COMPONENT_NAMES[name]: part for name, part in fused.parts.items()}
        else:
            scores = self.models[alone].scores(batch)
            parts = {COMPONENT_NAMES[alone]: scores}
        rankings = []
        for index, profile in enumerate(profiles):
            one = batch.one(index)
            own_parts = {name: part[index] for name, part in parts.items()}
            offer = self._offer(profile, one, scores[index], options, allowed)
            if ranker is not None and tuned is not None:
                offer = self._ranked(ranker, one, tuned, index, offer, options, balance)
            rows, worth, carriers = self._choose(offer, options)
            reasons: Sequence[tuple[Reason, ...]] = [()] * len(rows)
            if with_reasons:
                if fused is not None:
                    added = self.fusion.explain(one, carriers, fused, index)
                    popularity = self._popularity(fused, index, carriers)
                else:
                    added = self.models[str(alone)].contributions(one, carriers)
                    popularity = np.zeros(len(rows), dtype=np.float32)
                personal = alone != self.fusion.popularity.name
                reasons = self._reasons(one, rows, added, popularity, personal=personal)
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
                        for rank, (row, value, why) in enumerate(zip(rows, worth, reasons, strict=True), start=1)
                    ),
                    ignored=tuple(int(anime_id) for anime_id in ignored[index]),
                    known=len(one.rows),
                )
            )
        return rankings

    def _offer(
        self,
        profile: Profile,
        one: ProfileBatch,
        scores: np.ndarray,
        options: Options,
        allowed: np.ndarray | None,
    ) -> Offer:
        """What may be listed."""
        eligible = np.ones(len(scores), dtype=bool) if allowed is None else allowed.copy()
        on_list = one.rows
        if options.include_planned:
            on_list = on_list[~one.with_status(Status.PLANNED)]
        eligible[on_list] = False
        hidden = self.titles.rows_of(np.fromiter(profile.hidden, dtype=np.int64, count=len(profile.hidden)))
        eligible[hidden] = False
        return self._franchises.offer(options.franchise, scores, eligible, one, hidden, options.include_planned)

    def _ranked(
        self,
        ranker: RankerModel,
        one: ProfileBatch,
        tuned: Fused,
        index: int,
        offer: Offer,
        options: Options,
        balance: float,
    ) -> Offer:
        """The offer with its shortlist ranked anew; what is not on it follows in the order of the blend, if the list
        is so long that it is needed.

        ``balance`` at 0.5 leaves the order to the ranker. Towards the ends it goes over into that of the blend, which
        there is that of one part, as a weighted mean of the ranks in both.
        """
        pull = abs(balance - TUNED_BALANCE) / (1 - TUNED_BALANCE)
        if pull == 1 or not len(one.rows) or not len(offer.rows):
            return offer
        ties = self.fusion.popularity.appeal[offer.rows]
        short = best_first(offer.scores, ranker.heads.shortlist, ties)
        rows, carriers = offer.rows[short], offer.carriers[short]
        if options.franchise is FranchiseMode.NEW:
            worth = ranker.rank_franchises(one, tuned, index, carriers, rows)
        else:
            worth = ranker.rank_titles(one, tuned, index, rows)
        if pull:
            place = np.empty(len(short))
            place[np.argsort(-worth, kind="stable")] = np.arange(len(short))
            worth = -(1 - pull) * place - pull * np.arange(len(short))
        if self._titles_needed(options) <= len(short):
            return Offer(rows, worth, carriers)
        scores = offer.scores.astype(np.float64)
        rest = np.ones(len(scores), dtype=bool)
        rest[short] = False
        if rest.any():
            scores[rest] += float(worth.min()) - 1 - scores[rest].max()
        scores[short] = worth
        return Offer(offer.rows, scores, offer.carriers)

    def _titles_needed(self, options: Options) -> int:
        """How many of the best titles the list is chosen from."""
        plain = options.novelty in (None, NEUTRAL_NOVELTY) and not options.diversity
        return options.k if plain else max(self._shortlist, 2 * options.k)

    def _choose(self, offer: Offer, options: Options) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows of the list, best first, the worth they were chosen for, and the rows that carried them."""
        appeal = self.fusion.popularity.appeal
        novelty = NEUTRAL_NOVELTY if options.novelty is None else options.novelty
        diversity = options.diversity or 0.0
        short = best_first(offer.scores, self._titles_needed(options), appeal[offer.rows])
        rows, worth, carriers = offer.rows[short], offer.scores[short], offer.carriers[short]
        if novelty != NEUTRAL_NOVELTY:
            worth = with_novelty(worth, appeal[rows], novelty)
            order = best_first(worth, len(worth), appeal[rows] * (1 if novelty < NEUTRAL_NOVELTY else -1))
            rows, worth, carriers = rows[order], worth[order], carriers[order]
        if diversity and len(rows):
            vectors = self.fusion.content.vectors[rows]
            picked, worth = diversified(
                worth, options.k, diversity, lambda place: np.maximum(vectors @ vectors[place], 0)
            )
            rows, carriers = rows[picked], carriers[picked]
        return rows[: options.k], worth[: options.k], carriers[: options.k]

    def _popularity(self, fused: Fused, index: int, targets: np.ndarray) -> np.ndarray:
        """What popularity added to the blend's scores of ``targets`` for profile ``index``, against the average
        title: with what :meth:`FusionModel.explain` gives, exactly the score."""
        name = self.fusion.popularity.name
        added: np.ndarray = np.float32(fused.weights[index, PARTS.index(name)]) * fused.parts[name][index, targets]
        return added

    def _reasons(
        self, one: ProfileBatch, rows: np.ndarray, added: np.ndarray, popularity: np.ndarray, *, personal: bool
    ) -> list[tuple[Reason, ...]]:
        if not personal or not len(one.rows):
            return [(Reason(ReasonKind.POPULAR),)] * len(rows)
        return Explainer(self.titles, one, self.fusion.ease.taste).reasons(rows, added, popularity)
