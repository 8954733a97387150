"""Which processes serve what, and what is wrong with it."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from recommendations.models import ModelStatus, ModelVersion, ServingProcess

# A process that was not seen for this long is gone, or nobody asks it for anything.
LIVING_FOR = timedelta(minutes=2)
# A process that has looked this long after an activation and still serves another version is late.
TIME_TO_FOLLOW = timedelta(minutes=1)


def predecessor() -> ModelVersion | None:
    """The version that was champion before the present one (or last, if there is none) and could be again: where a
    rollback goes."""
    return (
        ModelVersion.objects.filter(activated__isnull=False, pruned__isnull=True)
        .exclude(status__in=(ModelStatus.CHAMPION, ModelStatus.REJECTED, ModelStatus.BROKEN))
        .order_by("-activated")
        .first()
    )


def living_processes() -> QuerySet[ServingProcess]:
    """The processes seen within the last two minutes."""
    return ServingProcess.objects.filter(seen__gte=timezone.now() - LIVING_FOR)


def alarms() -> list[str]:
    """A sentence for each living process that has a problem or does not follow the champion; two queries."""
    champion = ModelVersion.objects.champion().first()
    return [words for process in living_processes() if (words := _alarm(process, champion))]


def _alarm(process: ServingProcess, champion: ModelVersion | None) -> str:
    serves = process.version or "no model"
    if champion is None or process.version == champion.version:
        return f"{process.name} serves {serves}, but: {process.problem}" if process.problem else ""
    late = champion.activated is not None and process.seen - max(champion.activated, process.started) > TIME_TO_FOLLOW
    if not process.problem and not late:
        return ""
    reason = process.problem or "it has not followed, and does not say why"
    return f"{process.name} serves {serves} though {champion.version} is champion: {reason}"
