"""Markdown as plain words, for search, snippets and result rows. (Pages render it; see web.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from opendata.kernel.text import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark", {"html": False})


def plain_text(markdown: str) -> str:
    """The words a reader sees, on one line: no marks, no addresses of links."""
    return clean_line(" ".join(_words(_PARSER.parse(markdown))))


def _words(tokens: Iterable[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            yield "".join(_inline(token.children or ()))
        elif token.type in {"fence", "code_block"}:
            yield token.content


def _inline(tokens: Iterable[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in {"text", "code_inline"}:
            yield token.content
        elif token.type in {"softbreak", "hardbreak"}:
            yield " "
        elif token.children:
            yield from _inline(token.children)
