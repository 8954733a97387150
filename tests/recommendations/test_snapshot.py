"""What leaves the database for training."""

import csv
import json

import pytest
from django.core.management import CommandError, call_command

from recommendations.services import judges
from recommendations.services.snapshot import JUDGES, JUDGES_HELDOUT, RATINGS, export_snapshot
from tests.factories import AnimeFactory, EntryFactory, FranchiseFactory, ProfileFactory, UserFactory

pytestmark = pytest.mark.django_db


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_snapshot_holds_the_catalogue_and_what_people_watched_but_not_who_they_are(tmp_path):
    franchise = FranchiseFactory(name="Gundam")
    first = AnimeFactory(
        id=80,
        title="Kidou Senshi Gundam",
        genres=["Mecha", "Sci-Fi"],
        franchise=franchise,
        franchise_order=1,
        synopsis="A boy, a robot, a war.\nAnd a rival.",
    )
    second = AnimeFactory(id=85, franchise=franchise, franchise_order=2, episodes=None, members=None)
    user = UserFactory(username="secret-name", email="secret@example.org")
    profile = ProfileFactory(user=user)
    EntryFactory(profile=profile, anime=first, rating=9)
    EntryFactory(profile=profile, anime=second, rating=None, status="watching")
    EntryFactory(profile=profile, rating=None, status="planned")
    EntryFactory(profile=profile, rating=None, status="dropped")
    EntryFactory(profile=profile, anime=AnimeFactory(id=90), rating=2, status="dropped")

    out = tmp_path / "snapshot"
    call_command("export_snapshot", out=out)

    anime = {row["anime_id"]: row for row in read(out / "anime.csv")}
    assert anime["80"]["genre"] == "Mecha, Sci-Fi"
    assert (anime["85"]["episodes"], anime["85"]["members"]) == ("", "")
    assert [(row["anime_id"], row["rating"]) for row in read(out / "rating.csv")] == [
        ("80", "9"), ("85", "-1"), ("90", "2")]  # fmt: skip
    assert {row["user_id"] for row in read(out / "rating.csv")} == {"1"}
    assert read(out / "anime_with_synopsis.csv")[0]["sypnopsis"] == first.synopsis
    assert json.loads((out / "franchises.json").read_text()) == [{"name": "Gundam", "ids": [80, 85]}]
    everything = "".join(path.read_text() for path in out.iterdir())
    assert "secret" not in everything
    assert str(profile.pk) not in everything


def test_a_snapshot_is_never_written_over(tmp_path):
    (tmp_path / "snapshot").mkdir()
    with pytest.raises(CommandError, match="already exists") as raised:
        call_command("export_snapshot", out=tmp_path / "snapshot")
    assert raised.value.returncode == 2


def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    def broken(folder, *_how):
        (folder / "rating.csv").write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr("recommendations.services.snapshot._write_ratings", broken)
    with pytest.raises(OSError, match="disk full"):
        call_command("export_snapshot", out=tmp_path / "snapshot")
    assert list(tmp_path.iterdir()) == []


class TestJudges:
    def test_nothing_of_theirs_is_learned_from_and_their_lists_are_split(self, tmp_path):
        titles = [AnimeFactory() for _ in range(12)]
        profiles = [ProfileFactory() for _ in range(judges.FEWEST_MEMBERS)]
        for profile in profiles:
            for anime in titles:
                EntryFactory(profile=profile, anime=anime, rating=8)
        counts = export_snapshot(tmp_path / "snapshot")
        expected = sum(judges.is_judge(str(profile.pk), judges.SHARE) for profile in profiles)
        assert counts["judges"] == expected
        learned, shown, hidden = (read(tmp_path / "snapshot" / name) for name in (RATINGS, JUDGES, JUDGES_HELDOUT))
        assert len({row["user_id"] for row in learned}) == len(profiles) - expected
        assert not {row["user_id"] for row in learned} & {row["user_id"] for row in shown + hidden}
        assert (len(shown), len(hidden)) == (10 * expected, 2 * expected)
        both = [(row["user_id"], row["anime_id"]) for row in shown + hidden]
        assert len(both) == len(set(both))

    def test_the_same_ones_are_chosen_every_time_and_fewer_of_a_larger_site(self):
        members = [f"member{number}" for number in range(4000)]
        usual = {key for key in members if judges.is_judge(key, 0.05)}
        assert 130 <= len(usual) <= 270
        assert {key for key in members if judges.is_judge(key, 0.05)} == usual
        assert {key for key in members if judges.is_judge(key, 0.01)} < usual

    @pytest.mark.parametrize(("members", "share"), [(0, 0), (99, 0), (100, 0.05), (40_000, 0.05), (400_000, 0.005)])
    def test_their_share(self, members, share):
        assert judges.judge_share(members) == share

    def test_short_lists_judge_nothing(self):
        assert judges.split("someone", [(number, 8) for number in range(9)])[1] == []

    def test_an_imported_member_is_the_same_after_another_import(self, tmp_path):
        key = next(str(number) for number in range(1000) if judges.is_judge(f"mal:{number}", judges.SHARE))
        for _ in range(judges.FEWEST_MEMBERS):
            ProfileFactory()
        titles = [AnimeFactory() for _ in range(10)]
        for attempt in range(2):
            member = ProfileFactory(source="mal", external_id=key)
            for anime in titles:
                EntryFactory(profile=member, anime=anime)
            assert export_snapshot(tmp_path / str(attempt))["judges"] == 1
            member.delete()
        assert (tmp_path / "0" / JUDGES_HELDOUT).read_text() == (tmp_path / "1" / JUDGES_HELDOUT).read_text()
