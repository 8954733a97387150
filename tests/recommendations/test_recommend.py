"""Lists as the site shows them: whose they are, what may stand on them, and why."""

import pytest
from django.core.cache import cache

from catalog.models import Anime
from catalog.selectors import CatalogueFilter
from ml.types import FranchiseMode
from recommendations.models import ModelVersion, TopList
from recommendations.services import recommend as service
from recommendations.services.engine import forget_engine
from recommendations.services.entries import hide, rate, set_entry
from recommendations.services.recommend import Basis, ListOptions, recommend, similar_titles
from tests.factories import AnimeFactory, ProfileFactory

pytestmark = pytest.mark.django_db

# Neon Genesis Evangelion, Gurren Lagann, Code Geass, Mobile Suit Gundam, Full Metal Panic!
MECHA = {30: 10, 2001: 10, 1575: 9, 80: 9, 71: 8}


@pytest.fixture
def mecha_fan(champion: ModelVersion):
    profile = ProfileFactory()
    for anime_id, rating in MECHA.items():
        rate(profile=profile, anime=Anime.objects.get(pk=anime_id), rating=rating)
    return profile


def ids(shown):
    return [listed.anime.pk for listed in shown.results]


def test_a_mecha_fan_is_shown_mecha_for_the_right_reasons(mecha_fan):
    shown = recommend(profile=mecha_fan, options=ListOptions())
    assert shown.basis is Basis.PERSONAL
    assert len(shown.results) == 10
    top = shown.results[:5]
    mecha = [listed for listed in top if "Mecha" in {genre.name for genre in listed.anime.genres.all()}]
    assert len(mecha) >= 3
    named = {reason.anime.pk for listed in mecha for reason in listed.reasons if reason.anime}
    assert named
    assert named <= set(MECHA)


def test_every_listed_title_is_new_of_a_franchise_of_its_own_and_has_a_reason(mecha_fan):
    shown = recommend(profile=mecha_fan, options=ListOptions(k=30))
    touched = set(Anime.objects.filter(pk__in=MECHA, franchise__isnull=False).values_list("franchise_id", flat=True))
    franchises = [listed.anime.franchise_id for listed in shown.results if listed.anime.franchise_id]
    assert len(franchises) == len(set(franchises))
    assert not touched & set(franchises)
    assert all(listed.reasons for listed in shown.results)


def test_a_rating_changes_the_list_at_once(mecha_fan):
    first = recommend(profile=mecha_fan, options=ListOptions())
    rate(profile=mecha_fan, anime=first.results[0].anime, rating=9)
    second = recommend(profile=mecha_fan, options=ListOptions())
    assert first.results[0].anime.pk not in ids(second)
    assert len(second.results) == 10


def test_a_hidden_title_is_never_listed_again(mecha_fan):
    first = recommend(profile=mecha_fan, options=ListOptions())
    hide(profile=mecha_fan, anime=first.results[0].anime)
    assert first.results[0].anime.pk not in ids(recommend(profile=mecha_fan, options=ListOptions(k=100)))


def test_the_same_question_is_answered_from_the_cache(mecha_fan, monkeypatch):
    asked = []
    score = service._score
    monkeypatch.setattr(service, "_score", lambda *args, **options: asked.append(1) or score(*args, **options))
    options = ListOptions()
    assert ids(recommend(profile=mecha_fan, options=options)) == ids(recommend(profile=mecha_fan, options=options))
    assert len(asked) == 1
    recommend(profile=mecha_fan, options=ListOptions(balance=0.1))
    assert len(asked) == 2


def test_a_title_that_turned_out_adult_leaves_cached_lists(mecha_fan):
    first = recommend(profile=mecha_fan, options=ListOptions())
    Anime.objects.filter(pk=ids(first)[0]).update(is_adult=True)
    again = recommend(profile=mecha_fan, options=ListOptions())
    assert ids(first)[0] not in ids(again)
    assert len(again.results) == 10


def test_filters_act_before_the_ten_are_taken(mecha_fan):
    options = ListOptions(filter=CatalogueFilter(types=("Movie",), year_max=2005, released_only=True))
    shown = recommend(profile=mecha_fan, options=options)
    allowed = Anime.objects.filter(type="Movie", year__lte=2005, is_adult=False).exclude(pk__in=MECHA)
    assert set(ids(shown)) <= set(allowed.values_list("pk", flat=True))
    assert len(shown.results) == 10


def test_next_lists_the_following_part_but_not_of_what_was_dropped(champion):
    followed = Anime.objects.filter(franchise__isnull=False, franchise_order=1).exclude(
        franchise__anime__franchise_order=None
    )
    first = next(
        anime for anime in followed if anime.franchise.anime.filter(type="TV").count() >= 2 and anime.type == "TV"
    )
    profile = ProfileFactory()
    rate(profile=profile, anime=first, rating=9)
    shown = recommend(profile=profile, options=ListOptions(franchise=FranchiseMode.NEXT))
    assert [listed.anime.franchise_id for listed in shown.results] == [first.franchise_id]
    set_entry(profile=profile, anime=first, changes={"status": "dropped"})
    assert not recommend(profile=profile, options=ListOptions(franchise=FranchiseMode.NEXT)).results


def test_balance_has_pure_ends(mecha_fan):
    content = recommend(profile=mecha_fan, options=ListOptions(balance=0.0))
    collaborative = recommend(profile=mecha_fan, options=ListOptions(balance=1.0))
    assert ids(content) != ids(collaborative)


def test_somebody_unknown_gets_a_general_list(champion):
    shown = recommend(profile=None, options=ListOptions())
    assert len(shown.results) == 10
    assert shown.is_general
    assert all(listed.reasons for listed in shown.results)


def test_without_a_model_the_stored_list_is_shown_less_what_was_rated_since(mecha_fan, champion):
    alone = Anime.objects.filter(franchise=None, is_adult=False).released().exclude(pk__in=MECHA)
    stored = list(alone.values_list("pk", flat=True)[:15])
    TopList.objects.create(
        profile=mecha_fan, model_version=champion, profile_version=1, items=[[pk, 1.0] for pk in stored]
    )
    rate(profile=mecha_fan, anime=Anime.objects.get(pk=stored[0]), rating=7)
    ModelVersion.objects.update(status="broken")
    forget_engine()
    shown = recommend(profile=mecha_fan, options=ListOptions())
    assert shown.basis is Basis.STORED
    assert ids(shown) == stored[1:11]


def test_without_model_and_stored_list_what_is_popular_is_shown_and_says_so(db):
    known, *others = [AnimeFactory(members=1000 - number) for number in range(13)]
    AnimeFactory(members=5000, is_adult=True)
    profile = ProfileFactory()
    rate(profile=profile, anime=known, rating=8)
    forget_engine()
    shown = recommend(profile=profile, options=ListOptions())
    assert shown.basis is Basis.POPULARITY
    assert ids(shown) == [anime.pk for anime in others[:10]]
    assert {reason.kind for listed in shown.results for reason in listed.reasons} == {"popular"}


def test_similar_titles_tell_fans_from_content(champion):
    similar = similar_titles(anime=Anime.objects.get(pk=30), k=5)
    assert [item.by for item in similar] == ["fans"] * 5 + ["content"] * 5
    assert 30 not in {item.anime.pk for item in similar}


def test_a_list_costs_the_same_queries_whatever_its_length(mecha_fan, django_assert_max_num_queries):
    recommend(profile=mecha_fan, options=ListOptions())  # loads the model
    cache.clear()
    with django_assert_max_num_queries(8):
        recommend(profile=mecha_fan, options=ListOptions(k=100))
