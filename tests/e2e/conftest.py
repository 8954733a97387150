"""A real browser in front of the site that `make demo` starts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.ops.running_demo import RunningDemo, running_demo

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
NewPage = Callable[..., Page]
# A site, its worker and a browser share two cores: what is expected may take its time, but comes.
expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    _need_chromium()
    with running_demo(tmp_path_factory.mktemp("demo"), members=300) as site:
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not for the whole session: Playwright's event loop would look to Django like an asynchronous caller.
    _need_chromium()
    arguments = ["--disable-background-networking"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@contextmanager
def opening_pages(browser: Browser, demo: RunningDemo) -> Iterator[NewPage]:
    """Makes pages of people of their own; at the end no page may have reported an error, which is what a
    violation of the content security policy is. ``may_complain``: for tests in which requests have to fail."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def make(*, may_complain: bool = False, **options: object) -> Page:
        settings = {"viewport": {"width": 1280, "height": 900}, "base_url": demo.url, **options}
        context = browser.new_context(**settings)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        if not may_complain:
            page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert not complaints, "the browser complains:\n" + "\n".join(complaints)


@pytest.fixture
def new_page(browser: Browser, demo: RunningDemo) -> Iterator[NewPage]:
    with opening_pages(browser, demo) as make:
        yield make


@pytest.fixture
def page(new_page: NewPage) -> Page:
    return new_page()


def _need_chromium() -> None:
    if not CHROMIUM.is_file():
        pytest.skip(f"no browser: {CHROMIUM} is missing (apt-get install chromium, or set CHROMIUM)")
