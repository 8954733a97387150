"""Screenshots of every page, on a phone and on a desk, in both themes: `make screenshots`.

Starts a site of its own the way `make demo` does, with an empty state below a temporary folder, or takes a
running one (`--url`), where it signs a new member up. Writes WebP, which the browser encodes itself. Fonts are the
machine's: with a Palatino (Debian: fonts-urw-base35) and a Japanese one the pictures show what most people see.
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
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

BASE_DIR = Path(__file__).resolve().parent.parent
OUT_DIR = BASE_DIR / "docs" / "screenshots"
PAGES: dict[str, dict[str, str]] = tomllib.loads((BASE_DIR / "scripts" / "pages.toml").read_text())

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
WEBP_QUALITY = 55
START_SECONDS = 600


@dataclass(frozen=True)
class Size:
    """A window, and how much of a long page a picture shows."""

    name: str
    width: int
    height: int
    max_height: int


SIZES = (Size("desktop", 1440, 900, 1120), Size("phone", 390, 844, 1400))

# A taste with some width: the lists should not look like one genre.
RATINGS = {19: 10, 1: 9, 30: 9, 199: 9, 457: 9, 5114: 8, 9253: 8, 32281: 7, 21: 4}
VISITOR_RATINGS = 3
STATUSES = {21: "watching", 11061: "planned", 2001: "planned"}
HIDDEN = (11757, 22319)


def main() -> int:
    options = _options()
    chromium = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
    if not chromium.is_file():
        print(f"No browser: {chromium} is missing. Install Chromium or set CHROMIUM.", file=sys.stderr)
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    arguments = ["--disable-background-networking", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    sizes: dict[str, int] = {}
    with _site(options.url) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        for who, pages in PAGES.items():
            for name, written in _shots(browser, url, who, pages, options.out):
                print(f"{written // 1024:4} kB  {name}")
                sizes[name] = written
        browser.close()
    for old in options.out.glob("*.webp"):
        if old.stem not in sizes:
            old.unlink()
    print(f"{len(sizes)} pictures, {sum(sizes.values()) / 1e6:.1f} MB")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="a running site; without it one is started")
    parser.add_argument("--out", type=Path, default=OUT_DIR)
    return parser.parse_args()


def _shots(browser: Browser, url: str, who: str, pages: dict[str, str], out: Path) -> Iterator[tuple[str, int]]:
    """One person sees all their pages in every size and theme."""
    context = browser.new_context(base_url=url, reduced_motion="reduce")
    page = context.new_page()
    page.goto("/")
    username = _sign_up(page) if who == "member" else ""
    _fill_library(page, who)
    for name, path in pages.items():
        for size in SIZES:
            for theme in THEMES:
                page.emulate_media(color_scheme=theme)
                page.set_viewport_size({"width": size.width, "height": size.height})
                page.goto(path.format(username=username))
                _show(page, size)
                file = out / f"{name}-{size.name}-{theme}.webp"
                yield file.stem, _shoot(page, file)
    context.close()


def _show(page: Page, size: Size) -> None:
    """Make the window as high as the picture shall be, so that what sticks to its edges does, and wait for covers."""
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": size.width, "height": min(max(height, size.height), size.max_height)})
    page.wait_for_load_state("networkidle")
    page.evaluate(
        "Promise.all([...document.images].filter(one => one.complete).map(one => one.decode().catch(() => 0)))"
    )


def _shoot(page: Page, path: Path) -> int:
    """Write what the window shows; the size of the file in bytes."""
    session = page.context.new_cdp_session(page)
    answer = session.send("Page.captureScreenshot", {"format": "webp", "quality": WEBP_QUALITY})
    session.detach()
    return path.write_bytes(base64.b64decode(answer["data"]))


def _sign_up(page: Page) -> str:
    """The username: mika, or on a site that has one already something like it."""
    password = secrets.token_urlsafe(12)
    for name in ("mika", f"mika_{secrets.token_hex(2)}"):
        page.goto("/accounts/signup/")
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_label("Password (again)").fill(password)
        with page.expect_navigation():
            page.get_by_role("main").get_by_role("button", name="Sign up").click()
        if page.url.endswith("/for-you/"):
            return name
    raise RuntimeError(f"signing up leads to {page.url}")


def _fill_library(page: Page, who: str) -> None:
    """Visitors have rated a few titles; members some more, and they have something on every shelf."""
    for anime_id, rating in list(RATINGS.items())[: VISITOR_RATINGS if who != "member" else None]:
        _send(page, f"/entries/{anime_id}/rate/", rating=str(rating))
    if who == "member":
        for anime_id, status in STATUSES.items():
            _send(page, f"/entries/{anime_id}/set/", status=status)
        for anime_id in HIDDEN:
            _send(page, f"/entries/{anime_id}/hide/")
        _send(page, "/account/options/", title_language="romaji", visibility="public")
    page.goto("/library/")  # shows the messages of all that, once


def _send(page: Page, path: str, **form: str) -> None:
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "csrftoken")
    answer = page.request.post(
        path,
        form={**form, "csrfmiddlewaretoken": token, "next": "/robots.txt"},
        headers={"Referer": page.url},
    )
    if not answer.ok:
        raise RuntimeError(f"{path} answered {answer.status}")


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
