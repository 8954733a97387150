"""How names are folded, and how like they are: worked out by hand."""

from __future__ import annotations

import pytest

from catalog.folding import folded, squeezed, words_of
from catalog.search.likeness import alike, distance, likeness_to


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Steins;Gate", ["steins", "gate"]),
        ("Shoujo", ["shojo"]),
        ("Shōjo", ["shojo"]),
        ("Yuu☆Yuu", ["yu", "yu"]),
        ("Oosaka", ["osaka"]),
        ("Good Moon", ["good", "moon"]),
        ("Hoshi wo", ["hoshi", "o"]),
        ("Ⅱ ² Straße Œuvre", ["ii", "2", "strasse", "oeuvre"]),
        ("Howl's", ["howls"]),
        ("ガンダム", ["がんだむ"]),
        ("ｶﾞﾝﾀﾞﾑ", ["がんだむ"]),
        ("が か", ["が", "か"]),
        ("İstanbul", ["istanbul"]),
        ("nul\0byte", ["nul", "byte"]),
        ("!!!", ["!!!"]),
        (" \t ", []),
    ],
)
def test_folding(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_ideographs_stand_apart_and_words_are_squeezed() -> None:
    assert folded(["進撃の巨人", "tv2"]) == " 進 撃 の 巨 人 tv2 "
    assert squeezed(["full", "metal"]) == "fullmetal"


@pytest.mark.parametrize(
    ("one", "other", "changes"),
    [
        ("", "", 0), ("abc", "", 3), ("", "abc", 3), ("cowboy", "cowbow", 1), ("naruto", "narto", 1), ("ab", "ba", 1),
        ("ponoy", "ponyo", 1), ("kitten", "sitting", 3), ("abcdef", "badcfe", 3),
    ],
)  # fmt: skip
def test_distance(one: str, other: str, changes: int) -> None:
    assert distance(one, other, 9) == distance(other, one, 9) == changes
    if changes:
        assert distance(one, other, changes - 1) > changes - 1


def test_what_has_too_little_in_common_is_not_alike_at_all() -> None:
    assert alike("cowboy", "cowbow") == pytest.approx(5 / 6)
    assert alike("cowboy", "monster") == 0
    assert alike("cowboy", "cowbow", least=0.9) == 0


def test_words_weigh_by_their_letters_in_any_order() -> None:
    likeness = likeness_to(["cowbow", "bebop"])
    assert likeness(["cowboy", "bebop"]) == pytest.approx((6 * 5 / 6 + 5) / 11)
    assert likeness(["the", "bebop", "of", "a", "cowboy"]) == likeness(["cowboy", "bebop"])
    assert likeness([]) == 0


def test_the_last_word_may_be_unfinished_and_spaces_may_be_elsewhere() -> None:
    assert likeness_to(["cowboy", "beb"])(["cowboy", "bebop"]) == 1
    assert likeness_to(["cowb", "bebop"])(["cowboy", "bebop"]) < 1
    assert likeness_to(["deathnote"])(["death", "note"]) == 1
