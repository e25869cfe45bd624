"""Files of datasets, their versions, tables and processing, in the API."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields

from opendata.api.schemas.problems import FileProblemSchema
from opendata.api.schemas.tables import meaning_field
from opendata.api.schemas.texts import InputSchema, text, text_input
from opendata.kernel.errors import N_
from opendata.resources.models import VersionState

STATES: Final = [str(state) for state in VersionState]
STAGES: Final = ["", "identify", "validate", "convert", "profile", "publish"]


class VersionSchema(Schema):
    """One upload of a file."""

    number = fields.Integer(required=True)
    state = fields.String(required=True, metadata={"enum": STATES})
    filename = fields.String(required=True)
    format = fields.String(
        required=True, metadata={"description": N_("What the file turned out to be; empty until then")}
    )
    media_type = fields.String(required=True)
    size = fields.Integer(required=True, metadata={"description": N_("Bytes")})
    sha256 = fields.String(required=True)
    created_at = fields.DateTime(required=True)
    finished_at = fields.DateTime(required=True, allow_none=True)
    file_url = fields.Url(required=True)
    no_table = fields.Nested(
        FileProblemSchema,
        required=True,
        allow_none=True,
        metadata={"description": N_("Why there is no table")},
    )


class VersionListSchema(Schema):
    total = fields.Integer(required=True)
    items = fields.List(fields.Nested(VersionSchema), required=True)


class ColumnSchema(Schema):
    name = fields.String(required=True)
    type = fields.String(required=True, metadata={"description": N_("A type of Table Schema")})
    format = fields.String(required=True)
    title = fields.String(required=True, allow_none=True)
    description = fields.String(required=True, allow_none=True)
    meaning = meaning_field()
    notes = fields.List(
        fields.Nested(FileProblemSchema), required=True, metadata={"description": N_("Why it stayed text")}
    )


class TableSchema(Schema):
    name = fields.String(required=True, metadata={"description": N_("What `table=` takes")})
    title = fields.String(required=True)
    rows = fields.Integer(required=True)
    columns = fields.List(fields.Nested(ColumnSchema), required=True)


class FormatSchema(Schema):
    """A form in which the current version can be downloaded."""

    format = fields.String(required=True)
    media_type = fields.String(required=True)
    table = fields.String(
        required=True, allow_none=True, metadata={"description": N_("null for the original file")}
    )
    size = fields.Integer(
        required=True, allow_none=True, metadata={"description": N_("Bytes, where known beforehand")}
    )
    url = fields.Url(required=True)


class ResourceSchema(Schema):
    """A file of a dataset."""

    id = fields.String(required=True)
    dataset_id = fields.String(required=True)
    dataset_slug = fields.String(required=True)
    title = text(N_("Its title"))
    description = text(N_("What is in it"))
    created_at = fields.DateTime(required=True)
    version = fields.Nested(
        VersionSchema,
        required=True,
        allow_none=True,
        metadata={"description": N_("The version readers get; null until the first one is ready")},
    )
    tables = fields.List(fields.Nested(TableSchema), required=True)
    formats = fields.List(fields.Nested(FormatSchema), required=True)
    links = fields.Dict(
        keys=fields.String(),
        values=fields.Url(),
        required=True,
        metadata={"description": N_("Addresses of everything else about this file")},
    )


class ResourceChangesSchema(InputSchema):
    """Fields to change; fields not sent stay."""

    title = text_input(N_("Its title"))
    description = text_input(N_("What is in it; an empty text empties it"))


class ReceivedSchema(Schema):
    """The answer to an upload: the bytes are stored, the rest follows in the background."""

    resource_id = fields.String(required=True)
    dataset_id = fields.String(required=True)
    dataset_slug = fields.String(required=True)
    version = fields.Integer(required=True)
    sha256 = fields.String(required=True, metadata={"description": N_("Of the bytes that arrived")})
    size = fields.Integer(required=True, metadata={"description": N_("Bytes that arrived")})
    status_url = fields.Url(required=True, metadata={"description": N_("Ask here how far it is")})
    resource_url = fields.Url(required=True)


class ProgressSchema(Schema):
    done = fields.Integer(required=True)
    total = fields.Integer(required=True, metadata={"description": N_("0 while it is not known")})
    unit = fields.String(required=True, metadata={"enum": ["bytes", "rows"]})


class StatusSchema(Schema):
    """How far the newest upload is."""

    version = fields.Integer(required=True)
    state = fields.String(
        required=True,
        metadata={"enum": STATES, "description": N_("It rests at “published”, “failed” or “held”")},
    )
    stage = fields.String(required=True, metadata={"enum": STAGES})
    progress = fields.Nested(ProgressSchema, required=True)
    problems = fields.List(fields.Nested(FileProblemSchema), required=True)
    findings = fields.List(
        fields.Raw(metadata={"type": "object"}),
        required=True,
        metadata={"description": N_("Personal data found, masked; only for those who may decide about it")},
    )
