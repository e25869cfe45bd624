"""Files: send them in, follow them, read what is known about them, download them as they came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Response, request

from opendata.accounts.policy import Permission
from opendata.api import addresses, representations
from opendata.api.access import EVERYONE, actor
from opendata.api.operations import Answer, ApiBlueprint, Operation
from opendata.api.schemas.parameters import NoParametersSchema, VersionParameterSchema
from opendata.api.schemas.resources import (
    ReceivedSchema,
    ResourceChangesSchema,
    ResourceSchema,
    StatusSchema,
    VersionListSchema,
)
from opendata.api.upload_forms import RAW_FORM, UPLOAD_FORM, incoming_upload
from opendata.http.context import services
from opendata.http.files import Download, send_download, starts_download
from opendata.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

blueprint: Final = ApiBlueprint("resources", __name__, description=N_("Files of datasets"))

BINARY: Final = {"type": "string", "format": "binary"}
_BEARER: Final = '-H "Authorization: Bearer $OPENDATA_TOKEN"'


@Operation(
    blueprint=blueprint,
    method="POST",
    rule="/datasets/<key>/resources",
    who=Permission.EDIT_DATASETS,
    summary=N_("Add a file to a dataset"),
    description=N_(
        "The file goes to the store while it arrives. It is identified, checked, converted and published in "
        "the background; status_url says how far it is."
    ),
    form=UPLOAD_FORM,
    answer=ReceivedSchema,
    status=202,
    errors=(400, 401, 403, 404, 411, 413, 415, 422),
    curl=f"curl -X POST '{{base}}/datasets/{{new_slug}}/resources' {_BEARER} -F file=@data.csv -F title='Ví dụ'",
)
def add_resource(key: str) -> Answer:
    received = services().resources.add_resource(actor(), key, incoming_upload(request))
    return _received(received.resource_id)


@Operation(
    blueprint=blueprint,
    method="PUT",
    rule="/resources/<resource_id>/file",
    who=Permission.EDIT_DATASETS,
    summary=N_("Replace a file by a new version"),
    description=N_(
        "As a form, or the bare bytes with their name in Content-Disposition (the name stays without it). "
        "The old version serves readers until the new one is ready."
    ),
    form=RAW_FORM,
    answer=ReceivedSchema,
    status=202,
    errors=(400, 401, 403, 404, 411, 413, 415, 422),
    curl=f'curl -T data.csv "{{base}}/resources/{{new_resource}}/file" {_BEARER}',
)
def replace_file(resource_id: str) -> Answer:
    held = services().resource_queries.resource(actor(), resource_id)
    upload = incoming_upload(request, fallback_name=held.latest.filename)
    services().resources.replace_file(actor(), resource_id, upload)
    return _received(resource_id)


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/resources/<resource_id>",
    who=EVERYONE,
    summary=N_("Read about a file"),
    description=N_("Its current version, its tables with their columns, and every format it can be had in."),
    query=NoParametersSchema,
    answer=ResourceSchema,
    errors=(404,),
    curl="curl '{base}/resources/{resource}'",
)
def read_resource(query: Mapping[str, Any], resource_id: str) -> Answer:
    del query
    return _resource(resource_id)


@Operation(
    blueprint=blueprint,
    method="PATCH",
    rule="/resources/<resource_id>",
    who=Permission.EDIT_DATASETS,
    summary=N_("Change title or description of a file"),
    body=ResourceChangesSchema,
    answer=ResourceSchema,
    errors=(400, 401, 403, 404, 413, 415),
    curl=(
        f'curl -X PATCH "{{base}}/resources/{{new_resource}}" {_BEARER} -H "Content-Type: application/json" \\\n'
        '  -d \'{{"title": {{"vi": "Ví dụ", "en": "Example"}}}}\''
    ),
)
def change_resource(body: dict[str, Any], resource_id: str) -> Answer:
    services().resources.describe_resource(actor(), resource_id, body.get("title"), body.get("description"))
    return _resource(resource_id)


@Operation(
    blueprint=blueprint,
    method="DELETE",
    rule="/resources/<resource_id>",
    who=Permission.EDIT_DATASETS,
    summary=N_("Take a file out of its dataset"),
    status=204,
    errors=(401, 403, 404),
    curl=f'curl -X DELETE "{{base}}/resources/{{new_resource}}" {_BEARER}',
)
def delete_resource(resource_id: str) -> Answer:
    services().resources.delete_resource(actor(), resource_id)
    return Answer(None)


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/resources/<resource_id>/status",
    who=EVERYONE,
    summary=N_("Follow an upload"),
    description=N_(
        "The newest upload, with a token of its agency; the published version for everyone else. Ask again "
        "until state is “published”, “failed” or “held”; problems say what was found and what to do."
    ),
    query=NoParametersSchema,
    answer=StatusSchema,
    errors=(404,),
    curl="curl '{base}/resources/{resource}/status'",
)
def read_status(query: Mapping[str, Any], resource_id: str) -> Answer:
    del query
    return Answer(representations.status(services().resource_queries.resource(actor(), resource_id)))


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/resources/<resource_id>/versions",
    who=EVERYONE,
    summary=N_("List the versions of a file"),
    description=N_("Newest first. Every published version can still be downloaded."),
    query=NoParametersSchema,
    answer=VersionListSchema,
    errors=(404,),
    curl="curl '{base}/resources/{resource}/versions'",
)
def list_versions(query: Mapping[str, Any], resource_id: str) -> Answer:
    del query
    found = services().resource_queries.versions(actor(), resource_id)
    return Answer(representations.versions(resource_id, found))


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/resources/<resource_id>/file",
    who=EVERYONE,
    summary=N_("Download the original file"),
    description=N_("Byte for byte as it was sent. Takes HEAD, Range and If-Range; the ETag is the sha256."),
    query=VersionParameterSchema,
    contents={"*/*": BINARY},
    errors=(400, 404, 416),
    curl="curl -OJ '{base}/resources/{resource}/file'",
)
def download_file(query: Mapping[str, Any], resource_id: str) -> Response:
    number = query.get("version")
    held = services().resource_queries.resource(actor(), resource_id)
    version = services().resource_queries.version(actor(), resource_id, number)
    response = send_download(
        Download(
            path=services().store.path(version.sha256),
            size=version.size,
            tag=version.sha256,
            filename=version.filename,
            media_type=version.media_type,
            modified=version.finished_at,
            pinned=number is not None,
            private=actor().is_known,
        )
    )
    if starts_download(response):
        services().usage.download(held.dataset_id)
    return response


def _resource(resource_id: str) -> Answer:
    return Answer(representations.resource(services().resource_queries.resource(actor(), resource_id)))


def _received(resource_id: str) -> Answer:
    body = representations.received(services().resource_queries.resource(actor(), resource_id))
    return Answer(body, headers={"Location": addresses.resource_url(resource_id)})
