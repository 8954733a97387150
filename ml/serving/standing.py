"""Where one title stands in the whole list of one profile, and what keeps it from standing higher."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ml.models.fusion import standardised
from ml.models.profiles import ProfileBatch
from ml.models.titles import Titles
from ml.serving.franchises import Offer
from ml.serving.lists import ListMaker, Scored
from ml.types import Barrier, FranchiseMode, Options, Profile, Reason, Standing

TENTH = 9


def find_standing(lists: ListMaker, titles: Titles, profile: Profile, anime_id: int, options: Options) -> Standing:
    """Make the whole list that ``options`` ask for and look for the title in it."""
    batch, _ = ProfileBatch.of([profile], titles.anime_ids)
    scored = lists.score(batch, options)
    allowed = lists.allowed(options)
    offer = lists.offer(profile, scored, 0, options, allowed)
    order = whole_order(lists, scored, offer, options)
    found = titles.rows_of(np.array([anime_id]))
    row = int(found[0]) if len(found) else None
    barrier = place = None
    if row is None:
        barrier = Barrier.UNKNOWN
    else:
        place = _place(order, row)
        if place is None:
            barrier = _barrier(lists, titles, profile, batch, row, options, allowed)
            # A franchise with a place is listed by another part.
            mates = np.flatnonzero(titles.franchise[order.rows] == titles.franchise[row])
            if barrier is Barrier.FRANCHISE_TOUCHED and len(mates):
                barrier, place = Barrier.NOT_THE_FIRST, int(mates[0])
    parts = {name: standardised(part)[0][0] for name, part in scored.parts.items()}
    has_tenth = len(order.rows) > TENTH
    carrier = row if place is None else int(order.carriers[place])
    reasons: tuple[Reason, ...] = ()
    against: tuple[Reason, ...] = ()
    # Of a title of the list much would be said by itself.
    if row is not None and carrier is not None and barrier is not Barrier.ON_LIST:
        reasons, against = _for_and_against(lists, scored, row, carrier)
    return Standing(
        anime_id=anime_id,
        rank=None if place is None else place + 1,
        of=len(order.rows),
        barrier=barrier,
        stands_in=int(titles.anime_ids[order.rows[place]])
        if place is not None and barrier is Barrier.NOT_THE_FIRST
        else None,
        score=None if place is None else float(order.scores[place]),
        tenth_score=float(order.scores[TENTH]) if has_tenth else None,
        components=_at(parts, row),
        tenth_components=_at(parts, int(order.rows[TENTH]) if has_tenth else None),
        reasons=reasons,
        against=against,
    )


def whole_order(lists: ListMaker, scored: Scored, offer: Offer, options: Options) -> Offer:
    """Everything that may be listed for the one profile that was scored, in the order of an endless list: what the
    dials choose from, then the rest of what was ranked, then the rest as it was scored. Scores never rise."""
    ranked = lists.ranked(scored, 0, offer, options)
    needed = lists.titles_needed(options)
    taken = np.zeros(scored.scores.shape[1], dtype=bool)
    rows, worths, carriers = [], [], []
    lowest = np.inf
    for stretch in (
        lists.chosen(ranked, options, needed),
        lists.best(ranked, len(ranked.rows)),
        lists.best(offer, len(offer.rows)),
    ):
        new = ~taken[stretch.rows]
        if not new.any():
            continue
        worth = stretch.scores[new].astype(np.float64)
        if worth.max() > lowest:
            worth += lowest - 1 - worth.max()
        lowest = worth.min()
        taken[stretch.rows] = True
        rows.append(stretch.rows[new])
        worths.append(worth)
        carriers.append(stretch.carriers[new])
    if not rows:
        return offer
    return Offer(np.concatenate(rows), np.concatenate(worths), np.concatenate(carriers))


def _barrier(
    lists: ListMaker,
    titles: Titles,
    profile: Profile,
    batch: ProfileBatch,
    row: int,
    options: Options,
    allowed: np.ndarray | None,
) -> Barrier:
    """What keeps a title of the bundle off the offer."""
    if row in lists.kept_off(batch, options):
        return Barrier.ON_LIST
    if row in lists.hidden(profile):
        return Barrier.HIDDEN
    if allowed is not None and not allowed[row]:
        return Barrier.NOT_A_CANDIDATE
    return Barrier.NOT_NEXT if options.franchise is FranchiseMode.NEXT else Barrier.FRANCHISE_TOUCHED


def _for_and_against(
    lists: ListMaker, scored: Scored, row: int, carrier: int
) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
    """What speaks for the title ``row``, whose score is that of ``carrier``, and what against it."""
    targets = np.array([carrier])
    reasons = lists.reasons(scored, 0, np.array([row]), targets)[0]
    if not lists.is_personal(scored, 0):
        return reasons, ()
    added, popularity = lists.added(scored, 0, targets)
    return reasons, lists.explainer(scored.batch).against(added[:, 0], float(popularity[0]))


def _place(order: Offer, row: int) -> int | None:
    places = np.flatnonzero(order.rows == row)
    return int(places[0]) if len(places) else None


def _at(parts: Mapping[str, np.ndarray], row: int | None) -> dict[str, float]:
    return {} if row is None else {name: float(part[row]) for name, part in parts.items()}
