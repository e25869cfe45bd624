"""Uploads under way, in the API."""

from __future__ import annotations

from marshmallow import Schema, fields

from opendata.kernel.errors import N_


class UploadSchema(Schema):
    """A file that arrives in several requests."""

    length = fields.Integer(required=True, metadata={"description": N_("Bytes of the whole file")})
    offset = fields.Integer(required=True, metadata={"description": N_("Bytes that have arrived")})
    expires_at = fields.DateTime(
        required=True, metadata={"description": N_("When it is dropped if nothing more comes")}
    )
    resource_id = fields.String(
        required=True, allow_none=True, metadata={"description": N_("The file it became, once it is whole")}
    )
    dataset_slug = fields.String(required=True, allow_none=True)
    status_url = fields.Url(required=True, allow_none=True)
