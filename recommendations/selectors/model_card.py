"""The model card as a page shows it: the text of `docs/model-card.md` in HTML."""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.token import Token
from markdown_it.utils import OptionsDict


def model_card() -> SafeString:
    """The card without its title, its comments and whatever HTML it might hold; empty if this installation came
    without it."""
    path = Path(settings.BASE_DIR) / "docs" / "model-card.md"
    try:
        return _rendered(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return SafeString("")


@lru_cache(maxsize=1)
def _rendered(path: Path, _changed: int) -> SafeString:
    text = re.sub(r"<!--.*?-->", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"\A\s*# .*\n", "", text)
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("table_open", _table_open)
    markdown.add_render_rule("table_close", _table_close)
    tokens = markdown.parse(text)
    for token in tokens:
        # Alignment comes as a style attribute, which the content security policy forbids.
        if token.attrs.pop("style", None):
            token.attrs["class"] = "number"
    # Safe: the text is the project's own, and HTML in it is escaped (html=False).
    return mark_safe(markdown.renderer.render(tokens, markdown.options, {}))  # noqa: S308


def _table_open(
    _renderer: RendererProtocol,
    _tokens: Sequence[Token],
    _index: int,
    _options: OptionsDict,
    env: MutableMapping[str, Any],
) -> str:
    # Wide tables scroll by themselves; what scrolls must be reachable by keyboard and have a name.
    env["tables"] = env.get("tables", 0) + 1
    return f'<div class="wide" tabindex="0" role="region" aria-label="Table {env["tables"]}">\n<table>\n'


def _table_close(
    _renderer: RendererProtocol,
    _tokens: Sequence[Token],
    _index: int,
    _options: OptionsDict,
    _env: MutableMapping[str, Any],
) -> str:
    return "</table>\n</div>\n"
