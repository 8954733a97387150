"""Why a title is not on a list: where it stands under the very options of the list, and what holds it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from catalog.models import Anime
from catalog.selectors import CatalogueFilter
from ml.types import Barrier, Reason, Standing
from ml.types import Profile as ScoringProfile
from recommendations.selectors.filters import allowed_by
from recommendations.services.engine import current_engine
from recommendations.services.recommend import (
    ListOptions,
    ShownReason,
    recommender_options,
    shown_reasons,
    titles_by_ids,
)

# A part pulls a title back where it lies so many standard deviations below the title at place ten.
CLEARLY_LOWER = 0.25


class Never(StrEnum):
    """What keeps a title off every list, whatever the person filters."""

    UNRELEASED = "unreleased"
    RECAP = "recap"


NEVER = {
    Never.UNRELEASED: CatalogueFilter(show_adult=True, released_only=True),
    Never.RECAP: CatalogueFilter(show_adult=True, without_recaps=True),
}


@dataclass(frozen=True, slots=True)
class ShownStanding:
    """A :class:`ml.types.Standing` with its titles looked up.

    ``never``: what keeps the title off every list. ``excluded_by``: the filters that leave it out, by the names that
    the caller gave them. ``weak_parts``: the parts of the score that lie clearly below those of the title at place
    ten, the weakest first.
    """

    anime: Anime
    standing: Standing
    stands_in: Anime | None
    reasons: tuple[ShownReason, ...]
    against: tuple[ShownReason, ...]
    never: Never | None = None
    excluded_by: tuple[str, ...] = ()
    weak_parts: tuple[str, ...] = ()


def standing_of(
    *, person: ScoringProfile, anime: Anime, options: ListOptions, filters: Mapping[str, CatalogueFilter]
) -> ShownStanding | None:
    """Where ``anime`` stands in the list that ``options`` ask for; ``None`` while no model serves.

    ``filters``: the person's filters one by one, by name.
    """
    engine = current_engine()
    if engine is None:
        return None
    asked = recommender_options(options, k=options.k)
    standing = engine.recommender.standing(person, anime.pk, asked)
    reasons: list[Reason] = [*standing.reasons, *standing.against]
    named = {reason.anime_id for reason in reasons if reason.anime_id is not None}
    titles = titles_by_ids(named | ({standing.stands_in} if standing.stands_in is not None else set()))
    never: Never | None = None
    excluded_by: tuple[str, ...] = ()
    if standing.barrier is Barrier.NOT_A_CANDIDATE:
        never, excluded_by = _left_out_by(anime, filters)
    return ShownStanding(
        anime=anime,
        standing=standing,
        stands_in=titles.get(standing.stands_in) if standing.stands_in is not None else None,
        reasons=tuple(shown_reasons(standing.reasons, titles, options)),
        against=tuple(shown_reasons(standing.against, titles, options)),
        never=never,
        excluded_by=excluded_by,
        weak_parts=_weak_parts(standing),
    )


def ranks_under(*, person: ScoringProfile, anime: Anime, options: Sequence[ListOptions]) -> list[int | None]:
    """The place of ``anime`` under each of ``options``; nothing known while no model serves."""
    engine = current_engine()
    if engine is None:
        return [None] * len(options)
    return [engine.recommender.standing(person, anime.pk, recommender_options(one, k=one.k)).rank for one in options]


def _left_out_by(anime: Anime, filters: Mapping[str, CatalogueFilter]) -> tuple[Never | None, tuple[str, ...]]:
    allowed = allowed_by(anime, {**{name.value: filter for name, filter in NEVER.items()}, **filters})
    never = next((name for name in NEVER if not allowed[name.value]), None)
    return never, tuple(name for name in filters if not allowed[name])


def _weak_parts(standing: Standing) -> tuple[str, ...]:
    behind = {
        name: tenth - standing.components.get(name, 0.0)
        for name, tenth in standing.tenth_components.items()
        if name in standing.components
    }
    return tuple(sorted((name for name in behind if behind[name] > CLEARLY_LOWER), key=lambda name: -behind[name]))
