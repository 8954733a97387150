"""What holds for every page: the security policy is kept, errors help, and nothing needs a script."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Engine
from django.template.loader import get_template
from django.test import Client
from django.urls import reverse

from recommendations.models import ModelVersion
from tests.factories import EntryFactory, ProfileFactory, UserFactory

TEMPLATES = sorted(path for path in (settings.BASE_DIR / "templates").rglob("*.html"))
VISITOR_PAGES = ["/", "/for-you/", "/for-you/why-not/?q=gundam", "/for-you/why-not/6/?type=Movie",
                 "/anime/", "/anime/30/", "/library/", "/members/", "/members/77/",
                 "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/nowhere/"]  # fmt: skip
MEMBER_PAGES = ["/", "/for-you/", "/library/", "/account/", "/account/delete/", "/accounts/email/",
                "/accounts/password/change/", "/accounts/logout/"]  # fmt: skip


class Elements(HTMLParser):
    """Every start tag of a page with its attributes, and the text of scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.inline = ""
        self._within = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        is_data = dict(attrs).get("type") == "application/json"
        self._within = tag if tag in ("script", "style") and not is_data else ""

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within:
            self.inline += data.strip()

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.found if name == tag]


@pytest.fixture
def visitor(client: Client, champion: ModelVersion) -> Client:
    EntryFactory(profile=ProfileFactory(imported=True, external_id="77"), anime_id=30, anime=None)
    client.post(reverse("entry_rate", args=[1]), {"rating": "9"})
    return client


@pytest.fixture
def member(client: Client, champion: ModelVersion) -> Client:
    client.force_login(UserFactory())
    client.post(reverse("entry_rate", args=[1]), {"rating": "9"})
    return client


def check_page(client: Client, path: str) -> None:
    response = client.get(path)
    page = Elements(response.content.decode())
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert "style-src 'self'" in response["Content-Security-Policy"]
    assert not page.inline, f"{path} has inline code: {page.inline[:80]}"
    ids = [attrs["id"] for _tag, attrs in page.found if "id" in attrs]
    assert len(ids) == len(set(ids)), f"{path} has an id twice"
    for tag, attrs in page.found:
        assert "style" not in attrs, f"{path}: <{tag} style>"
        assert not [name for name in attrs if name.startswith(("on", "hx-on"))], f"{path}: <{tag}>"
        for name in ("src", "href"):
            assert not attrs.get(name, "").startswith(("http:", "//")), f"{path} loads {attrs[name]}"
    for script in page.all("script"):
        assert script.get("src", "").startswith("/static/") or script.get("type") == "application/json"
    for link in page.all("link"):
        assert link["href"].startswith("/static/")
    assert len([link for link in page.all("link") if link["rel"] == "stylesheet"]) <= 3
    # allauth's own two stand at the end of its page.
    ours = [script for script in page.all("script") if not script.get("src", "").startswith("/static/account/")]
    assert all({"defer", "type"} & set(script) for script in ours), "a script blocks rendering"
    assert len(page.all("h1")) == 1
    assert len(page.all("main")) == 1
    for image in page.all("img"):
        assert {"alt", "width", "height"} <= set(image), "images keep their place"
    check_forms(page, path)


def check_forms(page: Elements, path: str) -> None:
    """Whatever htmx does, a form does as well; every field has a name for those who cannot see."""
    for form in page.all("form"):
        assert form.get("method", "get").lower() in ("get", "post")
        if "hx-post" in form:
            assert (form["method"], form["action"]) == ("post", form["hx-post"]), path
        if "hx-get" in form:
            assert (form["method"], form["action"]) == ("get", form["hx-get"]), path
    labelled = {attrs.get("for") for attrs in page.all("label")}
    inside = [tag for tag, attrs in page.found]
    for position, (tag, attrs) in enumerate(page.found):
        if tag not in ("input", "select", "textarea") or attrs.get("type") in ("hidden", "submit"):
            continue
        named = (
            attrs.get("id") in labelled or "aria-label" in attrs or "label" in inside[max(0, position - 2) : position]
        )
        assert named, f"{path}: <{tag} name={attrs.get('name')}> has no label"


