"""Descriptions written by publishers, as safe HTML: CommonMark with tables, no raw HTML, no images.

Rendered with HTML switched off and then cleaned again against a short list of elements: two parsers would
have to fail in the same way for a script to pass. Images are left out because a page loads nothing from
outside; links are marked as the words of someone else.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_ELEMENTS: Final = {
    "a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_SCHEMES: Final = {"http", "https", "mailto", "tel"}
_HEADING_SHIFT: Final = 2
_LOWEST_HEADING: Final = 6
_MARKS = re.compile(r"[*_`#>|~\[\]]+|\(https?://[^)\s]*\)")

_parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False}).enable(
    ["table", "strikethrough"]
)
_parser.disable("image")


@lru_cache(maxsize=256)
def prose(text: str) -> Markup:
    """Headings start at level 3, so that they stay below those of the page."""
    tokens = _parser.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            level = min(int(token.tag[1]) + _HEADING_SHIFT, _LOWEST_HEADING)
            token.tag = f"h{level}"
    html = _parser.renderer.render(tokens, _parser.options, {})
    clean = nh3.clean(
        html,
        tags=_ELEMENTS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes=_SCHEMES,
        link_rel="nofollow noopener noreferrer ugc",
    )
    return Markup(clean)  # noqa: S704 - cleaned by nh3 in the line above


def first_words(text: str, most: int = 300) -> str:
    """The first paragraph without its marks, for a summary: at most `most` characters, cut at a word."""
    paragraph = " ".join(_MARKS.sub("", text.strip().split("\n\n")[0]).split())
    if len(paragraph) <= most:
        return paragraph
    return paragraph[:most].rpartition(" ")[0].rstrip(",;:–-") + "…"
