"""How the members of this site rate one title: how many gave it each rating."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count, Q

from recommendations.models import ListEntry

RATINGS = tuple(range(1, 11))
# Of a title on more lists than this only so many are looked at, those that the database has at hand, and the page
# says so: the question costs the same however many rate it.
MOST_ENTRIES = 20_000
CACHE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class RatingHistogram:
    """``counts``: how many gave 1, 2 ... 10. ``looked_at``: on how many lists the title stands, as far as they were
    counted; ``partly``: there are more."""

    counts: tuple[int, ...]
    looked_at: int
    partly: bool

    @property
    def total(self) -> int:
        """How many ratings were counted."""
        return sum(self.counts)

    @property
    def mean(self) -> float | None:
        """Their mean, ``None`` without any."""
        if not self.total:
            return None
        return sum(rating * count for rating, count in zip(RATINGS, self.counts, strict=True)) / self.total

    @property
    def most(self) -> int:
        """How many gave the rating that most gave."""
        return max(self.counts)

    @property
    def rows(self) -> list[tuple[int, int, float]]:
        """Each rating, best first, how many gave it, and their share of all (0-1)."""
        total = max(self.total, 1)
        return [(rating, self.counts[rating - 1], self.counts[rating - 1] / total) for rating in reversed(RATINGS)]


def rating_histogram(anime_id: int) -> RatingHistogram:
    """The ratings that all profiles gave: accounts', visitors' and those of imported members.

    At most one query, over at most ``MOST_ENTRIES`` entries, and none within ``CACHE_SECONDS`` of the last one. Who
    may see the title is the caller's business.
    """
    key = f"histogram:{anime_id}"
    numbers = cache.get(key)
    if numbers is None:
        numbers = _counted(anime_id)
        cache.set(key, numbers, CACHE_SECONDS)
    looked_at, *counts = numbers
    return RatingHistogram(tuple(counts), min(looked_at, MOST_ENTRIES), partly=looked_at > MOST_ENTRIES)


def _counted(anime_id: int) -> list[int]:
    """How many entries were looked at, one more than ``MOST_ENTRIES`` where there are more, and the counts."""
    entries = ListEntry.objects.filter(anime=anime_id).order_by()[: MOST_ENTRIES + 1]
    given = {f"gave_{rating}": Count("pk", filter=Q(rating=rating)) for rating in RATINGS}
    counted = entries.aggregate(looked_at=Count("pk"), **given)
    return [counted["looked_at"], *(counted[name] for name in given)]
