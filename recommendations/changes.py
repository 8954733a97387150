"""The last change somebody made to their list, which a page names where it shows what moved.

It stays in the session: a page that is asked for anew knows by it what happened between two versions of a profile.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.http import HttpRequest

from recommendations.models import Profile

SESSION_KEY = "last_change"
RATED, REMOVED, HIDDEN, UNHIDDEN = "rated", "removed", "hidden", "unhidden"


@dataclass(frozen=True, slots=True)
class LastChange:
    """``kind``: *rated* (with ``rating``), *removed*, *hidden*, *unhidden*, or the status that was set.
    ``version`` is that of the profile after it."""

    profile: str
    version: int
    anime_id: int
    kind: str
    rating: int | None = None


def note_change(request: HttpRequest, profile: Profile, anime_id: int, kind: str, rating: int | None = None) -> None:
    """Remember that this request has changed ``profile``, as it now is."""
    change = LastChange(str(profile.pk), profile.version, anime_id, kind, rating)
    request.session[SESSION_KEY] = asdict(change)


def last_change(request: HttpRequest, profile: Profile | None) -> LastChange | None:
    """The change that made ``profile`` what it is now; ``None`` if it was made elsewhere."""
    kept = request.session.get(SESSION_KEY)
    if profile is None or kept is None:
        return None
    change = LastChange(**kept)
    return change if (change.profile, change.version) == (str(profile.pk), profile.version) else None
