"""What leaves the database for training."""

import csv
import json

import pytest
from django.core.management import CommandError, call_command

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
    def broken(path):
        path.write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr("recommendations.services.snapshot._write_ratings", broken)
    with pytest.raises(OSError, match="disk full"):
        call_command("export_snapshot", out=tmp_path / "snapshot")
    assert list(tmp_path.iterdir()) == []
