"""Practice with profiles of one kind: a few well-liked titles of one genre, and who gave them wants more of it.

Members' whole lists hold a bit of everything, so a ranker that practises on them alone answers five mecha series
with what everybody likes. Somebody who has just typed in five of a kind is after that kind.
"""

from __future__ import annotations

import numpy as np

from ml.evaluation.splits import Split, entries_where
from ml.models.profiles import ProfileBatch
from ml.models.ranker_features import TitleFacts
from ml.types import LIKED_RATING

# A genre counts as a kind for somebody who liked so many more of its titles than are shown.
FEWEST_TO_FIND = 2


def show_one_kind(batch: ProfileBatch, facts: TitleFacts, franchise: np.ndarray, most: int, seed: int) -> Split:
    """Of everybody who liked enough titles of some genre, show 2 to ``most`` of these, each of another franchise,
    and hold out the other liked titles of that genre. The genre is drawn, rare ones more often.

    ``franchise``: of every title, (n,).
    """
    draw = np.random.default_rng(seed)
    shown = np.zeros(len(batch.rows), dtype=bool)
    hidden = np.zeros(len(batch.rows), dtype=bool)
    liked = batch.ratings >= LIKED_RATING
    rarity = 1 / np.maximum(facts.genre_share, 1e-3)
    for start, stop in zip(batch.indptr[:-1], batch.indptr[1:], strict=True):
        entries = start + draw.permutation(np.flatnonzero(liked[start:stop]))
        entries = entries[np.sort(np.unique(franchise[batch.rows[entries]], return_index=True)[1])]
        count = int(draw.integers(2, most + 1))
        own = facts.genres[batch.rows[entries]] > 0
        chance = np.where(own.sum(axis=0) >= count + FEWEST_TO_FIND, rarity, 0.0)
        if chance.any():
            of_kind = own[:, draw.choice(len(chance), p=chance / chance.sum())]
            shown[entries[of_kind][:count]] = True
            hidden[entries[of_kind][count:]] = True
    return Split(entries_where(batch, shown), entries_where(batch, hidden))
