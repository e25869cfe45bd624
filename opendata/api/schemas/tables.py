"""Rows of tables in the API, and the documents about tables that are answered as they are stored."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields

from opendata.kernel.errors import N_


class RowColumnSchema(Schema):
    name = fields.String(required=True)
    type = fields.String(required=True, metadata={"description": N_("A type of Table Schema")})


class RowPageSchema(Schema):
    """A page of rows."""

    columns = fields.List(fields.Nested(RowColumnSchema), required=True)
    rows = fields.Raw(
        required=True,
        metadata={
            "type": "array",
            "items": {"type": "array", "items": {"type": ["string", "number", "boolean", "null"]}},
            "description": N_("One array a row, in the order of the columns; dates are text"),
        },
    )
    total = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": N_("All rows that match, exactly; null with count=none")},
    )
    next = fields.String(
        required=True, allow_none=True, metadata={"description": N_("Cursor of the next page")}
    )
    next_url = fields.Url(
        required=True, allow_none=True, metadata={"description": N_("Address of the next page")}
    )


TABLE_SCHEMA_DOCUMENT: Final[dict[str, Any]] = {
    "type": "object",
    "description": N_("A Table Schema"),
    "properties": {
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "type": {"type": "string"}},
                "required": ["name", "type"],
            },
        }
    },
    "required": ["fields"],
}
REPORT_DOCUMENT: Final[dict[str, Any]] = {
    "type": "object",
    "description": N_("A frictionless report"),
    "properties": {
        "valid": {"type": "boolean"},
        "stats": {"type": "object"},
        "tasks": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["valid", "stats", "tasks"],
}
PROFILE_DOCUMENT: Final[dict[str, Any]] = {
    "type": "object",
    "description": N_("Statistics of a table"),
}


def rows_as(format_name: str) -> dict[str, Any]:
    """What an export in this format is, as JSON Schema."""
    if format_name == "json":
        return {"type": "array", "items": {"type": "object"}, "description": N_("An object a row")}
    return {"type": "string", "format": "binary", "description": N_("The rows in this format")}
