"""Reads what a request says: JSON bodies of bounded size and depth, and query parameters, all of them known.

Used by `operations` through webargs. Raises PortalErrors only, so that every refusal is a problem in the
reader's language; webargs would silently drop query parameters that no schema knows.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

import marshmallow as ma
from flask import request
from webargs.core import is_json
from webargs.flaskparser import FlaskParser

from opendata.api.problems import (
    BadJsonError,
    BadJsonTextError,
    BodyTooLargeError,
    NotAnObjectError,
    NotJsonError,
    UnreadableQueryError,
)
from opendata.http.context import speak
from opendata.kernel.errors import (
    BadParameterError,
    FieldError,
    InvalidInputError,
    NotFoundError,
    UnknownParameterError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flask import Request

MOST_JSON_BYTES: Final = 1 << 20
DEEPEST_JSON: Final = 32
_SHOWN: Final = 80
# NUL cannot be stored by PostgreSQL, half of a UTF-16 pair by nothing.
_NUL: Final = "\x00"
# What people type may hold anything: it is cleaned where it is read.
_TYPED: Final = "q"
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")


class PortalParser(FlaskParser):
    """webargs with our limits, our errors, and unknown query parameters refused."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {  # noqa: RUF012 - webargs declares it so
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": ma.RAISE,
    }

    def load_json(self, req: Request, schema: ma.Schema) -> dict[str, Any]:
        del schema
        return read_json_object(req)

    def handle_error(
        self,
        error: ma.ValidationError,
        req: Request,
        schema: ma.Schema,
        *,
        error_status_code: int | None,
        error_headers: Mapping[str, str] | None,
    ) -> NoReturn:
        del error_status_code, error_headers
        ((location, messages),) = error.normalized_messages().items()  # type: ignore[no-untyped-call]  # marshmallow's own
        if location == "query":
            refuse_parameter(messages, req, schema)
        raise InvalidInputError(*_field_errors(messages))


def read_json_object(req: Request) -> dict[str, Any]:
    """The JSON object of the body. Raises what is wrong with it; reads at most MOST_JSON_BYTES."""
    if not is_json(req.mimetype):
        raise NotJsonError
    too_large = BodyTooLargeError(limit=speak().size(MOST_JSON_BYTES))
    if (req.content_length or 0) > MOST_JSON_BYTES:
        raise too_large
    body = _read_bounded(req)
    if len(body) > MOST_JSON_BYTES:
        raise too_large
    return parse_json_object(body)


def parse_json_object(body: bytes | str) -> dict[str, Any]:
    """Raises BadJsonError, BadJsonTextError, NotAnObjectError."""
    try:
        text = body.decode("utf-8-sig") if isinstance(body, bytes) else body
        data = json.loads(text, parse_constant=_no_such_number)
    except json.JSONDecodeError as error:
        raise BadJsonError(line=error.lineno, column=error.colno) from error
    except (ValueError, RecursionError) as error:
        raise BadJsonTextError from error
    if not isinstance(data, dict):
        raise NotAnObjectError
    if not is_storable(data):
        raise BadJsonTextError
    return data


def refuse_parameter(messages: Any, req: Request, schema: ma.Schema) -> NoReturn:
    """Name the first wrong query parameter, unknown ones before others."""
    unknown = [name for name in messages if name not in schema.fields]
    if unknown:
        raise UnknownParameterError(name=unknown[0][:_SHOWN], known=", ".join(schema.fields))
    name = next(iter(messages))
    reason = next(iter(_field_errors(messages))).message(speak().gettext)
    raise BadParameterError(name=name, value=req.args.get(name, "")[:_SHOWN], reason=reason)


def refuse_unreadable() -> None:
    """Runs before every view: no address and no parameter of ours but what people type holds a NUL, none bytes that are no text.

    Werkzeug raises on the bytes, some databases on the NUL.
    """
    if any(_NUL in str(value) for value in (request.view_args or {}).values()):
        raise NotFoundError
    try:
        sent = list(request.args.items(multi=True))
    except UnicodeDecodeError as error:
        raise UnreadableQueryError from error
    for name, value in sent:
        if _NUL in name or (_NUL in value and name != _TYPED):
            raise UnreadableQueryError


def _read_bounded(req: Request) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while size <= MOST_JSON_BYTES and (piece := req.stream.read(MOST_JSON_BYTES + 1 - size)):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _no_such_number(name: str) -> NoReturn:
    raise ValueError(name)


def is_storable(value: Any, levels: int = DEEPEST_JSON) -> bool:
    """Whether every text in it can be kept by any database, and it is not nested deeper than `levels`."""
    if isinstance(value, str):
        return _NUL not in value and not _SURROGATE.search(value)
    if isinstance(value, dict):
        parts = [*value.keys(), *value.values()]
    elif isinstance(value, list):
        parts = value
    else:
        return True
    return levels > 0 and all(is_storable(part, levels - 1) for part in parts)


def _field_errors(messages: Any, path: str = "") -> Iterator[FieldError]:
    """The messages of marshmallow as flat field errors, `title.vi` for what is inside `title`."""
    if isinstance(messages, dict):
        for name, inner in messages.items():
            yield from _field_errors(inner, f"{path}.{name}" if path else str(name))
    else:
        for message in messages:
            yield FieldError("" if path == "_schema" else path, str(message))
