"""Splits: who is held out, and what of their lists."""

from __future__ import annotations

import numpy as np

from ml.evaluation.splits import choose_members, hide_share, show_few
from ml.models.profiles import ProfileBatch

SIZES = [1, 2, 5, 10, 50]


def people() -> ProfileBatch:
    indptr = np.concatenate(([0], np.cumsum(SIZES)))
    count = int(indptr[-1])
    rows = np.concatenate([np.arange(size) for size in SIZES]).astype(np.int32)
    ratings = np.tile(np.array([8, 5], dtype=np.float32), count)[:count]
    return ProfileBatch(indptr, rows, ratings, np.ones(count, dtype=np.int8))


def both(split, person: int) -> tuple[set[int], set[int]]:
    return set(split.shown.one(person).rows.tolist()), set(split.heldout.one(person).rows.tolist())


def test_a_share_of_every_list_is_hidden() -> None:
    split = hide_share(people(), 0.2, seed=1)
    assert split.heldout.sizes.tolist() == [0, 1, 1, 2, 10]
    for person, size in enumerate(SIZES):
        shown, hidden = both(split, person)
        assert shown.isdisjoint(hidden)
        assert shown | hidden == set(range(size))


def test_a_few_entries_are_shown() -> None:
    split = show_few(people(), 3, seed=1)
    assert split.shown.sizes.tolist() == [1, 2, 3, 3, 3]
    assert (split.shown.sizes + split.heldout.sizes).tolist() == SIZES


def test_liked_are_the_hidden_titles_rated_8_or_more() -> None:
    split = hide_share(people(), 0.5, seed=3)
    for person, liked in enumerate(split.liked()):
        one = split.heldout.one(person)
        assert liked.tolist() == one.rows[one.ratings >= 8].tolist()
    assert sum(len(liked) for liked in split.liked()) > 5


def test_splits_follow_the_seed() -> None:
    same, other = hide_share(people(), 0.2, seed=1), hide_share(people(), 0.2, seed=2)
    np.testing.assert_array_equal(hide_share(people(), 0.2, seed=1).heldout.rows, same.heldout.rows)
    assert same.heldout.rows.tolist() != other.heldout.rows.tolist()


def test_members_with_short_lists_are_not_held_out() -> None:
    chosen = choose_members(people(), share=1.0, most=10, min_entries=5, seed=1)
    assert chosen.tolist() == [2, 3, 4]
    assert len(choose_members(people(), share=0.4, most=10, min_entries=1, seed=1)) == 2
    assert len(choose_members(people(), share=1.0, most=1, min_entries=1, seed=1)) == 1
