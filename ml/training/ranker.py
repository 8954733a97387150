"""Teaching the ranker on members that the models beneath it have not seen.

The members are dealt into folds. For each fold the parts are fitted to all others; then the lists of its members
are hidden in part, as they are when a recommender is judged, and the trees learn which of the best titles of the
blend were hidden and liked. Short profiles are practised with all but a few entries hidden, profiles of one kind with
a few liked titles of one genre shown, new titles by making believe that some have no ratings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from ml.evaluation.splits import Split, hide_share, show_few
from ml.models.base import Model
from ml.models.content import ContentModel
from ml.models.ease import EaseModel
from ml.models.fusion import FusionModel, FusionWeights
from ml.models.popularity import PopularityModel
from ml.models.profiles import ProfileBatch
from ml.models.ranker import COLD, HEADS, NEW, PLAIN, Candidates, RankerHeads
from ml.models.ranker_features import TitleFacts, matrix
from ml.models.titles import Titles
from ml.models.trees import Forest
from ml.reading import Catalogue
from ml.serving.dials import best_first
from ml.serving.franchises import FranchiseIndex
from ml.training.cold import as_unrated, without_titles
from ml.training.data import Members, count_rated
from ml.training.ease import EaseParams
from ml.training.facts import describe_facts
from ml.training.kinds import show_one_kind
from ml.training.popularity import expected_likes, fit_popularity
from ml.training.trees import TreeParams, grow, no_trees
from ml.types import FranchiseMode

BLOCK_PEOPLE = 128
# Far from the seeds of the other folds, so that every round of hiding is another.
AGAIN = 1000
NOBODY_HIDES = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class RankerParams:
    """``folds``: how often the parts are fitted; 0 = no ranker, lists are those of the blend. ``max_members``: how
    many members to learn from at most; a catalogue of few titles has less to teach: ``members_a_title`` for each of
    them, but at least ``fewest_members``. ``shortlist``: how many of the best are ranked. ``hidden_share``: what is
    hidden of full lists; each member is also met with one of ``shown_entries`` entries, or with up to
    ``kind_titles`` of one kind (0: never). What is wholly new to somebody is little on one list, so discovery
    is practised with ``discovery_rounds`` ways of hiding. ``cold_share``: share of the titles on at least
    ``cold_min_lists`` lists that are made believe unrated in each fold.

    ``niche_weight``, ``discovery_niche_weight``: how much more a candidate counts the fewer like it (power of its
    share of likes); without it lists lean to what everybody has.
    """

    folds: int = 3
    max_members: int = 4000
    members_a_title: float = 0.2
    fewest_members: int = 300
    shortlist: int = 100
    hidden_share: float = 0.2
    shown_entries: tuple[int, ...] = (1, 3, 5, 10)
    kind_titles: int = 5
    discovery_rounds: int = 3
    cold_share: float = 0.12
    cold_min_lists: int = 20
    niche_weight: float = 0.15
    discovery_niche_weight: float = 0.05
    trees: TreeParams = field(default_factory=TreeParams)


@dataclass(frozen=True, slots=True)
class Parts:
    """Models fitted to the same members; ``others`` are looked at beside the blend."""

    popularity: PopularityModel
    ease: EaseModel
    others: tuple[Model, ...] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """What all folds share."""

    catalogue: Catalogue
    content: ContentModel
    titles: Titles
    weights: FusionWeights
    ease: EaseParams
    prior_mean_rating: float
    unreleased_likes_share: float

    def likes(self, batch: ProfileBatch, catalogue: Catalogue) -> np.ndarray:
        return expected_likes(batch, catalogue, self.content, self.unreleased_likes_share)

    def facts(self, batch: ProfileBatch, catalogue: Catalogue | None = None) -> TitleFacts:
        """Facts as the members in ``batch`` tell them."""
        catalogue = self.catalogue if catalogue is None else catalogue
        likes = self.likes(batch, catalogue)
        return describe_facts(batch, catalogue, self.titles, likes, self.prior_mean_rating)


@dataclass(slots=True)
class _Examples:
    """Candidates of many people for one head: features, whether they were hidden and liked, and what they count."""

    niche_weight: float
    names: tuple[str, ...] = ()
    rows: list[np.ndarray] = field(default_factory=list)
    wanted: list[np.ndarray] = field(default_factory=list)
    weights: list[np.ndarray] = field(default_factory=list)

    def add(self, columns: dict[str, np.ndarray], wanted: np.ndarray) -> None:
        self.names = tuple(columns)
        self.rows.append(matrix(columns, self.names))
        self.wanted.append(wanted)
        self.weights.append(np.exp(-self.niche_weight * columns["title_log_likes"]))

    def grow(self, params: TreeParams, seed: int) -> Forest:
        if not self.rows:
            return no_trees()
        rows, wanted, weights = (np.concatenate(part) for part in (self.rows, self.wanted, self.weights))
        return grow(rows, wanted, weights, params, seed)


@dataclass(frozen=True, slots=True)
class _View:
    """Models as they look at candidates."""

    fusion: FusionModel
    facts: TitleFacts
    others: tuple[Model, ...] = ()


def fit_ranker(
    members: Members,
    ground: Ground,
    fit_parts: Callable[[Members], Parts],
    params: RankerParams,
    seed: int,
    progress: Callable[[float, str], None] = lambda percent, message: None,
) -> RankerHeads:
    """Learn from ``members``. ``fit_parts`` fits the parts to some of them."""
    draw = np.random.default_rng(seed)
    niche = {PLAIN: params.niche_weight, NEW: params.discovery_niche_weight, COLD: params.niche_weight}
    examples = {head: _Examples(niche[head]) for head in HEADS}
    enough = max(params.fewest_members, round(params.members_a_title * len(ground.catalogue)))
    able = draw.permutation(np.flatnonzero(members.batch.sizes > 1))[: min(enough, params.max_members)]
    lists = count_rated(members.batch, len(ground.catalogue))
    known = draw.permutation(np.flatnonzero(lists >= params.cold_min_lists))
    most_cold = int(params.cold_share * len(known))
    for fold in range(params.folds if len(able) > params.folds else 0):
        progress(80 * fold / params.folds, f"members to learn from, part {fold + 1} of {params.folds}")
        out = np.zeros(len(members), dtype=bool)
        out[able[fold :: params.folds]] = True
        cold = np.sort(known[fold :: params.folds][:most_cold])
        _practise(members.where(~out), members.where(out), cold, ground, fit_parts, params, seed + fold, examples)
    forests, features = {}, {}
    for number, head in enumerate(HEADS):
        progress(80 + 20 * number / len(HEADS), f"growing trees for {head} titles")
        features[head] = examples[head].names
        forests[head] = examples[head].grow(params.trees, seed)
    return RankerHeads(forests, features, params.shortlist)


def _practise(
    known: Members,
    unknown: Members,
    cold: np.ndarray,
    ground: Ground,
    fit_parts: Callable[[Members], Parts],
    params: RankerParams,
    seed: int,
    examples: dict[str, _Examples],
) -> None:
    """Examples of the members ``unknown``, as models fitted to ``known`` see them."""
    parts = fit_parts(known)
    fusion = FusionModel(parts.ease, ground.content, parts.popularity, ground.weights)
    view = _View(fusion, ground.facts(known.batch), parts.others)
    titles = ground.titles

    def practise(split: Split, heads: tuple[str, ...] = (PLAIN, NEW)) -> None:
        _add_warm(view, split, titles, params.shortlist, {head: examples[head] for head in heads})

    full = hide_share(unknown.batch, params.hidden_share, seed)
    practise(full)
    for again in range(1, params.discovery_rounds):
        practise(hide_share(unknown.batch, params.hidden_share, seed + AGAIN * again), (NEW,))
    groups = len(params.shown_entries) + (params.kind_titles > 1)
    for place in range(groups):
        some = unknown.where(np.arange(len(unknown)) % groups == place).batch
        if place < len(params.shown_entries):
            practise(show_few(some, params.shown_entries[place], seed))
        else:
            practise(show_one_kind(some, view.facts, titles.franchise, params.kind_titles, seed))
    if len(cold):
        _add_cold(_unrated_view(view, known, cold, ground), full, cold, titles, params.shortlist, examples)


def _unrated_view(view: _View, known: Members, cold: np.ndarray, ground: Ground) -> _View:
    """The same models as if nobody had rated the titles ``cold``."""
    batch = without_titles(known.batch, cold)
    catalogue = ground.catalogue.without_reception(ground.catalogue.anime_ids[cold])
    warm = np.flatnonzero(count_rated(batch, len(catalogue)) > 0)
    likes = ground.likes(batch, catalogue)
    ease = as_unrated(view.fusion.ease, ground.content, cold, warm, likes, ground.ease)
    popularity = fit_popularity(batch, catalogue, ground.content, ground.unreleased_likes_share)
    return _View(FusionModel(ease, ground.content, popularity, ground.weights), ground.facts(batch, catalogue))


def _add_warm(view: _View, split: Split, titles: Titles, shortlist: int, examples: dict[str, _Examples]) -> None:
    """Examples for the heads in ``examples``: plain ranking and discovery."""
    index = FranchiseIndex(titles)
    appeal = view.fusion.popularity.appeal
    for one, liked, seen, scores, candidates in _people(view, split, titles):
        open_ = np.ones(len(titles), dtype=bool)
        open_[one.rows] = False
        rows = np.flatnonzero(open_)
        rows = rows[best_first(scores[rows], shortlist, appeal[rows])]
        wanted = np.isin(rows, liked)
        if PLAIN in examples and wanted.any():
            examples[PLAIN].add(candidates.of_titles(rows), wanted)
        fresh = np.setdiff1d(titles.franchise[liked], seen)
        offer = index.offer(FranchiseMode.NEW, scores, open_, one, NOBODY_HIDES, include_planned=False)
        best = best_first(offer.scores, shortlist, appeal[offer.rows])
        wanted = np.isin(titles.franchise[offer.rows[best]], fresh)
        if wanted.any():
            examples[NEW].add(candidates.of_franchises(offer.carriers[best], offer.rows[best]), wanted)


def _add_cold(
    view: _View, split: Split, cold: np.ndarray, titles: Titles, shortlist: int, examples: dict[str, _Examples]
) -> None:
    """Examples of ranking titles that have no ratings."""
    appeal = view.fusion.popularity.appeal
    for one, liked, _, scores, candidates in _people(view, split, titles):
        rows = np.setdiff1d(cold, one.rows)
        rows = rows[best_first(scores[rows], shortlist, appeal[rows])]
        wanted = np.isin(rows, liked)
        if wanted.any():
            examples[COLD].add(candidates.of_titles(rows), wanted)


def _people(
    view: _View, split: Split, titles: Titles
) -> Iterator[tuple[ProfileBatch, np.ndarray, np.ndarray, np.ndarray, Candidates]]:
    """Everybody who liked something hidden and shows something: profile, rows liked, franchises seen, scores of the
    blend, and candidates."""
    liked = split.liked()
    for start in range(0, len(split.shown), BLOCK_PEOPLE):
        batch = split.shown.part(start, min(start + BLOCK_PEOPLE, len(split.shown)))
        fused = view.fusion.fuse(batch)
        for index in range(len(batch)):
            one = batch.one(index)
            if len(one.rows) and len(liked[start + index]):
                candidates = Candidates(view.fusion, titles, view.facts, one, fused, index, view.others)
                seen = titles.franchise[one.rows]
                yield one, liked[start + index], seen, fused.scores[index], candidates
