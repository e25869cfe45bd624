"""What an upload says beside its bytes: title, description and Table Schema, from fields before or after the file.

The fields that follow the file in a form are known only once the store has read it to the end. `Upload`
therefore gets dictionaries that are filled at that moment, before the store keeps the file: a wrong field
refuses the upload and nothing is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opendata.api.problems import BadJsonError, NotAnObjectError
from opendata.api.reading import is_storable, parse_json_object
from opendata.http.context import services
from opendata.http.uploads import open_upload
from opendata.kernel.errors import N_, FieldError, InvalidInputError
from opendata.resources.service import Upload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Request

MB: Final = 1 << 20

_FIELDS: Final = {
    "title": N_("Title in Vietnamese"),
    "title_en": N_("Title in English"),
    "description": N_("Description in Vietnamese"),
    "description_en": N_("Description in English"),
    "schema": N_(
        "A Table Schema as JSON; this file and its later versions are checked against it. A new version without one keeps it; one without fields drops it"
    ),
}
_FORM: Final = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "format": "binary", "description": N_("The file")},
        **{name: {"type": "string", "description": text} for name, text in _FIELDS.items()},
    },
    "required": ["file"],
    "additionalProperties": False,
}
UPLOAD_FORM: Final[Mapping[str, Any]] = {
    "required": True,
    "content": {"multipart/form-data": {"schema": _FORM}},
}
RAW_FORM: Final[Mapping[str, Any]] = {
    "required": True,
    "content": {
        "multipart/form-data": {"schema": _FORM},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    },
}


def incoming_upload(request: Request, fallback_name: str | None = None) -> Upload:
    """The upload of this request, its bytes not read yet. Raises what `open_upload` raises."""
    limit = services().settings.upload_limit_mb * MB
    incoming = open_upload(request, limit=limit, fallback_name=fallback_name)
    title: dict[str, str] = {}
    description: dict[str, str] = {}
    table_schema: dict[str, Any] = {}

    def fill(fields: Mapping[str, str]) -> None:
        read = read_fields(fields)
        title.update(read[0])
        description.update(read[1])
        table_schema.update(read[2])

    incoming.finish = fill
    return Upload(incoming, incoming.filename, title, description, table_schema)


def read_fields(fields: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str], dict[str, Any]]:
    """Title, description and Table Schema of an upload. Raises InvalidInputError."""
    _refuse_wrong_fields(fields)
    schema = _read_schema(fields.get("schema", ""))
    return _in_languages(fields, "title"), _in_languages(fields, "description"), schema


def _refuse_wrong_fields(fields: Mapping[str, str]) -> None:
    unknown = [name for name in fields if name not in _FIELDS]
    if unknown:
        known = ", ".join(("file", *_FIELDS))
        message = N_("This form has no such field. It has: %(known)s.")
        raise InvalidInputError(*(FieldError(name[:80], message, {"known": known}) for name in unknown))
    unstorable = [name for name, text in fields.items() if not is_storable(text)]
    if unstorable:
        message = N_("This holds characters that are no text.")
        raise InvalidInputError(*(FieldError(name, message) for name in unstorable))


def _in_languages(fields: Mapping[str, str], name: str) -> dict[str, str]:
    pairs = {"vi": fields.get(name, ""), "en": fields.get(f"{name}_en", "")}
    return {language: text for language, text in pairs.items() if text}


def _read_schema(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        schema = parse_json_object(text)
    except (BadJsonError, NotAnObjectError) as error:
        raise InvalidInputError(FieldError("schema", error.template, error.params)) from error
    fields = schema.get("fields")
    good = isinstance(fields, list) and all(_is_field(field) for field in fields)
    if not good:
        message = N_("A Table Schema has a list “fields” of objects, each with a “name”.")
        raise InvalidInputError(FieldError("schema", message))
    return schema


def _is_field(field: Any) -> bool:
    return isinstance(field, dict) and isinstance(field.get("name"), str) and bool(field["name"])
