"""The web composition root: one Flask app from settings, the same under granian, in tests and in `flask`.

It joins the API and the pages to the services, answers every PortalError in the right form, and puts the
headers on every answer that keep uploaded bytes from ever acting as a page of ours.
"""

from __future__ import annotations

import atexit
import logging
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, request
from flask.sessions import SessionInterface
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from opendata import api, web
from opendata.api.problems import http_problem_response, problem_response
from opendata.http import health
from opendata.http.context import attach
from opendata.kernel.errors import (
    MethodNotAllowedError,
    NotFoundError,
    PortalError,
    TooLargeError,
    UnavailableError,
    UnforeseenError,
)
from opendata.settings import Settings, load_settings, require_secret
from opendata.web.errors import error_page
from opendata.wiring import Services, build_services

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Request, Response
    from flask.sessions import SessionMixin

log = logging.getLogger(__name__)

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)


_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class _NoSession(SessionInterface):
    """Who is signed in is for `http.context` to say; Flask would make a signer for a cookie that nobody sets."""

    def open_session(self, app: Flask, request: Request) -> None:
        """Flask goes on with a session that cannot be written to."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        raise NotImplementedError("there is no session to save")


class Portal(Flask):
    """Flask without what no part of the portal uses, and every request would pay for."""

    session_interface = _NoSession()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """No view and no hook is a coroutine."""
        return func


def create_app(settings: Settings, services: Services | None = None) -> Flask:
    """Raises SettingsError when the secret key is missing or short."""
    require_secret(settings)
    app = Portal("opendata", static_folder=None)
    app.config["SECRET_KEY"] = settings.secret_key
    app.config["MAX_CONTENT_LENGTH"] = None  # uploads are counted while they stream, bodies by each view
    app.url_map.strict_slashes = False
    attach(app, services or build_services(settings))
    app.register_blueprint(health.blueprint)
    api.register(app)
    web.register(app)
    _answer_errors(app)
    app.after_request(_add_headers)
    return app


def from_environment() -> Flask:
    """The factory granian and wsgi.py call: settings from OPENDATA_* variables."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = load_settings()
    services = build_services(settings)
    services.usage.start()
    services.demand.start()
    atexit.register(services.close)
    return create_app(settings, services)


def _answer_errors(app: Flask) -> None:
    app.register_error_handler(PortalError, _answer)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(OperationalError, _answer_database)
    app.register_error_handler(Exception, _answer_unforeseen)


def _answer(error: PortalError) -> Response:
    return problem_response(error) if _is_api() else error_page(error, error.status)


def _answer_http(error: HTTPException) -> Response:
    known: dict[type[HTTPException], PortalError] = {
        NotFound: NotFoundError(),
        MethodNotAllowed: MethodNotAllowedError(),
        RequestEntityTooLarge: TooLargeError(limit="1 MB"),
    }
    ours = known.get(type(error))
    if ours is not None:
        answer = _answer(ours)
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return answer
    if error.code is not None and 300 <= error.code < 400:  # noqa: PLR2004 - redirects are answers, not errors
        return error.get_response()  # type: ignore[return-value]
    return http_problem_response(error) if _is_api() else error_page(None, error.code or 500)


def _answer_database(error: OperationalError) -> Response:
    log.error("the database did not answer", exc_info=error)
    return _answer(UnavailableError())


def _answer_unforeseen(error: Exception) -> Response:
    log.error("unforeseen error at %s %s", request.method, request.path, exc_info=error)
    return _answer(UnforeseenError())


def _is_api() -> bool:
    return request.path.startswith("/api/")


def _add_headers(response: Response) -> Response:
    headers = response.headers
    present = {name.lower() for name, _ in headers}
    for name, value in _HEADERS.items():
        if name.lower() not in present:
            headers.add(name, value)
    return response
