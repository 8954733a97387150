"""Finding titles by any of their names, best first, however they are spelt. The same on SQLite and on Postgres."""

from __future__ import annotations

import pytest

from catalog.models import Anime
from catalog.search import closest, comes_close, search
from catalog.selectors import CatalogueFilter, browse
from tests.factories import AnimeFactory

pytestmark = pytest.mark.django_db


def found(text: str) -> list[int]:
    return list(search(Anime.objects.all(), text).values_list("pk", flat=True))


def titles(text: str) -> list[str]:
    return [anime.title for anime in search(Anime.objects.all(), text)]


@pytest.fixture
def titan() -> Anime:
    return AnimeFactory(
        id=1,
        title="Shingeki no Kyojin",
        title_english="Attack on Titan",
        title_japanese="進撃の巨人",
        synonyms=["AoT", "Die Titanen"],
    )


@pytest.fixture
def shelf() -> None:
    """Names that people spell in many ways, and some that are near them."""
    for members, (title, english, japanese) in enumerate(
        [
            ("Steins;Gate", "", "シュタインズ・ゲート"),
            ("Re:Zero kara Hajimeru Isekai Seikatsu", "Re:ZERO -Starting Life in Another World-", ""),
            ("Fate/Zero", "", ""),
            ("Fate/stay night", "", ""),
            ("K-On!", "", "けいおん!"),
            ("Pokémon", "", "ポケットモンスター"),
            ("Shoujo Kakumei Utena", "Revolutionary Girl Utena", ""),
            ("Ookami to Koushinryou", "Spice & Wolf", "狼と香辛料"),
            ("Yuu☆Yuu☆Hakusho", "", ""),
            ("Hoshi wo Ou Kodomo", "", ""),
            ("Hunter × Hunter", "", ""),
            ("Howl no Ugoku Shiro", "Howl's Moving Castle", ""),
            ("Dragon Ball Z", "", ""),
            ("Fullmetal Alchemist", "", "鋼の錬金術師"),
            ("Cowboy Bebop", "", ""),
            ("Neon Genesis Evangelion", "", ""),
            ("Shingeki no Kyojin", "Attack on Titan", "進撃の巨人"),
            ("Ranma ½", "", ""),
            ("Gintama'", "", "銀魂'"),
            ("D.Gray-man", "", ""),
            ("Naruto", "", ""),
            ("Death Note", "", ""),
            ("Bleach", "", ""),
            ("Monster", "", ""),
        ],
        start=1,
    ):
        AnimeFactory(title=title, title_english=english, title_japanese=japanese, members=100_000 - members)


@pytest.mark.parametrize(
    "text", ["shingeki", "KYOJIN", "attack titan", "titan attack", "進撃", "aot", "titanen", "  Attack   on ", "itan"]
)
def test_every_name_counts_in_any_case_and_order(titan: Anime, text: str) -> None:
    AnimeFactory(title="Something else")
    assert found(text) == [titan.pk]


@pytest.mark.parametrize(
    "text", ["attack cowboy", "%", "_", "\\", '"', "' OR 1=1 --", "*", "AND", "NEAR(a b)", "tac"]
)
def test_signs_and_other_words_find_nothing(titan: Anime, text: str) -> None:
    assert found(text) == []


