"""Judges: members whom no model learns from, so that the gate can compare any two models on them.

Who is a judge is decided by a hash of who they are, once and for all: a candidate and a champion of months ago have
neither seen them. Their share falls as a site grows, and whoever stops being a judge then may be learned from.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

SHARE = 0.05
# More than these tell no more apart than matters.
MOST_JUDGES = 2000
# A smaller site learns from everybody: too few would judge anyway.
FEWEST_MEMBERS = 100
FEWEST_ENTRIES = 10
HIDDEN_SHARE = 0.2

Line = tuple[int, int]


def judge_share(members: int) -> float:
    """The share of ``members`` that judge."""
    if members < FEWEST_MEMBERS:
        return 0.0
    return min(SHARE, MOST_JUDGES / members)


def is_judge(key: str, share: float) -> bool:
    """Whether the member ``key`` is one of the ``share``: the same answer whenever it is asked, and a judge of a
    smaller share is one of a larger share too."""
    place = int.from_bytes(hashlib.sha256(f"judge:{key}".encode()).digest()[:8])
    return place < share * 2**64


def hidden_places(key: str, entries: int) -> frozenset[int]:
    """Which of a judge's entries (positions in order of anime id) are held out; none of a list that is too short to
    judge by."""
    if entries < FEWEST_ENTRIES:
        return frozenset()
    count = max(1, round(HIDDEN_SHARE * entries))
    return frozenset(random.Random(f"hidden:{key}").sample(range(entries), count))  # noqa: S311 - a split, no secret


def split(key: str, entries: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """(shown, held out) entries, as (anime_id, rating), of a judge."""
    hidden = hidden_places(key, len(entries))
    shown = [entry for place, entry in enumerate(entries) if place not in hidden]
    return shown, [entry for place, entry in enumerate(entries) if place in hidden]
