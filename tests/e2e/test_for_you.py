"""The list in a real browser: every control, every tap, and why a title is not there."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from catalog.sample.catalogue import load_sample
from tests.e2e.conftest import NewPage
from tests.e2e.people import pick, picks, rate, send, sign_up
from tests.e2e.test_home import SHIFT

# Series of two kinds, so that every control has something to choose among.
RATED = {30: 9, 80: 10, 2001: 9, 1535: 8, 199: 9, 21: 4}


def fan(page: Page) -> None:
    page.goto("/for-you/")
    for anime_id, rating in RATED.items():
        send(page, f"/entries/{anime_id}/rate/", rating=str(rating))


@pytest.fixture
def page(new_page: NewPage) -> Page:
    page = new_page()
    fan(page)
    return page


def settled(page: Page, address: str) -> list[str]:
    expect(page).to_have_url(re.compile(address))
    page.wait_for_load_state("networkidle")
    return picks(page)


def test_five_ratings_change_the_list_each_and_signing_up_keeps_them(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/for-you/")
    expect(page.locator(".starter")).to_have_count(3)
    lists = [picks(page)]
    rated = []
    for number in range(1, 6):
        title = page.locator(".pick h3").first.inner_text().strip()
        if number <= 2:
            title = page.locator(".starter-title").first.inner_text().strip()
            rate(page.locator(".starter").first, 9)
        else:
            rate(pick(page, title), (4, 9, 10)[number - 3])
        expect(page.locator("#toasts")).to_contain_text(f"You gave {title}")
        words = re.compile(f"rests on {number} titles? of yours")
        expect(page.locator(".colophon")).to_contain_text(words)
        rated.append(title)
        lists.append(picks(page))
    changed = [before != after for before, after in pairwise(lists)]
    # What was on the list leaves it; a title that was not may, with another model, let the same ten stand.
    assert all(changed[2:]), lists
    assert any(changed[:2]), lists
    expect(page.locator(".starter")).to_have_count(0)
    expect(page.locator("#lists .notice")).to_have_count(0)

    sign_up(page)
    expect(page.locator(".colophon")).to_contain_text("rests on 5 titles of yours")
    assert picks(page) == lists[-1]
    page.goto("/library/")
    for title in rated:
        expect(page.locator(".entry", has_text=title).first).to_be_visible()


def test_every_dial_changes_the_list_and_survives_a_reload(page: Page) -> None:
    page.goto("/for-you/")
    plain = picks(page)
    page.get_by_text("More dials and filters").click()
    for label, key, address in (
        ("What should count more?", "Home", r"\?balance=0$"),
        ("How far off the beaten track?", "End", r"\?novelty=1$"),
        ("How varied a list?", "End", r"\?diversity=1$"),
    ):
        dial = page.get_by_label(label)
        dial.focus()
        dial.press(key)
        turned = settled(page, address)
        assert turned != plain, label
        value = dial.input_value()
        page.reload()
        assert picks(page) == turned, label
        assert page.get_by_label(label).input_value() == value
        page.get_by_role("link", name="Clear all").first.click()
        assert settled(page, r"/for-you/$") == plain
        page.get_by_text("More dials and filters").click()


def test_every_filter_changes_the_list_and_survives_a_reload(page: Page) -> None:
    page.goto("/for-you/")
    first = page.locator(".pick").first
    planned = first.locator("h3").inner_text()
    first.get_by_role("button", name="Plan to watch").click()
    expect(pick(page, planned)).to_have_count(0)
    plain = picks(page)

    def choose(act: Callable[[], object], address: str, chip: str | re.Pattern[str]) -> None:
        page.get_by_text("More dials and filters").click()
        act()
        turned = settled(page, address)
        assert turned != plain, address
        page.reload()
        assert picks(page) == turned, address
        page.locator(".active").get_by_role("link", name=chip).click()
        assert settled(page, r"/for-you/$") == plain

    def box(group: str, name: str) -> None:
        page.locator("details.genres > summary").get_by_text(group, exact=True).click()
        page.get_by_role("group", name=group, exact=True).get_by_role("checkbox", name=name, exact=True).check()

    def year(label: str, value: str) -> None:
        page.get_by_label(label).fill(value)
        page.get_by_label(label).press("Tab")

    choose(lambda: page.get_by_role("checkbox", name="Movie", exact=True).check(), r"\?type=Movie$", "Movie")
    choose(lambda: box("With genres", "Comedy"), r"\?genre=comedy$", "Comedy")
    choose(lambda: box("Without genres", "Mecha"), r"\?genre_out=mecha$", "not Mecha")
    choose(lambda: year("From year", "2010"), r"\?year_min=2010$", "from 2010")
    choose(lambda: year("To year", "2000"), r"\?year_max=2000$", "until 2000")
    choose(lambda: page.get_by_label("Length", exact=True).select_option("1"), r"\?episodes_max=1$", "One sitting")
    choose(
        lambda: page.get_by_label("Time for all of it").select_option("90"),
        r"\?minutes_max=90$",
        "Up to 90 minutes",
    )
    choose(
        lambda: page.get_by_role("checkbox", name=re.compile("^G - ")).check(), r"\?age_rating=G$", re.compile("G$")
    )
    choose(lambda: page.get_by_label("Franchises").select_option("off"), r"\?franchise=off$", "Everything")
    choose(
        lambda: page.get_by_label("Franchises").select_option("next"), r"\?franchise=next$", "Only what comes next"
    )
    choose(lambda: page.get_by_label("Planned titles").select_option("1"), r"\?planned=1$", "With what I plan")


def test_who_has_ninety_minutes_gets_what_fits(page: Page) -> None:
    page.goto("/for-you/")
    plain = picks(page)
    page.get_by_text("More dials and filters").click()
    page.get_by_label("Time for all of it").select_option("90")
    short = settled(page, r"\?minutes_max=90$")
    assert short != plain
    page.reload()
    assert picks(page) == short
    expect(page.get_by_label("Time for all of it")).to_have_value("90")
    hrefs = page.locator(".pick h3 a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert hrefs
    length = {anime.id: anime.duration_minutes * (anime.episodes or 1000) for anime in load_sample()}
    # All episodes together count: of a series ninety minutes hold next to none.
    assert all(length[int(re.findall(r"\d+", href)[0])] <= 90 for href in hrefs), hrefs


def test_clear_all_is_there_when_something_is_set(page: Page) -> None:
    page.goto("/for-you/")
    clear = page.get_by_role("link", name="Clear all")
    expect(clear).to_have_count(0)
    dial = page.get_by_label("What should count more?")
    dial.focus()
    dial.press("End")
    settled(page, r"\?balance=1$")
    clear.click()
    settled(page, r"/for-you/$")
    expect(clear).to_have_count(0)


def test_a_request_that_a_newer_one_replaces_is_no_error(page: Page) -> None:
    """The fixture of the page fails if the browser's console shows one."""
    page.goto("/for-you/")
    page.route(re.compile(r"\?.*balance=0(&|$)"), lambda _route: None)  # never answered
    dial = page.get_by_label("What should count more?")
    dial.focus()
    with page.expect_event("requestfailed") as given_up:
        with page.expect_request(re.compile(r"\?.*balance=0(&|$)")):
            dial.press("Home")
        dial.press("End")
    assert "ABORTED" in (given_up.value.failure or "")
    settled(page, r"\?balance=1$")
    expect(page.locator(".toast")).to_have_count(0)


