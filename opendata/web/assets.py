"""Style sheets and scripts of the pages, from this package; kept by browsers for a year when asked by hash."""

from __future__ import annotations

from flask import Blueprint, Response, request, send_from_directory

from opendata.kernel.errors import NotFoundError
from opendata.web.access import open_to_all
from opendata.web.addresses import STATIC, content_hash

blueprint = Blueprint("assets", __name__)


@blueprint.get("/assets/<path:name>")
@open_to_all
def asset(name: str) -> Response:
    """Raises NotFoundError. A wrong hash still gets the file, but not for long."""
    try:
        current = content_hash(name) if (STATIC / name).resolve().is_relative_to(STATIC) else None
    except OSError as error:
        raise NotFoundError from error
    if current is None:
        raise NotFoundError
    response = send_from_directory(STATIC, name)
    is_pinned = request.args.get("v") == current
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_pinned else "no-cache"
    return response
