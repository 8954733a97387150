"""Batch scoring: complete, repeatable, and safe against people who leave meanwhile."""

import pytest

from catalog.models import Anime
from recommendations import tasks
from recommendations.models import Job, JobCause, JobState, TopList
from recommendations.services import jobs, scoring
from recommendations.services.entries import rate
from recommendations.services.recommend import ListOptions, recommend
from recommendations.services.scoring import run_shard, start_scoring
from tests.factories import EntryFactory, ProfileFactory, UserFactory

pytestmark = pytest.mark.django_db


def people(count):
    titles = list(Anime.objects.by_popularity()[:20])
    profiles = [ProfileFactory() for _ in range(count)]
    for number, profile in enumerate(profiles):
        for anime in titles[number % 5 : number % 5 + 6]:
            EntryFactory(profile=profile, anime=anime)
    return profiles


def test_shards_together_score_everybody_once(champion, settings):
    settings.SCORING_SHARD_PROFILES = 3
    profiles = people(7)
    parent, shards = start_scoring()
    assert len(shards) == 3
    assert sum(run_shard(shard.pk) for shard in shards) == 7
    parent.refresh_from_db()
    assert (parent.state, parent.percent) == (JobState.SUCCEEDED, 100)
    assert set(TopList.objects.values_list("profile", flat=True)) == {profile.pk for profile in profiles}


def test_a_stored_list_is_the_list_that_the_site_shows(champion):
    profile = people(1)[0]
    run_shard(start_scoring()[1][0].pk)
    shown = recommend(profile=profile, options=ListOptions(k=50))
    assert [anime_id for anime_id, _score in TopList.objects.get().items] == [
        listed.anime.pk for listed in shown.results
    ]


def test_a_second_run_writes_only_what_changed(champion):
    profiles = people(3)
    run_shard(start_scoring()[1][0].pk)
    rate(profile=profiles[0], anime=Anime.objects.get(pk=5114), rating=10)
    assert run_shard(start_scoring()[1][0].pk) == 1


def test_adult_titles_are_for_those_who_asked(champion):
    adult = Anime.objects.by_popularity()[30]
    Anime.objects.filter(pk=adult.pk).update(is_adult=True)
    plain, opted_in = people(2)
    opted_in.user = UserFactory(show_adult=True)
    opted_in.save()
    run_shard(start_scoring()[1][0].pk)
    assert adult.pk not in dict(TopList.objects.get(profile=plain).items)


def test_a_shard_without_a_model_fails_with_the_reason(db):
    ProfileFactory()
    parent, [shard] = start_scoring()
    with pytest.raises(scoring.NoModelError):
        run_shard(shard.pk)
    parent.refresh_from_db()
    shard.refresh_from_db()
    assert (parent.state, shard.state) == (JobState.FAILED, JobState.FAILED)
    assert "no model" in shard.message


def test_a_message_for_a_shard_that_is_forgotten_does_nothing(champion):
    people(1)
    _parent, [shard] = start_scoring()
    Job.objects.all().delete()
    tasks.score_shard(shard.pk)
    assert not Job.objects.exists()
    assert not TopList.objects.exists()


def test_nobody_to_score_is_a_success(db):
    parent, shards = start_scoring()
    parent.refresh_from_db()
    assert (shards, parent.state) == ([], JobState.SUCCEEDED)


def test_a_worker_that_starts_takes_up_what_a_dead_one_left(champion, django_capture_on_commit_callbacks):
    people(2)
    parent, _shards = start_scoring()  # the messages are lost
    with django_capture_on_commit_callbacks(execute=True):
        tasks.requeue_stale_jobs()
    parent.refresh_from_db()
    assert parent.state == JobState.SUCCEEDED
    assert TopList.objects.count() == 2


def test_a_scoring_whose_worker_died_after_the_last_shard_is_ended(champion):
    people(1)
    parent, shards = start_scoring()
    Job.objects.filter(pk__in=[shard.pk for shard in shards]).update(state=JobState.SUCCEEDED)
    tasks.requeue_stale_jobs()
    parent.refresh_from_db()
    assert parent.state == JobState.SUCCEEDED


def test_a_model_that_became_champion_meanwhile_is_scored_with_afterwards(champion, monkeypatch):
    people(2)
    parent, [shard] = start_scoring()
    asked = []
    monkeypatch.setattr(tasks, "score_all", asked.append)
    Job.objects.filter(pk=parent.pk).update(payload={"model": "an older one"})
    tasks.score_shard(shard.pk)
    assert asked == [JobCause.PROMOTION]
    _parent, [shard] = start_scoring()
    tasks.score_shard(shard.pk)
    assert asked == [JobCause.PROMOTION]


def test_a_cancelled_scoring_stays_cancelled(champion, settings):
    settings.SCORING_SHARD_PROFILES = 1
    people(2)
    parent, [first, second] = start_scoring()
    assert run_shard(first.pk) == 1
    jobs.cancel(parent.pk)
    assert run_shard(second.pk) is None
    parent.refresh_from_db()
    assert parent.state == JobState.CANCELLED
    assert TopList.objects.count() == 1
