"""Models in operation, seen whole: two web processes, two workers, Postgres, Redis, a browser, and people who ask for
lists all the while."""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import browser as browser
from tests.ops.running_system import System, prepared_site, wait_for

pytestmark = [pytest.mark.services, pytest.mark.e2e]

PASSWORD = "a password for tests"
RATED = {"ratings": [{"anime_id": 1, "rating": 9}, {"anime_id": 30, "rating": 8}], "k": 10}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, sample_bundle: Path) -> Iterator[System]:
    with prepared_site(tmp_path_factory.mktemp("site") / "var", sample_bundle) as system:
        system.extra = {"DJANGO_SUPERUSER_PASSWORD": PASSWORD, "SERVING_REPORT_SECONDS": "1"}
        system.manage("createsuperuser", "--noinput", "--username", "rin", "--email", "rin@example.org")
        yield system


class Visitors:
    """Ask for lists, one after another, until they are told to stop; note which model answered, and what failed."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(2)]

    def __enter__(self) -> Visitors:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def ask(self) -> str:
        """The version that answers."""
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self.url}/api/v1/recommendations/",
            json.dumps(RATED).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            content = json.load(answer)
        assert len(content["results"]) == 10
        return str(content["model_version"])

    def _ask(self) -> None:
        while not self._stop.is_set():
            try:
                self.answers[self.ask()] += 1
            except Exception as error:
                self.failures.append(repr(error))
            time.sleep(0.1)


def test_train_watch_promote_and_roll_back_under_load(system: System, browser: Browser) -> None:
    url = system.start_web()
    system.start_worker("one")
    system.start_worker("two")
    before = system.champion()
    page = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=url).new_page()
    sign_in(page)
    with Visitors(url) as visitors:
        page.goto("/admin/recommendations/operations/")
        expect(page.locator("#op-live")).to_contain_text(before)
        page.locator("#op-train").click()
        seen = watch(page)
        # The page looks every three seconds, and this training takes ten or so.
        assert len({percent for percent, _stage in seen}) >= 2, seen
        job = system.wait_for_job(system.last_job("train"), "succeeded", "failed")
        assert job["state"] == "succeeded", job

        page.goto("/admin/recommendations/operations/")
        page.locator("#op-made").click()
        after = system.champion()
        assert after != before
        expect(page.locator("body")).to_contain_text("NDCG@10")
        verdict = system.one("SELECT verdict FROM recommendations_modelversion WHERE version = %s", after)
        expect(page.locator("body")).to_contain_text(verdict[:60])
        wait_for(lambda: {visitors.ask() for _ in range(12)} == {after}, 30)

        page.goto("/admin/recommendations/operations/")
        page.locator("#op-rollback").click()
        page.get_by_label(re.compile("Reason")).fill("a try")
        page.locator("form.op-form button[type=submit]").click()
        wait_for(lambda: system.champion() == before, 10)
        wait_for(lambda: {visitors.ask() for _ in range(12)} == {before}, 30)
        # Both web processes say so themselves.
        serving = "SELECT count(*) FROM recommendations_servingprocess WHERE version = %s AND problem = ''"
        wait_for(lambda: system.one(serving, before) >= 2, 30)
    assert not visitors.failures
    assert visitors.answers[before] > 0 < visitors.answers[after]
    page.goto("/admin/recommendations/operations/")
    expect(page.locator("body")).to_contain_text("a try")


def sign_in(page: Page) -> None:
    page.goto("/accounts/login/?next=/admin/")
    page.get_by_label("Login").fill("rin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/admin/$"))


def watch(page: Page) -> list[tuple[str, str]]:
    """What the page shows of the training, without reloading it, until it has ended."""
    seen: list[tuple[str, str]] = []
    deadline = time.monotonic() + 240
    while page.locator("#op-train").count() == 0 and time.monotonic() < deadline:
        percent = page.locator(".op-run span").first
        stage = page.locator(".op-run + p strong").first
        if percent.count() and stage.count():
            one = (percent.inner_text(), stage.inner_text().rstrip(":"))
            if not seen or seen[-1] != one:
                seen.append(one)
        page.wait_for_timeout(200)
    return seen
