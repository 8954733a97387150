"""Batch scoring: the stored top list of every profile, shard by shard.

A shard is a range of profile ids. Lists that are already of this model and of this state of the profile are
left alone, so doing a shard twice, or again after a crash, costs little and changes nothing.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from catalog.selectors import candidate_ids
from ml.types import Entry, FranchiseMode, Options, Status
from ml.types import Profile as ScoringProfile
from recommendations.models import (
    HiddenTitle,
    Job,
    JobCause,
    JobKind,
    JobState,
    ListEntry,
    ModelVersion,
    Profile,
    TopList,
)
from recommendations.models.jobs import UNFINISHED
from recommendations.services import jobs
from recommendations.services.engine import Engine, current_engine
from recommendations.services.recommend import list_filter

STORED_TITLES = 50
CHUNK_ROWS = 5000
# A store that is slow holds a shard up for so long at most; then it is scored with what is there.
CHAMPION_PATIENCE_SECONDS = 300.0


class NoModelError(Exception):
    """There is no model to score with."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Profiles with ``first <= id <= last``."""

    first: uuid.UUID
    last: uuid.UUID


def start_scoring(*, created_by: User | None = None, cause: JobCause = JobCause.PERSON) -> tuple[Job, list[Job]]:
    """Queue the scoring of all profiles: the job, and one child a shard, which the caller enqueues.

    Raises :class:`jobs.AlreadyRunningError` while a scoring is unfinished.
    """
    with transaction.atomic():
        parent = jobs.create_job(
            JobKind.SCORE, created_by=created_by, cause=cause, payload={"model": _champion_version()}
        )
        shards = [
            Job(
                kind=JobKind.SCORE_SHARD,
                parent=parent,
                cause=cause,
                payload={"first": str(shard.first), "last": str(shard.last)},
            )
            for shard in shards_of_profiles(settings.SCORING_SHARD_PROFILES)
        ]
        children = Job.objects.bulk_create(shards, batch_size=settings.WRITE_BATCH_ROWS)
        # Nobody holds the parent's lease: it is ended by whoever ends the last child, at once if there is none.
        if not children:
            _note_progress(parent.pk)
    return parent, children


def run_shard(job_id: int) -> int | None:
    """Score one shard; answer how many lists were written, ``None`` if the job is not free to be taken."""
    job = jobs.claim(job_id)
    if job is None:
        finish_parent_of(job_id)  # a shard that was given up may have been the last one
        return None
    try:
        engine = current_engine(patience_seconds=CHAMPION_PATIENCE_SECONDS)
        if engine is None:
            raise NoModelError("no model can be loaded: train or publish one first")
        written = _score_shard(job, engine, Shard(uuid.UUID(job.payload["first"]), uuid.UUID(job.payload["last"])))
    except jobs.LeaseLostError:
        raise
    except Exception as error:
        jobs.fail(job, message=f"{type(error).__name__}: {error}")
        finish_parent_of(job_id)
        raise
    jobs.succeed(job, message=f"{written} lists")
    finish_parent_of(job_id)
    return written


def ended_with_an_older_model(job_id: int) -> bool:
    """Whether shard ``job_id`` was the last of a scoring, and another model has become champion since it began: a
    scoring that was wanted then was refused, because this one was under way."""
    parent = Job.objects.filter(children=job_id).first()
    return (
        parent is not None
        and parent.state in (JobState.SUCCEEDED, JobState.FAILED)
        and parent.payload.get("model") != _champion_version()
        and not Job.objects.filter(kind=JobKind.SCORE, created__gt=parent.created).exists()
    )


def _champion_version() -> str | None:
    return ModelVersion.objects.champion().values_list("version", flat=True).first()


def finish_parent_of(job_id: int) -> None:
    """Note the progress of the whole scoring that shard ``job_id`` belongs to, and its end after the last one. A
    message may come so late that the jobs are forgotten: then there is nothing to note."""
    for parent_id in Job.objects.filter(children=job_id).values_list("pk", flat=True):
        _note_progress(parent_id)


def finish_scorings() -> None:
    """End scorings of which every shard has ended, though the worker died before it could say so."""
    for parent_id in Job.objects.unfinished().filter(kind=JobKind.SCORE).values_list("pk", flat=True):
        _note_progress(parent_id)


