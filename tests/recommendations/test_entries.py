"""Changing a list: what is stored, what is refused, and that the profile's version says so."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from recommendations.models import HiddenTitle, ListEntry, Profile
from recommendations.services import entries
from tests.factories import AnimeFactory, EntryFactory, ProfileFactory

pytestmark = pytest.mark.django_db


def version_of(profile: Profile) -> int:
    return Profile.objects.values_list("version", flat=True).get(pk=profile.pk)


def test_rating_twice_keeps_one_entry_with_the_last_rating():
    profile, anime = ProfileFactory(), AnimeFactory()
    entries.rate(profile=profile, anime=anime, rating=6)
    entries.rate(profile=profile, anime=anime, rating=9)
    entry = ListEntry.objects.get(profile=profile)
    assert (entry.anime, entry.rating, entry.status) == (anime, 9, "completed")
    assert version_of(profile) == 2


@pytest.mark.parametrize(
    ("before", "after"), [("planned", "completed"), ("watching", "watching"), ("dropped", "dropped")]
)
def test_rating_keeps_the_status_unless_the_title_was_only_planned(before, after):
    entry = EntryFactory(rating=None, status=before)
    assert entries.rate(profile=entry.profile, anime=entry.anime, rating=7).status == after


@pytest.mark.parametrize("rating", [0, 11, -1, "abc", "", "7.5", None, 7.5, True, [7]])
def test_a_rating_that_is_none_is_refused_and_nothing_changes(rating):
    profile, anime = ProfileFactory(), AnimeFactory()
    with pytest.raises(ValidationError, match="whole number from 1 to 10"):
        entries.rate(profile=profile, anime=anime, rating=rating)
    assert not ListEntry.objects.exists()
    assert version_of(profile) == 0


def test_a_rating_typed_as_text_counts():
    assert entries.rate(profile=ProfileFactory(), anime=AnimeFactory(), rating="10").rating == 10


def test_setting_a_status_leaves_the_rating_alone():
    entry = EntryFactory(rating=9)
    entries.set_entry(profile=entry.profile, anime=entry.anime, changes={"status": "dropped"})
    entry.refresh_from_db()
    assert (entry.rating, entry.status) == (9, "dropped")


def test_an_unknown_status_is_refused_with_the_choices():
    with pytest.raises(ValidationError, match="watching, completed, on_hold, dropped, planned"):
        entries.set_entry(profile=ProfileFactory(), anime=AnimeFactory(), changes={"status": "binged"})
    assert not ListEntry.objects.exists()


def test_removing_says_whether_there_was_anything():
    entry = EntryFactory()
    assert entries.remove_entry(profile=entry.profile, anime=entry.anime) is True
    assert entries.remove_entry(profile=entry.profile, anime=entry.anime) is False
    assert version_of(entry.profile) == 1


def test_hiding_twice_is_once_and_can_be_undone():
    profile, anime = ProfileFactory(), AnimeFactory()
    entries.hide(profile=profile, anime=anime)
    entries.hide(profile=profile, anime=anime)
    assert HiddenTitle.objects.filter(profile=profile).count() == 1
    assert version_of(profile) == 1
    assert entries.unhide(profile=profile, anime=anime) is True
    assert entries.unhide(profile=profile, anime=anime) is False
    assert not ListEntry.objects.exists()


@pytest.mark.parametrize("bad", [{"rating": 11}, {"rating": 0}, {"status": "binged"}])
def test_the_database_itself_refuses_what_a_program_error_could_write(bad):
    entry = EntryFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        ListEntry.objects.filter(pk=entry.pk).update(**bad)


@pytest.mark.django_db(transaction=True)
def test_two_ratings_at_once_both_arrive():
    profile = ProfileFactory()
    titles = [AnimeFactory() for _ in range(8)]
    errors: list[Exception] = []

    def rate(anime):
        try:
            entries.rate(profile=Profile.objects.get(pk=profile.pk), anime=anime, rating=8)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=rate, args=(anime,)) for anime in titles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert ListEntry.objects.filter(profile=profile).count() == 8
    assert version_of(profile) == 8
