"""Addresses that answers carry: absolute, under the portal's public address, so that they work anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from opendata.http.context import language, services
from opendata.http.query_text import query_text

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX: Final = "/api/v1"


def api_url(path: str, pairs: Iterable[tuple[str, str]] = ()) -> str:
    """For example `api_url("/resources/01h…/rows", [("limit", "5")])`."""
    query = query_text(pairs)
    return services().settings.base_url + PREFIX + quote(path, safe="/._-") + (f"?{query}" if query else "")


def dataset_url(dataset_id: str) -> str:
    """By id, which never changes, unlike a slug may one day."""
    return api_url(f"/datasets/{dataset_id}")


def resource_url(resource_id: str, part: str = "", pairs: Iterable[tuple[str, str]] = ()) -> str:
    """The file itself or one of its parts, such as `rows` or `export.csv`."""
    return api_url(f"/resources/{resource_id}" + (f"/{part}" if part else ""), pairs)


def page_url(path: str) -> str:
    """A page in the language asked for."""
    return f"{services().settings.base_url}/{language()}{quote(path, safe='/._-')}"


def next_link(address: str | None) -> dict[str, str]:
    """The Link header of a page that has a next one (RFC 8288)."""
    return {"Link": f'<{address}>; rel="next"'} if address else {}