@pytest.mark.usefixtures("shelf")
class TestSpelling:
    @pytest.mark.parametrize(
        ("text", "title"),
        [
            ("steins gate", "Steins;Gate"),
            ("steinsgate", "Steins;Gate"),
            ("STEINS;GATE", "Steins;Gate"),
            ("re zero", "Re:Zero kara Hajimeru Isekai Seikatsu"),
            ("rezero", "Re:Zero kara Hajimeru Isekai Seikatsu"),
            ("fate zero", "Fate/Zero"),
            ("zero fate", "Fate/Zero"),
            ("k-on", "K-On!"),
            ("kon", "K-On!"),
            ("k on!", "K-On!"),
            ("pokemon", "Pokémon"),
            ("POKÉMON", "Pokémon"),
            ("pokémon", "Pokémon"),
            ("shojo kakumei", "Shoujo Kakumei Utena"),
            ("shōjo kakumei", "Shoujo Kakumei Utena"),
            ("okami to koshinryo", "Ookami to Koushinryou"),
            ("spice and wolf", "Ookami to Koushinryou"),
            ("yu yu hakusho", "Yuu☆Yuu☆Hakusho"),
            ("yū yū hakusho", "Yuu☆Yuu☆Hakusho"),
            ("hoshi o ou kodomo", "Hoshi wo Ou Kodomo"),
            ("hunter x hunter", "Hunter × Hunter"),
            ("howls moving castle", "Howl no Ugoku Shiro"),
            ("howl’s moving", "Howl no Ugoku Shiro"),
            ("dragonball z", "Dragon Ball Z"),
            ("full metal alchemist", "Fullmetal Alchemist"),
            ("ranma 1/2", "Ranma ½"),
            ("gintama", "Gintama'"),
            ("dgray man", "D.Gray-man"),
        ],
    )
    def test_ways_to_write_the_same_name(self, text: str, title: str) -> None:
        assert titles(text)[0] == title

    @pytest.mark.parametrize(
        ("text", "title"),
        [
            ("cowbow bebop", "Cowboy Bebop"),
            ("bebop cowbow", "Cowboy Bebop"),
            ("cowbow beb", "Cowboy Bebop"),
            ("fulmetal alchemist", "Fullmetal Alchemist"),
            ("fullmetal alchemst", "Fullmetal Alchemist"),
            ("neon genisis evangelon", "Neon Genesis Evangelion"),
            ("evangelon", "Neon Genesis Evangelion"),
            ("shingeki no kyojn", "Shingeki no Kyojin"),
            ("atack on titan", "Shingeki no Kyojin"),
            ("narto", "Naruto"),
            ("nartuo", "Naruto"),
            ("bleech", "Bleach"),
            ("dethnote", "Death Note"),
            ("stiens gate", "Steins;Gate"),
        ],
    )
    def test_slips(self, text: str, title: str) -> None:
        answer = list(search(Anime.objects.all(), text))
        assert answer[0].title == title
        assert comes_close(answer)
        assert len(answer) <= 3, "what has little in common stays out"

    @pytest.mark.parametrize(
        ("text", "title"),
        [
            ("進撃の巨人", "Shingeki no Kyojin"),
            ("巨人", "Shingeki no Kyojin"),
            ("進撃の巨神", "Shingeki no Kyojin"),
            ("鋼", "Fullmetal Alchemist"),
            ("錬金術師 鋼", "Fullmetal Alchemist"),
            ("シュタインズ", "Steins;Gate"),
            ("しゅたいんず", "Steins;Gate"),
            ("ｼｭﾀｲﾝｽﾞ", "Steins;Gate"),
            ("モンスター", "Pokémon"),
            ("銀魂", "Gintama'"),
        ],
    )
    def test_japanese(self, text: str, title: str) -> None:
        assert titles(text) == [title]

    @pytest.mark.parametrize(
        "text", ["asdfghjkl", "xqzwv kjhgf", "zzzz", "lorem ipsum dolor", "💥" * 50, "qx", "呪呪呪"]
    )
    def test_nonsense_finds_nothing(self, text: str) -> None:
        assert titles(text) == []
        assert closest(text, show_adult=False) == []

    def test_what_is_spelt_right_brings_nothing_that_is_only_alike(self) -> None:
        AnimeFactory(title="Manster", members=1_000_000)
        assert titles("monster") == ["Monster"]
        assert not comes_close(list(search(Anime.objects.all(), "monster")))


class TestShortTexts:
    @pytest.fixture(autouse=True)
    def _titles(self) -> None:
        AnimeFactory(id=1, title="K", members=10)
        AnimeFactory(id=2, title="Kanon", members=100)
        AnimeFactory(id=3, title="Project K", members=1_000)
        AnimeFactory(id=4, title="Black K Cat", members=10_000)
        AnimeFactory(id=5, title="86", members=10)
        AnimeFactory(id=6, title="Dragon Ball GT", members=10)
        AnimeFactory(id=7, title="Shingeki no Kyojin", members=10)

    @pytest.mark.parametrize(
        ("text", "ids"),
        [("k", [1, 2, 3]), ("K", [1, 2, 3]), ("86", [5]), ("8", [5]), ("gt", [6]), ("no", []), ("ya", [])],
    )
    def test_one_or_two_letters_begin_a_name_or_end_it_as_a_word(self, text: str, ids: list[int]) -> None:
        assert found(text) == ids

    def test_beside_other_words_they_begin_one(self) -> None:
        assert found("kyojin no") == [7]
        assert found("dragon g") == [6]
        assert comes_close(list(search(Anime.objects.all(), "dragon al"))), "it is not in “Ball”"


def test_a_common_word_does_not_find_half_the_catalogue() -> None:
    for number in range(20):
        AnimeFactory(title=f"Otome no Mother {number}")
    AnimeFactory(id=1, title="The Flower")
    AnimeFactory(id=2, title="No Game")
    assert found("the") == [1]
    assert found("no") == [2]


