"""How a file is read, what a person decides about it, and what changed in it, in the API."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields, validate

from opendata.api.schemas.parameters import (
    LARGEST_VERSION,
    OUT_OF_RANGE,
    TableParameterSchema,
    VersionParameterSchema,
)
from opendata.api.schemas.texts import InputSchema
from opendata.kernel.errors import N_
from opendata.resources.formats.corrections import ENCODINGS, FIELD_TYPES
from opendata.resources.ingest.result import FaultyRows
from opendata.resources.service import Decision

_COLUMNS: Final = {
    "type": ["object", "null"],
    "additionalProperties": {
        "type": "object",
        "properties": {
            "type": {"type": "string", "enum": list(FIELD_TYPES)},
            "format": {"type": "string"},
            "decimalChar": {"type": "string"},
            "groupChar": {"type": "string"},
            "bareNumber": {"type": "boolean"},
        },
        "additionalProperties": False,
    },
}
_ROWS: Final = {"type": ["array", "null"], "items": {"type": "integer", "minimum": 1}}
_ROW: Final = {"type": ["integer", "null"], "minimum": 1}
_OF_TABLE: Final = {"header_rows": _ROWS, "last_row": _ROW, "columns": _COLUMNS}
CORRECTIONS: Final = {
    "type": "object",
    "properties": {
        "encoding": {"type": ["string", "null"], "enum": [*ENCODINGS, None]},
        "delimiter": {"type": ["string", "null"]},
        **_OF_TABLE,
        "tables": {
            "type": ["object", "null"],
            "additionalProperties": {
                "type": "object",
                "properties": _OF_TABLE,
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}


class CorrectionsSchema(Schema):
    """What the publisher said about how the file is to be read."""

    corrections = fields.Raw(
        required=True,
        allow_none=True,
        metadata={**CORRECTIONS, "description": N_("null while everything is found out by itself")},
    )


class ReadingSchema(InputSchema):
    """Another way to read the newest upload."""

    corrections = fields.Raw(
        metadata={
            **CORRECTIONS,
            "description": N_(
                "Kept with the file for its later versions; {} forgets them, without the field they stay"
            ),
        },
    )
    faulty_rows = fields.String(
        load_default=FaultyRows.REFUSE,
        metadata={
            "enum": list(FaultyRows),
            "description": N_("What is done with rows that break the schema, in this version alone"),
        },
        validate=validate.OneOf(list(FaultyRows), error=N_("Give refuse, set-aside or as-text.")),
    )


class DecisionSchema(InputSchema):
    """What a person decides about a version that is held for its personal data."""

    version = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, LARGEST_VERSION, error=OUT_OF_RANGE),
        metadata={"description": N_("Number of the version that is held")},
    )
    decision = fields.String(
        required=True,
        metadata={"enum": list(Decision)},
        validate=validate.OneOf(list(Decision), error=N_("Give release or turn-down.")),
    )


class TableOfVersionSchema(TableParameterSchema, VersionParameterSchema):
    """A table, also of an older version."""


class RetypedSchema(Schema):
    before = fields.String(required=True)
    after = fields.String(required=True)


class DifferencesSchema(Schema):
    """What changed in a table since the version that was public before."""

    key = fields.List(
        fields.String(),
        required=True,
        metadata={"description": N_("Columns that tell rows apart; empty where whole rows were compared")},
    )
    rows_before = fields.Integer(required=True)
    rows_after = fields.Integer(required=True)
    added = fields.Integer(required=True, metadata={"description": N_("Rows")})
    removed = fields.Integer(required=True, metadata={"description": N_("Rows")})
    changed = fields.Integer(required=True, metadata={"description": N_("Rows; 0 without a key")})
    changed_columns = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": N_("In how many of the changed rows each column differs")},
    )
    columns_added = fields.List(fields.String(), required=True)
    columns_removed = fields.List(fields.String(), required=True)
    retyped = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(RetypedSchema),
        required=True,
        metadata={"description": N_("Columns whose stored type changed")},
    )


class ChangesSchema(Schema):
    table = fields.String(required=True)
    version = fields.Integer(required=True)
    differences = fields.Nested(
        DifferencesSchema,
        required=True,
        allow_none=True,
        metadata={"description": N_("null for the first version, and for a table that is new in this one")},
    )
    rows_url = fields.Url(
        required=True,
        allow_none=True,
        metadata={"description": N_("The rows concerned as CSV; null where none is")},
    )
