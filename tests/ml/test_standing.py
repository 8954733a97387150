"""Where a title stands in the whole list, and what is said for it and against it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ml.models.profiles import ProfileBatch
from ml.serving import Recommender
from ml.types import Barrier, Entry, FranchiseMode, InputError, Options, Profile, Reason, ReasonKind, Status
from tests.ml.conftest import World
from tests.ml.test_ranker import with_shortlist

MECHA_FAN = Profile.from_ratings({1000: 9, 1002: 10, 1004: 9, 2000: 3, 1006: None})
LOW_PLACES = (None, Barrier.NOT_THE_FIRST)


def random_options(rng: np.random.Generator, recommender: Recommender) -> Options:
    """Options with every dial now and then at rest, in between and at its ends."""

    def dial() -> float | None:
        return [None, 0.0, 0.2, 0.5, 0.8, 1.0][rng.integers(6)]

    some = rng.random(len(recommender.anime_ids)) < 0.6
    return Options(
        k=int(rng.choice([1, 3, 10, 30, 100])),
        balance=dial(),
        novelty=dial(),
        diversity=dial(),
        franchise=list(FranchiseMode)[rng.integers(3)],
        candidates=recommender.anime_ids[some] if rng.random() < 0.4 else None,
        model=[None, None, *recommender.model_names][rng.integers(len(recommender.model_names) + 2)],
        include_planned=bool(rng.random() < 0.3),
    )


def random_profile(rng: np.random.Generator, recommender: Recommender) -> Profile:
    """Anything from an empty list to one with half of the titles, in every status, some of them unknown."""
    size = int(rng.choice([0, 1, 4, 18]))
    ids = rng.choice(recommender.anime_ids, size, replace=False).tolist() + ([77_777] if rng.random() < 0.3 else [])
    entries = [
        Entry(
            anime_id,
            None if rng.random() < 0.3 else float(rng.integers(1, 11)),
            list(Status)[rng.integers(len(Status))],
        )
        for anime_id in ids
    ]
    return Profile.of(entries, hidden=rng.choice(recommender.anime_ids, int(rng.integers(3))).tolist())


def told(reasons: tuple[Reason, ...]) -> dict[object, float]:
    """What is named, and its share."""
    return {(reason.kind, reason.anime_id, reason.traits): reason.share for reason in reasons}


@pytest.mark.parametrize("seed", range(30))
def test_the_first_k_places_are_those_of_the_list(served: Recommender, seed: int) -> None:
    rng = np.random.default_rng(seed)
    recommender = with_shortlist(served, 5) if seed % 2 else served
    profile, options = random_profile(rng, recommender), random_options(rng, recommender)
    listed = recommender.recommend(profile, options).results
    standings = [recommender.standing(profile, int(anime_id), options) for anime_id in recommender.anime_ids]
    places = {standing.anime_id: standing for standing in standings if standing.barrier is None}
    (of,) = {standing.of for standing in standings}
    assert sorted(standing.rank or 0 for standing in places.values()) == list(range(1, of + 1)), "each place once"
    assert len(listed) == min(options.k, of)
    for item in listed:
        own = places[item.anime_id]
        assert own.rank == item.rank
        assert own.score == pytest.approx(item.score)
        assert told(own.reasons) == pytest.approx(told(item.reasons), abs=1e-5)
        if options.model is None:
            assert own.components == pytest.approx(item.components, abs=1e-4)
    in_order = sorted(places.values(), key=lambda standing: standing.rank or 0)
    scores = [standing.score or 0.0 for standing in in_order]
    assert scores == sorted(scores, reverse=True)
    if of >= 10:
        assert {standing.tenth_score for standing in standings} == {in_order[9].score}
        assert all(standing.tenth_components == in_order[9].components for standing in standings)
    else:
        assert {standing.tenth_score for standing in standings} == {None}
    for standing in standings:
        assert (standing.rank is None) == (standing.barrier not in LOW_PLACES)
        if standing.barrier is Barrier.NOT_THE_FIRST:
            assert standing.stands_in is not None
            assert places[standing.stands_in].rank == standing.rank


@pytest.mark.parametrize("options", [{}, {"balance": 0.8}, {"franchise": FranchiseMode.NEW}])
def test_without_dials_the_places_are_those_of_a_list_of_everything(served: Recommender, options: dict) -> None:
    for recommender in (served, with_shortlist(served, 5)):
        everything = recommender.recommend(MECHA_FAN, Options(k=1000, **options)).results
        for item in everything:
            rank = recommender.standing(MECHA_FAN, item.anime_id, Options(k=3, **options)).rank
            # Twins may change places: the trees and the blend break a tie each in its own way.
            assert everything[(rank or 0) - 1].score == item.score


def test_behind_the_shortlist_dials_move_nothing(fandoms: World) -> None:
    recommender = fandoms.recommender  # its dials choose among 20
    turned = Options(k=5, novelty=1.0, diversity=0.5)
    plain = recommender.recommend(MECHA_FAN, Options(k=100)).results
    places = [recommender.standing(MECHA_FAN, item.anime_id, turned).rank or 0 for item in plain]
    assert [plain[place - 1].score for place in places[20:]] == [item.score for item in plain[20:]]
    assert set(places[:20]) == set(range(1, 21))
    assert places[:20] != list(range(1, 21))


def barrier(recommender: Recommender, profile: Profile, anime_id: int, **options: Any) -> Barrier | None:
    return recommender.standing(profile, anime_id, Options(**options)).barrier


def test_every_barrier_is_told(served: Recommender) -> None:
    new, following = FranchiseMode.NEW, FranchiseMode.NEXT
    hiding = replace(MECHA_FAN, hidden=frozenset({3000}))
    assert barrier(served, MECHA_FAN, 31_337) is Barrier.UNKNOWN
    assert barrier(served, MECHA_FAN, 1000) is Barrier.ON_LIST
    assert barrier(served, hiding, 3000) is Barrier.HIDDEN
    assert barrier(served, MECHA_FAN, 3000, candidates=np.array([3001])) is Barrier.NOT_A_CANDIDATE
    assert barrier(served, MECHA_FAN, 1001) is None
    assert barrier(served, MECHA_FAN, 1001, franchise=new) is Barrier.FRANCHISE_TOUCHED
    assert barrier(served, hiding, 3001, franchise=new) is Barrier.FRANCHISE_TOUCHED
    assert barrier(served, MECHA_FAN, 3001, franchise=new) is Barrier.NOT_THE_FIRST
    assert barrier(served, MECHA_FAN, 3000, franchise=new) is None
    assert barrier(served, MECHA_FAN, 3001, franchise=new, candidates=np.array([3001])) is None, "3000 is left out"
    assert barrier(served, MECHA_FAN, 1001, franchise=following) is None
    assert barrier(served, MECHA_FAN, 3000, franchise=following) is Barrier.NOT_NEXT
    planned = Profile.of([Entry(1000, 9), Entry(3000, status=Status.PLANNED)])
    assert barrier(served, planned, 3000) is Barrier.ON_LIST
    assert barrier(served, planned, 3000, include_planned=True) is None


def test_an_unknown_title_has_no_place_and_nothing_to_tell(served: Recommender) -> None:
    standing = served.standing(MECHA_FAN, 31_337)
    assert (standing.rank, standing.score, standing.components) == (None, None, {})
    assert (standing.reasons, standing.against) == ((), ())
    assert standing.of == len(served.anime_ids) - len(MECHA_FAN)
    assert standing.tenth_components


def test_a_title_of_another_kind_is_told_what_speaks_against_it(served: Recommender) -> None:
    far, near = served.standing(MECHA_FAN, 2003), served.standing(MECHA_FAN, 1001)
    assert far.rank is not None
    assert near.rank is not None
    assert near.rank < far.rank
    assert near.components["content"] > 0 > far.components["content"]
    assert 1 <= len(far.against) <= 3
    assert far.against[0].anime_id in {1000, 1002, 1004}, "what they like is what is unlike it"
    assert far.against[0].rating in {9, 10}
    assert all(reason.kind is ReasonKind.RATED for reason in far.against)
    shares = [reason.share for reason in far.against]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1 + 1e-6


def test_shares_against_are_exact(served: Recommender) -> None:
    batch, _ = ProfileBatch.of([MECHA_FAN], served.anime_ids)
    row = served.titles.rows_of(np.array([2003]))
    fused = served.fusion.fuse(batch)
    added = served.fusion.contributions(batch, row)[:, 0]
    popularity = fused.weights[0, 2] * fused.parts["popularity"][0, row[0]]
    total = sum(max(0.0, -float(value)) for value in (*added, popularity))
    expected = {
        int(served.anime_ids[entry]): -float(value) / total for entry, value in zip(batch.rows, added, strict=True)
    }
    for reason in served.standing(MECHA_FAN, 2003).against:
        assert reason.share == pytest.approx(expected[reason.anime_id or 0], rel=1e-3)


def test_nothing_personal_speaks_against_a_title_where_nothing_is_known(served: Recommender) -> None:
    standing = served.standing(Profile.from_ratings({}), 2003)
    assert [reason.kind for reason in standing.reasons] == [ReasonKind.POPULAR]
    assert standing.against == ()


def test_nothing_may_be_listed(served: Recommender) -> None:
    standing = served.standing(MECHA_FAN, 2003, Options(candidates=np.zeros(0, dtype=np.int64)))
    assert (standing.of, standing.rank, standing.barrier) == (0, None, Barrier.NOT_A_CANDIDATE)
    assert (standing.tenth_score, standing.tenth_components) == (None, {})


def test_an_unknown_model_is_refused_by_name(served: Recommender) -> None:
    with pytest.raises(InputError, match="no model 'oracle'"):
        served.standing(MECHA_FAN, 1000, Options(model="oracle"))
