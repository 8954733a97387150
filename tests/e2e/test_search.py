"""Finding titles on the browse page, in a real browser: typed wrong, filtered, on a phone, without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import NewPage

PHONE = {"width": 390, "height": 844}


def first_title(page: Page) -> Locator:
    return page.locator("#results .tile-title").first


def search_box(page: Page) -> Locator:
    return page.get_by_label("Search", exact=True)


def test_results_come_while_typing_and_forgive_slips(page: Page) -> None:
    page.goto("/anime/")
    search_box(page).press_sequentially("cowbow bebo")
    expect(first_title(page)).to_have_text("Cowboy Bebop")
    expect(page.get_by_text("No title is called “cowbow bebo”")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?q=cowbow\+bebo$"))
    page.reload()
    expect(first_title(page)).to_have_text("Cowboy Bebop")
    expect(search_box(page)).to_have_value("cowbow bebo")
    search_box(page).fill("カウボーイ")
    expect(first_title(page)).to_have_text("Cowboy Bebop")
    expect(page.get_by_text("No title is called")).to_have_count(0)


def test_what_is_sorted_by_is_called_what_it_is(page: Page) -> None:
    page.goto("/anime/")
    sort = page.get_by_label("Sort by")
    chosen = sort.locator("option:checked")
    expect(chosen).to_have_text("Best known")
    expect(sort.get_by_role("option", name="Best match")).to_have_count(0)
    search_box(page).press_sequentially("gundam")
    expect(chosen).to_have_text("Best match")
    sort.focus()
    sort.select_option("Best known")
    expect(page).to_have_url(re.compile(r"\?q=gundam&sort=popular$"))
    expect(sort).to_be_focused()
    search_box(page).fill("")
    expect(chosen).to_have_text("Best known")
    expect(sort.get_by_role("option", name="Best match")).to_have_count(0)


def test_a_filter_narrows_stands_in_the_address_and_is_taken_back(page: Page) -> None:
    page.goto("/anime/?q=gundam")
    everything = page.locator("#results .tile").count()
    page.get_by_text("Filters", exact=True).click()
    page.get_by_role("group", name="Type").get_by_text("Movie", exact=True).click()
    expect(page).to_have_url(re.compile(r"type=Movie"))
    chip = page.get_by_role("link", name="Take back: Movie")
    expect(chip).to_be_visible()
    assert page.locator("#results .tile").count() < everything
    page.reload()
    chip.click()
    expect(page).to_have_url(re.compile(r"/anime/\?q=gundam$"))
    expect(page.locator("#results .tile")).to_have_count(everything)


def test_age_ratings_are_chosen_and_said_in_words(page: Page) -> None:
    page.goto("/anime/")
    page.get_by_text("Filters", exact=True).click()
    ages = page.get_by_role("group", name="Age rating")
    ages.get_by_text("PG - children").click()
    expect(page.get_by_role("link", name="Take back: rated PG", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(r"age_rating=PG$"))
    expect(ages.get_by_text("Rx")).to_have_count(0)


def test_nothing_found_offers_what_comes_closest(page: Page) -> None:
    page.goto("/anime/?q=cowboy+bebop&year_min=2020")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    page.get_by_role("link", name="Cowboy Bebop", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Cowboy Bebop"))


def test_by_keyboard_alone(new_page: NewPage) -> None:
    # Enter both changes the field and sends the form: the second request replaces the first, which htmx reports.
    page = new_page(may_complain=True)
    page.goto("/anime/")
    search_box(page).focus()
    page.keyboard.type("fulmetal alchemist")
    expect(first_title(page)).to_have_text(re.compile("Fullmetal Alchemist"))
    with page.expect_response(re.compile(r"q=fulmetal")):
        page.keyboard.press("Enter")
    expect(search_box(page)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Sort by")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("group", name="Type")).to_be_visible()


@pytest.mark.parametrize("text", ["cowbow bebop", "zzzzzz"])
def test_without_scripts_on_a_phone_nothing_runs_off_the_side(new_page: NewPage, text: str) -> None:
    page = new_page(java_script_enabled=False, viewport=PHONE)
    page.goto("/anime/")
    search_box(page).fill(text)
    page.get_by_role("main").get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile(r"q="))
    if text == "zzzzzz":
        expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    else:
        expect(first_title(page)).to_have_text("Cowboy Bebop")


@pytest.mark.parametrize("width", [320, 390])
def test_filters_fit_a_phone(new_page: NewPage, width: int) -> None:
    page = new_page(viewport={"width": width, "height": 800})
    page.goto("/anime/?q=cowbow&type=TV&age_rating=PG-13")
    page.get_by_text("Filters", exact=True).click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