def test_cyrillic_case() -> None:
    AnimeFactory(id=1, title="Tales", synonyms=["Сказки"])
    assert found("СКАЗКИ") == found("сказки") == [1]


def test_best_first_then_popular() -> None:
    AnimeFactory(id=1, title="My Naruto", members=9_000)
    AnimeFactory(id=2, title="Naruto: Shippuuden", members=500)
    AnimeFactory(id=3, title="Other", synonyms=["Naruto"], members=10)
    AnimeFactory(id=4, title="Boruto - Naruto next", members=None)
    AnimeFactory(id=5, title="Naruto the Movie", members=800)
    AnimeFactory(id=6, title="Supernaruto", members=1_000_000)
    AnimeFactory(id=7, title="Naruta", members=1_000_000)
    assert found("naruto") == [3, 5, 2, 1, 4, 6]


def test_popularity_decides_among_names_that_are_as_much_alike() -> None:
    AnimeFactory(id=1, title="Fullmetal Alchemist", members=5)
    AnimeFactory(id=2, title="Fullmetal Alchemist: Brotherhood", members=50)
    AnimeFactory(id=3, title="Fulmetol Alchemust", members=500)
    assert found("fulmetal alchemist") == [2, 1, 3]


def test_a_slip_that_hardly_any_name_has_inside_still_finds_what_was_meant() -> None:
    AnimeFactory(id=1, title="Xnartox")
    AnimeFactory(id=2, title="Naruto")
    assert found("narto") == [1, 2]


def test_an_empty_text_finds_everything() -> None:
    AnimeFactory(id=1)
    assert found("   ") == found("") == [1]


def test_a_very_long_or_strange_text_is_no_error() -> None:
    AnimeFactory(id=1)
    assert found("x" * 10_000) == []
    assert found(" ".join(["word"] * 500)) == []
    assert found("nul\0byte") == []
    assert found("﷽" * 200) == []


def test_a_name_of_signs_alone_is_found_by_them() -> None:
    AnimeFactory(id=1, title="!!!")
    assert found("!!!") == [1]
    assert found("???") == []


class TestAsAQueryset:
    @pytest.fixture(autouse=True)
    def _titles(self) -> None:
        for number in range(1, 31):
            AnimeFactory(id=number, title=f"Gundam {number:02}", members=number, type="TV" if number % 2 else "Movie")
        AnimeFactory(id=99, title="Gundam for adults", is_adult=True, members=1_000)

    @pytest.mark.parametrize("text", ["gundam", "gundma"])
    def test_it_filters_pages_counts_and_orders_like_any_other(self, text: str) -> None:
        movies = search(Anime.objects.for_everyone().filter(type="Movie"), text)
        assert movies.count() == 15
        assert [anime.pk for anime in movies[:3]] == [30, 28, 26]
        assert [anime.pk for anime in movies[12:24]] == [6, 4, 2]
        assert [anime.pk for anime in movies.order_by("pk")[:2]] == [2, 4]
        assert movies.filter(members__lte=4).exists()
        assert movies.with_facts().exclude(pk=30)[0].pk == 28

    @pytest.mark.parametrize("text", ["gundam", "gundma"])
    def test_browse_filters_and_sorts_what_was_found(self, text: str) -> None:
        chosen = CatalogueFilter(types=("Movie",))
        assert browse(chosen, text=text, ordering="title").first().pk == 2  # type: ignore[union-attr]
        assert browse(chosen, text=text, ordering="relevance").first().pk == 30  # type: ignore[union-attr]
        assert not browse(CatalogueFilter(year_min=2050), text=text).exists()


class TestClosest:
    def test_names_that_are_too_far_to_be_answers_are_offered_best_first(self) -> None:
        AnimeFactory(id=1, title="Evangelion", members=5)
        AnimeFactory(id=2, title="Evangelist", members=50)
        AnimeFactory(id=3, title="Monster")
        AnimeFactory(id=4, title="Evangelium", is_adult=True)
        assert found("evanglxxon") == []
        assert [anime.pk for anime in closest("evanglxxon", show_adult=False)] == [1]
        assert closest("", show_adult=False) == []

    def test_no_adult_titles_for_people_who_did_not_opt_in(self) -> None:
        anime = AnimeFactory(title="Evangelion", is_adult=True)
        assert closest("evangelion", show_adult=False) == []
        assert closest("evangelion", show_adult=True) == [anime]
