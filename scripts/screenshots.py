"""Screenshots of every page, on a phone and on a desk, in both themes: `make screenshots`.

Starts a site of its own the way `make demo` does, with an empty state below a temporary folder, or takes a
running one (`--url`), where it signs a new member up. Writes WebP, which the browser encodes itself.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

BASE_DIR = Path(__file__).resolve().parent.parent
OUT_DIR = BASE_DIR / "docs" / "screenshots"
# What README and documentation show is committed; the rest is looked at and thrown away.
COMMITTED = ("for-you-desktop-light", "for-you-phone-dark", "anime-desktop-dark", "home-desktop-light",
             "browse-desktop-dark", "home-phone-light")  # fmt: skip

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
WEBP_QUALITY = 88
START_SECONDS = 300

# A taste with some width: the lists should not look like one genre.
RATINGS = {19: 10, 1: 9, 30: 9, 199: 9, 457: 9, 5114: 8, 9253: 8, 32281: 7, 21: 4}
VISITOR_RATINGS = 3
VISITOR_PAGES = {
    "home": "/",
    "signup": "/accounts/signup/",
    "login": "/accounts/login/",
    "password-reset": "/accounts/password/reset/",
    "members": "/members/",
    "member": "/members/17/",
    "not-found": "/nowhere/",
    "nothing-found": "/anime/?q=zzzz",
}
MEMBER_PAGES = {
    "for-you": "/for-you/",
    "for-you-filtered": "/for-you/?balance=0.8&type=Movie&year_min=1980",
    "browse": "/anime/",
    "browse-filtered": "/anime/?genre=mecha&sort=rating",
    "anime": "/anime/30/",
    "library": "/library/",
    "account": "/account/",
    "delete": "/account/delete/",
    "email": "/accounts/email/",
    "password-change": "/accounts/password/change/",
}


def main() -> int:
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    chromium = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
    if not chromium.is_file():
        print(f"No browser: {chromium} is missing. Install Chromium or set CHROMIUM.", file=sys.stderr)
        return 1
    arguments = ["--disable-background-networking", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with _site(options.url) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        for size in SIZES:
            for theme in THEMES:
                for name, written in _shots(browser, url, size, theme, options):
                    print(f"{written // 1024:4} kB  {name}")
        browser.close()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="a running site; without it one is started")
    parser.add_argument("--out", type=Path, default=OUT_DIR)
    parser.add_argument("--all", action="store_true", help="every page, not only what the documentation shows")
    return parser.parse_args()


def _shots(
    browser: Browser, url: str, size: str, theme: Theme, options: argparse.Namespace
) -> Iterator[tuple[str, int]]:
    width, height = SIZES[size]
    for pages, ratings in ((VISITOR_PAGES, VISITOR_RATINGS), (MEMBER_PAGES, len(RATINGS))):
        wanted = {
            f"{page}-{size}-{theme}": path
            for page, path in pages.items()
            if options.all or f"{page}-{size}-{theme}" in COMMITTED
        }
        if not wanted:
            continue
        context = browser.new_context(
            base_url=url, viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce"
        )
        page = context.new_page()
        page.goto("/")
        if pages is MEMBER_PAGES:
            _sign_up(page)
        for anime_id, rating in list(RATINGS.items())[:ratings]:
            _rate(context, anime_id, rating)
        page.goto("/library/")  # shows the messages of all that, once
        for name, path in wanted.items():
            page.goto(path)
            page.wait_for_load_state("networkidle")
            yield name, _shoot(page, options.out / f"{name}.webp")
        context.close()


def _shoot(page: Page, path: Path) -> int:
    """Write what the window shows; the size of the file in bytes."""
    session = page.context.new_cdp_session(page)
    answer = session.send("Page.captureScreenshot", {"format": "webp", "quality": WEBP_QUALITY})
    session.detach()
    return path.write_bytes(base64.b64decode(answer["data"]))


def _sign_up(page: Page) -> None:
    password = secrets.token_urlsafe(12)
    page.goto("/accounts/signup/")
    page.get_by_label("Username").fill(f"mika_{secrets.token_hex(2)}")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("Password (again)").fill(password)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/for-you/")


def _rate(context: BrowserContext, anime_id: int, rating: int) -> None:
    token = next(cookie["value"] for cookie in context.cookies() if cookie["name"] == "csrftoken")
    answer = context.request.post(
        f"/entries/{anime_id}/rate/",
        form={"rating": str(rating), "csrfmiddlewaretoken": token, "next": "/robots.txt"},
        headers={"Referer": context.pages[0].url},
    )
    if not answer.ok:
        raise RuntimeError(f"rating {anime_id} answered {answer.status}: is it in the catalogue?")


@contextmanager
def _site(url: str | None) -> Iterator[str]:
    """The address of a site: ``url``, or one that is started here and ended afterwards."""
    if url:
        yield url.rstrip("/")
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="animerec-screenshots-") as var_dir:
        log = Path(var_dir) / "output.txt"
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "scripts/demo.py", "--port", str(port)],
                cwd=BASE_DIR,
                env={**os.environ, "VAR_DIR": var_dir},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield _wait_until_ready(process, log)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"ready: (http://\S+?)/?$", log.read_text(errors="replace"), re.MULTILINE)
        if found:
            return found[1]
        time.sleep(0.2)
    raise RuntimeError(f"the site did not start:\n{log.read_text(errors='replace')}")


if __name__ == "__main__":
    sys.exit(main())
