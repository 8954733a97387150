"""The page about the model: the card's text, and the figures of the model that serves."""

from __future__ import annotations

import os
import re
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from recommendations.models import ModelVersion
from tests.recommendations.test_pages_markup import check_page

pytestmark = pytest.mark.django_db

CARD = settings.BASE_DIR / "docs" / "model-card.md"


def page_of(client: Client) -> str:
    response = client.get(reverse("about_model"))
    assert response.status_code == 200
    return response.content.decode()


def words_of(html: str) -> str:
    """The text of a page, as it is read."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


def write_card(folder: Path, text: str) -> None:
    (folder / "docs").mkdir(exist_ok=True)
    (folder / "docs" / "model-card.md").write_text(text)


def test_the_page_keeps_the_house_rules(client: Client, champion: ModelVersion) -> None:
    check_page(client, reverse("about_model"))
    assert reverse("about_model") in client.get(reverse("home")).content.decode()


def test_it_shows_the_whole_card(client: Client, champion: ModelVersion) -> None:
    html = page_of(client)
    headings = re.findall(r"^## (.+)$", CARD.read_text(), re.MULTILINE)
    assert {"The data", "What it is for", "Known failures and limits"} <= set(headings)
    for heading in headings:
        assert f"<h2>{heading}</h2>" in html
    assert "It favours what is popular" in words_of(html)


def test_it_shows_the_figures_of_the_champion(client: Client, champion: ModelVersion) -> None:
    words = words_of(page_of(client))
    assert champion.version in words
    metrics = champion.metrics
    assert f"{metrics['plain_ndcg@10']:.3f} {metrics['discovery_ndcg@10']:.3f}" in words
    assert f"{metrics['plain_coverage']:.0f} {metrics['discovery_coverage']:.0f}" in words
    assert f"Measured on {metrics['plain_people']:.0f} members" in words
    assert "of 400 members" in words


def test_without_a_model_it_says_so(client: Client, sample_catalogue: None) -> None:
    words = words_of(page_of(client))
    assert "No model is running at the moment" in words
    assert "Known failures and limits" in words


def test_it_names_no_files(client: Client, champion: ModelVersion) -> None:
    words = words_of(page_of(client))
    for private in ("python -m", ".py", "docs/", "ml/", ".csv", "<!--", str(settings.BASE_DIR)):
        assert private not in words, private


def test_tables_are_reachable_by_keyboard_and_hold_no_style(
    client: Client, db: None, tmp_path: Path, settings: Settings
) -> None:
    settings.BASE_DIR = tmp_path
    write_card(tmp_path, "# Title\n\n| a | b |\n| --- | ---: |\n| x | 1 |\n\n<!-- hidden\n\ntext -->\n\nend")
    html = page_of(client)
    assert '<div class="wide" tabindex="0" role="region" aria-label="Table 1">' in html
    assert '<td class="number">1</td>' in html
    assert "style=" not in html
    assert "hidden" not in words_of(html)
    assert "<h1>Title" not in html


def test_html_in_the_card_is_shown_and_not_obeyed(
    client: Client, db: None, tmp_path: Path, settings: Settings
) -> None:
    settings.BASE_DIR = tmp_path
    write_card(tmp_path, "<script>alert(1)</script>\n\n[link](javascript:alert(1))")
    html = page_of(client)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert 'href="javascript' not in html


def test_a_card_that_changes_is_read_again(client: Client, db: None, tmp_path: Path, settings: Settings) -> None:
    settings.BASE_DIR = tmp_path
    assert "About the method" not in page_of(client), "an installation without the text still shows its model"
    for number, words in enumerate(("first words", "second words")):
        write_card(tmp_path, words)
        path = tmp_path / "docs" / "model-card.md"
        stamp = path.stat().st_mtime_ns + number * 1_000_000_000
        os.utime(path, ns=(stamp, stamp))
        assert words in page_of(client)


def test_it_only_reads(client: Client, db: None) -> None:
    assert client.post(reverse("about_model")).status_code == 405


def test_query_count(
    client: Client,
    champion: ModelVersion,
    settings: Settings,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    settings.CHAMPION_CHECK_SECONDS = 3600
    page_of(client)
    with django_assert_max_num_queries(2):
        page_of(client)
