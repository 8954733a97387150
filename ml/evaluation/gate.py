"""The gate: a candidate and the champion make lists for the same held-out people, and the rules decide."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np

from ml.evaluation import gate_rules as rules
from ml.evaluation.ablations import System
from ml.evaluation.gate_rules import Check, GateParams, Verdict
from ml.evaluation.metrics import Judged, Unit, judge
from ml.evaluation.report import K, unit_of
from ml.serving import Recommender
from ml.types import LIKED_RATING, FranchiseMode, Options, Profile

Profiles = Mapping[int, Profile]
Likes = Mapping[int, Set[int]]
Lists = Mapping[int, Sequence[int]]

PLAIN = Options(k=K)
DISCOVERY = Options(k=K, franchise=FranchiseMode.NEW)
NO_CHAMPION = "no champion to compare with"


@dataclass(frozen=True, slots=True)
class Contender:
    """A bundle before the gate, and its size in 10^6 bytes."""

    recommender: Recommender
    megabytes: float


@dataclass(frozen=True, slots=True)
class _Pair:
    """The candidate and what it is compared with: the champion, or the popularity part of the candidate."""

    own: System
    rival: System
    params: GateParams
    without_champion: bool

    def compare(
        self, name: str, what: str, profiles: Profiles, liked: Likes, options: Options, unit: Unit | None = None
    ) -> Check:
        """Compare the lists of those who liked something."""
        shown = {person: profiles[person] for person in liked}
        ours, theirs = (
            judge_lists(make_lists(system, shown, options), shown, liked, unit) for system in (self.own, self.rival)
        )
        return rules.quality(name, what, ours, theirs, self.rival.name, self.params)


def silent(percent: float, message: str) -> None:
    """A progress display that shows nothing."""


def judge_candidate(
    candidate: Contender,
    champion: Contender | None,
    profiles: Profiles,
    liked: Likes,
    params: GateParams = GateParams(),  # noqa: B008 - frozen
    progress: Callable[[float, str], None] = silent,
    clock: Callable[[], float] = time.perf_counter,
) -> Verdict:
    """Whether the candidate may take the champion's place.

    ``profiles``: what is shown of each person; neither bundle may have learned from these people. ``liked``: the
    held-out titles that they liked. The guard rails look at everybody's lists, quality at those of people who liked
    something. Without a champion the lists are compared with those of the candidate's own popularity part.
    ``progress`` is told percents from 0 to 100. ``clock``: seconds.
    """
    judges = {person: frozenset(liked[person]) for person in sorted(profiles) if liked.get(person)}
    own = System("the candidate", candidate.recommender, candidate.recommender.default_model)
    rival = System("popularity", own.recommender, own.recommender.fusion.popularity.name)
    if champion is not None:
        rival = System("the champion", champion.recommender, champion.recommender.default_model)
    pair = _Pair(own, rival, params, champion is None)
    progress(0, f"lists of {rules.count_of(len(profiles))}")
    ours, theirs = (make_lists(system, profiles, PLAIN) for system in (own, rival))
    judged, rival_judged = (judge_lists(lists, profiles, judges) for lists in (ours, theirs))
    checks = [rules.quality("plain", f"plain NDCG@{K}", judged, rival_judged, rival.name, params)]
    progress(30, "discovery")
    # Both by the candidate's franchises: by each one's own there would be nothing to pair.
    unit = unit_of(own.recommender, "discovery")
    checks.append(pair.compare("discovery", f"discovery NDCG@{K}", profiles, judges, DISCOVERY, unit))
    progress(60, "short profiles")
    checks.append(_short(pair, profiles, judges))
    progress(80, "titles on few lists")
    checks.append(_cold(pair, profiles, judges))
    progress(90, "time per list")
    timed = [own.recommender] if champion is None else [own.recommender, champion.recommender]
    milliseconds = list_times_ms(timed, _some(profiles, params.time_people, params.seed), params.time_repeats, clock)
    champion_lists = None if champion is None else list(theirs.values())
    checks += [
        rules.coverage(_different(ours), _different(theirs), rival.name, params),
        rules.size(candidate.megabytes, None if champion is None else champion.megabytes, params),
        rules.time_per_list(milliseconds[0], None if champion is None else milliseconds[1], params),
        rules.full_lists(list(ours.values()), champion_lists, K),
    ]
    champion_version = None if champion is None else champion.recommender.version
    verdict = rules.decide(checks, len(judges), own.recommender.version, champion_version, params)
    progress(100, "promoted" if verdict.promote else "rejected")
    return verdict


def make_lists(system: System, profiles: Profiles, options: Options) -> Lists:
    """The anime ids that a system lists for everybody, best first."""
    rankings = system.recommender.recommend_batch(list(profiles.values()), replace(options, model=system.model))
    return {
        person: [item.anime_id for item in ranking.results]
        for person, ranking in zip(profiles, rankings, strict=True)
    }


def judge_lists(lists: Lists, profiles: Profiles, liked: Likes, unit: Unit | None = None) -> Judged:
    """Judge the lists of those who liked something; in discovery by ``unit``, a title's franchise."""
    seen = {person: set(profile.anime_ids.tolist()) for person, profile in profiles.items()}
    return judge(lists, seen, liked, K, unit)


