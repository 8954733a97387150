"""The site for everybody: by keyboard, without scripts, on a small screen, in either theme."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import NewPage
from tests.e2e.pages import MEMBER_PAGES, VISITOR_PAGES
from tests.e2e.people import pick, picks, preview, rate, send, sign_up, widget_of

# Elements that stick out to the right, without those in a strip that scrolls by itself.
STICKING_OUT = """() => [...document.querySelectorAll('main *')].filter(element => {
    const box = element.getBoundingClientRect();
    return box.width > 1 && box.right > innerWidth + 1 && !element.closest('.tabs, .wide, .vh');
}).map(element => element.outerHTML.slice(0, 90))"""


class TestByKeyboard:
    def test_rating_by_arrows_and_enter(self, page: Page) -> None:
        page.goto("/")
        title = page.locator("#grid .tile-title").first.inner_text().strip()
        widget = widget_of(page, title)
        for _press in range(40):
            page.keyboard.press("Tab")
            if widget.locator("input:focus").count():
                break
        else:
            pytest.fail("the first rating cannot be reached with Tab")
        for _press in range(3):
            page.keyboard.press("ArrowRight")
        expect(page.locator("#toasts")).to_be_empty()
        page.keyboard.press("Enter")
        expect(page.locator("#preview")).to_contain_text("1 rating")
        expect(page.locator("#grid .rating").first).to_contain_text("You gave 4")
        assert page.evaluate("document.activeElement.closest('.rating') !== null"), "the focus is lost"

    def test_rating_by_digit_keeps_the_place_in_the_list(self, page: Page) -> None:
        page.goto("/for-you/")
        before = picks(page)
        page.locator(".pick").nth(3).locator("input[type=radio]").first.focus()
        page.keyboard.press("9")
        expect(page.locator("#toasts")).to_contain_text(f"You gave {before[3]} 9.")
        expect(pick(page, before[3])).to_have_count(0)
        place = "[...document.querySelectorAll('.pick')].indexOf(document.activeElement.closest('.pick'))"
        page.wait_for_function(f"{place} === 3")

    def test_skip_link_first(self, page: Page) -> None:
        page.goto("/anime/")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


class TestWithoutJavaScript:
    @pytest.fixture
    def page(self, new_page: NewPage) -> Page:
        return new_page(java_script_enabled=False)

    def test_the_whole_way(self, page: Page) -> None:
        page.goto("/")
        titles = [text.strip() for text in page.locator("#grid .tile-title").all_inner_texts()[:2]]
        for title in titles:
            widget = page.locator("form.rating", has=page.get_by_role("group", name=f"Rate {title}", exact=True))
            widget.get_by_role("radio", name="9", exact=True).check(force=True)
            widget.get_by_role("button", name="Save rating").click()
            expect(page.locator(".messages")).to_contain_text(f"You gave {title} 9.")
        expect(page.locator("#preview")).to_contain_text("2 ratings")
        list_so_far = preview(page)

        page.goto("/for-you/")
        assert picks(page)[:6] == list_so_far
        page.get_by_text("More dials and filters").click()
        page.get_by_role("checkbox", name="Movie").check()
        page.get_by_role("button", name="Apply").click()
        expect(page).to_have_url(re.compile("type=Movie"))
        expect(page.locator(".pick")).to_have_count(10)
        first = picks(page)[0]
        page.locator(".pick").first.get_by_role("button", name="Not interested").click()
        expect(page.locator(".messages")).to_contain_text("will not be suggested again")
        expect(page).to_have_url(re.compile("type=Movie"))
        assert first not in picks(page)

        page.goto("/library/?status=hidden")
        page.get_by_role("button", name="Suggest it again").click()
        expect(page.locator("#entries")).to_contain_text("Nothing is hidden")
        page.goto("/library/")
        page.get_by_label(f"Rating of {titles[0]}", exact=True).select_option("3")
        page.locator(".entry", has_text=titles[0]).get_by_role("button", name="Save").click()
        assert page.get_by_label(f"Rating of {titles[0]}", exact=True).input_value() == "3"
        page.get_by_role("button", name=f"Remove {titles[1]}").click()
        expect(page.locator(".entry")).to_have_count(1)

    def test_search_and_paging(self, page: Page) -> None:
        page.goto("/anime/")
        page.get_by_role("searchbox", name="Search", exact=True).fill("gundam")
        page.get_by_role("main").get_by_role("button", name="Search").click()
        expect(page).to_have_url(re.compile("q=gundam"))
        page.goto("/anime/")
        page.get_by_role("link", name="Next").click()
        expect(page).to_have_url(re.compile("page=2"))

    def test_the_theme(self, page: Page) -> None:
        page.goto("/anime/")
        page.get_by_role("button", name="Dark theme").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        expect(page).to_have_url(re.compile(r"/anime/$"))


@pytest.mark.parametrize("width", [320, 390])
class TestOnAPhone:
    def check(self, page: Page, path: str, width: int) -> None:
        page.goto(path)
        page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        wide = page.evaluate(STICKING_OUT)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert not wide, f"{path}: {wide[:3]}"

    def test_nothing_scrolls_sideways(self, new_page: NewPage, width: int) -> None:
        page = new_page(viewport={"width": width, "height": 740}, has_touch=True, is_mobile=True)
        for path in VISITOR_PAGES.values():
            self.check(page, path, width)
        name = sign_up(page)
        rate(page.locator(".pick").first, 9)
        expect(page.locator("#toasts")).to_contain_text("You gave")
        send(page, "/account/options/", title_language="romaji", visibility="public")
        for path in ["/", *MEMBER_PAGES.values()]:
            self.check(page, path.format(username=name), width)

    def test_what_one_taps_is_large_enough(self, new_page: NewPage, width: int) -> None:
        page = new_page(viewport={"width": width, "height": 740}, has_touch=True, is_mobile=True)
        for path in ("/", "/for-you/", "/anime/30/"):
            page.goto(path)
            sizes = page.locator(".pip").evaluate_all(
                "all => all.map(one => one.getBoundingClientRect()).map(box => [box.width, box.height])"
            )
            assert sizes
            assert all(wide >= 24 and high >= 24 for wide, high in sizes), f"{path}: {min(sizes)}"


class TestTheme:
    def test_it_changes_without_a_reload_and_stays(self, page: Page) -> None:
        page.goto("/anime/")
        paper = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(paper)
        page.get_by_role("button", name="Dark theme").click()
        dark = page.evaluate(paper)
        assert dark != light
        page.reload()
        assert page.evaluate(paper) == dark
        page.get_by_role("button", name="Light theme").click()
        assert page.evaluate(paper) == light

    def test_it_follows_the_device(self, new_page: NewPage) -> None:
        papers = []
        for scheme in ("light", "dark"):
            page = new_page(color_scheme=scheme)
            page.goto("/")
            papers.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert papers[0] != papers[1]


class TestWhenThingsGoWrong:
    def test_a_refused_rating_is_said_and_taken_back(self, new_page: NewPage) -> None:
        page = new_page(may_complain=True)
        page.goto("/anime/30/")
        page.route("**/rate/", lambda route: route.abort())
        rate(page.locator("#own"), 7)
        expect(page.locator("#toasts")).to_contain_text("could not be reached, and nothing was changed")
        expect(page.locator("#own input:checked")).to_have_count(0)

    def test_a_session_that_was_lost_loses_no_sign_up(self, page: Page) -> None:
        page.goto("/accounts/signup/")
        page.get_by_label("Username").fill("mika")
        page.get_by_label("Password", exact=True).fill("1")
        page.get_by_label("Password (again)").fill("1")
        page.get_by_role("main").get_by_role("button", name="Sign up").click()
        expect(page.get_by_label("Username")).to_have_value("mika")
        expect(page.locator(".errorlist").first).to_be_visible()


def test_images_that_do_not_load_give_way_to_drawn_covers(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/anime/30/")

    def with_a_broken_image(route: Route) -> None:
        response = route.fetch()
        html = response.text().replace('src="/anime/30/cover.svg', 'data-fallback="/anime/30/cover.svg', 1)
        html = html.replace('<img class="cover"', '<img class="cover" src="data:image/png;base64,AAAA"', 1)
        route.fulfill(response=response, body=html)

    page.route("**/anime/30/", with_a_broken_image)
    page.reload()
    expect(page.locator(".title-cover img")).to_have_attribute("src", re.compile(r"cover\.svg"))


@pytest.mark.parametrize("anime_id", [1535, 5081, 16498, 1575])
def test_the_title_on_a_drawn_cover_stays_on_it(new_page: NewPage, anime_id: int) -> None:
    page = new_page(may_complain=True)  # a picture names no icon, and there is none at the address browsers try
    page.goto(f"/anime/{anime_id}/cover.svg")
    ends = page.locator("text").evaluate_all("all => all.map(one => one.getBBox()).map(box => box.x + box.width)")
    assert ends
    assert max(ends) <= 300 - 10
