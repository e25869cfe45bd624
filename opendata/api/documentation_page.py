"""The OpenAPI document as plain values for a page: sections, operations, parameters, fields, shapes.

Pure: a localized document and its language in, frozen values out. Types are written the way people read
them ("list of Version or null"), with the name of the shape a link can lead to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from opendata.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_REFERENCE: Final = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Type:
    """`words` before and after the linked shape; `shape` is empty for plain types."""

    words: str
    shape: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    type: Type
    description: str
    required: bool
    choices: tuple[str, ...] = ()
    place: str = ""


@dataclass(frozen=True, slots=True)
class OperationText:
    id: str
    method: str
    path: str
    summary: str
    description: str
    who: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    body_type: str
    answer: Type | None
    status: str
    refusals: tuple[str, ...]
    curl: str


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    description: str
    operations: tuple[OperationText, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    name: str
    description: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class ApiText:
    title: str
    version: str
    description: str
    sections: tuple[Section, ...]
    shapes: tuple[Shape, ...]


def describe(document: Mapping[str, Any], translate: Callable[[str], str] = str) -> ApiText:
    """Everything the documentation page shows of a document."""
    types = TypeWords(translate)
    operations = list(_operations(document, types))
    sections = tuple(
        Section(tag["name"], tag.get("description", ""), tuple(o for t, o in operations if t == tag["name"]))
        for tag in document["tags"]
    )
    shapes = tuple(
        Shape(name, schema.get("description", ""), _fields(schema, types))
        for name, schema in sorted(document["components"]["schemas"].items())
        if schema.get("properties")
    )
    info = document["info"]
    return ApiText(info["title"], info["version"], info["description"], sections, shapes)


def _operations(document: Mapping[str, Any], types: TypeWords) -> Iterator[tuple[str, OperationText]]:
    for path, item in document["paths"].items():
        shared = item.get("parameters", [])
        for method, operation in item.items():
            if method != "parameters":
                place = (path, method)
                yield operation["tags"][0], _operation(document, place, operation, shared, types)


def _operation(
    document: Mapping[str, Any],
    place: tuple[str, str],
    operation: Mapping[str, Any],
    shared: list[Any],
    types: TypeWords,
) -> OperationText:
    path, method = place
    body_type, body = _body(document, operation, types)
    status, answer = _answer(operation, types)
    refusals = sorted(code for code in operation["responses"] if code.isdigit() and code >= "400")
    samples = operation.get("x-codeSamples", [])
    return OperationText(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation.get("description", ""),
        who=operation["x-who-may"],
        parameters=tuple(_parameter(p, types) for p in [*shared, *operation.get("parameters", [])]),
        body=body,
        body_type=body_type,
        answer=answer,
        status=status,
        refusals=tuple(refusals),
        curl=samples[0]["source"] if samples else "",
    )


def _parameter(parameter: Mapping[str, Any], types: TypeWords) -> Field:
    schema = parameter["schema"]
    described = parameter.get("description") or schema.get("description", "")
    return Field(
        parameter["name"],
        types.of(schema),
        described,
        parameter.get("required", False),
        tuple(str(choice) for choice in schema.get("enum", ())),
        parameter["in"],
    )


def _body(
    document: Mapping[str, Any], operation: Mapping[str, Any], types: TypeWords
) -> tuple[str, tuple[Field, ...]]:
    """The kinds of content, and the fields of the first one that has any."""
    content = operation.get("requestBody", {}).get("content", {})
    for media in content.values():
        fields = _fields(_resolved(document, media["schema"]), types)
        if fields:
            return ", ".join(content), fields
    return ", ".join(content), ()


def _answer(operation: Mapping[str, Any], types: TypeWords) -> tuple[str, Type | None]:
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            for media_type, media in response.get("content", {}).items():
                is_json = media_type == "application/json"
                words = types.of(media["schema"]) if is_json else Type(media_type)
                return status, words
            return status, None
    return "", None


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").removeprefix(_REFERENCE)
    return document["components"]["schemas"][name] if name else schema


def _fields(schema: Mapping[str, Any], types: TypeWords) -> tuple[Field, ...]:
    required = schema.get("required", ())
    return tuple(
        Field(
            name,
            types.of(part),
            part.get("description", ""),
            name in required,
            tuple(str(choice) for choice in part.get("enum", ()) if choice != ""),
        )
        for name, part in schema.get("properties", {}).items()
    )


class TypeWords:
    """JSON Schema as words: `string`, `list of Version`, `Version or null`; JSON's own names stay as they are."""

    def __init__(self, translate: Callable[[str], str]) -> None:
        self._list = translate(N_("list of"))
        self._object = translate(N_("object of"))
        self._or = f" {translate(N_('or'))} "

    def of(self, schema: Mapping[str, Any]) -> Type:
        if "$ref" in schema:
            return Type("", schema["$ref"].removeprefix(_REFERENCE))
        for several in ("anyOf", "oneOf"):
            if several in schema:
                return self._either([self.of(part) for part in schema[several]])
        kind = schema.get("type", "value")
        if isinstance(kind, list):
            return Type(self._or.join(kind))
        if kind == "array":
            return _inside(self._list, self.of(schema.get("items", {})))
        if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
            return _inside(self._object, self.of(schema["additionalProperties"]))
        return Type(schema.get("format") or kind)

    def _either(self, types: list[Type]) -> Type:
        """One linked shape at most; the others as words behind it."""
        shape = next((found for found in types if found.shape), None)
        if shape is None:
            return Type(self._or.join(dict.fromkeys(found.words for found in types)))
        others = [found.words for found in types if found is not shape]
        return Type(shape.words, shape.shape, shape.after + "".join(self._or + words for words in others))


def _inside(outer: str, inner: Type) -> Type:
    return Type(f"{outer} {inner.words}", inner.shape, inner.after)
