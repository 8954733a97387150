"""The learned ranker: boosted trees over the parts' scores and plain facts reorder the best of the blend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from ml.models.base import Arrays, Model
from ml.models.fusion import Fused, FusionModel
from ml.models.profiles import ProfileBatch
from ml.models.ranker_features import Person, TitleFacts, matrix, ranks
from ml.models.titles import Titles
from ml.models.trees import Forest
from ml.types import Profile

PLAIN, NEW, COLD = "plain", "new", "cold"
HEADS = (PLAIN, NEW, COLD)
FACTS = "facts"
# A few titles of one kind say what somebody is after now; the lists that the trees learn from hold little of that. So
# many log-odds a standard deviation of likeness in content counts where a profile is as short and as much of one kind
# as can be. Set by hand.
KIND_PULL = 1.5


class Candidates:
    """One person's candidates before they are ranked: the numbers that the trees look at."""

    def __init__(
        self,
        fusion: FusionModel,
        titles: Titles,
        facts: TitleFacts,
        one: ProfileBatch,
        fused: Fused,
        index: int,
        others: Sequence[Model] = (),
    ) -> None:
        """``fused``: the blend as tuned, which holds the person as number ``index``. ``others``: further models whose
        scores are looked at."""
        self._ease = fusion.ease
        self._titles = titles
        self._facts = facts
        self._parts = {name: fused.parts[name][index] for name in (fusion.ease.name, fusion.content.name)}
        self._parts["blend"] = fused.scores[index]
        self._others = others
        self._one = one
        self._person = Person(one, titles, facts, fusion.ease)
        self._coherence = np.float32(one.once(fusion.content.coherence)[0])

    def of_titles(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Features of the titles ``rows``."""
        parts = {name: scores[rows] for name, scores in self._parts.items()}
        for model in self._others:
            parts[model.name] = _scores_of(model, self._one, rows)
        columns = self._person.columns(rows, parts, self._ease.contributions(self._one, rows))
        columns["person_coherence"] = np.broadcast_to(self._coherence, len(rows))
        return columns

    def of_franchises(self, carriers: np.ndarray, firsts: np.ndarray) -> dict[str, np.ndarray]:
        """Features of franchises, each represented by its best part (``carriers``) and listed by ``firsts``."""
        columns = self.of_titles(carriers)
        franchise = self._titles.franchise
        ease = self._parts[self._ease.name]
        strength = np.bincount(franchise, np.maximum(ease, 0))[franchise[carriers]]
        columns["all_parts_ease"] = strength
        columns["all_parts_ease_rank"] = ranks(strength)
        columns["first_ease"] = ease[firsts]
        columns["first_blend"] = self._parts["blend"][firsts]
        columns["first_log_likes"] = self._facts.column("log_likes")[firsts]
        columns["first_era"] = self._facts.column("era")[firsts]
        columns["first_is_best"] = firsts == carriers
        return columns


@dataclass(frozen=True, slots=True)
class RankerHeads:
    """What was learned: for each of :data:`HEADS` the trees and the names of the features they look at, in order.

    ``plain`` ranks titles, ``cold`` those on nobody's list in training, ``new`` franchises that the person has not
    touched. A head without trees leaves the order as it is. ``shortlist``: how many of the best are ranked.
    """

    forests: Mapping[str, Forest]
    features: Mapping[str, tuple[str, ...]]
    shortlist: int

    def scores(self, head: str, columns: Mapping[str, np.ndarray], chosen: np.ndarray | None = None) -> np.ndarray:
        """Log-odds that the person likes each of c candidates, or of those ``chosen`` (bool (c,)), float32."""
        rows = matrix(columns, self.features[head])
        return self.forests[head].scores(rows if chosen is None else rows[chosen])

    def knows(self, head: str) -> bool:
        return len(self.forests[head].roots) > 0

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            f"{head}.{name}": array
            for head, forest in self.forests.items()
            for name, array in forest.arrays().items()
        }

    def settings(self) -> dict[str, Any]:
        return {
            "shortlist": self.shortlist,
            "heads": {
                head: {"forest": forest.settings(), "features": list(self.features[head])}
                for head, forest in self.forests.items()
            },
        }

    @classmethod
    def restore(cls, arrays: Arrays, settings: Mapping[str, Any]) -> Self:
        forests = {head: Forest.restore(_below(head, arrays), settings["heads"][head]["forest"]) for head in HEADS}
        features = {head: tuple(settings["heads"][head]["features"]) for head in HEADS}
        return cls(forests, features, int(settings["shortlist"]))


@dataclass(frozen=True, slots=True)
class RankerModel:
    """Ranks the best titles of the blend anew; all others follow in the order of the blend."""

    name: ClassVar[str] = "ranker"
    fusion: FusionModel
    titles: Titles
    facts: TitleFacts
    heads: RankerHeads
    others: tuple[Model, ...] = ()

    def check(self) -> None:
        """Raise :class:`KeyError` where the trees look at features that this program does not know."""
        nobody = ProfileBatch.of([Profile.from_ratings({})], self.titles.anime_ids)[0]
        first = np.zeros(min(1, len(self.titles)), dtype=np.int64)
        columns = self._candidates(nobody, self.fusion.fuse(nobody), 0).of_franchises(first, first)
        for head, names in self.heads.features.items():
            missing = [name for name in names if name not in columns]
            if missing:
                raise KeyError(f"ranker.{head}.{missing[0]}")

    def rank_titles(self, one: ProfileBatch, fused: Fused, index: int, rows: np.ndarray) -> np.ndarray:
        """Scores of the titles ``rows`` for one person, float32 (c,)."""
        if not self.heads.knows(PLAIN) or not len(one.rows) or not len(rows):
            return fused.scores[index][rows]
        columns = self._candidates(one, fused, index).of_titles(rows)
        cold = self.facts.cold[rows] if self.heads.knows(COLD) else np.zeros(len(rows), dtype=bool)
        scores = np.empty(len(rows), dtype=np.float32)
        for head, some in ((PLAIN, ~cold), (COLD, cold)):
            if some.any():
                scores[some] = self.heads.scores(head, columns, some)
        return scores

    def rank_franchises(
        self, one: ProfileBatch, fused: Fused, index: int, carriers: np.ndarray, firsts: np.ndarray
    ) -> np.ndarray:
        """Scores of franchises, float32 (c,); ``carriers`` are their best parts, ``firsts`` those to start with."""
        if not self.heads.knows(NEW) or not len(one.rows) or not len(carriers):
            return fused.scores[index][carriers]
        columns = self._candidates(one, fused, index).of_franchises(carriers, firsts)
        return self.heads.scores(NEW, columns) + self._pull(one) * columns["content_within"]

    def _pull(self, one: ProfileBatch) -> np.float32:
        """How much likeness in content counts on top of what the trees make of it: not at all on usual profiles."""
        shape, weights = self.fusion.shape(one), self.fusion.weights
        return np.float32(KIND_PULL * weights.shortness(shape)[0] * weights.focus(shape)[0])

    def scores(self, batch: ProfileBatch) -> np.ndarray:
        """The shortlist of unseen titles stands above all others, which keep the scores of the blend."""
        fused = self.fusion.fuse(batch)
        result = fused.scores.copy()
        appeal = self.fusion.popularity.appeal
        for index in range(len(batch)):
            one = batch.one(index)
            unseen = np.setdiff1d(np.arange(len(appeal)), one.rows)
            order = np.lexsort((-appeal[unseen], -fused.scores[index][unseen]))
            rows = unseen[order[: self.heads.shortlist]]
            if len(rows):
                ranked = self.rank_titles(one, fused, index, rows)
                result[index, rows] = ranked - ranked.min() + fused.scores[index].max() + 1
        return result

    def contributions(self, profile: ProfileBatch, targets: np.ndarray) -> np.ndarray:
        """Those of the blend, which is linear and brought the title to where the trees saw it. The trees share
        nothing out among the titles of a list: they only choose among what these brought."""
        return self.fusion.contributions(profile, targets)

    def mean_contributions(self, profile: ProfileBatch) -> np.ndarray:
        return self.fusion.mean_contributions(profile)

    def _candidates(self, one: ProfileBatch, fused: Fused, index: int) -> Candidates:
        return Candidates(self.fusion, self.titles, self.facts, one, fused, index, self.others)

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            **self.heads.arrays(),
            **{f"{FACTS}.{name}": array for name, array in self.facts.arrays().items()},
        }

    def settings(self) -> dict[str, Any]:
        return {**self.heads.settings(), FACTS: self.facts.settings()}

    @classmethod
    def restore(cls, arrays: Arrays, settings: Mapping[str, Any], **parts: Any) -> Self:
        facts = TitleFacts.restore(_below(FACTS, arrays), settings[FACTS])
        return cls(facts=facts, heads=RankerHeads.restore(arrays, settings), **parts)


def _below(part: str, arrays: Arrays) -> dict[str, np.ndarray]:
    prefix = f"{part}."
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _scores_of(model: Model, one: ProfileBatch, rows: np.ndarray) -> np.ndarray:
    some = getattr(model, "scores_of", None)
    return model.scores(one)[0][rows] if some is None else some(one, rows)[0]
