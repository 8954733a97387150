"""How a list is made: what may be listed, in which order, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ml.models.base import Model
from ml.models.fusion import PARTS, TUNED_BALANCE, Fused, FusionModel
from ml.models.profiles import ProfileBatch
from ml.models.ranker import RankerModel
from ml.models.titles import Titles
from ml.serving.dials import NEUTRAL_NOVELTY, best_first, diversified, with_novelty
from ml.serving.franchises import FranchiseIndex, Offer
from ml.serving.reasons import Explainer
from ml.types import FranchiseMode, Options, Profile, Reason, ReasonKind, Status

COMPONENT_NAMES = {
    "ease": "collaborative",
    "recommender_net": "collaborative",
    "content": "content",
    "popularity": "popularity",
}


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores of m profiles under some options: ``scores`` float32 (m, n) and, by the names that people see, the
    ``parts`` they were made of.

    ``alone``: the one model that ranks, or nothing where the blend does. Of the blend, ``fused`` is as the balance
    asks for it and ``tuned`` as it was learned. ``ranker``: what reorders its best, if anything does.
    """

    batch: ProfileBatch
    scores: np.ndarray
    parts: Mapping[str, np.ndarray]
    balance: float
    alone: str | None = None
    tuned: Fused | None = None
    fused: Fused | None = None
    ranker: RankerModel | None = None


