"""Every page can be used by everybody and is light, as far as a machine can tell: axe, the way of the focus, layout
that stays put, few requests that block rendering.

axe judges by all of its rules, those for good practice (landmarks, order of headings) included. Left out are the
documentation of the API and the admin: their markup is that of the packages they come from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from django.template import Context, Engine
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.e2e.conftest import NewPage, opening_pages
from tests.e2e.pages import ERROR_PAGES, MEMBER_PAGES, VISITOR_PAGES
from tests.e2e.people import rate, send, sign_up
from tests.ops.running_demo import RunningDemo

DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
MAX_SHIFT = 0.05
MAX_BLOCKING = 3

PAGES = [
    *(pytest.param("visitor", path, id=name) for name, path in VISITOR_PAGES.items()),
    *(pytest.param("member", path, id=name) for name, path in MEMBER_PAGES.items()),
]
# Addresses that answer with no page: they change something and lead on, or send a file.
NO_PAGES = {"account_export", "account_options", "anime_cover", "bulk_change", "bulk_undo", "entry_rate",
            "entry_remove", "entry_set", "hide", "robots", "theme", "token_create", "token_revoke", "unhide",
            "unseen"}  # fmt: skip
# Pages of allauth that lead on at once for everybody who can sign up here: with a password, without a code by mail.
LEAD_ON = {"account_set_password", "account_confirm_login_code"}

# Of long lists whose items come from one template the first few are judged: axe takes its time over each.
MORE_OF_THE_SAME = ", ".join(
    f"{item}:nth-child(n+5)" for item in (".tile", ".pick", ".line", ".entry", ".chips > .choice", ".prose tr")
)
ALL_RULES = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}

WATCH_SHIFTS = """
window.shift = 0;
new PerformanceObserver(list => list.getEntries().forEach(entry => {
    window.shift += entry.hadRecentInput ? 0 : entry.value;
})).observe({type: 'layout-shift', buffered: true});
"""
# To the end and back, so that every lazy image comes; the answer is what has not come in time.
LOOK_AT_ALL = """async () => {
    const frame = () => new Promise(requestAnimationFrame);
    for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
        scrollTo(0, y);
        await frame();
    }
    const missing = () => [...document.images].filter(image => !image.complete && image.checkVisibility());
    for (let turn = 0; turn < 200 && missing().length; turn += 1) {
        await new Promise(done => setTimeout(done, 50));
    }
    scrollTo(0, 0);
    await frame();
    return missing().map(image => image.outerHTML);
}"""
BLOCKING = """() => performance.getEntriesByType('resource')
    .filter(entry => entry.renderBlockingStatus === 'blocking').map(entry => entry.name)"""

# What one can get to with Tab; of radio buttons that belong together Tab visits one.
START_OF_WAY = """() => {
    const key = one => one.type === 'radio' ? (one.form?.id ?? '') + one.form?.action + one.name : one;
    window.way = {
        been: new Set(),
        visit(one) {
            const known = this.been.has(key(one));
            this.been.add(key(one));
            return known;
        },
        missed() {
            return [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')]
                .filter(one => one.tabIndex >= 0 && !one.disabled && one.type !== 'hidden' && one.checkVisibility())
                .filter(one => !this.been.has(key(one))).map(one => one.outerHTML.slice(0, 120));
        },
    };
}"""
# Where the focus is: what it is, whether it shows, whether something lies upon it.
STOP = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) {
        return null;
    }
    const box = one.getBoundingClientRect();
    const ringed = part => part && getComputedStyle(part).outlineStyle !== 'none'
        && parseFloat(getComputedStyle(part).outlineWidth) >= 2;
    const lines = [...one.getClientRects()];
    const bare = lines.some(line => {
        const above = document.elementFromPoint(line.x + line.width / 2, line.y + line.height / 2);
        return above && (one.contains(above) || above.contains(one) || above.parentElement === one.parentElement);
    });
    return {
        what: one.outerHTML.slice(0, 120),
        again: window.way.visit(one),
        shows: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0
            && (ringed(one) || ringed(one.nextElementSibling)),
        covered: !bare,
    };
}"""


@dataclass
class Person:
    page: Page
    username: str = ""


@pytest.fixture(scope="module")
def people(browser: Browser, demo: RunningDemo) -> Iterator[dict[str, Person]]:
    """A visitor and a member, each with something on every shelf of the library."""
    with opening_pages(browser, demo) as new_page:
        everybody = {who: Person(new_page(viewport=DESK, reduced_motion="reduce")) for who in ("visitor", "member")}
        everybody["member"].username = sign_up(everybody["member"].page)
        for person in everybody.values():
            page = person.page
            page.goto("/")
            if person.username:
                send(page, "/account/options/", title_language="romaji", visibility="public")
            for anime_id, rating in ((1, "9"), (19, "10"), (30, "8")):
                send(page, f"/entries/{anime_id}/rate/", rating=rating)
            send(page, "/entries/199/set/", status="planned")
            send(page, "/entries/5114/hide/")
            page.context.add_init_script(WATCH_SHIFTS)
        yield everybody


def check(page: Page) -> None:
    """axe on what the page shows now, with all unfolded: on a desk by day, on a phone by night."""
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    page.locator(MORE_OF_THE_SAME).evaluate_all("all => all.forEach(one => one.remove())")
    page.evaluate(Axe().axe_script)
    views: tuple[tuple[ViewportSize, Literal["light", "dark"]], ...] = ((DESK, "light"), (PHONE, "dark"))
    for size, theme in views:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=theme)
        found = AxeResults(page.evaluate("rules => axe.run(rules)", ALL_RULES))
        assert not found.violations_count, f"{page.url}, {size['width']} px, {theme}: {found.generate_report()}"


