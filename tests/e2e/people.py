"""What people do on the site, in the words of the tests."""

from __future__ import annotations

import itertools
import os
import re

from playwright.sync_api import Locator, Page, expect

PASSWORD = "a password for tests"
_numbers = itertools.count(1)


def sign_up(page: Page) -> str:
    """Sign up by the form; the answer is the username."""
    name = f"mika{os.getpid()}x{next(_numbers)}"
    page.goto("/accounts/signup/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password (again)").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page).to_have_url(re.compile(r"/for-you/$"))
    return name


def rate(widget: Locator, rating: int) -> None:
    """Tap ``rating`` in a rating widget (or in something that holds one)."""
    widget.get_by_role("radio", name=str(rating), exact=True).click()


def widget_of(page: Page, title: str) -> Locator:
    return page.get_by_role("group", name=f"Rate {title}", exact=True)


def titles_of(items: Locator) -> list[str]:
    return [text.strip() for text in items.locator("h3 > a").all_inner_texts()]


def preview(page: Page) -> list[str]:
    return titles_of(page.locator("#preview .line"))


def picks(page: Page) -> list[str]:
    return titles_of(page.locator(".pick"))


def pick(page: Page, title: str) -> Locator:
    """The card of ``title``; reasons of other cards may name it as well."""
    return page.locator(".pick").filter(has=page.get_by_role("heading", name=title, exact=True))


def pick_ids(page: Page) -> list[int]:
    addresses = page.locator(".pick h3 > a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    return [int(re.findall(r"\d+", address)[0]) for address in addresses]


def send(page: Page, path: str, **form: str) -> None:
    """Send a form of the site without looking at it, where how it looks is not what a test is about."""
    cookies = {cookie.get("name"): cookie.get("value", "") for cookie in page.context.cookies()}
    answer = page.request.post(
        path,
        form={**form, "csrfmiddlewaretoken": cookies["csrftoken"], "next": "/robots.txt"},
        headers={"Referer": page.url},
    )
    assert answer.ok, f"{path} answered {answer.status}"
