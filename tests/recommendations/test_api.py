"""The API of lists and recommendations, as an app meets it."""

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from accounts.models import ApiToken
from catalog.models import Anime
from recommendations.models import ListEntry, Profile
from tests.factories import AnimeFactory, EntryFactory, GenreFactory, ProfileFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return UserFactory()


@pytest.fixture
def app(user):
    """An app that acts for ``user`` by a personal token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {ApiToken.issue(user, 'app')[1]}")
    return client


@pytest.fixture
def anybody():
    return APIClient()


def problem(response, status):
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == status
    return response.json()


# --- stateless recommendations


def test_ratings_in_a_list_with_reasons_out_and_nothing_stored(champion, anybody):
    response = anybody.post(
        "/api/v1/recommendations/",
        {
            "ratings": [{"anime_id": 30, "rating": 10}, {"anime_id": 2001, "rating": 9}, {"anime_id": 987654321}],
            "k": 7,
        },
        format="json",
    )
    answer = response.json()
    assert response.status_code == 200, answer
    assert [result["rank"] for result in answer["results"]] == list(range(1, 8))
    assert answer["model_version"] == champion.version
    assert answer["ignored"] == [987654321]
    first = answer["results"][0]
    assert first["anime"]["title"]
    assert {"collaborative", "content"} <= set(first["components"])
    assert all(result["reasons"] for result in answer["results"])
    rated = [reason for result in answer["results"] for reason in result["reasons"] if reason["kind"] == "rated"]
    assert rated
    assert {reason["anime"]["id"] for reason in rated} <= {30, 2001}
    assert all(0 < reason["share"] <= 1 for reason in rated)
    assert all(sum(reason.get("share", 0) for reason in result["reasons"]) <= 1 for result in answer["results"])
    assert not Profile.objects.exists()


def test_of_one_rating_it_says_that_popularity_carried_most(champion, anybody):
    def reasons_of(ratings):
        answer = anybody.post("/api/v1/recommendations/", {"ratings": ratings}, format="json").json()
        return [result["reasons"] for result in answer["results"]]

    lists = reasons_of([{"anime_id": 30, "rating": 9}])
    led = [reasons for reasons in lists if reasons[0]["kind"] == "popular"]
    assert len(led) >= 5
    for reasons in led:
        assert reasons[0].keys() == {"kind", "share"}
        assert reasons[0]["share"] > 0.5
        named = [reason for reason in reasons if reason["kind"] == "rated"]
        assert all(reason["anime"]["id"] == 30 and reason["share"] < 0.5 for reason in named)
    assert reasons_of([]) == [[{"kind": "popular"}]] * 10


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "ratings"),
        ({"ratings": "all of them"}, "ratings"),
        ({"ratings": [{"anime_id": 5114, "rating": 11}]}, "rating"),
        ({"ratings": [{"anime_id": 5114, "rating": 0}]}, "rating"),
        ({"ratings": [{"anime_id": 5114, "rating": "abc"}]}, "rating"),
        ({"ratings": [{"rating": 5}]}, "anime_id"),
        ({"ratings": [{"anime_id": 5114}, {"anime_id": 5114}]}, "ratings"),
        ({"ratings": [{"anime_id": number + 1} for number in range(20_000)]}, "ratings"),
        ({"ratings": [], "k": 0}, "k"),
        ({"ratings": [], "k": 101}, "k"),
        ({"ratings": [], "balance": 1.5}, "balance"),
        ({"ratings": [], "franchise": "sequels"}, "franchise"),
        ({"ratings": [], "genre": ["no-such-genre"]}, "genre"),
        ({"ratings": [], "type": ["Radio"]}, "type"),
        ({"ratings": [], "year_min": 2010, "year_max": 2000}, "year_min"),
    ],
)  # fmt: skip
def test_bad_requests_are_answered_with_the_place_and_the_reason(anybody, body, field):
    answer = problem(anybody.post("/api/v1/recommendations/", body, format="json"), 400)
    assert any(field in error["field"] and error["message"] for error in answer["errors"]), answer


def test_a_body_that_is_not_json_is_a_400(anybody):
    response = anybody.generic("POST", "/api/v1/recommendations/", b"%PDF-1.4", content_type="application/json")
    assert "JSON" in problem(response, 400)["detail"]


def test_without_a_model_the_answer_is_what_is_popular_and_says_so(anybody, db):
    AnimeFactory.create_batch(12)
    answer = anybody.post("/api/v1/recommendations/", {"ratings": []}, format="json").json()
    assert (answer["basis"], answer["model_version"], len(answer["results"])) == ("popularity", None, 10)


def test_similar(champion, anybody):
    answer = anybody.get("/api/v1/anime/30/similar/", {"k": 3}).json()
    assert [result["by"] for result in answer["results"]] == ["fans"] * 3 + ["content"] * 3
    problem(anybody.get("/api/v1/anime/30/similar/", {"k": "many"}), 400)
    problem(anybody.get("/api/v1/anime/99999999/similar/"), 404)


# --- tokens


def test_the_command_prints_a_token_that_works(user, anybody, capsys):
    call_command("create_token", user.username)
    anybody.credentials(HTTP_AUTHORIZATION=f"Bearer {capsys.readouterr().out.strip()}")
    assert anybody.get("/api/v1/me/list/").status_code == 200
    assert ApiToken.objects.get().last_used is not None


def test_a_token_for_nobody_is_refused(db):
    with pytest.raises(CommandError, match="'nobody'"):
        call_command("create_token", "nobody")


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer wrong", "Bearer a b", "Basic YTpi"])
@pytest.mark.parametrize("path", ["me/list/", "me/list/1/", "me/recommendations/", "me/hidden/"])
def test_without_a_good_token_the_door_is_closed(anybody, header, path):
    if header:
        anybody.credentials(HTTP_AUTHORIZATION=header)
    response = anybody.get(f"/api/v1/{path}")
    problem(response, 401)
    assert response["WWW-Authenticate"] == "Bearer"


def test_the_token_of_somebody_who_left_is_worth_nothing(user, app):
    user.is_active = False
    user.save()
    problem(app.get("/api/v1/me/list/"), 401)


# --- the own list


def test_put_makes_an_entry_and_is_idempotent(user, app):
    anime = AnimeFactory()
    for _ in range(2):
        response = app.put(f"/api/v1/me/list/{anime.pk}/", {"rating": 9}, format="json")
        assert response.status_code == 200, response.content
    entry = ListEntry.objects.get(profile__user=user)
    assert (entry.anime, entry.rating, entry.status) == (anime, 9, "completed")
    answer = app.get("/api/v1/me/list/").json()
    assert answer["count"] == 1
    assert answer["results"][0]["anime"]["id"] == anime.pk


def test_patch_changes_what_it_names_and_put_sets_the_rest_to_default(user, app):
    entry = EntryFactory(profile=ProfileFactory(user=user), rating=9)
    path = f"/api/v1/me/list/{entry.anime_id}/"
    assert app.patch(path, {"status": "dropped"}, format="json").json()["rating"] == 9
    assert app.put(path, {"status": "watching"}, format="json").json()["rating"] is None


def test_delete_takes_it_off_and_a_second_delete_is_404(user, app):
    entry = EntryFactory(profile=ProfileFactory(user=user))
    path = f"/api/v1/me/list/{entry.anime_id}/"
    assert app.delete(path).status_code == 204
    problem(app.delete(path), 404)
    problem(app.get(path), 404)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rating": 11}, "rating"),
        ({"rating": "abc"}, "rating"),
        ({"status": "binged"}, "status"),
        ({"started": "2024-05-05", "finished": "2024-01-01"}, "finished"),
        ({"started": "yesterday"}, "started"),
    ],
)
def test_a_bad_entry_is_refused_and_nothing_is_stored(app, changes, field):
    anime = AnimeFactory()
    answer = problem(app.put(f"/api/v1/me/list/{anime.pk}/", changes, format="json"), 400)
    assert [error["field"] for error in answer["errors"]] == [field]
    assert not ListEntry.objects.exists()


@pytest.mark.parametrize("anime_id", [999_999, 2**40])
def test_an_unknown_title_is_404(app, anime_id):
    problem(app.put(f"/api/v1/me/list/{anime_id}/", {"rating": 5}, format="json"), 404)


def test_nobody_reaches_another_persons_list(app):
    entry = EntryFactory(profile=ProfileFactory(user=UserFactory()))
    problem(app.get(f"/api/v1/me/list/{entry.anime_id}/"), 404)
    problem(app.delete(f"/api/v1/me/list/{entry.anime_id}/"), 404)
    assert app.get("/api/v1/me/list/").json()["count"] == 0
    assert ListEntry.objects.filter(pk=entry.pk).exists()


def test_the_list_can_be_narrowed_by_status(user, app):
    profile = ProfileFactory(user=user)
    EntryFactory(profile=profile, status="planned", rating=None)
    EntryFactory(profile=profile)
    assert app.get("/api/v1/me/list/", {"status": "planned"}).json()["count"] == 1
    problem(app.get("/api/v1/me/list/", {"status": "binged"}), 400)


def test_a_long_list_costs_the_same_queries_as_a_short_one(user, app, django_assert_max_num_queries):
    profile = ProfileFactory(user=user)
    for _ in range(15):
        EntryFactory(profile=profile, anime=AnimeFactory(genres=["Action", "Drama"], studios=["Bones"]))
    with django_assert_max_num_queries(8):
        assert len(app.get("/api/v1/me/list/").json()["results"]) == 15


# --- hidden titles, own recommendations


def test_hidden_titles(champion, user, app):
    listed = app.get("/api/v1/me/recommendations/").json()["results"][0]["anime"]["id"]
    assert app.put(f"/api/v1/me/hidden/{listed}/").status_code == 204
    assert [row["anime"]["id"] for row in app.get("/api/v1/me/hidden/").json()["results"]] == [listed]
    after = [result["anime"]["id"] for result in app.get("/api/v1/me/recommendations/").json()["results"]]
    assert listed not in after
    assert app.delete(f"/api/v1/me/hidden/{listed}/").status_code == 204
    problem(app.delete(f"/api/v1/me/hidden/{listed}/"), 404)


def test_own_recommendations_take_the_dials_and_filters(champion, user, app):
    app.put("/api/v1/me/list/30/", {"rating": 10}, format="json")
    slug = Anime.objects.get(pk=30).genres.get(name="Mecha").slug
    answer = app.get(
        "/api/v1/me/recommendations/",
        {"k": 5, "genre": [slug], "type": ["TV", "Movie"], "balance": 0.3, "franchise": "off"},
    ).json()
    assert len(answer["results"]) == 5
    assert all("Mecha" in result["anime"]["genres"] for result in answer["results"])


def test_bad_dials_are_400(app):
    GenreFactory(name="Action")
    for query in ({"k": "ten"}, {"balance": "2"}, {"genre": "nope"}, {"year_min": "soon"}):
        problem(app.get("/api/v1/me/recommendations/", query), 400)


def test_the_schema_is_complete_and_valid(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))
