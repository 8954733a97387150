"""The library in a real browser: many at once by mouse, by keyboard and without scripts, on a small screen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import NewPage
from tests.e2e.people import PASSWORD, sign_up
from tests.e2e.test_accessible import check as check_by_axe
from tests.e2e.test_everybody import STICKING_OUT

BAR = ".bulk summary"


def fill(page: Page, count: int) -> list[str]:
    """Put ``count`` titles on the list of whoever looks at ``page``, each rated 6; their names as they stand."""
    page.goto("/library/")
    token = page.locator("input[name=csrfmiddlewaretoken]").first.input_value()
    listed: list[int] = []
    address = "/api/v1/anime/?ordering=popular"
    while len(listed) < count:
        answer = page.request.get(address).json()
        listed += [anime["id"] for anime in answer["results"]]
        address = answer["next"]
    for anime_id in listed[:count]:
        sent: dict[str, str | float | bool] = {"csrfmiddlewaretoken": token, "rating": "6"}
        page.request.post(f"/entries/{anime_id}/rate/", form=sent, max_redirects=0)
    page.goto("/library/?sort=title")
    return names(page)


def names(page: Page) -> list[str]:
    return [text.strip() for text in page.locator(".entry-title > a").all_inner_texts()]


def row(page: Page, name: str) -> Locator:
    return page.locator(".entry").filter(has=page.get_by_role("link", name=name, exact=True))


def expect_state(page: Page, name: str, rating: str, status: str) -> None:
    expect(row(page, name).locator("select[name=rating]")).to_have_value(rating)
    expect(row(page, name).locator("select[name=status]")).to_have_value(status)


def focused_row(page: Page) -> str:
    return str(page.evaluate("document.activeElement.closest('.entry')?.querySelector('.entry-title a').innerText"))


def test_with_the_mouse(page: Page) -> None:
    sign_up(page)
    titles = fill(page, 5)
    for name in titles[1:3]:
        page.get_by_role("checkbox", name=f"Tick {name}", exact=True).check()
    expect(page.locator("[data-ticked]")).to_have_text("ticked: 2")
    page.locator("#bulk-status").select_option("dropped")
    page.locator("#bulk-rating").select_option("3")
    page.get_by_role("button", name="Change them").click()
    expect(page.locator("#toasts")).to_contain_text("2 titles: Dropped, rated 3.")
    expect(page.get_by_role("link", name="Dropped 2")).to_be_visible()
    for name in titles[1:3]:
        expect_state(page, name, "3", "dropped")
    for name in (titles[0], *titles[3:]):
        expect_state(page, name, "6", "completed")
    expect(page.locator(".tick:checked")).to_have_count(0)
    page.reload()
    expect_state(page, titles[1], "3", "dropped")

    page.locator(BAR).click()
    page.locator("#bulk-scope").select_option("page")
    page.get_by_role("button", name="Remove them").click()
    expect(page.locator(".entry")).to_have_count(0)
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(page.locator(".entry")).to_have_count(5)
    expect_state(page, titles[1], "3", "dropped")
    expect_state(page, titles[0], "6", "completed")


def test_all_of_a_list_of_several_pages_and_taking_it_back_later(page: Page) -> None:
    fill(page, 62)
    page.goto("/library/?sort=title&status=completed")
    page.locator("[data-tick-all]").check()
    expect(page.locator("[data-ticked]")).to_have_text("ticked: 60")
    check_by_axe(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.locator(".tick").first.uncheck()
    assert page.locator("[data-tick-all]").evaluate("box => box.indeterminate")
    page.locator("#bulk-scope").select_option("all")
    page.locator("#bulk-status").select_option("on_hold")
    page.get_by_role("button", name="Change them").click()
    expect(page.locator("#toasts")).to_contain_text("62 titles: On hold.")
    expect(page.locator("#entries")).to_contain_text("Nothing here yet")
    page.goto("/library/?status=on_hold")
    expect(page.locator(".undo-bar")).to_contain_text("62 titles changed at once")
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator("#toasts")).to_contain_text("62 titles are as they were.")
    expect(page.get_by_role("link", name="Completed 62")).to_be_visible()
    expect(page.locator(".undo-bar")).to_have_count(0)


def test_what_is_refused_keeps_the_ticks(new_page: NewPage) -> None:
    page = new_page(may_complain=True)
    titles = fill(page, 2)
    page.get_by_role("checkbox", name=f"Tick {titles[0]}", exact=True).check()
    page.get_by_role("button", name="Change them").click()
    expect(page.locator("#toasts")).to_contain_text("Choose a status or a rating")
    expect(page.get_by_role("checkbox", name=f"Tick {titles[0]}", exact=True)).to_be_checked()


class TestByKeyboard:
    def test_moving_ticking_rating_and_changing_many(self, page: Page) -> None:
        titles = fill(page, 4)
        page.locator(".entry-title a").first.focus()
        page.keyboard.press("j")
        page.keyboard.press("ArrowDown")
        assert focused_row(page) == titles[2]
        page.keyboard.press("x")
        page.keyboard.press("k")
        page.keyboard.press("x")
        expect(page.locator("[data-ticked]")).to_have_text("ticked: 2")
        page.keyboard.press("9")
        expect(page.locator("#toasts")).to_contain_text("rated 9")
        page.wait_for_function("document.activeElement.closest('.entry') !== null")
        assert focused_row(page) == titles[1]
        expect(page.locator("[data-ticked]")).to_have_text("ticked: 2")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("0")
        expect(page.locator("#toasts")).to_contain_text("rated 10")
        for name, rating in zip(titles, ("10", "9", "6", "6"), strict=True):
            expect_state(page, name, rating, "completed")

        page.locator("#bulk-status").focus()
        page.keyboard.type("Dropped")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.innerText") == "Change them"
        page.keyboard.press("Enter")
        expect(page.locator("#toasts")).to_contain_text("2 titles: Dropped.")
        expect_state(page, titles[1], "9", "dropped")
        expect_state(page, titles[2], "6", "dropped")
        expect_state(page, titles[3], "6", "completed")

    def test_the_same_control_of_the_next_row_and_no_further_than_the_list(self, page: Page) -> None:
        titles = fill(page, 2)
        page.get_by_role("checkbox", name=f"Tick {titles[0]}", exact=True).focus()
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.matches('.tick')")
        page.keyboard.press("ArrowDown")
        assert focused_row(page) == titles[1]

    def test_fields_and_shortcuts_of_the_browser_keep_their_keys(self, page: Page) -> None:
        titles = fill(page, 2)
        search = page.get_by_role("searchbox", name="Title", exact=True)
        search.press_sequentially("jx9")
        expect(search).to_have_value("jx9")
        page.goto("/library/?sort=title")
        rating = row(page, titles[0]).locator("select[name=rating]")
        rating.focus()
        page.keyboard.press("x")
        page.keyboard.press("j")
        assert page.evaluate("document.activeElement.matches('select')")
        page.locator(".entry-title a").first.focus()
        page.keyboard.press("Control+x")
        expect(page.locator(".tick:checked")).to_have_count(0)
        page.locator("h1").click()
        page.keyboard.press("9")
        page.reload()
        expect_state(page, titles[0], "6", "completed")

    def test_the_keys_are_told_on_the_page(self, page: Page) -> None:
        fill(page, 1)
        keys = page.locator(".keys")
        keys.locator("summary").click()
        expect(keys).to_contain_text("next title")

    def test_what_has_the_focus_is_not_under_the_bar(self, page: Page) -> None:
        fill(page, 30)
        page.locator(".tick").first.check()
        page.locator(".entry-title a").first.focus()
        for _press in range(29):
            page.keyboard.press("j")
            below = page.evaluate(
                "document.activeElement.getBoundingClientRect().bottom"
                " - document.querySelector('.bulk').getBoundingClientRect().top"
            )
            assert below <= 0, focused_row(page)


class TestWithoutJavaScript:
    @pytest.fixture
    def page(self, new_page: NewPage) -> Page:
        return new_page(java_script_enabled=False)

    def test_the_whole_way(self, page: Page) -> None:
        titles = fill(page, 4)
        expect(page.locator("[data-tick-all]")).to_be_hidden()
        expect(page.locator(".keys")).to_be_hidden()
        for name in titles[:2]:
            page.get_by_role("checkbox", name=f"Tick {name}", exact=True).check()
        page.locator(BAR).click()
        page.locator("#bulk-rating").select_option("8")
        page.get_by_role("button", name="Change them").click()
        expect(page.locator(".messages")).to_contain_text("2 titles: rated 8.")
        expect(page).to_have_url(re.compile(r"/library/\?sort=title$"))
        for name, given in zip(titles, ("8", "8", "6", "6"), strict=True):
            expect_state(page, name, given, "completed")
        page.get_by_role("button", name="Take it back").click()
        expect(page.locator(".messages")).to_contain_text("2 titles are as they were.")
        for name in titles:
            expect_state(page, name, "6", "completed")
        page.locator(BAR).click()
        page.locator("#bulk-scope").select_option("page")
        page.get_by_role("button", name="Remove them").click()
        expect(page.locator(".messages")).to_contain_text("4 titles are off your list.")
        expect(page.locator(".entry")).to_have_count(0)

    def test_filters(self, page: Page) -> None:
        fill(page, 2)
        page.get_by_label("Rating", exact=True).first.select_option("unrated")
        page.get_by_role("button", name="Apply").click()
        expect(page).to_have_url(re.compile("rated=unrated"))
        expect(page.locator("#entries")).to_contain_text("Nothing found")


def test_filters_live_in_the_url(page: Page) -> None:
    fill(page, 3)
    page.locator("#library-rated").select_option("unrated")
    expect(page.locator("#entries")).to_contain_text("Nothing found")
    expect(page).to_have_url(re.compile(r"\?rated=unrated&sort=title$"))
    page.reload()
    expect(page.locator("#library-rated")).to_have_value("unrated")
    page.get_by_role("link", name="Show the whole list").click()
    expect(page.locator(".entry")).to_have_count(3)


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_phone(new_page: NewPage, width: int) -> None:
    page = new_page(viewport={"width": width, "height": 740}, has_touch=True, is_mobile=True)
    sign_up(page)
    titles = fill(page, 12)
    page.locator(".tick").first.check()
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not page.evaluate(STICKING_OUT)
    bar, nav = page.locator(".bulk").bounding_box(), page.locator(".site-nav").bounding_box()
    assert bar is not None
    assert nav is not None
    assert bar["y"] + bar["height"] <= nav["y"] + 1, "the bar lies under the navigation"
    assert bar["height"] < 740 / 2, "the bar hides the list"
    page.locator("#bulk-status").select_option("watching")
    page.get_by_role("button", name="Change them").tap()
    expect(page.locator("#toasts")).to_contain_text("1 title: Watching.")
    expect_state(page, titles[0], "6", "watching")


@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_that_others_see_and_where_one_is_signed_in(new_page: NewPage, width: int) -> None:
    page = new_page(viewport={"width": width, "height": 800})
    name = sign_up(page)
    fill(page, 12)
    page.goto("/account/")
    page.get_by_label("Who sees my list").select_option("public")
    page.get_by_role("button", name="Save options").click()
    page.get_by_role("link", name="See my page as others see it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    stranger = new_page(viewport={"width": width, "height": 800})
    for looking, path in ((stranger, f"/people/{name}/"), (page, "/accounts/sessions/"), (page, "/account/")):
        looking.goto(path)
        assert looking.evaluate("document.documentElement.scrollWidth") <= width, path
        assert not looking.evaluate(STICKING_OUT), path
    expect(stranger.locator(".line")).to_have_count(20)
    check_by_axe(stranger)


def test_a_member_s_theme_comes_to_a_new_device(new_page: NewPage) -> None:
    page = new_page()
    name = sign_up(page)
    with page.expect_request("**/account/theme/") as sent:
        page.get_by_role("button", name="Dark theme").click()
    assert sent.value.response() is not None
    other = new_page()
    other.goto("/accounts/login/")
    other.get_by_label("Login").fill(name)
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(other.locator("html")).to_have_attribute("data-theme", "dark")
