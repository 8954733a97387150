"""The rules of the gate: numbers in, decision and words out.

Quality is compared person by person with the champion or, where there is none, with the popularity part of the
candidate itself. It fails only where the candidate is worse beyond the error of the paired difference. Guard rails
are plain limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ml.evaluation.metrics import Judged


@dataclass(frozen=True, slots=True)
class GateParams:
    """What a candidate has to reach.

    ``z``: standard errors that the mean paired difference may lie below 0 (1.96: 95 % of all error).
    ``min_people``: with fewer people than this a quality check tells nothing, and passes.
    ``short_entries``: profiles are also judged cut to so many random entries.
    ``cold_lists``: a title is cold if in no bundle's data more lists than this hold it.
    ``coverage_share``: the least coverage, as a share of what it is compared with.
    ``max_bundle_mb``: the largest size of the bundle, in 10^6 bytes.
    ``time_ratio``, ``time_floor_ms``, ``max_time_ms``: the median person's time per list may be so many times the
    champion's, or ``time_floor_ms`` where that is more (nobody waits for so little), but never more than
    ``max_time_ms``.
    ``time_people``, ``time_repeats``: so many people's lists are timed, each so often; the quickest counts.
    ``seed``: of what is drawn at random, the entries of short profiles and the people whose lists are timed.
    """

    z: float = 1.96
    min_people: int = 20
    short_entries: int = 3
    cold_lists: int = 10
    coverage_share: float = 0.8
    max_bundle_mb: float = 100.0
    time_ratio: float = 2.0
    time_floor_ms: float = 5.0
    max_time_ms: float = 100.0
    time_people: int = 50
    time_repeats: int = 3
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked. ``words`` is a clause for people.

    ``candidate``, ``champion``: its number for both; without a champion ``champion`` is that of popularity.
    ``difference``: candidate less champion; of quality the paired mean, with its standard error ``stderr``.
    ``limit``: of quality the least ``difference`` that passes; of a guard rail what ``candidate`` must keep to.
    Numbers that there are not are ``None``.
    """

    name: str
    passed: bool
    words: str
    candidate: float | None = None
    champion: float | None = None
    difference: float | None = None
    stderr: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to promote the candidate, and why. ``people``: how many judged it."""

    promote: bool
    words: str
    people: int
    checks: tuple[Check, ...]
    candidate_version: str
    champion_version: str | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def worse_beyond_error(difference: float, stderr: float, z: float) -> bool:
    """Whether a mean difference is below 0 by more than its error: by anything at all where there is no error."""
    return difference + z * stderr < 0


def quality(name: str, what: str, candidate: Judged, rival: Judged, rival_name: str, params: GateParams) -> Check:
    """The NDCG of the same people's lists, compared person by person. ``what``: the metric in words."""
    people = len(candidate.people)
    if people < params.min_people:
        few = "nobody" if not people else f"only {count_of(people)}"
        return skipped(name, what, f"{few} to judge by, too few to tell")
    difference, stderr = candidate.against(rival)
    own, other = float(candidate.ndcg.mean()), float(rival.ndcg.mean())
    error = params.z * stderr
    worse = worse_beyond_error(difference, stderr, params.z)
    if not difference and not stderr:
        stands = f"exactly that of {rival_name}"
    else:
        side = "below" if difference < 0 else "above"
        stands = f"{abs(difference):.4f} ± {error:.4f} {side} {rival_name}"
    better = worse_beyond_error(-difference, stderr, params.z)
    result = "worse beyond error" if worse else "better beyond error" if better else "within error"
    words = f"{what} {own:.3f}, {stands}: {result}"
    return Check(name, not worse, words, own, other, difference, stderr, 0.0 - error)


def skipped(name: str, what: str, why: str) -> Check:
    """A check that tells nothing, and passes."""
    return Check(name, True, f"{what}: {why}")


