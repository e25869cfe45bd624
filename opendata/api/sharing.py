"""Cross-origin reading (CORS, the Fetch standard): pages of any site may read what everyone may read.

Only GET and HEAD, and never with credentials: the API knows no cookies, and tokens stay with programs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import request

from opendata.api.addresses import PREFIX

if TYPE_CHECKING:
    from flask import Response

READ_HEADERS: Final = "Accept, Accept-Language, If-Match, If-None-Match, If-Range, Range"
EXPOSED: Final = (
    "Accept-Ranges, Content-Disposition, Content-Language, Content-Length, Content-Range, ETag, "
    "Last-Modified, Link, Location, Retry-After"
)
PREFLIGHT_SECONDS: Final = 86_400
OWN_ONLY: Final = PREFIX + "/uploads"  # nothing there is public


def add_sharing_headers(response: Response) -> Response:
    """On every answer under the API, refusals included; writes from other sites' pages get no leave."""
    if not request.path.startswith(PREFIX + "/") or request.path.startswith(OWN_ONLY):
        return response
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
        response.headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin")
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = "GET, HEAD"
        response.headers["Access-Control-Allow-Headers"] = READ_HEADERS
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    return response