def stays_put_and_waits_for_little(page: Page) -> None:
    assert not page.evaluate(LOOK_AT_ALL)
    assert page.evaluate("window.shift") <= MAX_SHIFT
    blocking = page.evaluate(BLOCKING)
    assert 0 < len(blocking) <= MAX_BLOCKING, blocking


@pytest.mark.parametrize(("who", "path"), PAGES)
class TestEveryPage:
    def test_at_a_desk_and_by_axe(self, people: dict[str, Person], who: str, path: str) -> None:
        """One look for both: axe comes only when all has been measured."""
        page, path = people[who].page, path.format(username=people[who].username)
        page.set_viewport_size(DESK)
        answer = page.goto(path)
        assert answer is not None
        assert answer.ok
        assert answer.url.endswith(path), "it leads on to another page"
        stays_put_and_waits_for_little(page)
        check(page)

    def test_on_a_phone(self, people: dict[str, Person], who: str, path: str) -> None:
        page = people[who].page
        page.set_viewport_size(PHONE)
        page.goto(path.format(username=people[who].username))
        stays_put_and_waits_for_little(page)


def test_no_page_is_missing_in_the_table() -> None:
    def names(patterns: list[URLPattern | URLResolver]) -> Iterator[str | None]:
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                yield pattern.name
            elif not str(pattern.pattern).startswith(("api/", "admin/")):
                yield from names(pattern.url_patterns)

    shown = {resolve(path.partition("?")[0]).url_name for path in (*VISITOR_PAGES.values(), *MEMBER_PAGES.values())}
    assert set(names(get_resolver().url_patterns)) - NO_PAGES - LEAD_ON == shown


class TestErrors:
    @pytest.mark.parametrize("path", ERROR_PAGES.values(), ids=ERROR_PAGES.keys())
    def test_of_an_address(self, new_page: NewPage, path: str) -> None:
        page = new_page(may_complain=True)
        answer = page.goto(path)
        assert answer is not None
        assert answer.status >= 400
        check(page)

    def test_a_request_that_makes_no_sense(self, new_page: NewPage) -> None:
        page = new_page(may_complain=True)
        answer = page.goto("/anime/?" + "a&" * 1001)
        assert answer is not None
        assert answer.status == 400
        check(page)

    @pytest.mark.parametrize("code", ["403", "403_csrf", "429", "500", "503"])
    def test_that_cannot_be_had_by_asking(self, page: Page, code: str) -> None:
        html = Engine.get_default().get_template(f"{code}.html").render(Context({"theme": "auto", "here": "/"}))
        page.route("**/error/", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.goto("/error/")
        check(page)


class TestWhatComesAndGoes:
    def test_a_toast_and_a_list_that_has_changed(self, people: dict[str, Person]) -> None:
        page = people["visitor"].page
        page.set_viewport_size(DESK)
        page.goto("/")
        rate(page.locator("#grid .rating").first, 9)
        expect(page.locator("#toasts")).to_contain_text("You gave")
        check(page)

    def test_a_message_and_a_form_that_was_refused(self, page: Page) -> None:
        page.goto("/")
        send(page, "/entries/30/rate/", rating="9")
        page.goto("/accounts/signup/")
        expect(page.locator(".messages")).to_contain_text("You gave")
        check(page)
        page.get_by_label("Username").fill("mika")
        page.get_by_label("Password", exact=True).fill("1")
        page.get_by_label("Password (again)").fill("2")
        page.get_by_role("main").get_by_role("button", name="Sign up").click()
        expect(page.locator(".errorlist").first).to_be_visible()
        check(page)


class TestFocus:
    @pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
    @pytest.mark.parametrize(
        "path", ["/", "/for-you/", "/anime/?q=gundam", "/anime/30/", "/library/", "/about/model/", "/account/"]
    )
    def test_the_way_through_a_page(self, people: dict[str, Person], path: str, size: Any) -> None:
        page = people["member"].page
        page.set_viewport_size(size)
        page.goto(path)
        page.evaluate(START_OF_WAY)
        stops: list[dict[str, Any]] = []
        while len(stops) < 400:
            page.keyboard.press("Tab")
            stop = page.evaluate(STOP)
            if stop is None or stop["again"]:
                break
            stops.append(stop)
        assert 'class="skip"' in stops[0]["what"]
        assert not page.evaluate("window.way.missed()"), "Tab never gets there"
        assert not [stop["what"] for stop in stops if not stop["shows"]], "one does not see where one is"
        assert not [stop["what"] for stop in stops if stop["covered"]], "something lies upon it"


@pytest.mark.parametrize("wish", ["reduce", "no-preference"])
def test_who_wants_no_motion_gets_none(new_page: NewPage, wish: Any) -> None:
    page = new_page(reduced_motion=wish)
    page.goto("/")
    rate(page.locator("#grid .rating").first, 9)
    toast = page.locator(".toast")
    expect(toast).to_be_visible()
    moves = "one => [getComputedStyle(one).animationName, getComputedStyle(one).transitionDuration]"
    assert (toast.evaluate(moves)[0] == "none") == (wish == "reduce")
    assert (page.locator(".tile-link .cover").first.evaluate(moves)[1] == "0s") == (wish == "reduce")