def coverage(candidate: int, rival: int, rival_name: str, params: GateParams) -> Check:
    """How many different titles are listed, beside those of what it is compared with."""
    limit = params.coverage_share * rival
    passed = candidate >= limit
    why = f"{params.coverage_share:.0%} of {rival_name}'s {rival}"
    words = f"coverage {candidate} titles, {'inside' if passed else 'below'} the limit of {limit:.0f} ({why})"
    return Check("coverage", passed, words, candidate, rival, candidate - rival, limit=limit)


def size(candidate_mb: float, champion_mb: float | None, params: GateParams) -> Check:
    """The size of the bundle."""
    limit = params.max_bundle_mb
    passed = candidate_mb <= limit
    words = f"size {candidate_mb:.1f} MB, {'inside' if passed else 'above'} the limit of {limit:g} MB"
    return Check("size", passed, words, candidate_mb, champion_mb, _less(candidate_mb, champion_mb), limit=limit)


def time_per_list(candidate_ms: float, champion_ms: float | None, params: GateParams) -> Check:
    """The median time of a list."""
    limit, why = params.max_time_ms, "for any bundle"
    if champion_ms is not None:
        relative = params.time_ratio * champion_ms
        if max(relative, params.time_floor_ms) < limit:
            limit = max(relative, params.time_floor_ms)
            why = f"{params.time_ratio:g} times the champion's {champion_ms:.2f} ms"
            if params.time_floor_ms > relative:
                why = f"always allowed; the champion takes {champion_ms:.2f} ms"
    passed = candidate_ms <= limit
    words = (
        f"time {candidate_ms:.2f} ms per list, {'inside' if passed else 'above'} the limit of {limit:.3g} ms ({why})"
    )
    return Check("time", passed, words, candidate_ms, champion_ms, _less(candidate_ms, champion_ms), limit=limit)


def full_lists(candidate: Sequence[Sequence[int]], champion: Sequence[Sequence[int]] | None, k: int) -> Check:
    """That everybody gets k titles, or at least as many as from the champion (somebody may have seen nearly all there
    is). The lists are of the same people in the same order."""
    wanted = [k] * len(candidate) if champion is None else [min(k, len(one)) for one in champion]
    short = sum(len(one) < least for one, least in zip(candidate, wanted, strict=True))
    than = "" if champion is None else ", and fewer than from the champion"
    words = (
        f"{count_of(short)} would get fewer than {k} titles{than}" if short else f"nobody gets fewer than {k} titles"
    )
    if not short and any(least < k for least in wanted):
        words = "nobody gets fewer titles than from the champion"
    own = float(sum(len(one) < k for one in candidate))
    other = None if champion is None else float(sum(len(one) < k for one in champion))
    return Check("full_lists", not short, words, own, other, _less(own, other), limit=other or 0.0)


def decide(
    checks: Sequence[Check], people: int, candidate_version: str, champion_version: str | None, params: GateParams
) -> Verdict:
    """Promote what passes every check. The words say the decision and its reason first, then every check."""
    failed = [check.words for check in checks if not check.passed]
    passed = [check.words for check in checks if check.passed]
    rival = f"the champion {champion_version}" if champion_version else "popularity (there is no champion yet)"
    if failed:
        words = f"Rejected: {'; '.join(failed)}."
        rest = "The other checks passed: "
    elif people < params.min_people:
        who = "nobody" if not people else f"only {count_of(people)}"
        words = (
            f"Promoted: {who} to judge by, too few to tell it from {rival} (it takes {params.min_people}), and it is "
            "inside the guard rails."
        )
        rest = "The checks: "
    else:
        words = (
            f"Promoted: for {count_of(people)} it is no worse than {rival} beyond error, and it is inside the guard "
            "rails."
        )
        rest = "The checks: "
    if passed:
        words += f" {rest}{'; '.join(passed)}."
    return Verdict(not failed, words, people, tuple(checks), candidate_version, champion_version)


def count_of(people: int) -> str:
    return "1 person" if people == 1 else f"{people} people"


def _less(candidate: float, champion: float | None) -> float | None:
    return None if champion is None else candidate - champion
