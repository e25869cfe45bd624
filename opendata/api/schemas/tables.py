"""Rows of tables in the API, and the documents about tables that are answered as they are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from marshmallow import Schema, fields

from opendata.kernel.errors import N_
from opendata.resources.meanings.registry import MEANINGS

if TYPE_CHECKING:
    from opendata.resources.queries import TableView


# Not `rdfType`: the specification wants the address of an RDF class there, and none exists for most of these.
MEANING_PROPERTY: Final = "opendata:meaning"
_MEANING: Final = N_(
    "What the values mean, found by the column's name and all of its values; null where nothing is certain enough"
)


def meaning_field() -> fields.String:
    """The semantic type of a column."""
    return fields.String(
        required=True, allow_none=True, metadata={"description": _MEANING, "enum": [*MEANINGS, None]}
    )


class RowColumnSchema(Schema):
    name = fields.String(required=True)
    type = fields.String(required=True, metadata={"description": N_("A type of Table Schema")})
    meaning = meaning_field()


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
                "properties": {
                    "name": {"type": "string"},
                    "type": {"type": "string"},
                    MEANING_PROPERTY: {"type": "string", "enum": [*MEANINGS], "description": _MEANING},
                },
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


def schema_with_meanings(table: TableView) -> dict[str, Any]:
    """The stored Table Schema; what is known of a column's meaning stands in a property of our own."""
    known = {column["name"]: column["meaning"] for column in table.columns if column.get("meaning")}
    described = [
        {**field, MEANING_PROPERTY: known[field["name"]]} if field.get("name") in known else field
        for field in table.table_schema.get("fields", ())
    ]
    return {**table.table_schema, "fields": described}


def rows_as(format_name: str) -> dict[str, Any]:
    """What an export in this format is, as JSON Schema."""
    if format_name == "json":
        return {"type": "array", "items": {"type": "object"}, "description": N_("An object a row")}
    return {"type": "string", "format": "binary", "description": N_("The rows in this format")}
