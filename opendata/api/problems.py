"""Errors as RFC 9457 problems: `application/problem+json` in the reader's language.

Called by the app's error handlers for every address under /api. `type` leads to the sentence about that code
on the documentation page; `code` is stable and what programs should compare; `errors` names each wrong
field. What went wrong inside the portal never shows.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Final

from flask import Response

from opendata.http.context import language, services, speak
from opendata.kernel.errors import N_, ConflictError, InvalidInputError, PortalError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from werkzeug.exceptions import HTTPException

PROBLEM_TYPE: Final = "application/problem+json"
DOCUMENTATION: Final = "/api/v1/docs"

TITLES: Final[Mapping[int, str]] = {
    400: N_("The request is not right"),
    401: N_("A token is needed"),
    403: N_("Not allowed"),
    404: N_("Not found"),
    405: N_("Method not allowed"),
    409: N_("In conflict with what is there"),
    410: N_("Gone"),
    411: N_("Length needed"),
    412: N_("Changed meanwhile"),
    413: N_("Too large"),
    415: N_("Unsupported kind of content"),
    416: N_("Range beyond the end"),
    422: N_("Some values are not right"),
    423: N_("In use at the moment"),
    429: N_("Too many requests"),
    460: N_("Other bytes than announced"),
    500: N_("A fault of the portal"),
    503: N_("Not available now"),
}


class PreconditionError(ConflictError):
    """The If-Match header named a revision that is no longer the current one."""

    code: ClassVar[str] = "precondition-failed"
    status: ClassVar[int] = 412
    template: ClassVar[str] = N_(
        "This is revision %(current)s now, not the one in If-Match. Load it again, then save."
    )


class BadJsonError(PortalError):
    code: ClassVar[str] = "bad-json"
    status: ClassVar[int] = 400
    template: ClassVar[str] = N_("The body is not valid JSON (line %(line)s, column %(column)s).")


class BadJsonTextError(BadJsonError):
    template: ClassVar[str] = N_("The JSON body is nested too deeply or holds characters that are no text.")


class UnreadableQueryError(PortalError):
    code: ClassVar[str] = "unreadable-query"
    status: ClassVar[int] = 400
    template: ClassVar[str] = N_("The part of this address after “?” is not text in UTF-8.")


class NotAnObjectError(PortalError):
    code: ClassVar[str] = "not-an-object"
    status: ClassVar[int] = 422
    template: ClassVar[str] = N_("The JSON body must be an object: {…}.")


class NotJsonError(PortalError):
    code: ClassVar[str] = "not-json"
    status: ClassVar[int] = 415
    template: ClassVar[str] = N_("Send the body as JSON, with the header Content-Type: application/json.")


class BodyTooLargeError(PortalError):
    code: ClassVar[str] = "body-too-large"
    status: ClassVar[int] = 413
    template: ClassVar[str] = N_("The JSON body is larger than %(limit)s.")


def problem_response(error: PortalError) -> Response:
    """The answer to a refusal, ready to send."""
    translate = speak().gettext
    errors = error.errors if isinstance(error, InvalidInputError) else ()
    listed = [{"field": wrong.field, "message": wrong.message(translate)} for wrong in errors]
    body = _body(error.status, error.code, error.message(translate))
    response = _answer(error.status, body | ({"errors": listed} if listed else {}))
    response.headers.update(getattr(error, "headers", {}))
    return response


def http_problem_response(error: HTTPException) -> Response:
    """The answer to what Werkzeug or Flask refused by themselves."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    code = HTTPStatus(status).phrase.lower().replace(" ", "-") if status in TITLES else PortalError.code
    response = _answer(status, _body(status, code, PortalError().message(speak().gettext)))
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after", "content-range", "www-authenticate"}:
            response.headers[name] = value
    return response


def known_problems(kind: type[PortalError] = PortalError) -> Iterator[type[PortalError]]:
    """Every refusal the API can answer with, each code once."""
    seen: dict[str, type[PortalError]] = {}
    waiting = [kind]
    while waiting:
        current = waiting.pop()
        seen.setdefault(current.code, current)
        waiting.extend(current.__subclasses__())
    yield from (seen[code] for code in sorted(seen))


def _body(status: int, code: str, detail: str) -> dict[str, Any]:
    title = TITLES.get(status) or TITLES[400 if status < HTTPStatus.INTERNAL_SERVER_ERROR else 500]
    return {
        "type": f"{services().settings.base_url}{DOCUMENTATION}#problem-{code}",
        "title": speak().gettext(title),
        "status": status,
        "detail": detail,
        "code": code,
    }


def _answer(status: int, body: Mapping[str, Any]) -> Response:
    response = Response(json.dumps(body, ensure_ascii=False), status=status, content_type=PROBLEM_TYPE)
    response.headers["Content-Language"] = language()
    response.headers["Cache-Control"] = "no-store"
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="opendata"'
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "5"
    return response
