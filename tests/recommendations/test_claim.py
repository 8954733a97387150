"""A visitor's list goes with the person who signs up or in."""

import uuid

import pytest

from recommendations.models import HiddenTitle, ListEntry, Profile
from recommendations.services.entries import hide, rate
from recommendations.services.profiles import claim_visitor_profile
from tests.factories import AnimeFactory, EntryFactory, ProfileFactory, UserFactory

pytestmark = pytest.mark.django_db


def ratings_of(user):
    return dict(ListEntry.objects.filter(profile__user=user).values_list("anime_id", "rating"))


def test_a_new_user_takes_over_the_visitors_profile_as_it_is():
    visitor, user, anime = ProfileFactory(), UserFactory(), AnimeFactory()
    rate(profile=visitor, anime=anime, rating=9)
    profile = claim_visitor_profile(user=user, visitor_profile_id=visitor.pk)
    assert profile.pk == visitor.pk
    assert ratings_of(user) == {anime.pk: 9}


def test_where_both_rated_a_title_the_members_own_entry_wins_and_the_rest_is_added():
    user, visitor = UserFactory(), ProfileFactory()
    own = ProfileFactory(user=user)
    both, only_visitor, only_own, hidden = (AnimeFactory() for _ in range(4))
    for profile, anime, rating in [
        (own, both, 4),
        (visitor, both, 10),
        (visitor, only_visitor, 7),
        (own, only_own, 8),
    ]:
        rate(profile=profile, anime=anime, rating=rating)
    hide(profile=visitor, anime=hidden)
    version = own.version
    claim_visitor_profile(user=user, visitor_profile_id=visitor.pk)
    assert ratings_of(user) == {both.pk: 4, only_visitor.pk: 7, only_own.pk: 8}
    assert HiddenTitle.objects.filter(profile=own, anime=hidden).exists()
    assert not Profile.objects.filter(pk=visitor.pk).exists()
    own.refresh_from_db()
    assert own.version > version


def test_twice_is_the_same_as_once():
    user, entry = UserFactory(), EntryFactory()
    for _ in range(2):
        claim_visitor_profile(user=user, visitor_profile_id=entry.profile.pk)
    assert ratings_of(user) == {entry.anime_id: 8}


def test_nobody_can_claim_what_belongs_to_somebody():
    owner, thief = UserFactory(), UserFactory()
    owned = ProfileFactory(user=owner)
    member = ProfileFactory(imported=True)
    EntryFactory(profile=owned)
    EntryFactory(profile=member)
    for profile_id in (owned.pk, member.pk, uuid.uuid4()):
        claim_visitor_profile(user=thief, visitor_profile_id=profile_id)
    assert ratings_of(thief) == {}
    assert len(ratings_of(owner)) == 1
    assert ListEntry.objects.filter(profile=member).count() == 1
