"""Markdown as plain words, for search, snippets and result rows. (Pages render it; see web.)"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from markdown_it import MarkdownIt

from opendata.kernel.text import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark", {"html": False})
# Where none of these stands, a blank line ends a paragraph whatever surrounds it: no fence, no link defined
# elsewhere, no list, no line set in.
_SPANNING_MARKS: Final = "`~[<\t\r"
_SPANNING_LINE = re.compile(r"\n *(?:[-+*>=]|\d{1,9}[.)]|    )")
_MARKS: Final = "\\*_&#"
_BLANK_LINE = re.compile(r"\n\s*\n")


def plain_text(markdown: str) -> str:
    """The words a reader sees, on one line: no marks, no addresses of links.

    Parsing costs a third of a millisecond, most descriptions are plain: only paragraphs with a mark are
    parsed, and what stands under many datasets ("Source: **…**") once.
    """
    # Each mark by itself, and lines by their ends: a pattern of both tries every letter.
    if any(map(markdown.__contains__, _SPANNING_MARKS)) or _SPANNING_LINE.search(f"\n{markdown}"):
        return _parsed(markdown)
    if not any(map(markdown.__contains__, _MARKS)):
        return clean_line(markdown)
    return clean_line(" ".join([_paragraph(text) for text in _BLANK_LINE.split(markdown)]))


def _paragraph(text: str) -> str:
    return _parsed_once(text) if any(map(text.__contains__, _MARKS)) else text


def _parsed(markdown: str) -> str:
    return clean_line(" ".join(_words(_PARSER.parse(markdown))))


_parsed_once = lru_cache(maxsize=4096)(_parsed)


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