@pytest.mark.django_db
@pytest.mark.parametrize("path", VISITOR_PAGES)
def test_pages_of_a_visitor(visitor: Client, path: str) -> None:
    check_page(visitor, path)


@pytest.mark.django_db
@pytest.mark.parametrize("path", MEMBER_PAGES)
def test_pages_of_a_member(member: Client, path: str) -> None:
    check_page(member, path)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_inline_code(path: Path) -> None:
    source = path.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", source)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|hx-vals=.js:|javascript:", source)


@pytest.mark.django_db
def test_htmx_evaluates_nothing_and_adds_no_styles(client: Client) -> None:
    html = client.get("/library/").content.decode()
    assert '"allowEval":false' in html
    assert '"includeIndicatorStyles":false' in html


class TestErrors:
    @pytest.mark.parametrize("code", ["400", "500"])
    def test_they_need_nothing_that_may_be_broken(self, code: str) -> None:
        html = get_template(f"{code}.html").render()
        page = Elements(html)
        assert code in html
        assert page.all("a")
        source = (settings.BASE_DIR / "templates" / f"{code}.html").read_text()
        base = (settings.BASE_DIR / "templates/partials/error_base.html").read_text()
        assert not re.search(r"{% (load|url|static|include|csrf_token)|{{", source + base)

    @pytest.mark.parametrize("code", ["403", "403_csrf", "404", "429"])
    def test_they_say_what_to_do(self, code: str) -> None:
        engine = Engine.get_default()
        html = engine.get_template(f"{code}.html").render(Context({"theme": "auto", "here": "/"}))
        assert Elements(html).all("a")
        assert "<h1>" in html

    @pytest.mark.django_db
    def test_a_crash_shows_our_page(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(request: object) -> None:
            raise RuntimeError("the database is gone")

        monkeypatch.setattr("recommendations.views.home.current_profile", broken)
        client.raise_request_exception = False
        response = client.get("/")
        assert response.status_code == 500
        assert "Something broke on our side" in response.content.decode()
        assert "database is gone" not in response.content.decode()


@pytest.mark.django_db
def test_robots_txt(client: Client) -> None:
    response = client.get("/robots.txt")
    assert response["Content-Type"].startswith("text/plain")
    assert "Disallow: /entries/" in response.content.decode()


class TestContrast:
    """The tokens of both themes, by the contrast ratio of WCAG 2.2 (relative luminance of sRGB)."""

    CSS = (settings.BASE_DIR / "static/css/base.css").read_text()
    TEXT = [
        *((text, ground) for text in ("ink", "ink-soft", "accent", "good") for ground in ("paper", "sheet")),
        ("ink", "well"), ("ink-soft", "well"), ("ink", "accent-wash"), ("accent", "accent-wash"),
        ("ink", "good-wash"), ("on-accent", "accent"), ("on-accent", "accent-strong"), ("paper", "ink"),
        ("accent-strong", "paper"),
    ]  # fmt: skip

    def themes(self) -> dict[str, dict[str, str]]:
        light, dark, device = (
            dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
            for block in re.findall(r"color-scheme: (?:light|dark);(.*?)}", self.CSS, re.DOTALL)
        )
        assert dark == device, "the dark theme is the same whether it is chosen or the device's"
        return {"light": light, "dark": dark}

    @pytest.mark.parametrize("theme", ["light", "dark"])
    @pytest.mark.parametrize(("text", "ground"), TEXT)
    def test_text_is_legible(self, theme: str, text: str, ground: str) -> None:
        colours = self.themes()[theme]
        assert contrast(colours[text], colours[ground]) >= 4.5

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_borders_of_controls_are_seen(self, theme: str) -> None:
        colours = self.themes()[theme]
        assert contrast(colours["line-strong"], colours["sheet"]) >= 3

    def test_the_measure_itself(self) -> None:
        assert contrast("#000000", "#ffffff") == pytest.approx(21)
        assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
