"""The query string of an address, as `urllib.parse.urlencode` writes it: for links, of which a page has thirty.

Called by the addresses of the pages and of the API. The links of an answer ask for the same few words.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHORT: Final = 60


def query_text(pairs: Iterable[tuple[str, str | int]]) -> str:
    """The pairs in their order, without a question mark; empty where there are none."""
    return "&".join([f"{_quoted(name)}={_quoted(str(value))}" for name, value in pairs])


def _quoted(text: str) -> str:
    """Long texts are not kept."""
    return _quoted_short(text) if len(text) <= _SHORT else quote_plus(text)


@lru_cache(4096)
def _quoted_short(text: str) -> str:
    return quote_plus(text)