def cut_short(profiles: Profiles, liked: Likes, entries: int, seed: int) -> tuple[dict[int, Profile], Likes]:
    """The profiles of those who liked something, each with so many random entries (all, where it has no more), and
    what they liked: what of the other entries they liked counts as held out like the rest."""
    draw = np.random.default_rng(seed)
    short, wanted = {}, {}
    for person in sorted(liked):
        profile = profiles[person]
        kept = np.zeros(len(profile), dtype=bool)
        kept[draw.permutation(len(profile))[:entries]] = True
        short[person] = profile.where(kept)
        wanted[person] = liked[person] | set(profile.anime_ids[~kept & (profile.ratings >= LIKED_RATING)].tolist())
    return short, wanted


def cold_titles(first: Recommender, second: Recommender, most_lists: int) -> np.ndarray | None:
    """The anime ids, sorted, of titles that both bundles know and at most so many lists in the data of either hold;
    nothing where a bundle does not tell how many do (there is no ranker in it)."""
    found = []
    for recommender in (first, second):
        members = recommender.info.data.get("members")
        if recommender.ranker is None or not isinstance(members, int):
            return None
        lists = np.rint(recommender.ranker.facts.list_shares() * members)
        found.append(recommender.anime_ids[lists <= most_lists])
    return np.intersect1d(*found)


def list_times_ms(
    recommenders: Sequence[Recommender],
    profiles: Sequence[Profile],
    repeats: int,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """The time of a list with its reasons, as a page asks for it, of each recommender in milliseconds: a person's is
    the quickest of ``repeats``, and this the median person's.

    All make the list of one person before the next one's are made, and each is the first as often as the last, so
    that whatever else the machine does slows them alike.
    """
    quickest = np.full((len(recommenders), len(profiles)), np.inf)
    for recommender in recommenders:
        recommender.recommend(profiles[0], DISCOVERY)  # what is worked out once is not part of a list's time
    for number, profile in enumerate(profiles):
        for repeat in range(repeats):
            order = range(len(recommenders))
            for place in order if (number + repeat) % 2 == 0 else reversed(order):
                start = clock()
                recommenders[place].recommend(profile, DISCOVERY)
                quickest[place, number] = min(quickest[place, number], clock() - start)
    return (1000 * np.median(quickest, axis=1)).tolist()


def _short(pair: _Pair, profiles: Profiles, judges: Likes) -> Check:
    entries = pair.params.short_entries
    what = f"NDCG@{K} of profiles cut to {entries} entries"
    if pair.without_champion:
        return rules.skipped("short", what, NO_CHAMPION)
    short, wanted = cut_short(profiles, judges, entries, pair.params.seed)
    return pair.compare("short", what, short, wanted, PLAIN)


def _cold(pair: _Pair, profiles: Profiles, judges: Likes) -> Check:
    most_lists = pair.params.cold_lists
    what = f"NDCG@{K} among titles on at most {most_lists} lists"
    if pair.without_champion:
        return rules.skipped("cold", what, NO_CHAMPION)
    titles = cold_titles(pair.own.recommender, pair.rival.recommender, most_lists)
    if titles is None:
        return rules.skipped("cold", what, "the bundles do not both tell how many lists hold a title")
    cold = frozenset(titles.tolist())
    liked = {person: own_likes & cold for person, own_likes in judges.items() if own_likes & cold}
    return pair.compare("cold", what, profiles, liked, replace(PLAIN, candidates=titles))


def _some(profiles: Profiles, count: int, seed: int) -> list[Profile]:
    """So many profiles drawn at random, some more than once where there are fewer people; an empty one for nobody."""
    people = sorted(profiles)
    drawn = [profiles[people[number]] for number in np.random.default_rng(seed).permutation(len(people)).tolist()]
    return list(itertools.islice(itertools.cycle(drawn or [Profile.of([])]), count))


def _different(lists: Lists) -> int:
    return len({title for listed in lists.values() for title in listed})
