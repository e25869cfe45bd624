"""The REST API under /api/v1: blueprints by capability, one document, open to other sites for reading.

Called by the composition root. Errors are answered by the app, through `problems`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opendata.api import datasets, decisions, documentation, openapi, resources, tables, uploads
from opendata.api.addresses import PREFIX
from opendata.api.reading import refuse_unreadable
from opendata.api.sharing import add_sharing_headers
from opendata.http.context import services

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Add every operation and the documentation to an app whose services are attached."""
    api = openapi.make_api(app)
    for part in (datasets, resources, uploads, tables, decisions, documentation):
        api.register_blueprint(part.blueprint, url_prefix=PREFIX)
    app.register_blueprint(documentation.assets)
    with app.app_context():
        app.extensions[documentation.EXTENSION] = openapi.finish(api, services().profile)
    app.before_request(refuse_unreadable)
    app.after_request(add_sharing_headers)
