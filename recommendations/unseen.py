"""What somebody said they have not seen, while they looked for titles to rate.

It is no entry: it says nothing about taste, only which titles are not worth asking about. So it stays in the session,
of visitors and members alike.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest

SESSION_KEY = "unseen_titles"
# The oldest give way to the newest: a session is read at every request.
MAX_UNSEEN = 200


def unseen_titles(request: HttpRequest) -> list[int]:
    """Ids of the titles that this person said they have not seen, the last ones last."""
    return list(request.session.get(SESSION_KEY, ()))


def remember_unseen(request: HttpRequest, anime_ids: Iterable[int]) -> None:
    new = list(dict.fromkeys(anime_ids))
    kept = [anime_id for anime_id in unseen_titles(request) if anime_id not in new]
    request.session[SESSION_KEY] = (kept + new)[-MAX_UNSEEN:]


def forget_unseen(request: HttpRequest, anime_ids: Iterable[int]) -> None:
    gone = set(anime_ids)
    request.session[SESSION_KEY] = [anime_id for anime_id in unseen_titles(request) if anime_id not in gone]
