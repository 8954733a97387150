"""The first page in a real browser: answers change what is asked and what is listed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import NewPage
from tests.e2e.people import preview, rate, widget_of

SHIFT = (
    "window.shift = 0; new PerformanceObserver(list => list.getEntries().forEach(entry => window.shift += "
    "entry.hadRecentInput ? 0 : entry.value)).observe({type: 'layout-shift', buffered: true})"
)


def grid(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("#grid .tile-title").all_inner_texts()]


def tile(page: Page, title: str) -> Locator:
    return page.locator("#grid .tile").filter(has=page.get_by_role("group", name=f"Rate {title}", exact=True))


def test_a_rated_tile_stays_and_another_is_added(page: Page) -> None:
    page.goto("/")
    before = grid(page)
    rate(widget_of(page, before[4]), 8)
    expect(page.locator("#grid .tile")).to_have_count(13)
    assert grid(page)[:12] == before
    expect(tile(page, before[4])).to_contain_text("You gave 8")
    rate(widget_of(page, before[4]), 3)
    expect(tile(page, before[4])).to_contain_text("You gave 3")
    expect(page.locator("#preview")).to_contain_text("1 rating")
    expect(page.locator("#grid .tile")).to_have_count(13)


def test_what_is_asked_follows_the_answers(new_page: NewPage) -> None:
    """Two people who answer differently are asked about different titles next."""
    added = []
    for rating in (10, 1):
        page = new_page()
        page.goto("/")
        titles = grid(page)
        for number, title in enumerate(titles[:4], start=1):
            rate(widget_of(page, title), rating if number % 2 else 11 - rating)
            expect(page.locator("#grid .tile")).to_have_count(12 + number)
        added.append(grid(page)[12:])
    assert added[0] != added[1]


def test_haven_t_seen_gives_another_title_at_that_place_and_can_be_taken_back(page: Page) -> None:
    page.goto("/")
    before = grid(page)
    tile(page, before[2]).get_by_role("button", name="Haven’t seen").click()
    expect(page.locator("#toasts")).to_contain_text(f"you have not seen {before[2]}")
    expect(tile(page, before[2])).to_have_count(0)
    after = grid(page)
    assert [*after[:2], *after[3:]] == [*before[:2], *before[3:]]
    page.reload()
    assert before[2] not in grid(page)
    expect(page.locator("#preview")).to_contain_text("Nothing rated yet")

    other = grid(page)
    tile(page, other[0]).get_by_role("button", name="Haven’t seen").click()
    expect(tile(page, other[0])).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(tile(page, other[0])).to_have_count(1)
    assert grid(page) == other


def test_who_knows_none_of_the_others_gets_new_ones(page: Page) -> None:
    page.goto("/")
    before = grid(page)
    rate(widget_of(page, before[0]), 9)
    expect(page.locator("#grid .tile")).to_have_count(13)
    shown = grid(page)
    page.get_by_role("button", name="I know none of the others").click()
    expect(tile(page, shown[1])).to_have_count(0)
    after = grid(page)
    assert after[0] == before[0]
    assert not set(after[1:]) & set(shown)
    page.get_by_role("button", name="Undo").click()
    expect(tile(page, shown[1])).to_have_count(1)


def test_every_rating_says_what_moved_and_why(page: Page) -> None:
    page.goto("/")
    titles = grid(page)
    for number, (title, rating) in enumerate(zip(titles[:4], (10, 3, 9, 8), strict=True), start=1):
        before = preview(page)
        rate(widget_of(page, title), rating)
        expect(page.locator("#preview")).to_contain_text(re.compile(rf"{number} ratings?: still"))
        assert preview(page) != before
        moved = [" ".join(text.split()) for text in page.locator("#preview .moved").all_inner_texts()]
        assert moved
        named = [text for text in moved if f"you gave {title} {rating}" in text.replace("\xa0", " ")]
        rises = [text for text in moved if "up" in text or "new" in text]
        assert len(named) == len(rises)


def test_the_phone_s_way(new_page: NewPage) -> None:
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto("/")
    titles = grid(page)
    tile(page, titles[0]).get_by_role("button", name="Haven’t seen").tap()
    expect(tile(page, titles[0])).to_have_count(0)
    widget_of(page, titles[1]).get_by_role("radio", name="9", exact=True).tap()
    expect(page.locator(".preview-jump")).to_contain_text("1")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_by_keyboard(page: Page) -> None:
    page.goto("/")
    titles = grid(page)
    tile(page, titles[1]).get_by_role("button", name="Haven’t seen").focus()
    page.keyboard.press("Enter")
    expect(tile(page, titles[1])).to_have_count(0)
    place = "[...document.querySelectorAll('#grid .tile')].indexOf(document.activeElement.closest('.tile'))"
    page.wait_for_function(f"() => {place} === 1")


def test_without_scripts(new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/")
    before = grid(page)
    tile(page, before[3]).get_by_role("button", name="Haven’t seen").click()
    expect(page.locator(".messages")).to_contain_text("you have not seen")
    after = grid(page)
    assert [*after[:3], *after[4:]] == [*before[:3], *before[4:]]
    assert before[3] not in after
    widget = tile(page, after[0])
    widget.get_by_role("radio", name="8", exact=True).check()
    widget.get_by_role("button", name="Save rating").click()
    expect(tile(page, after[0])).to_contain_text("You gave 8")
    assert grid(page)[:12] == after
    assert len(grid(page)) == 13
    page.get_by_role("button", name="I know none of the others").click()
    assert not set(grid(page)) & set(after[1:])


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_shifts_while_one_answers(new_page: NewPage, width: int) -> None:
    page = new_page(viewport={"width": width, "height": 850})
    page.add_init_script(SHIFT)
    page.goto("/")
    for title in grid(page)[:2]:
        rate(widget_of(page, title), 9)
        expect(page.locator("#toasts")).to_contain_text(re.compile(re.escape(title)))
    tile(page, grid(page)[3]).get_by_role("button", name="Haven’t seen").click()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.shift") <= 0.05
