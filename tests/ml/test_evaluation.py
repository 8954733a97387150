"""Reports: models beside ablations, by profile size and by kind of title, as tables, Markdown and a picture."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import numpy as np
import pytest

from ml.evaluation import card, examples, picture, report, tables
from ml.evaluation.ablations import systems, without
from ml.evaluation.report import Evaluation, ratio
from ml.models.profiles import ProfileBatch
from ml.serving import Recommender
from ml.types import FranchiseMode, InputError, Options, Profile, Reason, ReasonKind
from tests.ml.conftest import World

MECHA, ROMANCE, SPORTS = 1000, 2000, 3000


@pytest.fixture(scope="module")
def profiles() -> dict[int, Profile]:
    """Two short profiles, one of ten titles, one of eighteen."""
    return {
        1: Profile.from_ratings({MECHA: 9, MECHA + 2: 10}),
        2: Profile.from_ratings({ROMANCE: 8, ROMANCE + 4: 9, SPORTS: 2}),
        3: Profile.from_ratings({SPORTS + part: 8 for part in range(10)}),
        4: Profile.from_ratings({base + part: 7 for base in (MECHA, SPORTS) for part in range(9)}),
    }


@pytest.fixture(scope="module")
def evaluation(served: Recommender, profiles: dict[int, Profile]) -> Evaluation:
    # 1001 belongs to a franchise that person 1 has begun: it counts in plain ranking alone.
    liked = {1: {MECHA + 1, MECHA + 4}, 2: {ROMANCE + 6}, 3: {SPORTS + 10, SPORTS + 11}, 4: {MECHA + 10}}
    return report.evaluate(served, profiles, liked)


def row(rows: list[report.Row], **wanted: object) -> report.Row:
    (found,) = (row for row in rows if all(row[name] == value for name, value in wanted.items()))
    return found


class TestAblations:
    @pytest.mark.parametrize("part", ["ease", "content", "popularity"])
    def test_the_other_parts_keep_their_weights(
        self, fandoms: World, profiles: dict[int, Profile], part: str
    ) -> None:
        fusion = fandoms.recommender.fusion
        batch = ProfileBatch.of([*profiles.values(), Profile.from_ratings({})], fandoms.recommender.anime_ids)[0]
        whole = fusion.fuse(batch)
        column = ["ease", "content", "popularity"].index(part)
        expected = whole.scores - whole.weights[:, column : column + 1] * whole.parts[part]
        assert np.abs(whole.weights[:, column]).max() > 0.1, "or leaving it out would change nothing"
        ablated = without(fandoms.recommender, part).fusion.fuse(batch).scores
        np.testing.assert_allclose(ablated, expected, atol=1e-5)

    def test_everything_is_compared_and_the_full_list_stands_first(self, served: Recommender) -> None:
        names = [system.name for system in systems(served)]
        assert names[0] == served.default_model
        assert set(served.model_names) < set(names)
        assert {system.name for system in systems(served) if system.is_ablation} == {
            "fusion without ease",
            "fusion without content",
            "fusion without popularity",
        }

    def test_the_recommender_itself_stays_whole(self, served: Recommender, profiles: dict[int, Profile]) -> None:
        before = served.recommend(profiles[1])
        without(served, "ease")
        assert served.recommend(profiles[1]) == before
        assert served.fusion.weights.of(served.fusion.shape(ProfileBatch.of([profiles[1]], served.anime_ids)[0]))[
            0, 0
        ]


class TestRows:
    def test_the_full_list_differs_from_itself_by_nothing(self, evaluation: Evaluation) -> None:
        for mode in ("plain", "discovery"):
            own = row(evaluation.all_rows(), model=evaluation.full, mode=mode)
            assert (own["difference"], own["difference_stderr"]) == (0, 0)

    def test_the_difference_is_that_of_the_means(self, evaluation: Evaluation) -> None:
        full = row(evaluation.all_rows(), model=evaluation.full, mode="plain")
        for one in evaluation.all_rows():
            if one["mode"] == "plain":
                assert one["difference"] == pytest.approx(one["ndcg"] - full["ndcg"])

    def test_the_json_keeps_models_and_ablations_apart(self, evaluation: Evaluation, served: Recommender) -> None:
        whole = evaluation.as_json()
        assert (whole["bundle"], whole["k"]) == (served.version, 10)
        assert [one["model"] for one in whole["rows"]] == 2 * list(served.model_names)
        assert len(whole["ablations"]) == 6
        assert not {one["model"] for one in whole["ablations"]} & set(served.model_names)

    def test_people_fall_into_sizes(self, evaluation: Evaluation) -> None:
        plain = {
            one["size"]: one["people"]
            for one in evaluation.by_size()
            if one["mode"] == "plain" and one["model"] == evaluation.full
        }
        assert plain == {"1-9": 2, "10-49": 2}

    def test_sizes_together_are_everybody(self, evaluation: Evaluation) -> None:
        for one in evaluation.all_rows():
            parts = [
                part for part in evaluation.by_size() if (part["model"], part["mode"]) == (one["model"], one["mode"])
            ]
            assert sum(part["people"] for part in parts) == one["people"]
            mean = sum(part["people"] * part["ndcg"] for part in parts) / one["people"]
            assert mean == pytest.approx(one["ndcg"])

    def test_kinds_count_the_likes_of_every_mode(self, evaluation: Evaluation) -> None:
        rows = evaluation.by_trait()
        assert row(rows, trait="TV", mode="plain")["liked"] == 6, "all likes are of TV series"
        assert row(rows, trait="TV", mode="discovery")["liked"] == 5, "one is of a franchise that the person knows"
        mecha = row(rows, trait="Mecha", mode="plain")
        assert mecha["liked"] == 3
        assert mecha["liked_share"] == pytest.approx(3 / 6)
        listed = evaluation.judged[evaluation.full, "plain"].lists
        ids = [anime_id for one in listed for anime_id in one]
        assert mecha["listed_share"] == pytest.approx(
            sum(MECHA <= anime_id < ROMANCE or anime_id == 9000 for anime_id in ids) / len(ids)
        )
        liked = {1: (MECHA + 1, MECHA + 4), 4: (MECHA + 10,)}
        there = [
            title in listed[person - 1]  # persons 1 to 4, in this order
            for person, titles in liked.items()
            for title in titles
        ]
        assert mecha["found"] == pytest.approx(sum(there) / 3)

    def test_ratio_by_hand(self) -> None:
        # 3 of 4 found; residuals 1 - .75 * 1 = .25, 2 - .75 * 2 = .5, 0 - .75 * 1 = -.75; n / (n - 1) = 1.5.
        share, error = ratio(np.array([1.0, 2.0, 0.0]), np.array([1.0, 2.0, 1.0]))
        assert share == pytest.approx(0.75)
        assert error == pytest.approx(math.sqrt(1.5 * (0.0625 + 0.25 + 0.5625)) / 4)


class TestText:
    def test_a_plain_table(self) -> None:
        assert tables.plain([{"model": "ease", "ndcg": 0.5}], ("model", "ndcg")) == "model  ndcg\nease   0.5000"

    def test_a_markdown_table(self) -> None:
        text = tables.markdown(("kind", "count"), [("a|b", 3)])
        assert text.splitlines() == ["| kind | count |", "| --- | ---: |", "| a\\|b | 3 |"]

    def test_the_card_shows_what_was_measured(self, evaluation: Evaluation) -> None:
        text = card.measured(evaluation, [])
        full = row(evaluation.all_rows(), model=evaluation.full, mode="discovery")
        assert f"{full['ndcg']:.3f} ± {full['ndcg_stderr']:.3f}" in text
        assert "1-9 titles (2 people)" in text
        assert "blend without content" in text
        assert "## Examples" not in text
        assert card.summary(evaluation) in text

    def test_rare_kinds_are_left_out(self, evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "Mecha" not in card.by_trait(evaluation)
        monkeypatch.setattr(card, "MIN_LIKES", 3)
        assert "Mecha" in card.by_trait(evaluation)
        assert "Sports" not in card.by_trait(evaluation)

    def test_filling_a_card_changes_what_is_between_the_marks(self) -> None:
        text = "# Card\n<!-- figures -->\nold\n<!-- /figures -->\nend\n"
        filled = card.fill(text, "figures", "new")
        assert filled == "# Card\n<!-- figures -->\n\nnew\n\n<!-- /figures -->\nend\n"
        assert card.fill(filled, "figures", "new") == filled

    @pytest.mark.parametrize("text", ["", "<!-- figures -->", "<!-- /figures --><!-- figures -->"])
    def test_a_card_without_a_place_for_them(self, text: str) -> None:
        with pytest.raises(InputError, match="no place for the section 'figures'"):
            card.fill(text, "figures", "new")

    def test_the_picture_holds_a_point_for_every_system_and_mode(self, evaluation: Evaluation) -> None:
        text = picture.draw(evaluation)
        root = ElementTree.fromstring(text)  # noqa: S314 - our own text
        space = "{http://www.w3.org/2000/svg}"
        assert len(root.findall(f"{space}circle")) == len(evaluation.all_rows())
        words = [element.text for element in root.findall(f"{space}text")]
        assert words.count("full list") == 1
        for one in evaluation.all_rows():
            assert f"{one['ndcg']:.3f}" in words
        width = float(root.attrib["width"])
        assert all(0 <= float(point.attrib["cx"]) <= width for point in root.findall(f"{space}circle"))


class TestExamples:
    NAMES = {1000: "Mecha *0*", 1002: "Mecha 2", 1004: "Mecha 4", 2000: "Romance 0"}

    def test_lists_of_people_whose_titles_are_known(
        self, served: Recommender, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        people = (
            examples.Person("Nobody", {}),
            examples.Person("Somebody", {1000: 9}),
            examples.Person("A stranger", {424242: 9}),
        )
        monkeypatch.setattr(examples, "PEOPLE", people)
        candidates = np.array([1000, 1001, 1004, 2000])
        shown = examples.example_lists(served, self.NAMES, candidates, k=5)
        assert [example.words for example in shown] == ["Nobody", "Somebody"]
        assert shown[1].rated == (("Mecha *0*", 9),)
        names = [name for name, _ in shown[1].listed]
        assert sorted(names) == ["Mecha 4", "Romance 0"], "the candidates of new franchises"
        options = Options(k=5, franchise=FranchiseMode.NEW, candidates=candidates)
        best = served.recommend(Profile.from_ratings({1000: 9}), options).results[0]
        assert names[0] == self.NAMES[best.anime_id]
        text = card.example_tables(shown)
        assert "Rated: Mecha \\*0\\* 9." in text
        assert "1. **" in text

    def test_reasons_in_words(self) -> None:
        reasons = (
            Reason(ReasonKind.RATED, share=0.614, anime_id=1002),
            Reason(ReasonKind.CONTENT, traits=("Mecha", "Drama")),
        )
        assert examples.in_words(reasons, self.NAMES) == "Mecha 2 61 %; Mecha, Drama"
        assert examples.in_words((Reason(ReasonKind.POPULAR),), self.NAMES) == "many like it"
