"""Ratings of members who never lived, made so that a model trained on them learns taste as it would from people.

Everything here is SYNTHETIC. A member is a mixture of archetypes with quirks of their own; what they watch depends
on how known a title is and how much it is theirs, what they think of it on how good it is, their taste and chance;
who likes the first part of a franchise mostly goes on to the next. How they write it down is personal too: mean,
spread, and how often they leave an entry unrated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.sample.archetypes import ARCHETYPES, affinities
from catalog.sample.catalogue import SampleAnime

UNRATED = -1  # watched, but no number given: the public data set's own mark

MEDIAN_LIST_LENGTH = 30
LIST_LENGTH_SIGMA = 0.75  # of the log
SHORTEST_LIST = 5
LONGEST_LIST_SHARE = 0.6  # of the catalogue

POPULARITY_PULL = 5.0  # log-odds between the least and the best known title
TASTE_PULL = 1.6  # log-odds a standard deviation of taste adds
START_AT_FIRST_PART = 0.75  # whoever comes across a sequel begins at the beginning this often
GOES_ON_AFTER = {"liked": 0.70, "fine": 0.35, "disliked": 0.08}  # chance of watching the next part

QUALITY_WEIGHT = 0.75  # parts of an opinion, in standard deviations
TASTE_WEIGHT = 0.65
NOISE_WEIGHT = 0.60

UNRATED_BETA = (0.6, 2.55)  # mean 0.19: most rate nearly all they watch, some hardly anything


@dataclass(frozen=True)
class Population:
    """Members, one row each: what they are mixed from, and what they therefore feel about every title."""

    mixture: np.ndarray  # members x archetypes, rows sum to 1
    taste: np.ndarray  # members x titles, standardised by row
    opinion: np.ndarray  # members x titles: what they think of it, or would
    mean: np.ndarray  # members: the middle of their own scale
    spread: np.ndarray  # members
    unrated: np.ndarray  # members: share of entries left without a number
    list_length: np.ndarray  # members

    def main_archetype(self, member: int) -> str:
        return ARCHETYPES[int(self.mixture[member].argmax())].name


def invent_members(titles: Sequence[SampleAnime], members: int = 3000, seed: int = 1) -> Population:
    """The members behind `generate_ratings` with the same arguments; user id = row + 1."""
    if members < 1:
        raise ValueError(f"members is {members}, expected at least 1")
    if len(titles) <= SHORTEST_LIST:
        raise ValueError(f"{len(titles)} titles are too few for lists of at least {SHORTEST_LIST}")
    random = np.random.default_rng([seed, 0])
    count = len(titles)

    shares = np.array([archetype.share for archetype in ARCHETYPES])
    # Concentrations below one: most people are mainly one thing, with a second interest.
    mixture = random.dirichlet(3.0 * shares / shares.sum(), size=members)
    shared = mixture @ affinities(titles)

    genres = sorted({genre for anime in titles for genre in anime.genres})
    has_genre = np.array([[genre in anime.genres for genre in genres] for anime in titles], dtype=float)
    quirks = random.normal(0.0, 0.3, size=(members, len(genres))) @ (has_genre / has_genre.sum(1, keepdims=True)).T
    taste = shared + quirks
    taste -= taste.mean(axis=1, keepdims=True)
    taste /= taste.std(axis=1, keepdims=True)

    acclaim = np.array([anime.acclaim for anime in titles])
    quality = (acclaim - acclaim.mean()) / max(acclaim.std(), 1e-9)
    opinion = QUALITY_WEIGHT * quality + TASTE_WEIGHT * taste + NOISE_WEIGHT * random.normal(size=(members, count))

    lengths = np.exp(random.normal(np.log(MEDIAN_LIST_LENGTH), LIST_LENGTH_SIGMA, size=members))
    longest = max(SHORTEST_LIST, int(count * LONGEST_LIST_SHARE))
    return Population(
        mixture=mixture,
        taste=taste,
        opinion=opinion,
        mean=random.normal(6.7, 0.6, size=members),
        spread=np.exp(random.normal(np.log(1.25), 0.3, size=members)),
        unrated=random.beta(*UNRATED_BETA, size=members),
        list_length=np.clip(lengths.round().astype(int), SHORTEST_LIST, longest),
    )


def generate_ratings(
    titles: Sequence[SampleAnime], members: int = 3000, seed: int = 1
) -> Iterator[tuple[int, int, int]]:
    """(user_id, anime_id, rating), by user, then anime id; rating 1-10, or -1 for watched and not rated.

    The same arguments always give the same ratings. Raises ValueError on no members or hardly any titles.
    """
    population = invent_members(titles, members, seed)
    random = np.random.default_rng([seed, 1])
    popularity = np.array([anime.popularity for anime in titles]) / 100.0
    # Gumbel noise on log-odds, taken from the top, is drawing without replacement in proportion to them.
    appeal = POPULARITY_PULL * popularity + TASTE_PULL * population.taste
    appeal += random.gumbel(size=appeal.shape)
    order = np.argsort(-appeal, axis=1)
    earlier, following = _franchise_chains(titles)

    for member in range(members):
        watched = _watch(
            order[member].tolist(),
            int(population.list_length[member]),
            population.opinion[member],
            earlier,
            following,
            random,
        )
        rows = np.array(sorted(watched, key=lambda index: titles[index].id))
        felt = population.mean[member] + population.spread[member] * population.opinion[member, rows]
        ratings = np.clip(np.rint(felt), 1, 10).astype(int)
        ratings[random.random(len(rows)) < population.unrated[member]] = UNRATED
        for index, rating in zip(rows.tolist(), ratings.tolist(), strict=True):
            yield member + 1, titles[index].id, rating


def _watch(
    order: Sequence[int],
    length: int,
    opinion: np.ndarray,
    earlier: Sequence[Sequence[int]],
    following: Sequence[int | None],
    random: np.random.Generator,
) -> set[int]:
    """Indices of the titles one member gets round to, going down `order` and on through franchises."""
    watched: set[int] = set()
    for candidate in order:
        if len(watched) >= length:
            break
        if candidate in watched:
            continue
        entry: int | None = candidate
        unseen = [part for part in earlier[candidate] if part not in watched]
        if unseen and random.random() < START_AT_FIRST_PART:
            entry = unseen[0]
        while entry is not None and len(watched) < length:
            watched.add(entry)
            feeling = "liked" if opinion[entry] > 0.4 else "fine" if opinion[entry] > -0.4 else "disliked"
            if random.random() >= GOES_ON_AFTER[feeling]:
                break
            entry = following[entry]
    return watched


def _franchise_chains(titles: Sequence[SampleAnime]) -> tuple[list[list[int]], list[int | None]]:
    """Per title: the parts before it in watch order, and the one after it."""
    parts: dict[str, list[int]] = {}
    for index, anime in enumerate(titles):
        if anime.franchise is not None:
            parts.setdefault(anime.franchise, []).append(index)
    earlier: list[list[int]] = [[] for _ in titles]
    following: list[int | None] = [None] * len(titles)
    for chain in parts.values():
        chain.sort(key=lambda index: titles[index].franchise_order or 0)
        for place, index in enumerate(chain):
            earlier[index] = chain[:place]
            following[index] = chain[place + 1] if place + 1 < len(chain) else None
    return earlier, following