def test_planned_titles_come_back_marked_and_can_be_taken_off(page: Page) -> None:
    page.goto("/for-you/?planned=1")
    title = picks(page)[1]
    pick(page, title).get_by_role("button", name="Plan to watch").click()
    expect(pick(page, title).get_by_role("button", name="Planned")).to_have_attribute("aria-pressed", "true")
    pick(page, title).get_by_role("button", name="Planned").click()
    expect(page.locator("#toasts")).to_contain_text("is off your list")
    expect(pick(page, title).get_by_role("button", name="Plan to watch")).to_be_visible()


@pytest.mark.parametrize(("button", "word"), [("Seen it", "Completed"), ("Dropped it", "Dropped")])
def test_seen_or_dropped_without_a_rating(page: Page, button: str, word: str) -> None:
    page.goto("/for-you/")
    title = picks(page)[2]
    pick(page, title).get_by_text("More", exact=False).first.click()
    pick(page, title).get_by_role("button", name=button).click()
    expect(page.locator("#toasts")).to_contain_text(f"{title}: {word}.")
    expect(pick(page, title)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(pick(page, title)).to_have_count(1)


def test_hiding_says_what_moved_and_undo_brings_it_back(page: Page) -> None:
    page.goto("/for-you/")
    before = picks(page)
    pick(page, before[2]).get_by_role("button", name="Not interested").click()
    expect(pick(page, before[2])).to_have_count(0)
    # Who moves up, and how far, is the model's: a hidden title also says something about taste.
    expect(page.locator(".pick .moved", has_text=f"you hid {before[2]}").first).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(pick(page, before[2])).to_have_count(1)
    assert picks(page) == before


def test_why_not_from_the_list_to_the_dial_that_brings_it_nearer(page: Page) -> None:
    page.goto("/for-you/?year_max=2015")
    page.get_by_role("searchbox", name="Why is it not here?").fill("haikyuu")
    page.get_by_role("button", name="Look").click()
    expect(page).to_have_url(re.compile(r"/for-you/why-not/\?.*q=haikyuu"))
    page.locator(".part a").first.click()
    expect(page).to_have_url(re.compile(r"/for-you/why-not/\d+/\?year_max=2015$"))
    said = page.locator(".why-not .notice").inner_text()
    place = re.search(r"place (\d+) of (\d+)", said)
    assert place, said
    expect(page.get_by_role("table")).to_contain_text("What people like you like")
    dial = page.locator(".why-not .chips a", has_text="place").first
    nearer = int(re.findall(r"place (\d+)", dial.inner_text())[0])
    assert nearer < int(place[1])
    dial.click()
    expect(page.locator(".why-not .notice")).to_contain_text(f"place {nearer} of")
    page.get_by_role("link", name="Back to the list").click()
    expect(page).to_have_url(re.compile(r"/for-you/\?.*(balance|novelty)="))


def test_why_not_names_a_filter_and_takes_it_back(page: Page) -> None:
    page.goto("/for-you/why-not/1/?type=Movie")
    expect(page.locator(".why-not .notice")).to_contain_text("The filter “Movie” leaves it out.")
    page.get_by_role("link", name="Take back “Movie”").click()
    expect(page.locator(".why-not .notice")).to_contain_text(re.compile(r"place \d+ of"))


def test_why_not_says_so_where_the_title_is_listed(page: Page) -> None:
    page.goto("/for-you/")
    third = page.locator(".pick h3 a").nth(2)
    title, anime_id = third.inner_text(), re.findall(r"\d+", third.get_attribute("href") or "")[0]
    page.goto(f"/for-you/why-not/{anime_id}/")
    words = f"{title} is on the list, at place 3"
    expect(page.get_by_role("heading", level=1)).to_have_text(words)
    expect(page).to_have_title(f"{words} · AnimeRec")


def test_by_keyboard_alone(page: Page) -> None:
    page.goto("/for-you/")
    before = picks(page)

    def tab_to(name: str) -> None:
        for _press in range(120):
            page.keyboard.press("Tab")
            text = page.evaluate("document.activeElement.innerText ?? ''").strip()
            if text.startswith(name):
                return
        pytest.fail(f"{name} cannot be reached with Tab")

    tab_to("More dials and filters")
    page.keyboard.press("Enter")
    tab_to(before[0])
    tab_to("Plan to watch")
    tab_to("Not interested")
    page.keyboard.press("Enter")
    expect(pick(page, before[0])).to_have_count(0)
    page.wait_for_function("() => document.activeElement.closest('.pick') !== null")
    tab_to("More")
    page.keyboard.press("Enter")
    tab_to("Seen it")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Completed.")
    tab_to("Look")


def test_without_scripts(new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/for-you/")
    starter = page.locator(".starter").first
    title = starter.locator(".starter-title").inner_text()
    starter.get_by_role("radio", name="9", exact=True).check()
    starter.get_by_role("button", name="Save rating").click()
    expect(page.locator(".messages")).to_contain_text(f"You gave {title} 9")
    page.get_by_text("More dials and filters").click()
    page.get_by_label("Franchises").select_option("off")
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile("franchise=off"))
    first = picks(page)[0]
    page.locator(".pick").first.get_by_text("More").first.click()
    page.locator(".pick").first.get_by_role("button", name="Dropped it").click()
    expect(page.locator(".messages")).to_contain_text(f"{first}: Dropped.")
    expect(page).to_have_url(re.compile("franchise=off"))
    assert first not in picks(page)
    page.get_by_role("searchbox", name="Why is it not here?").fill(first)
    page.get_by_role("button", name="Look").click()
    page.locator(".part a").first.click()
    expect(page.locator(".why-not .notice")).to_contain_text("It is on your list: Dropped")


def test_on_a_phone(new_page: NewPage) -> None:
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    fan(page)
    for path in (
        "/for-you/",
        "/for-you/why-not/1/",
        "/for-you/why-not/?q=gundam",
        "/for-you/?type=Music&year_min=2018",
    ):
        page.goto(path)
        page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    page.goto("/for-you/")
    title = picks(page)[1]
    rate(pick(page, title), 8)
    expect(pick(page, title)).to_have_count(0)
    expect(page.locator(".moved-why").first).to_contain_text(f"you gave {title}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_first_view_is_light_and_still(new_page: NewPage) -> None:
    for rated in (False, True):
        page = new_page()
        if rated:
            fan(page)
        page.add_init_script(SHIFT)
        sizes: dict[str, int] = {}

        def weigh(path: str, size: int, sizes: dict[str, int] = sizes) -> None:
            sizes[path] = size

        page.goto("about:blank")
        page.on("requestfinished", lambda request: weigh(request.url, request.sizes()["responseBodySize"]))
        page.goto("/for-you/")
        page.wait_for_load_state("networkidle")
        assert sum(size for url, size in sizes.items() if "cover.svg" not in url) < 100_000, sizes
        assert page.evaluate("window.shift") <= 0.05
        if rated:
            rate(page.locator(".pick").nth(1), 9)
            expect(page.locator("#toasts")).to_contain_text("You gave")
            page.wait_for_load_state("networkidle")
            assert page.evaluate("window.shift") <= 0.05
