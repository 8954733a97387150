"""Changing many entries at once: what is meant, all of it, nobody else's, and back again."""

from __future__ import annotations

import json
import uuid
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import Anime
from recommendations.models import BulkChange, ListEntry, Profile
from recommendations.services import bulk
from recommendations.services.bulk import MAX_BULK_ENTRIES, remove_many, set_many, undo_many
from recommendations.services.entries import rate, remove_entry, set_entry
from recommendations.services.profiles import profile_of_user
from tests.factories import AnimeFactory, EntryFactory, ProfileFactory, UserFactory

pytestmark = pytest.mark.django_db

CHANGE, UNDO = "bulk_change", "bulk_undo"
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/library/?status=completed"}


@pytest.fixture
def mine(client: Client) -> Profile:
    """The list of the signed-in member: three titles, each in a state of its own."""
    user = UserFactory()
    client.force_login(user)
    profile = profile_of_user(user)
    EntryFactory(profile=profile, anime=AnimeFactory(title="Akira"), rating=4, status="on_hold", started="2020-01-02")
    EntryFactory(profile=profile, anime=AnimeFactory(title="Baccano"), rating=None, status="planned")
    EntryFactory(profile=profile, anime=AnimeFactory(title="Clannad"), rating=9, finished="2021-03-04")
    return profile


def state(profile: Profile) -> dict[str, tuple[Any, ...]]:
    rows = ListEntry.objects.filter(profile=profile).values_list(
        "anime__title", "rating", "status", "started", "finished"
    )
    return {title: tuple(rest) for title, *rest in rows}


BEFORE = {
    "Akira": (4, "on_hold", date(2020, 1, 2), None),
    "Baccano": (None, "planned", None, None),
    "Clannad": (9, "completed", None, date(2021, 3, 4)),
}


def ids(profile: Profile, *titles: str) -> list[int]:
    return list(Anime.objects.filter(title__in=titles, entries__profile=profile).values_list("pk", flat=True))