@transaction.atomic
def _note_progress(parent_id: int) -> None:
    parent = Job.objects.select_for_update().get(pk=parent_id)
    if parent.state not in UNFINISHED:
        return  # ended or cancelled before
    states = list(parent.children.values_list("state", flat=True))
    left = sum(state in UNFINISHED for state in states)
    failed = states.count(JobState.FAILED)
    parent.percent = 100 * (len(states) - left) // max(1, len(states))
    parent.message = f"{len(states) - left - failed} of {len(states)} shards scored"
    if not left:
        parent.state = JobState.FAILED if failed else JobState.SUCCEEDED
        parent.finished = timezone.now()
    parent.save(update_fields=["percent", "state", "finished", "message"])


def shards_of_profiles(most: int) -> Iterator[Shard]:
    """All profiles in order of their ids, in shards of at most so many."""
    first: uuid.UUID | None = None
    last: uuid.UUID | None = None
    size = 0
    for profile_id in Profile.objects.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=CHUNK_ROWS):
        if first is None:
            first = profile_id
        last, size = profile_id, size + 1
        if size == most:
            yield Shard(first, last)
            first, size = None, 0
    if first is not None and last is not None:
        yield Shard(first, last)


def _score_shard(job: Job, engine: Engine, shard: Shard) -> int:
    """Score in batches of ``WRITE_BATCH_ROWS``; a transaction is open while writing only."""
    outdated = list(
        Profile.objects.filter(pk__range=(shard.first, shard.last))
        .exclude(top_list__model_version=engine.model, top_list__profile_version=F("version"))
        .order_by("pk")
        .values_list("pk", "version")
    )
    adult_allowed = set(
        Profile.objects.filter(pk__range=(shard.first, shard.last), user__show_adult=True).values_list(
            "pk", flat=True
        )
    )
    candidates = {show_adult: candidate_ids(list_filter(show_adult=show_adult)) for show_adult in (False, True)}
    batch_size = settings.WRITE_BATCH_ROWS
    for start in range(0, len(outdated), batch_size):
        batch = outdated[start : start + batch_size]
        people = _scoring_profiles([profile_id for profile_id, _version in batch])
        lists: list[TopList] = []
        for show_adult in (False, True):
            chosen = [(pk, version) for pk, version in batch if (pk in adult_allowed) is show_adult]
            rankings = engine.recommender.recommend_batch(
                [people[pk] for pk, _version in chosen],
                Options(k=STORED_TITLES, franchise=FranchiseMode.NEW, candidates=candidates[show_adult]),
                with_reasons=False,
            )
            lists += [
                TopList(
                    profile_id=pk,
                    model_version=engine.model,
                    profile_version=version,
                    items=[[item.anime_id, round(item.score, 5)] for item in ranking.results],
                )
                for (pk, version), ranking in zip(chosen, rankings, strict=True)
            ]
        _store(lists)
        jobs.heartbeat(job, percent=100 * (start + len(batch)) // len(outdated))
    return len(outdated)


def _store(lists: list[TopList]) -> None:
    with transaction.atomic():
        # A profile may have been erased while it was scored: a list of nobody must not come into being.
        alive = set(
            Profile.objects.select_for_update()
            .filter(pk__in=[row.profile_id for row in lists])
            .values_list("pk", flat=True)
        )
        TopList.objects.bulk_create(
            [row for row in lists if row.profile_id in alive],
            update_conflicts=True,
            unique_fields=["profile"],
            update_fields=["model_version", "profile_version", "items", "created"],
        )


def _scoring_profiles(profile_ids: list[uuid.UUID]) -> dict[uuid.UUID, ScoringProfile]:
    entries: dict[uuid.UUID, list[Entry]] = defaultdict(list)
    rows = ListEntry.objects.filter(profile__in=profile_ids).order_by("profile_id", "anime_id")
    for profile_id, anime_id, rating, status in rows.values_list("profile_id", "anime_id", "rating", "status"):
        entries[profile_id].append(Entry(anime_id, rating, Status(status)))
    hidden: dict[uuid.UUID, list[int]] = defaultdict(list)
    for profile_id, anime_id in HiddenTitle.objects.filter(profile__in=profile_ids).values_list(
        "profile_id", "anime_id"
    ):
        hidden[profile_id].append(anime_id)
    return {pk: ScoringProfile.of(entries[pk], hidden[pk]) for pk in profile_ids}
