"""Refusals of the API (RFC 9457) and problems of uploaded files."""

from __future__ import annotations

from marshmallow import Schema, fields

from opendata.kernel.errors import N_


class FieldProblemSchema(Schema):
    field = fields.String(
        required=True, metadata={"description": N_("Name of the field in the body or form")}
    )
    message = fields.String(required=True, metadata={"description": N_("What is wrong with it")})


class ProblemSchema(Schema):
    """application/problem+json (RFC 9457)."""

    type = fields.Url(required=True, metadata={"description": N_("Where this code is explained")})
    title = fields.String(required=True, metadata={"description": N_("A few words, by status")})
    status = fields.Integer(required=True, metadata={"description": N_("The HTTP status")})
    detail = fields.String(required=True, metadata={"description": N_("What is wrong and what to do")})
    code = fields.String(required=True, metadata={"description": N_("Stable name; compare this in programs")})
    errors = fields.List(
        fields.Nested(FieldProblemSchema),
        metadata={"description": N_("Each wrong field, where fields are wrong")},
    )


class FileProblemSchema(Schema):
    """Something the portal has to say about an uploaded file."""

    code = fields.String(required=True, metadata={"description": N_("Stable name of this kind of problem")})
    severity = fields.String(
        required=True,
        metadata={
            "enum": ["error", "warning", "info"],
            "description": N_("An error stops the file; the others do not"),
        },
    )
    title = fields.String(required=True, metadata={"description": N_("A few words, by code")})
    message = fields.String(required=True, metadata={"description": N_("What was found, and where")})
    advice = fields.String(required=True, metadata={"description": N_("What to do; may be empty")})
    table = fields.String(required=True, allow_none=True, metadata={"description": N_("Name of the table")})
    row = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": N_("Row as a spreadsheet program numbers it, from 1")},
    )
    column = fields.String(required=True, allow_none=True, metadata={"description": N_("Name of the column")})
    params = fields.Raw(
        required=True, metadata={"type": "object", "description": N_("The values in the message")}
    )