class ListMaker:
    """Makes lists with the models of one bundle. ``shortlist``: of how many titles novelty and diversity choose."""

    def __init__(
        self,
        titles: Titles,
        fusion: FusionModel,
        models: Mapping[str, Model],
        ranker: RankerModel | None,
        shortlist: int,
    ) -> None:
        self._titles = titles
        self._fusion = fusion
        self._models = models
        self._ranker = ranker
        self._shortlist = shortlist
        self._franchises = FranchiseIndex(titles)

    def allowed(self, options: Options) -> np.ndarray | None:
        """Which titles the filter lets through, bool (n,); nothing where there is no filter."""
        if options.candidates is None:
            return None
        allowed = np.zeros(len(self._titles), dtype=bool)
        allowed[self._titles.rows_of(options.candidates)] = True
        return allowed

    def score(self, batch: ProfileBatch, options: Options) -> Scored:
        """Score every title for every profile of the batch."""
        balance = TUNED_BALANCE if options.balance is None else options.balance
        model = options.model or next(iter(self._models))
        ranker = self._ranker if self._ranker is not None and model == self._ranker.name else None
        if ranker is None and model != self._fusion.name:
            scores = self._models[model].scores(batch)
            return Scored(batch, scores, {COMPONENT_NAMES[model]: scores}, balance, alone=model)
        tuned = self._fusion.fuse(batch)
        fused = tuned if balance == TUNED_BALANCE else self._fusion.turned(tuned, batch, balance)
        parts = {COMPONENT_NAMES[name]: part for name, part in fused.parts.items()}
        return Scored(batch, fused.scores, parts, balance, tuned=tuned, fused=fused, ranker=ranker)

    def offer(
        self, profile: Profile, scored: Scored, index: int, options: Options, allowed: np.ndarray | None
    ) -> Offer:
        """What may be listed for ``profile``, which is number ``index`` of those scored."""
        scores, one = scored.scores[index], scored.batch.one(index)
        eligible = np.ones(len(scores), dtype=bool) if allowed is None else allowed.copy()
        eligible[self.kept_off(one, options)] = False
        hidden = self.hidden(profile)
        eligible[hidden] = False
        return self._franchises.offer(options.franchise, scores, eligible, one, hidden, options.include_planned)

    def kept_off(self, one: ProfileBatch, options: Options) -> np.ndarray:
        """Rows that are on the person's list, and so never on one of ours."""
        return one.rows[~one.with_status(Status.PLANNED)] if options.include_planned else one.rows

    def hidden(self, profile: Profile) -> np.ndarray:
        """Rows that the person never wants to see."""
        return self._titles.rows_of(np.fromiter(profile.hidden, dtype=np.int64, count=len(profile.hidden)))

    def ranked(self, scored: Scored, index: int, offer: Offer, options: Options) -> Offer:
        """The offer with its shortlist ranked anew; what is not on it follows in the order of the blend, if the list
        is so long that it is needed.

        ``balance`` at 0.5 leaves the order to the ranker. Towards the ends it goes over into that of the blend, which
        there is that of one part, as a weighted mean of the ranks in both.
        """
        ranker, tuned, one = scored.ranker, scored.tuned, scored.batch.one(index)
        pull = abs(scored.balance - TUNED_BALANCE) / (1 - TUNED_BALANCE)
        if ranker is None or tuned is None or pull == 1 or not len(one.rows) or not len(offer.rows):
            return offer
        short = best_first(offer.scores, ranker.heads.shortlist, self._appeal[offer.rows])
        rows, carriers = offer.rows[short], offer.carriers[short]
        if options.franchise is FranchiseMode.NEW:
            worth = ranker.rank_franchises(one, tuned, index, carriers, rows)
        else:
            worth = ranker.rank_titles(one, tuned, index, rows)
        if pull:
            place = np.empty(len(short))
            place[np.argsort(-worth, kind="stable")] = np.arange(len(short))
            worth = -(1 - pull) * place - pull * np.arange(len(short))
        if self.titles_needed(options) <= len(short):
            return Offer(rows, worth, carriers)
        scores = offer.scores.astype(np.float64)
        rest = np.ones(len(scores), dtype=bool)
        rest[short] = False
        if rest.any():
            scores[rest] += float(worth.min()) - 1 - scores[rest].max()
        scores[short] = worth
        return Offer(offer.rows, scores, offer.carriers)

    def titles_needed(self, options: Options) -> int:
        """How many of the best titles the list is chosen from."""
        plain = options.novelty in (None, NEUTRAL_NOVELTY) and not options.diversity
        return options.k if plain else max(self._shortlist, 2 * options.k)

    def chosen(self, offer: Offer, options: Options, k: int) -> Offer:
        """The first k of the list in their order, with the worth they were chosen for; k is at most
        :meth:`titles_needed`."""
        appeal = self._appeal
        novelty = NEUTRAL_NOVELTY if options.novelty is None else options.novelty
        diversity = options.diversity or 0.0
        short = self.best(offer, self.titles_needed(options))
        rows, worth, carriers = short.rows, short.scores, short.carriers
        if novelty != NEUTRAL_NOVELTY:
            worth = with_novelty(worth, appeal[rows], novelty)
            order = best_first(worth, len(worth), appeal[rows] * (1 if novelty < NEUTRAL_NOVELTY else -1))
            rows, worth, carriers = rows[order], worth[order], carriers[order]
        if diversity and len(rows):
            vectors = self._fusion.content.vectors[rows]
            picked, worth = diversified(worth, k, diversity, lambda place: np.maximum(vectors @ vectors[place], 0))
            rows, carriers = rows[picked], carriers[picked]
        return Offer(rows[:k], worth[:k], carriers[:k])

    def best(self, offer: Offer, k: int) -> Offer:
        """The k titles of an offer with the highest scores, best first; among equals the more popular."""
        order = best_first(offer.scores, k, self._appeal[offer.rows])
        return Offer(offer.rows[order], offer.scores[order], offer.carriers[order])

    def reasons(
        self, scored: Scored, index: int, rows: np.ndarray, carriers: np.ndarray
    ) -> Sequence[tuple[Reason, ...]]:
        """Why each of ``rows`` is listed, as far as the titles in ``carriers`` are what their scores rest on."""
        one = scored.batch.one(index)
        if not self.is_personal(scored, index):
            return [(Reason(ReasonKind.POPULAR),)] * len(rows)
        return self.explainer(one).reasons(rows, *self.added(scored, index, carriers))

    def is_personal(self, scored: Scored, index: int) -> bool:
        """Whether the scores depend on the person at all."""
        return scored.alone != self._fusion.popularity.name and len(scored.batch.one(index).rows) > 0

    def explainer(self, one: ProfileBatch) -> Explainer:
        return Explainer(self._titles, one, self._fusion.ease.taste)

    def added(self, scored: Scored, index: int, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What each title of profile ``index`` added to the scores of ``targets``, float32 (size of the profile,
        number of targets), and what popularity added. Of the blend, both are against the average title and together
        exactly the score; a model alone knows no popularity."""
        one = scored.batch.one(index)
        if scored.fused is None:
            model = self._models[str(scored.alone)]
            return model.contributions(one, targets), np.zeros(len(targets), dtype=np.float32)
        fused, name = scored.fused, self._fusion.popularity.name
        popularity = np.float32(fused.weights[index, PARTS.index(name)]) * fused.parts[name][index, targets]
        return self._fusion.explain(one, targets, fused, index), popularity

    @property
    def _appeal(self) -> np.ndarray:
        return self._fusion.popularity.appeal
