"""Fields that several schemas share: texts in two languages, and free JSON with a documented shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import Schema, ValidationError, fields

from opendata.kernel.errors import N_
from opendata.kernel.i18n import DEFAULT_LANGUAGE, LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_A_TEXT = N_("Give a text, or an object with a text for “vi” and for “en”.")


class BilingualTextSchema(Schema):
    """A text in Vietnamese, in English or in both."""

    vi = fields.String(metadata={"description": N_("Vietnamese")})
    en = fields.String(metadata={"description": N_("English")})


class InputSchema(Schema):
    """A body; what is wrong with it is said in sentences of ours."""

    error_messages: dict[str, str] = {  # noqa: RUF012 - marshmallow declares it so
        "unknown": N_("There is no such field.")
    }


class TextInput(fields.Field[dict[str, str]]):
    """Takes a plain text, which is Vietnamese, or `{"vi": …, "en": …}`; gives the latter."""

    default_error_messages: dict[str, Any] = {"null": NOT_A_TEXT}  # noqa: RUF012 - marshmallow declares it so

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> dict[str, str]:
        del attr, data, kwargs
        given = {DEFAULT_LANGUAGE: value} if isinstance(value, str) else value
        if not isinstance(given, dict) or not set(given) <= set(LANGUAGES):
            raise ValidationError(NOT_A_TEXT)
        if not all(isinstance(text, str) for text in given.values()):
            raise ValidationError(NOT_A_TEXT)
        return given


TEXT_INPUT_SCHEMA: dict[str, Any] = {
    "oneOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {language: {"type": "string"} for language in LANGUAGES},
            "additionalProperties": False,
        },
    ]
}


def text_input(description: str) -> TextInput:
    return TextInput(metadata={"description": description, **TEXT_INPUT_SCHEMA})


def free_object(description: str, **shape: Any) -> fields.Raw:
    """A JSON object that is passed through; `shape` adds JSON Schema keywords to the document."""
    return fields.Raw(required=True, metadata={"type": "object", "description": description, **shape})


def text(description: str, **options: Any) -> fields.Nested:
    """A bilingual text in an answer."""
    return fields.Nested(BilingualTextSchema, required=True, metadata={"description": description}, **options)
