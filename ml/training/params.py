"""Training parameters: defaults here, values in `params.yaml`, nothing else accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from ml.evaluation.gate_rules import GateParams
from ml.models.taste import TasteWeights
from ml.training.content import ContentParams
from ml.training.ease import EaseParams
from ml.training.fusion import FusionParams
from ml.training.ranker import RankerParams
from ml.training.ratings import RatingParams
from ml.types import InputError


@dataclass(frozen=True, slots=True)
class HoldoutParams:
    """Members that are held out to learn the blend and to measure: ``member_share`` of all, at most
    ``max_members``, none with fewer than ``min_entries`` entries; every third of them measures."""

    member_share: float = 0.15
    max_members: int = 600
    min_entries: int = 20


@dataclass(frozen=True, slots=True)
class TitleParams:
    """``marginal_member_share``: without dates, a part with fewer members than this share of its franchise's
    most watched part is not the one to start with. ``main_ova_episodes``: OVAs from here on are main parts.
    ``unreleased_likes_share``: how liked a title of unknown membership is expected to be, beside its
    neighbours."""

    marginal_member_share: float = 0.5
    main_ova_episodes: int = 3
    unreleased_likes_share: float = 0.5


@dataclass(frozen=True, slots=True)
class NeuralParams:
    """RecommenderNet is fitted where it is ``enabled`` and there are at least ``fewest_titles`` titles: with fewer it
    says little that EASE does not, and loading TensorFlow takes longer than all else.

    ``factors``: numbers in an embedding. ``hidden``: units of the layer that bends a person's embedding.
    ``logit_scale``: factor between the product of embeddings and the logit. ``popularity_share``: how much of a
    title's popularity (as a logit) it starts with for everybody.

    ``shown_least``, ``shown_most``: of each list a random share between these is shown, the rest is asked for: so
    the network meets short lists and long ones. ``unrated_target``, ``unliked_target``: what is asked for titles
    that were chosen, but not rated or rated below 8, beside 1 for liked ones.

    Titles on fewer than ``min_lists`` lists are not trained: what could be learned of them is not worth the time.
    They get ``cold_neighbours`` titles' mean output.

    ``epochs`` at most; after ``patience`` without a better NDCG on held-out members training ends.
    ``start_members``: the start is fitted to at most so many lists.
    """

    enabled: bool = True
    fewest_titles: int = 1000
    factors: int = 256
    hidden: int = 256
    logit_scale: float = 25.0
    popularity_share: float = 1.0
    shown_least: float = 0.1
    shown_most: float = 0.9
    unrated_target: float = 0.5
    unliked_target: float = 0.3
    learning_rate: float = 3e-4
    weight_decay: float = 1e-4
    epochs: int = 12
    patience: int = 6
    batch_members: int = 256
    min_lists: int = 10
    cold_neighbours: int = 20
    start_members: int = 5000


@dataclass(frozen=True, slots=True)
class ServingParams:
    """``shortlist_titles``: how many of the best titles the dials novelty and diversity choose from."""

    shortlist_titles: int = 100


@dataclass(frozen=True, slots=True)
class Params:
    seed: int = 1
    prior_mean_rating: float = 7.6
    holdout: HoldoutParams = field(default_factory=HoldoutParams)
    titles: TitleParams = field(default_factory=TitleParams)
    content: ContentParams = field(default_factory=ContentParams)
    ease: EaseParams = field(default_factory=EaseParams)
    neural: NeuralParams = field(default_factory=NeuralParams)
    fusion: FusionParams = field(default_factory=FusionParams)
    ranker: RankerParams = field(default_factory=RankerParams)
    ratings: RatingParams = field(default_factory=RatingParams)
    serving: ServingParams = field(default_factory=ServingParams)
    gate: GateParams = field(default_factory=GateParams)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def ease_taste(self) -> TasteWeights:
        return TasteWeights(
            rating_weight=self.ease.rating_weight,
            unrated=self.ease.unrated,
            prior_mean=self.prior_mean_rating,
            prior_weight=self.ease.prior_weight,
        )

    def content_taste(self) -> TasteWeights:
        return TasteWeights(
            rating_weight=self.content.rating_weight,
            unrated=self.content.unrated,
            prior_mean=self.prior_mean_rating,
            prior_weight=self.ease.prior_weight,
            lowest=self.content.lowest,
        )


def read_params(path: Path | None, seed: int | None = None) -> Params:
    """Parameters from a YAML file (``None``: the defaults); ``seed`` overrides the file's."""
    values: Any = {}
    if path is not None:
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except FileNotFoundError:
            raise InputError(f"{path}: no such file") from None
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: {error}") from None
        except yaml.YAMLError as error:
            reason = str(error).replace("\n", " ")
            raise InputError(f"{path}: not YAML ({reason})") from None
    params: Params = _build(Params, values, str(path), "")
    if seed is not None:
        params = _build(Params, {**values, "seed": seed}, "--seed", "")
    if not 0 <= params.ease.franchise_prior < params.ease.ridge:
        raise InputError(f"{path}: ease.franchise_prior must be at least 0 and less than ease.ridge")
    if not 0 <= params.ease.dropout < 1:
        raise InputError(f"{path}: ease.dropout must be at least 0 and less than 1")
    if params.ranker.folds == 1:
        raise InputError(f"{path}: ranker.folds must be 0 (no ranker) or at least 2")
    if params.ranker.shortlist < 1:
        raise InputError(f"{path}: ranker.shortlist must be at least 1")
    _check_neural(params.neural, path)
    _check_ratings(params.ratings, path)
    _check_gate(params.gate, path)
    return params


