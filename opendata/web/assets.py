"""Style sheets and scripts of the pages, from this package; kept by browsers for a year when asked by hash."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from opendata.kernel.errors import NotFoundError
from opendata.web.access import open_to_all
from opendata.web.addresses import STATIC, content_hash

MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

blueprint = Blueprint("assets", __name__)


@blueprint.get("/assets/<name>")
@open_to_all
def asset(name: str) -> Response:
    """Raises NotFoundError. A wrong hash still gets the file, but not for long."""
    path = STATIC / name
    media_type = MEDIA_TYPES.get(path.suffix)
    if media_type is None or not path.is_file():
        raise NotFoundError
    current = content_hash(name)
    response = Response(path.read_bytes(), content_type=media_type)
    is_pinned = request.args.get("v") == current
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_pinned else "no-cache"
    response.set_etag(current)
    response.make_conditional(request.environ)
    return response
