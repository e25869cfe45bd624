"""Is it alive, is it ready: for supervisors and load balancers. Open to all, tells no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, jsonify

from opendata.http.context import services
from opendata.wiring import readiness

if TYPE_CHECKING:
    from flask import Response

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> Response:
    return jsonify(status="alive")


@blueprint.get("/readyz")
def ready() -> tuple[Response, int]:
    parts = readiness(services())
    everything = all(state == "ok" for state in parts.values())
    return jsonify(status="ready" if everything else "not ready", parts=parts), 200 if everything else 503