def _check_neural(neural: NeuralParams, path: Path | None) -> None:
    for name in ("factors", "hidden", "epochs", "patience", "batch_members", "cold_neighbours", "start_members"):
        if getattr(neural, name) < 1:
            raise InputError(f"{path}: neural.{name} must be at least 1")
    for name in ("logit_scale", "learning_rate"):
        if not getattr(neural, name) > 0:
            raise InputError(f"{path}: neural.{name} must be more than 0")
    if not 0 <= neural.shown_least <= neural.shown_most <= 1:
        raise InputError(f"{path}: neural.shown_least must be at least 0, shown_most no less than it and at most 1")


def _check_ratings(ratings: RatingParams, path: Path | None) -> None:
    for name in ("title_shrink", "person_shrink", "near_shrink", "likeness_shrink"):
        if not getattr(ratings, name) > 0:
            raise InputError(f"{path}: ratings.{name} must be more than 0")
    for name in ("min_ratings", "neighbours", "max_members"):
        if getattr(ratings, name) < 1:
            raise InputError(f"{path}: ratings.{name} must be at least 1")


def _check_gate(gate: GateParams, path: Path | None) -> None:
    leasts = {"min_people": 2, "short_entries": 1, "cold_lists": 0, "time_people": 1, "time_repeats": 1, "seed": 0}
    for name, least in leasts.items():
        if getattr(gate, name) < least:
            raise InputError(f"{path}: gate.{name} must be at least {least}")
    for name in ("z", "coverage_share", "time_ratio", "time_floor_ms"):
        if not getattr(gate, name) >= 0:
            raise InputError(f"{path}: gate.{name} must be at least 0")
    for name in ("max_bundle_mb", "max_time_ms"):
        if not getattr(gate, name) > 0:
            raise InputError(f"{path}: gate.{name} must be more than 0")


def _build(kind: Any, values: Any, source: str, where: str) -> Any:
    if not isinstance(values, Mapping):
        raise InputError(f"{source}: {where.rstrip('.') or 'the file'} must hold names and values")
    known = {one.name for one in fields(kind)}
    unknown = sorted(str(name) for name in values if name not in known)
    if unknown:
        raise InputError(f"{source}: no parameter {where}{unknown[0]} (there are {', '.join(sorted(known))})")
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], value, source, where + name) for name, value in values.items()})


def _value(kind: Any, value: Any, source: str, name: str) -> Any:
    if is_dataclass(kind):
        return _build(kind, value, source, f"{name}.")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is bool and isinstance(value, bool):
        return value
    if kind is int and number and value == int(value):
        return int(value)
    if kind is float and number:
        return float(value)
    if isinstance(value, list) and all(isinstance(one, int | float) for one in value):
        return tuple(type(one)(one) for one in value)
    raise InputError(f"{source}: {name} is {value!r}, which is not a value for it")
