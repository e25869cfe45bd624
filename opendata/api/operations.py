"""One decorator makes an operation: its route, what it takes, what it answers, and its documentation.

`@operation` joins flask-smorest's pieces so that the same schemas check the request, write the answer and
fill the OpenAPI document. A view returns plain data (or an `Answer` with headers, or a finished Response).
Nothing is read of a body before its sender may send it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from flask import Response, request
from flask_smorest import Blueprint

from opendata.api import access
from opendata.api.reading import PortalParser
from opendata.http import caching
from opendata.kernel.errors import N_
from opendata.tabular.export import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from marshmallow import Schema

    View = Callable[..., Any]

JSON: Final = "application/json"
_TEXT: Final = {"type": "string"}
PATH_PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "key": {"description": N_("Id or slug of a dataset"), "schema": _TEXT},
    "resource_id": {"description": N_("Id of a file"), "schema": _TEXT},
    "upload_id": {"description": N_("Id of an upload that is under way"), "schema": _TEXT},
    "format_name": {"description": N_("The format wanted"), "schema": _TEXT | {"enum": list(FORMATS)}},
}
_READ_HEADERS: Final = {
    "ETag": {"description": N_("Send it as If-None-Match to ask whether this changed"), "schema": _TEXT}
}
_MADE_HEADERS: Final = {"Location": {"description": N_("Where the new thing is"), "schema": _TEXT}}


class ApiBlueprint(Blueprint):  # type: ignore[misc]  # flask-smorest ships no types
    ARGUMENTS_PARSER = PortalParser()
    takes_cookies = False  # see `access.COOKIES`


# How every answer is written.
as_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` for the operation's schema. `revision` goes into the ETag, `pinned` says it never changes.

    `is_written`: the body is the JSON text, in UTF-8, that the schema would come to; tests hold the two equal. A page of hits
    is thousands of values, and taking each through its field was most of what the answer cost.
    """

    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    revision: int | None = None
    pinned: bool = False
    is_written: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`answer` is a schema, or JSON Schema for bodies passed through; None for 204 and where the view makes
    a Response itself, which `contents` then describes by media type.

    `query` and `body` are given to the view as its first arguments, in this order; `described_query` is
    only documented, where a grammar of its own reads the parameters. `curl` may hold names in braces that
    the documentation fills with what is really published.
    """

    blueprint: ApiBlueprint
    method: str
    rule: str
    who: access.Who
    summary: str
    description: str = ""
    answer: type[Schema] | Mapping[str, Any] | None = None
    status: int = 200
    contents: Mapping[str, Mapping[str, Any]] | None = None
    query: type[Schema] | None = None
    described_query: type[Schema] | None = None
    body: type[Schema] | None = None
    form: Mapping[str, Any] | None = None
    errors: tuple[int, ...] = ()
    curl: str = ""

    def __call__(self, view: View) -> View:
        made = access.guarded(self._takes(self._answers(view)), self.who)
        made = self.blueprint.doc(**self._documentation(view.__name__))(made)
        parameters = [
            {"in": "path", "name": name, **described}
            for name, described in PATH_PARAMETERS.items()
            if f"<{name}>" in self.rule
        ]
        self.blueprint.route(self.rule, methods=[self.method], parameters=parameters)(made)
        return view

    def _answers(self, view: View) -> View:
        schema = self.answer() if isinstance(self.answer, type) else None

        @wraps(view)
        def answering(*args: Any, **kwargs: Any) -> Response:
            result = view(*args, **kwargs)
            if isinstance(result, Response):
                return result
            answer = result if isinstance(result, Answer) else Answer(result)
            if answer.is_written:
                return write(answer, answer.body, self.status)
            text = as_json(schema.dump(answer.body) if schema else answer.body)
            return write(answer, text.encode(), self.status)

        made = answering
        shapes: Mapping[str, Any] = self.contents if self.contents is not None else {JSON: self.answer}
        for media_type, shape in shapes.items():
            made = self.blueprint.response(
                self.status, shape, content_type=media_type, headers=self._headers()
            )(made)
        for status in self.errors:
            made = self.blueprint.alt_response(status, response=HTTPStatus(status).name)(made)
        return made

    def _headers(self) -> Mapping[str, Any]:
        if self.method == "GET":
            return _READ_HEADERS
        return _MADE_HEADERS if self.status in {HTTPStatus.CREATED, HTTPStatus.ACCEPTED} else {}

    def _takes(self, made: View) -> View:
        if self.body is not None:
            made = self.blueprint.arguments(self.body, location="json")(made)
        if self.query is not None:
            made = self.blueprint.arguments(self.query, location="query", error_status_code=400)(made)
        if self.described_query is not None:
            described = {"in": "query", "required": False, "schema": self.described_query}
            vars(made).setdefault("_apidoc", {}).setdefault("arguments", {"parameters": []})
            vars(made)["_apidoc"]["arguments"]["parameters"].append(described)
        return made

    def _documentation(self, name: str) -> dict[str, Any]:
        document: dict[str, Any] = {
            "operationId": name,
            "summary": self.summary,
            "description": self.description,
            "x-who-may": str(self.who),
        }
        if self.who != access.EVERYONE:
            document["security"] = [{"token": []}]
        if self.form is not None:
            document["requestBody"] = self.form
        if self.curl:
            document["x-codeSamples"] = [{"lang": "curl", "source": self.curl}]
        return document


def write(answer: Answer, data: bytes, status: int) -> Response:
    """The JSON answer with its validator; a 304 where the client has it already."""
    if status == HTTPStatus.NO_CONTENT:
        return Response(status=status)
    response = Response(data, status=status, content_type=JSON)
    response.headers.update(answer.headers)
    response.headers["Vary"] = "Accept-Language, Authorization"
    revision = answer.revision
    tag = caching.digest_tag(data) if revision is None else caching.revision_tag(revision, data)
    if request.method in {"GET", "HEAD"}:
        caching.label(response, tag=tag, private=access.actor().is_known, pinned=answer.pinned)
        return response
    response.headers["Cache-Control"] = "no-store"
    if revision is not None:
        response.set_etag(tag)
    return response
