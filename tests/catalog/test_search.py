"""Finding titles by any of their names, best first."""

from __future__ import annotations

import pytest

from catalog.models import Anime
from catalog.search import search
from tests.factories import AnimeFactory

pytestmark = pytest.mark.django_db


def found(text: str) -> list[int]:
    return list(search(Anime.objects.all(), text).values_list("pk", flat=True))


@pytest.fixture
def titan() -> Anime:
    return AnimeFactory(
        id=1,
        title="Shingeki no Kyojin",
        title_english="Attack on Titan",
        title_japanese="進撃の巨人",
        synonyms=["AoT", "Die Titanen"],
    )


@pytest.mark.parametrize(
    "text", ["shingeki", "KYOJIN", "attack titan", "titan attack", "進撃", "aot", "titanen", "  Attack   on ", "tac"]
)
def test_every_name_counts_in_any_case_and_order(titan: Anime, text: str) -> None:
    AnimeFactory(title="Something else")
    assert found(text) == [titan.pk]


@pytest.mark.parametrize("text", ["attack cowboy", "titans", "%", "_", "\\", "進撃の巨神"])
def test_every_word_must_occur_as_it_is_written(titan: Anime, text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("text", ["pokémon", "POKÉMON", "Pokémon", "ÉMON"])
def test_case_of_letters_beyond_ascii(text: str) -> None:
    AnimeFactory(id=1, title="Pokémon")
    AnimeFactory(id=2, title="POKÉMON XY")
    assert found(text) == [1, 2]


def test_cyrillic_case() -> None:
    AnimeFactory(id=1, title="Tales", synonyms=["Сказки"])
    assert found("СКАЗКИ") == found("сказки") == [1]


def test_best_first_then_popular() -> None:
    AnimeFactory(id=1, title="My Naruto", members=9_000)
    AnimeFactory(id=2, title="Naruto: Shippuuden", members=500)
    AnimeFactory(id=3, title="Other", synonyms=["Naruto"], members=10)
    AnimeFactory(id=4, title="Boruto - Naruto next", members=None)
    AnimeFactory(id=5, title="Naruto the Movie", members=800)
    assert found("naruto") == [3, 5, 2, 1, 4]


def test_an_empty_text_finds_everything() -> None:
    AnimeFactory(id=1)
    assert found("   ") == [1]


def test_a_very_long_or_strange_text_is_no_error() -> None:
    AnimeFactory(id=1)
    assert found("x" * 10_000) == []
    assert found(" ".join(["word"] * 500)) == []
    assert found("nul\0byte") == []