class TestService:
    def test_status_and_rating_of_those_that_are_meant(self, mine: Profile) -> None:
        change = set_many(
            profile=mine, anime_ids=ids(mine, "Akira", "Clannad"), changes={"status": "dropped", "rating": 2}
        )
        assert change is not None
        assert change.size == 2
        assert {title: values[:2] for title, values in state(mine).items()} == {
            "Akira": (2, "dropped"), "Baccano": (None, "planned"), "Clannad": (2, "dropped"),
        }  # fmt: skip

    def test_dates_stay(self, mine: Profile) -> None:
        set_many(profile=mine, anime_ids=ids(mine, *BEFORE), changes={"status": "watching"})
        assert {title: values[2:] for title, values in state(mine).items()} == {
            title: values[2:] for title, values in BEFORE.items()
        }

    def test_a_rating_alone_makes_a_planned_title_completed_as_one_at_a_time_does(self, mine: Profile) -> None:
        set_many(profile=mine, anime_ids=ids(mine, *BEFORE), changes={"rating": 7})
        assert {title: values[:2] for title, values in state(mine).items()} == {
            "Akira": (7, "on_hold"), "Baccano": (7, "completed"), "Clannad": (7, "completed"),
        }  # fmt: skip

    def test_taking_ratings_away_changes_no_status(self, mine: Profile) -> None:
        set_many(profile=mine, anime_ids=ids(mine, *BEFORE), changes={"rating": None})
        assert {title: values[:2] for title, values in state(mine).items()} == {
            "Akira": (None, "on_hold"), "Baccano": (None, "planned"), "Clannad": (None, "completed"),
        }  # fmt: skip

    @pytest.mark.parametrize("change", ["set", "remove"])
    def test_undone_everything_is_as_it_was(self, mine: Profile, change: str) -> None:
        chosen = ids(mine, *BEFORE)
        done = (
            set_many(profile=mine, anime_ids=chosen, changes={"status": "dropped", "rating": 1})
            if change == "set"
            else remove_many(profile=mine, anime_ids=chosen)
        )
        assert done is not None
        assert state(mine) != BEFORE
        undone = undo_many(profile=mine, change_id=done.pk)
        assert undone is not None
        assert (undone.restored, undone.kept) == (3, 0)
        assert state(mine) == BEFORE
        assert undo_many(profile=mine, change_id=done.pk) is None, "it is undone once"

    def test_undo_leaves_alone_what_has_been_changed_since(self, mine: Profile) -> None:
        done = set_many(profile=mine, anime_ids=ids(mine, *BEFORE), changes={"status": "dropped"})
        assert done is not None
        set_entry(profile=mine, anime=Anime.objects.get(title="Akira"), changes={"status": "watching"})
        remove_entry(profile=mine, anime=Anime.objects.get(title="Baccano"))
        undone = undo_many(profile=mine, change_id=done.pk)
        assert undone is not None
        assert (undone.restored, undone.kept) == (1, 2)
        assert {title: values[1] for title, values in state(mine).items()} == {
            "Akira": "watching", "Clannad": "completed",
        }  # fmt: skip

    def test_undo_of_a_removal_keeps_what_was_put_back_by_hand_and_what_no_longer_exists(self, mine: Profile) -> None:
        done = remove_many(profile=mine, anime_ids=ids(mine, *BEFORE))
        assert done is not None
        rate(profile=mine, anime=Anime.objects.get(title="Akira"), rating=10)
        Anime.objects.get(title="Baccano").delete()
        undone = undo_many(profile=mine, change_id=done.pk)
        assert undone is not None
        assert (undone.restored, undone.kept) == (1, 2)
        assert {title: values[0] for title, values in state(mine).items()} == {"Akira": 10, "Clannad": 9}

    def test_only_the_last_one_is_remembered(self, mine: Profile) -> None:
        first = set_many(profile=mine, anime_ids=ids(mine, "Akira"), changes={"rating": 1})
        second = set_many(profile=mine, anime_ids=ids(mine, "Akira"), changes={"rating": 2})
        assert first is not None
        assert second is not None
        assert undo_many(profile=mine, change_id=first.pk) is None
        assert list(BulkChange.objects.all()) == [second]

    def test_a_change_counts_for_the_recommender(self, mine: Profile) -> None:
        version = mine.version
        done = set_many(profile=mine, anime_ids=ids(mine, "Akira"), changes={"rating": 1})
        assert done is not None
        assert mine.version == version + 1
        undo_many(profile=mine, change_id=done.pk)
        assert mine.version == version + 2

    def test_all_or_nothing(self, mine: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(profile: Profile) -> None:
            raise RuntimeError("the lights went out")

        monkeypatch.setattr(bulk, "touch", broken)
        for change in (
            lambda: set_many(profile=mine, anime_ids=ids(mine, *BEFORE), changes={"rating": 1}),
            lambda: remove_many(profile=mine, anime_ids=ids(mine, *BEFORE)),
        ):
            with pytest.raises(RuntimeError):
                change()
            assert state(mine) == BEFORE
            assert not BulkChange.objects.exists()

    def test_not_more_than_the_limit(self, mine: Profile) -> None:
        with pytest.raises(ValueError, match="5001 entries"):
            remove_many(profile=mine, anime_ids=range(MAX_BULK_ENTRIES + 1))
        assert state(mine) == BEFORE

    def test_as_many_as_the_limit_in_as_many_statements_as_for_few(self) -> None:
        profile = ProfileFactory()
        titles = Anime.objects.bulk_create(AnimeFactory.build_batch(MAX_BULK_ENTRIES))
        ListEntry.objects.bulk_create(
            ListEntry(profile=profile, anime=anime, rating=number % 10 + 1) for number, anime in enumerate(titles)
        )
        before = state(profile)
        counts = []
        for number in (2, MAX_BULK_ENTRIES):
            with CaptureQueriesContext(connection) as queries:
                done = set_many(
                    profile=profile, anime_ids=[anime.pk for anime in titles[:number]], changes={"rating": 5}
                )
            counts.append(len(queries))
            assert done is not None
            assert done.size == number
            undo_many(profile=profile, change_id=done.pk)
        assert counts[0] == counts[1]
        assert state(profile) == before


class TestPage:
    def send(self, client: Client, **sent: Any) -> Any:
        return client.post(reverse(CHANGE), {"next": "/library/?sort=title", **sent}, follow=True)

    def test_ticked_titles_get_a_status(self, client: Client, mine: Profile) -> None:
        answer = self.send(client, do="set", anime=ids(mine, "Akira", "Baccano"), set_status="dropped")
        assert answer.redirect_chain == [("/library/?sort=title", 302)]
        html = answer.content.decode()
        assert "2 titles: Dropped." in html
        assert "2 titles changed at once" in html
        assert {title: values[1] for title, values in state(mine).items()} == {
            "Akira": "dropped", "Baccano": "dropped", "Clannad": "completed",
        }  # fmt: skip

    def test_a_rating(self, client: Client, mine: Profile) -> None:
        answer = self.send(client, do="set", anime=ids(mine, "Akira"), set_rating="10")
        assert "1 title: rated 10." in answer.content.decode()
        assert state(mine)["Akira"][0] == 10

    def test_no_rating(self, client: Client, mine: Profile) -> None:
        self.send(client, do="set", anime=ids(mine, "Akira"), set_rating="none")
        assert state(mine)["Akira"][0] is None

    def test_removing_and_taking_it_back(self, client: Client, mine: Profile) -> None:
        answer = self.send(client, do="remove", anime=ids(mine, *BEFORE))
        assert "3 titles are off your list." in answer.content.decode()
        assert state(mine) == {}
        change = answer.context["change_to_undo"]
        undone = client.post(reverse(UNDO), {"change": str(change.pk), "next": "/library/"}, follow=True)
        assert "3 titles are as they were." in undone.content.decode()
        assert undone.context["change_to_undo"] is None
        assert state(mine) == BEFORE

    def test_all_on_the_page(self, client: Client, mine: Profile) -> None:
        shown = client.get(reverse("library")).context["shown_ids"]
        self.send(client, do="set", scope="page", shown=shown, set_status="watching")
        assert {values[1] for values in state(mine).values()} == {"watching"}

    def test_all_that_match(self, client: Client, mine: Profile) -> None:
        self.send(client, do="set", scope="all", query="rated=rated", set_status="watching")
        assert {title: values[1] for title, values in state(mine).items()} == {
            "Akira": "watching", "Baccano": "planned", "Clannad": "watching",
        }  # fmt: skip

    def test_htmx_gets_a_toast_with_undo_and_the_list_fetches_itself(self, client: Client, mine: Profile) -> None:
        sent = {"do": "set", "anime": ids(mine, "Akira"), "set_status": "dropped"}
        answer = client.post(reverse(CHANGE), sent, headers=HTMX)
        assert "1 title: Dropped." in answer.content.decode()
        assert "<html" not in answer.content.decode()
        assert "library-changed" in json.loads(answer["HX-Trigger"])
        undo = answer.context["undo"]
        undone = client.post(undo.action, dict(undo.fields), headers=HTMX)
        assert "1 title is as it was." in undone.content.decode()
        assert "library-changed" in json.loads(undone["HX-Trigger"])
        assert state(mine) == BEFORE

    def test_a_visitor_s_list(self, client: Client) -> None:
        anime = AnimeFactory()
        client.post(reverse("entry_rate", args=[anime.pk]), {"rating": "9"})
        self.send(client, do="set", anime=[anime.pk], set_rating="3")
        assert ListEntry.objects.get().rating == 3

    def test_it_never_leads_to_another_site(self, client: Client, mine: Profile) -> None:
        sent = {"do": "remove", "anime": ids(mine, "Akira"), "next": "//evil.example"}
        assert client.post(reverse(CHANGE), sent)["Location"] == reverse("library")

    @pytest.mark.parametrize("name", [CHANGE, UNDO])
    def test_neither_a_link_nor_another_site_can_change_anything(
        self, client: Client, mine: Profile, name: str
    ) -> None:
        assert client.get(reverse(name)).status_code == 405
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(mine.user)  # type: ignore[arg-type]
        assert strict.post(reverse(name), {"do": "remove", "anime": ids(mine, "Akira")}).status_code == 403
        assert state(mine) == BEFORE


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"do": "set", "set_status": "dropped"}, "Tick at least one title"),
        ({"do": "set", "anime": "MINE"}, "Choose a status or a rating"),
        ({"do": "set", "anime": "MINE", "set_status": "loved"}, "“loved” is not one of the choices"),
        ({"do": "set", "anime": "MINE", "set_rating": "11"}, "from 1 to 10, not “11”"),
        ({"do": "set", "anime": "MINE", "set_rating": "7.5", "set_status": "dropped"}, "not “7.5”"),
        ({"do": "explode", "anime": "MINE"}, "“explode” is not one of the choices"),
        ({"anime": "MINE", "set_status": "dropped"}, "required"),
        ({"do": "remove", "anime": "abc"}, "“abc” is not the id of a title"),
        ({"do": "remove", "anime": "-1"}, "“-1” is not the id of a title"),
        ({"do": "remove", "anime": "9" * 30}, "is not the id of a title"),
        ({"do": "remove", "anime": "٣"}, "“٣” is not the id of a title"),
        ({"do": "remove", "scope": "everything", "anime": "MINE"}, "“everything” is not one of the choices"),
        ({"do": "remove", "scope": "page", "shown": "1,x"}, "“x” is not the id of a title"),
        ({"do": "remove", "scope": "page"}, "Tick at least one title"),
        ({"do": "remove", "scope": "page", "shown": ",".join(map(str, range(5001)))}, "at most 5000"),
        ({"do": "remove", "scope": "all", "query": "status=loved"}, "There is no status “loved”"),
        ({"do": "remove", "scope": "all", "query": "status=hidden"}, "not on your list"),
        ({"do": "remove", "scope": "all", "query": "status=dropped"}, "None of these titles is on your list"),
        ({"do": "remove", "anime": "1"}, "None of these titles is on your list"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(
    client: Client, mine: Profile, sent: dict[str, Any], message: str, headers: dict[str, str]
) -> None:
    sent = {name: ids(mine, "Akira") if value == "MINE" else value for name, value in sent.items()}
    answer = client.post(reverse(CHANGE), {**sent, "next": "/library/?sort=title"}, headers=headers)
    assert answer.status_code == 400
    assert message in answer.content.decode()
    assert state(mine) == BEFORE
    assert not BulkChange.objects.exists()
    if not headers:
        assert 'href="/library/?sort=title"' in answer.content.decode()


def test_a_list_that_is_too_long_for_all_that_match(
    client: Client, mine: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommendations.views.bulk.MAX_BULK_ENTRIES", 2)
    answer = client.post(reverse(CHANGE), {"do": "remove", "scope": "all", "query": ""})
    assert answer.status_code == 400
    assert "These are 3 titles" in answer.content.decode()
    assert state(mine) == BEFORE


@pytest.mark.parametrize(
    ("change", "status"), [("", 400), ("17", 400), ("x" * 4000, 400), (str(uuid.UUID(int=7)), 404)]
)
def test_there_is_nothing_to_take_back(client: Client, mine: Profile, change: str, status: int) -> None:
    assert client.post(reverse(UNDO), {"change": change}).status_code == status
    assert state(mine) == BEFORE


def test_nobody_changes_the_list_of_somebody_else(client: Client, mine: Profile) -> None:
    """Others tick the member's titles and name their change, and are told that these are not on their list."""
    done = set_many(profile=mine, anime_ids=ids(mine, "Akira"), changes={"rating": 4})
    assert done is not None
    member = ProfileFactory(imported=True)
    EntryFactory(profile=member, anime=Anime.objects.get(title="Akira"), rating=8)
    visitor, mallory = Client(), Client()
    mallory.force_login(UserFactory())
    for somebody in (visitor, mallory):
        naming = {"profile": str(mine.pk), "user": str(mine.user_id), "member": member.external_id}
        for sent in ({"scope": "ticked", "anime": ids(mine, *BEFORE)}, {"scope": "all", "query": ""}):
            assert somebody.post(reverse(CHANGE), {"do": "remove", **sent, **naming}).status_code == 400
        assert somebody.post(reverse(UNDO), {"change": str(done.pk), **naming}).status_code == 404
    assert state(mine) == BEFORE
    assert ListEntry.objects.get(profile=member).rating == 8


def test_titles_of_others_among_one_s_own_have_no_effect(client: Client, mine: Profile) -> None:
    other = EntryFactory(rating=8)
    answer = client.post(
        reverse(CHANGE), {"do": "remove", "anime": [*ids(mine, "Akira"), other.anime_id, 1]}, follow=True
    )
    assert "1 title is off your list." in answer.content.decode()
    other.refresh_from_db()
    assert set(state(mine)) == {"Baccano", "Clannad"}
