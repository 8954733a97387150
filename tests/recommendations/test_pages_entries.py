"""Rating, planning, hiding and taking it back: by plain forms and by htmx, and what bad input does (nothing)."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import Anime
from recommendations.models import HiddenTitle, ListEntry, Profile
from recommendations.services.profiles import profile_of_user
from tests.factories import AnimeFactory, EntryFactory, ProfileFactory, UserFactory

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/for-you/?balance=0.7"}


@pytest.fixture
def anime() -> Anime:
    return AnimeFactory(title="Monster")


def checked_rating(html: str) -> str:
    """The value of the one rating that a widget shows as chosen."""
    (chosen,) = [tag for tag in re.findall(r"<input[^>]*>", html) if re.search(r"\schecked\b", tag)]
    return re.findall(r'value="(\d+)"', chosen)[0]


class TestPlainForms:
    def test_a_visitor_rates_and_comes_back_to_the_page(self, client: Client, anime: Anime) -> None:
        response = client.post(
            reverse("entry_rate", args=[anime.pk]), {"rating": "9", "next": "/anime/?q=mon"}, follow=True
        )
        assert response.redirect_chain == [("/anime/?q=mon", 302)]
        assert "You gave Monster 9." in response.content.decode()
        entry = ListEntry.objects.get()
        assert (entry.anime, entry.rating, entry.status) == (anime, 9, "completed")
        assert entry.profile.user is None

    def test_a_second_rating_replaces_the_first(self, client: Client, anime: Anime) -> None:
        for rating in ("3", "8"):
            client.post(reverse("entry_rate", args=[anime.pk]), {"rating": rating})
        assert [entry.rating for entry in ListEntry.objects.all()] == [8]
        assert Profile.objects.count() == 1

    def test_without_next_it_leads_to_the_title(self, client: Client, anime: Anime) -> None:
        response = client.post(reverse("entry_rate", args=[anime.pk]), {"rating": "9"})
        assert response["Location"] == anime.get_absolute_url()

    @pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
    def test_it_never_leads_to_another_site(self, client: Client, anime: Anime, elsewhere: str) -> None:
        response = client.post(reverse("entry_rate", args=[anime.pk]), {"rating": "9", "next": elsewhere})
        assert response["Location"] == anime.get_absolute_url()

    def test_status_alone_keeps_the_rating(self, client: Client, anime: Anime) -> None:
        client.post(reverse("entry_rate", args=[anime.pk]), {"rating": "9"})
        client.post(reverse("entry_set", args=[anime.pk]), {"status": "watching"})
        entry = ListEntry.objects.get()
        assert (entry.rating, entry.status) == (9, "watching")

    def test_an_empty_rating_takes_the_rating_away(self, client: Client, anime: Anime) -> None:
        client.post(reverse("entry_rate", args=[anime.pk]), {"rating": "9"})
        client.post(reverse("entry_set", args=[anime.pk]), {"rating": "", "status": "dropped"})
        entry = ListEntry.objects.get()
        assert (entry.rating, entry.status) == (None, "dropped")

    def test_removing(self, client: Client, anime: Anime) -> None:
        client.post(reverse("entry_rate", args=[anime.pk]), {"rating": "9"})
        response = client.post(reverse("entry_remove", args=[anime.pk]), {"next": "/library/"}, follow=True)
        assert "Monster is off your list." in response.content.decode()
        assert not ListEntry.objects.exists()

    def test_removing_what_is_not_there_says_so_and_makes_no_profile(self, client: Client, anime: Anime) -> None:
        response = client.post(reverse("entry_remove", args=[anime.pk]), follow=True)
        assert "was not on your list" in response.content.decode()
        assert not Profile.objects.exists()

    def test_hiding_and_taking_it_back_on_the_library_page(self, client: Client, anime: Anime) -> None:
        client.post(reverse("hide", args=[anime.pk]))
        assert HiddenTitle.objects.get().anime == anime
        page = client.get(reverse("library"), {"status": "hidden"}).content.decode()
        assert reverse("unhide", args=[anime.pk]) in page
        client.post(reverse("unhide", args=[anime.pk]))
        assert not HiddenTitle.objects.exists()

    @pytest.mark.parametrize("name", ["entry_rate", "entry_set", "entry_remove", "hide", "unhide"])
    def test_a_link_cannot_change_anything(self, client: Client, anime: Anime, name: str) -> None:
        assert client.get(reverse(name, args=[anime.pk])).status_code == 405

    def test_another_site_cannot_send_the_form(self, anime: Anime) -> None:
        client = Client(enforce_csrf_checks=True)
        response = client.post(reverse("entry_rate", args=[anime.pk]), {"rating": "9"})
        assert response.status_code == 403
        assert "Please send that again" in response.content.decode()
        assert not ListEntry.objects.exists()


class TestHtmx:
    def test_rating_answers_with_the_widget_a_toast_and_an_event(self, client: Client, anime: Anime) -> None:
        response = client.post(
            reverse("entry_rate", args=[anime.pk]), {"rating": "9", "part": "rating"}, headers=HTMX
        )
        html = response.content.decode()
        assert response.status_code == 200
        assert checked_rating(html) == "9"
        assert "You gave 9" in html
        assert 'id="toasts" hx-swap-oob="innerHTML"' in html
        assert "<html" not in html
        assert "profile-changed" in json.loads(response["HX-Trigger"])

    def test_forms_in_the_answer_come_back_to_the_page_that_is_shown(self, client: Client, anime: Anime) -> None:
        response = client.post(
            reverse("entry_rate", args=[anime.pk]), {"rating": "9", "part": "rating"}, headers=HTMX
        )
        assert f'name="next" value="/for-you/?balance=0.7#a{anime.pk}"' in response.content.decode()

    def test_undo_of_a_first_rating_removes_the_entry(self, client: Client, anime: Anime) -> None:
        response = client.post(reverse("entry_rate", args=[anime.pk]), {"rating": "9"}, headers=HTMX)
        undo = response.context["change"].undo
        client.post(undo.action, dict(undo.fields), headers=HTMX)
        assert not ListEntry.objects.exists()

    def test_undo_of_a_change_restores_the_entry_whole(self, client: Client, anime: Anime) -> None:
        user = UserFactory()
        client.force_login(user)
        EntryFactory(
            profile=profile_of_user(user),
            anime=anime,
            rating=4,
            status="on_hold",
            started="2020-01-02",
            finished=None,
        )
        response = client.post(reverse("entry_remove", args=[anime.pk]), headers=HTMX)
        assert not ListEntry.objects.exists()
        undo = response.context["change"].undo
        answer = client.post(undo.action, {**dict(undo.fields), "undo": "1"}, headers=HTMX)
        entry = ListEntry.objects.get()
        assert (entry.rating, entry.status, str(entry.started), entry.finished) == (4, "on_hold", "2020-01-02", None)
        assert "undone" in json.loads(answer["HX-Trigger"])

    def test_undo_of_hiding(self, client: Client, anime: Anime) -> None:
        response = client.post(reverse("hide", args=[anime.pk]), headers=HTMX)
        undo = response.context["change"].undo
        client.post(undo.action, dict(undo.fields), headers=HTMX)
        assert not HiddenTitle.objects.exists()

    def test_the_library_gets_its_row(self, client: Client, anime: Anime) -> None:
        response = client.post(
            reverse("entry_set", args=[anime.pk]), {"rating": "6", "status": "watching", "part": "row"}, headers=HTMX
        )
        html = response.content.decode()
        assert f'id="entry-{anime.pk}"' in html
        assert re.findall(r'<option value="(\w+)"\s+selected', html) == ["6", "watching"]

    def test_the_anime_page_gets_its_panel(self, client: Client, anime: Anime) -> None:
        response = client.post(reverse("hide", args=[anime.pk]), {"part": "panel"}, headers=HTMX)
        html = response.content.decode()
        assert 'id="own"' in html
        assert reverse("unhide", args=[anime.pk]) in html


BAD_CHANGES = [
    ("entry_rate", {"rating": "11"}, "from 1 to 10"),
    ("entry_rate", {"rating": "0"}, "from 1 to 10"),
    ("entry_rate", {"rating": "-3"}, "from 1 to 10"),
    ("entry_rate", {"rating": "abc"}, "“abc”"),
    ("entry_rate", {"rating": "7.5"}, "“7.5”"),
    ("entry_rate", {"rating": ""}, "Choose a rating"),
    ("entry_rate", {}, "Choose a rating"),
    ("entry_rate", {"rating": "9" * 5000}, "from 1 to 10"),
    ("entry_set", {"rating": "11", "status": "watching"}, "from 1 to 10"),
    ("entry_set", {"status": "loved"}, "“loved” is not a status"),
    ("entry_set", {"status": "watching", "started": "yesterday"}, "valid date"),
]


@pytest.mark.parametrize(("name", "sent", "message"), BAD_CHANGES)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
class TestBadInput:
    def test_it_says_what_is_wrong_and_changes_nothing(
        self, client: Client, anime: Anime, name: str, sent: dict[str, str], message: str, headers: dict[str, str]
    ) -> None:
        client.post(reverse("entry_rate", args=[anime.pk]), {"rating": "5"})
        before = list(ListEntry.objects.values())
        response = client.post(reverse(name, args=[anime.pk]), {**sent, "next": "/for-you/"}, headers=headers)
        assert response.status_code == 400
        assert message in response.content.decode()
        assert list(ListEntry.objects.values()) == before
        if headers:
            assert (response["HX-Retarget"], response["HX-Reswap"]) == ("#toasts", "innerHTML")
        else:
            assert 'href="/for-you/"' in response.content.decode()

    def test_it_makes_no_profile(
        self, client: Client, anime: Anime, name: str, sent: dict[str, str], message: str, headers: dict[str, str]
    ) -> None:
        client.post(reverse(name, args=[anime.pk]), sent, headers=headers)
        assert not Profile.objects.exists()


@pytest.mark.parametrize("anime_id", [1, 999_999, 10**30])
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
@pytest.mark.parametrize("name", ["entry_rate", "entry_set", "entry_remove", "hide", "unhide"])
def test_an_unknown_title(client: Client, name: str, headers: dict[str, str], anime_id: int) -> None:
    response = client.post(reverse(name, args=[anime_id]), {"rating": "9", "status": "watching"}, headers=headers)
    assert response.status_code == 404
    assert f"no title with the id {anime_id}" in response.content.decode()
    assert not Profile.objects.exists()


def test_nobody_changes_the_list_of_somebody_else(client: Client, anime: Anime) -> None:
    """Alice owns a list, Mallory names it in every way a form could."""
    alice = UserFactory(username="alice")
    entry = EntryFactory(profile=profile_of_user(alice), anime=anime, rating=9)
    member = ProfileFactory(imported=True)
    EntryFactory(profile=member, anime=anime, rating=8)
    client.force_login(UserFactory(username="mallory"))
    for victim in (entry.profile, member):
        naming = {"profile": str(victim.pk), "user": "alice", "member": victim.external_id, "id": str(entry.pk)}
        client.post(reverse("entry_rate", args=[anime.pk]), {"rating": "1", **naming})
        client.post(reverse("entry_remove", args=[anime.pk]), naming)
        client.post(reverse("hide", args=[anime.pk]), naming)
    assert ListEntry.objects.get(profile=entry.profile).rating == 9
    assert ListEntry.objects.get(profile=member).rating == 8
    assert set(HiddenTitle.objects.values_list("profile__user__username", flat=True)) == {"mallory"}
