"""The page of a title in a real browser: what is expected follows one's ratings, and dates are kept."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import NewPage
from tests.e2e.people import rate, sign_up

RATED = (30, 80, 84, 2001, 1575)
PHONE = {"width": 320, "height": 700}


def rate_some(page: Page, anime_ids: tuple[int, ...] = RATED) -> None:
    for anime_id in anime_ids:
        page.goto(f"/anime/{anime_id}/")
        rate(page.locator("#own"), 9)
        expect(page.locator("#own")).to_contain_text("You gave 9")


def test_what_to_expect_follows_the_ratings_without_loading_the_page(page: Page) -> None:
    sign_up(page)
    rate_some(page, RATED[:4])
    page.goto("/anime/1575/")
    expect(page.locator("#forecast")).to_contain_text("With 1 more rating of yours")
    rate_some(page, RATED[4:])
    page.goto("/anime/1/")
    forecast = page.locator("#forecast")
    expect(forecast).to_contain_text(re.compile(r"We think you would give it \d"))
    expect(forecast.get_by_role("img", name=re.compile("On a scale from 1 to 10"))).to_be_visible()
    rate(page.locator("#own"), 3)
    expect(forecast).to_contain_text("We would have said")
    expect(forecast.get_by_role("img", name=re.compile("you gave 3"))).to_be_visible()
    page.locator("#own").get_by_role("button", name="Remove").click()
    expect(forecast).to_contain_text("We think you would give it")


def test_members_ratings_are_a_table(page: Page) -> None:
    page.goto("/anime/1/")
    table = page.get_by_role("region", name="How members rate it").get_by_role("table")
    expect(table.get_by_role("rowheader")).to_have_text([str(rating) for rating in range(10, 0, -1)])
    shares = [int(re.findall(r"(\d+) %", text)[0]) for text in table.locator("tbody tr").all_inner_texts()]
    assert 95 <= sum(shares) <= 105


def test_dates_by_keyboard_and_why_not_by_link(new_page: NewPage) -> None:
    page = new_page(may_complain=True)  # of the dates that are refused
    sign_up(page)
    page.goto("/anime/1/")
    page.get_by_role("link", name="Why is it not on my list?").click()
    expect(page).to_have_url(re.compile(r"/for-you/why-not/1/"))
    page.go_back()
    rate(page.locator("#own"), 8)
    summary = page.locator("#own .own-dates summary")
    summary.focus()
    summary.press("Enter")
    page.get_by_label("Started").fill("2024-05-03")
    page.get_by_label("Finished").fill("2024-05-01")
    page.get_by_role("button", name="Save dates").press("Enter")
    expect(page.locator("#toasts")).to_contain_text("cannot have been finished before it was started")
    assert page.get_by_label("Finished").input_value() == "2024-05-01", "what was typed is still there"
    page.get_by_label("Finished").fill("2024-06-01")
    page.get_by_role("button", name="Save dates").press("Enter")
    expect(page.locator("#own .own-dates summary")).to_contain_text("05/03/2024 – 06/01/2024")
    page.reload()
    page.locator("#own .own-dates summary").click()
    assert page.get_by_label("Started").input_value() == "2024-05-03"


def test_it_works_without_javascript_and_on_a_narrow_screen(new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False, viewport=PHONE)
    for anime_id in RATED:
        page.goto(f"/anime/{anime_id}/")
        page.locator("#own").get_by_text("9", exact=True).click()
        page.get_by_role("button", name="Save rating").click()
        expect(page.locator("#own")).to_contain_text("You gave 9")
    expect(page.locator("#forecast")).to_contain_text("With 1 more rating")
    page.goto("/anime/1/")
    expect(page.locator("#forecast")).to_contain_text("We think you would give it")
    wide = page.locator("main").evaluate("main => main.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
