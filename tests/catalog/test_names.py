"""The names that search compares are those of the titles: whoever writes titles, whatever goes away."""

from __future__ import annotations

import io
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from catalog.models import Anime, AnimeName, Synonym
from catalog.names import keep_names, rebuild_names
from catalog.search import search
from tests.catalog.importing import BEBOP_2016, HEADER_2016, HEADER_SNAPSHOT, HEADER_SYNOPSES, run, write
from tests.factories import AnimeFactory, UserFactory

pytestmark = pytest.mark.django_db


def spelt() -> list[str]:
    return sorted(AnimeName.objects.values_list("folded", flat=True))


def found(text: str) -> list[int]:
    return list(search(Anime.objects.all(), text).values_list("pk", flat=True))


class TestService:
    def test_a_row_for_each_way_a_title_is_spelt(self) -> None:
        anime = AnimeFactory(title="K-On!", title_english="K-ON!", title_japanese="けいおん!", synonyms=["Keion"])
        assert spelt() == [" k on ", " keion ", " け い お ん "]
        assert sorted(anime.names.values_list("squeezed", flat=True)) == ["keion", "kon", "けいおん"]

    def test_only_what_differs_is_written(self) -> None:
        one = AnimeFactory(title="One", synonyms=["Uno"])
        AnimeFactory(title="Other")
        kept = AnimeName.objects.get(folded=" one ").pk
        one.title_english = "First"
        one.save()
        one.synonyms.all().delete()
        assert keep_names([one.pk]) == 2
        assert spelt() == [" first ", " one ", " other "]
        assert AnimeName.objects.get(folded=" one ").pk == kept
        assert keep_names([one.pk]) == 0

    def test_deleting_a_title_takes_its_names_along(self) -> None:
        AnimeFactory(id=1, title="Gone", synonyms=["Away"])
        AnimeFactory(id=2, title="Stays")
        Anime.objects.filter(pk=1).delete()
        assert spelt() == [" stays "]
        assert found("gone") == found("gnoe") == []
        assert found("styas") == [2]

    def test_the_longest_names_have_room(self) -> None:
        AnimeFactory(id=1, title="進" * 300, title_english="&" * 150 + "x" * 150, synonyms=["ﷺ" * 300])
        assert found("進進進") == [1]

    def test_titles_that_do_not_exist_have_no_names(self) -> None:
        assert keep_names([404]) == 0

    def test_the_cost_does_not_grow_with_the_titles(self, django_assert_max_num_queries) -> None:
        pks = [AnimeFactory(synonyms=["A", "B"]).pk for _title in range(30)]
        AnimeName.objects.all().delete()
        with django_assert_max_num_queries(10):
            assert keep_names(pks) == 90


class TestWriters:
    """After each of them ``rebuild_names`` has nothing to do."""

    @pytest.fixture(autouse=True)
    def _in_step(self):
        yield
        assert rebuild_names() == 0

    def test_imports(self, tmp_path: Path) -> None:
        write(tmp_path / "anime.csv", HEADER_2016, BEBOP_2016, '5,Trigun,"Action",TV,26,8.3,1000')
        write(tmp_path / "anime_with_synopsis.csv", HEADER_SYNOPSES, "1,Other Name,8,Action,In space.")
        run(tmp_path)
        assert spelt() == [" cowboy bebop ", " trigun "]
        more = write(
            tmp_path / "more.csv", HEADER_SNAPSHOT,
            "1,Cowboy Bebop!,Action,TV,26,8.82,486824,The Bebop,カウボーイビバップ,CB|Bebop,1998,,,,,,,0",
        )  # fmt: skip
        run(more)
        assert found("cb") == found("the bebop") == found("かうぼーい") == found("cowbow bebop") == [1]
        changed = write(tmp_path / "changed.csv", HEADER_2016, '5,Try Gun,"Action",TV,26,8.3,1000')
        run(changed)
        assert found("try gun") == [5]
        assert " trigun " not in spelt()

    def test_an_import_that_was_stopped_before_the_names_is_put_right_by_the_next(self, tmp_path: Path) -> None:
        path = write(tmp_path / "anime.csv", HEADER_2016, BEBOP_2016)
        run(path)
        AnimeName.objects.all().delete()
        out, _err = run(path)
        assert "1 as they were" in out
        assert spelt() == [" cowboy bebop "]

    def test_the_sample(self, sample_catalogue: None) -> None:
        assert AnimeName.objects.values("anime").distinct().count() == Anime.objects.count() > 400
        assert found("cowbow bebop")

    def test_saving_a_title_in_the_admin(self, client: Client) -> None:
        client.force_login(UserFactory(admin=True))
        anime = AnimeFactory(id=7, title="Before", synonyms=["Old"])
        synonym = Synonym.objects.get()
        form = {
            "title": "Cowboy Bebop", "title_english": "", "title_japanese": "", "type": "TV", "is_recap": "unknown",
            "synonyms-TOTAL_FORMS": 2, "synonyms-INITIAL_FORMS": 1,
            "synonyms-0-id": synonym.pk, "synonyms-0-anime": 7, "synonyms-0-title": "Old", "synonyms-0-DELETE": "on",
            "synonyms-1-id": "", "synonyms-1-anime": 7, "synonyms-1-title": "Spike",
        }  # fmt: skip
        response = client.post(reverse("admin:catalog_anime_change", args=[anime.pk]), form)
        assert response.status_code == 302, response.context["errors"]
        assert spelt() == [" cowboy bebop ", " spike "]
        assert found("cowbow bebop") == [7]
        client.post(
            reverse("admin:catalog_anime_add"),
            {"id": 8, "title": "New", "type": "TV", "synonyms-TOTAL_FORMS": 0, "synonyms-INITIAL_FORMS": 0},
        )
        assert found("new") == [8]
        client.post(reverse("admin:catalog_anime_delete", args=[8]), {"post": "yes"})
        assert found("new") == []


def test_the_command_mends_what_differs_and_says_so() -> None:
    AnimeFactory(id=1, title="One")
    AnimeFactory(id=2, title="Two")
    Anime.objects.filter(pk=1).update(title="Uno")
    AnimeName.objects.filter(anime=2).delete()
    for changed in (3, 0):
        out = io.StringIO()
        call_command("rebuild_names", stdout=out)
        assert out.getvalue() == f"2 names, {changed} changed\n"
    assert spelt() == [" two ", " uno "]


def test_the_migration_fills_what_is_there_already() -> None:
    AnimeFactory(id=1, title="Cowboy Bebop", title_japanese="カウボーイ", synonyms=["CB"])
    AnimeFactory(id=2, title="Nana Recaps", type="Special")
    AnimeFactory(id=3, title="Gosick Recap", type="Special", is_recap=False)
    before = spelt()
    AnimeName.objects.all().delete()
    import_module("catalog.migrations.0004_fill_names_and_recaps").fill(apps, None)
    assert spelt() == before
    assert rebuild_names() == 0
    assert dict(Anime.objects.values_list("pk", "is_recap")) == {1: None, 2: True, 3: False}
