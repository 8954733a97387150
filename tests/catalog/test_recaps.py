"""Which titles only tell again what others told; what an administrator says of that stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.models import Anime
from catalog.recaps import looks_like_recap
from tests.catalog.importing import HEADER_2016, HEADER_SNAPSHOT, run, write


@pytest.mark.parametrize(
    ("name", "type"),
    [
        ("Bakemonogatari Recap", "Special"),
        ("Code Geass: Hangyaku no Lelouch Recaps", "Special"),
        ("Higashi no Eden Soushuuhen: Air Communication", "Movie"),
        ("Higashi no Eden Sōshūhen", "Movie"),
        ("Kemono no Souja Erin: Soushuuhen", "TV"),
        ("ガールズ&パンツァー 総集編", ""),
        ("Hellsing I: Digest for Freaks", "OVA"),
        ("Midori no Makibao Compilation OVA", "OVA"),
    ],
)
def test_a_name_that_says_so(name: str, type: str) -> None:
    assert looks_like_recap(["Some title", name], type)


@pytest.mark.parametrize(
    ("name", "type"),
    [
        ("Shy: Tokyo Recapture Arc", "TV"),
        ("Kara no Kyoukai Remix: Gate of Seventh Heaven", "Movie"),
        ("Drifters: Special Edition", "OVA"),
        ("Compiler", "OVA"),
        ("Tokimeki Memorial: Only Love", "TV"),
        ("Manga Digest", "TV"),
        ("Song Compilation", "Music"),
        ("Recap", "Music"),
        ("", ""),
    ],
)
def test_names_that_do_not(name: str, type: str) -> None:
    assert not looks_like_recap(["Some title", name], type)


@pytest.mark.django_db
class TestImport:
    def test_it_says_what_is_a_recap_and_leaves_the_rest_open(self, tmp_path: Path) -> None:
        run(write(
            tmp_path / "anime.csv", HEADER_SNAPSHOT,
            "1,Nana Recaps,Drama,Special,3,7,10,,,,,,,,,,,0",
            "2,Nana,Drama,TV,47,8,900,,,,,,,,,,,0",
            "3,Nana Special,Drama,Special,1,8,900,,,Nana Soushuuhen,,,,,,,,0",
        ))  # fmt: skip
        assert dict(Anime.objects.values_list("pk", "is_recap")) == {1: True, 2: None, 3: True}

    @pytest.mark.parametrize("said", [True, False])
    def test_what_an_administrator_said_stays(self, tmp_path: Path, said: bool) -> None:
        path = write(
            tmp_path / "anime.csv", HEADER_2016, "1,Nana Recaps,Drama,Special,3,7,10", "2,Nana,Drama,TV,47,8,9"
        )
        run(path)
        Anime.objects.update(is_recap=said)
        out, _err = run(path)
        assert "2 as they were" in out
        assert set(Anime.objects.values_list("is_recap", flat=True)) == {said}
