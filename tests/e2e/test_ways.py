"""Whole ways through the site, from the first look to a list that fits."""

from __future__ import annotations

import re
from contextlib import suppress

from playwright.sync_api import APIResponse, Page, Route, expect
from playwright.sync_api import Error as PlaywrightError

from tests.e2e.conftest import NewPage
from tests.e2e.people import pick_ids, picks, rate, sign_up, widget_of
from tests.ops.running_demo import RunningDemo


def test_sign_up_search_rate_and_get_ten_that_fit(page: Page, demo: RunningDemo) -> None:
    sign_up(page)
    rated = {"Cowboy Bebop": 10, "Neon Genesis Evangelion": 9, "Ghost in the Shell": 9, "Akira": 8, "Trigun": 8}
    for title, rating in rated.items():
        page.goto("/")
        search = page.get_by_role("searchbox", name="Search titles")
        search.fill(title)
        search.press("Enter")
        page.locator(".tile-link", has_text=re.compile(rf"^\s*{title}\s*$")).first.click()
        rate(page.locator("#own"), rating)
        expect(page.locator("#own")).to_contain_text(f"You gave {rating}")

    page.goto("/for-you/")
    expect(page.locator(".pick")).to_have_count(10)
    expect(page.locator(".pick .why")).to_have_count(10)
    reasons = page.locator(".pick .why").all_inner_texts()
    worded = re.compile(r"Because you gave .+\s\d|Close to what you like: .+|Liked by many people")
    assert all(worded.match(text) for text in reasons), reasons
    assert any(title in text for text in reasons for title in rated)
    assert not set(picks(page)) & set(rated)
    franchises = []
    for anime_id in pick_ids(page):
        franchise = page.request.get(f"/api/v1/anime/{anime_id}/").json()["franchise"]
        franchises.append({title["id"] for title in franchise["titles"]} if franchise else {anime_id})
    assert sum(map(len, franchises)) == len(set().union(*franchises)), "two titles of one franchise"
    first = page.locator(".pick").first
    first.get_by_text("Why exactly").click()
    expect(first.locator("meter").first).to_be_visible()


def test_search_as_one_types(page: Page) -> None:
    page.goto("/anime/")
    page.get_by_role("searchbox", name="Search", exact=True).press_sequentially("gundam", delay=20)
    expect(page).to_have_url(re.compile(r"\?q=gundam$"))
    expect(page.locator(".tile-title").first).to_contain_text("Gundam")
    page.go_back()
    page.go_forward()
    expect(page.get_by_role("searchbox", name="Search", exact=True)).to_have_value("gundam")
    expect(page.locator("header.site-header")).to_have_count(1)


def test_the_library_is_changed_in_place(page: Page) -> None:
    page.goto("/")
    title = page.locator("#grid .tile-title").first.inner_text().strip()
    rate(widget_of(page, title), 4)
    expect(page.locator("#toasts")).to_contain_text(title)
    page.goto("/library/")
    page.get_by_label(f"Rating of {title}", exact=True).select_option("8")
    expect(page.locator("#toasts")).to_contain_text("rated 8")
    page.get_by_label(f"Status of {title}", exact=True).select_option("watching")
    expect(page.locator("#toasts")).to_contain_text("Watching")
    page.get_by_role("button", name=f"Remove {title}").click()
    expect(page.locator(".entry")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".entry")).to_have_count(1)
    page.reload()
    assert page.get_by_label(f"Rating of {title}", exact=True).input_value() == "8"
    assert page.get_by_label(f"Status of {title}", exact=True).input_value() == "watching"


def test_the_demo_s_own_accounts(new_page: NewPage, demo: RunningDemo) -> None:
    page = new_page()
    page.goto("/accounts/login/")
    page.get_by_label("Login").fill(demo.accounts["member"]["username"])
    page.get_by_label("Password").fill(demo.accounts["member"]["password"])
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.locator(".pick")).to_have_count(10)


def test_a_member_of_the_sample(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Member id").fill("17")
    page.get_by_role("button", name="Look up").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Member 17")
    expect(page.get_by_role("main")).to_contain_text("Invented member of the sample")
    expect(page.locator(".line .why")).to_have_count(10)


def test_a_visitor_who_rates_faster_than_the_site_answers_loses_nothing(page: Page) -> None:
    held: list[Route] = []
    early: list[APIResponse] = []

    def hold_the_first_list(route: Route) -> None:
        held.append(route)
        if len(held) == 1:
            early.append(route.fetch())
        else:
            route.continue_()

    page.goto("/")
    page.route(re.compile(r"/\?before="), hold_the_first_list)
    page.evaluate(
        """() => [...document.querySelectorAll('#grid .rating')].slice(0, 3).forEach(form => {
            form.querySelector('input[value="9"]').checked = true;
            form.requestSubmit();
        })"""
    )
    expect(page.locator("#grid .rating-remove")).to_have_count(3)
    assert held, "the list was not asked for"
    # The list of the first rating comes late: what stands in the end is that of all three.
    with suppress(PlaywrightError):  # it may have been given up by then
        held[0].fulfill(response=early[0])
    expect(page.locator("#preview")).to_contain_text("3 ratings")
    page.goto("/library/")
    expect(page.locator(".entry")).to_have_count(3)


def test_the_documentation_of_the_api_can_be_tried(page: Page) -> None:
    page.goto("/api/v1/docs/")
    call = page.locator("#operations-anime-anime_read")
    call.click()
    call.get_by_role("button", name="Try it out").click()
    call.get_by_placeholder("anime_id").fill("30")
    call.get_by_role("button", name="Execute").click()
    expect(call.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
