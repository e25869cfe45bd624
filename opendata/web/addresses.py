"""Addresses of pages, of the API and of static files: the only place where they are spelled.

Pages keep their address in both languages but for the prefix; static files carry a hash of their content,
so that browsers may keep them for a year. Links stay on the host the reader came by; what people copy is absolute.
"""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from flask import request, url_for

from opendata.http.context import language, services
from opendata.http.query_text import query_text
from opendata.kernel.i18n import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterable

STATIC: Final = Path(__file__).parent / "static"
API: Final = "/api/v1"


def page(endpoint: str, pairs: Iterable[tuple[str, str | int]] = (), **values: object) -> str:
    """The address of a page in the language being read; `pairs` become the query string, in order."""
    address = _path(request.root_path, endpoint, tuple({"lang": language(), **values}.items()))
    asked = query_text(pairs)
    return f"{address}?{asked}" if asked else address


# The same for every request under the same root; a page asks about sixty times.
@lru_cache(4096)
def _path(_root: str, endpoint: str, values: tuple[tuple[str, object], ...]) -> str:
    return url_for(f"web.{endpoint}", **dict(values))  # type: ignore[arg-type]  # any value


def absolute(address: str) -> str:
    """Under the public address of the portal, whatever name this request came by."""
    return services().settings.base_url + address


def api(path: str, pairs: Iterable[tuple[str, str]] = ()) -> str:
    """For a link from a page, for example `api("/resources/01h…/rows", [("limit", "5")])`."""
    query = query_text(pairs)
    return API + quote(path, safe="/._-") + (f"?{query}" if query else "")


def here_in(lang: str) -> str:
    """The address being read, in another language; pages without a prefix lead to the home page."""
    first, _, rest = request.path.lstrip("/").partition("/")
    path = f"/{lang}/{rest}" if first in LANGUAGES else f"/{lang}/"
    query = request.query_string.decode("ascii", "replace")
    return quote(path) + (f"?{query}" if query else "")


def asset(name: str) -> str:
    """A static file with the hash of its content."""
    return f"/assets/{name}?v={content_hash(name)}"


@cache
def content_hash(name: str) -> str:
    """Raises FileNotFoundError: a template that names a file which is not there must not pass a test."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def is_local(address: str) -> bool:
    """Whether a `next` parameter stays on this portal: one slash, no scheme, no host, no control characters."""
    return (
        address.startswith("/")
        and not address.startswith("//")
        and "\\" not in address
        and all(" " < char < "\x7f" for char in address)
    )
