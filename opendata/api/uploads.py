"""Resumable uploads (tus 1.0.0): a large file in several requests, continued after any interruption.

With its last byte an upload becomes what one request to `resources` would have made of it, by the same
service; rights, target and limit are checked when it begins and again then. An upload is its beginner's alone.
Not open to pages of other sites: see `sharing`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from flask import Response, request

from opendata.accounts.policy import Permission
from opendata.api import addresses
from opendata.api.access import actor
from opendata.api.operations import ApiBlueprint, Operation
from opendata.api.schemas.uploads import UploadSchema
from opendata.api.upload_forms import MB, read_fields
from opendata.api.upload_protocol import (
    CONTENT_TYPE,
    EXTENSIONS,
    VERSION,
    check_version,
    headers_of,
    read_checksum,
    read_chunk,
    read_metadata,
    read_number,
)
from opendata.http.context import services
from opendata.kernel.errors import (
    N_,
    FieldError,
    ForbiddenError,
    InvalidInputError,
    MethodNotAllowedError,
    TooLargeError,
)
from opendata.kernel.i18n import translator
from opendata.kernel.partial_uploads import ALGORITHMS, OffsetError
from opendata.resources.service import EmptyFileError, Upload

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping
    from io import BufferedReader

    from opendata.kernel.partial_uploads import PartialUpload
    from opendata.resources.queries import ResourceView

blueprint: Final = ApiBlueprint("uploads", __name__, description=N_("Large files in several requests (tus)"))

METADATA: Final = "Upload-Metadata"
_TARGETS: Final = ("dataset", "resource")
_CHUNK_FORM: Final = {
    "required": True,
    "content": {CONTENT_TYPE: {"schema": {"type": "string", "format": "binary"}}},
}
_BEARER: Final = '-H "Authorization: Bearer $OPENDATA_TOKEN" -H "Tus-Resumable: 1.0.0"'
_SENDING: Final = (
    '-H "Content-Type: application/offset+octet-stream" -H "Upload-Offset: 0" --data-binary @data.csv'
)


@blueprint.after_request  # type: ignore[untyped-decorator]  # flask-smorest ships no types
def add_protocol_headers(response: Response) -> Response:
    """On every answer, refusals included; OPTIONS says what is spoken here."""
    response.headers["Tus-Resumable"] = VERSION
    if request.method == "OPTIONS":
        response.status_code = 204
        response.headers["Tus-Version"] = VERSION
        response.headers["Tus-Extension"] = EXTENSIONS
        response.headers["Tus-Max-Size"] = str(_limit())
        response.headers["Tus-Checksum-Algorithm"] = ",".join(ALGORITHMS)
    return response


@Operation(
    blueprint=blueprint,
    method="POST",
    rule="/uploads",
    who=Permission.EDIT_DATASETS,
    summary=N_("Begin a resumable upload"),
    description=N_(
        "Upload-Length is the size of the file. Upload-Metadata names it and says where it belongs: filename, and "
        "either dataset (a new file) or resource (a new version); title, title_en, description, description_en and "
        "schema may follow. Location is the address for its bytes. The first bytes may come along."
    ),
    status=201,
    errors=(400, 401, 403, 404, 412, 413, 415, 422, 429),
    curl=(
        f'curl -i -X POST "{{base}}/uploads" {_BEARER} -H "Upload-Length: $(wc -c < data.csv)" \\\n'
        '  -H "Upload-Metadata: filename $(printf data.csv | base64),dataset $(printf {new_slug} | base64)"'
    ),
)
def begin_upload() -> Response:
    check_version(request)
    length = read_number(request, "Upload-Length")
    header = request.headers.get(METADATA, "")
    details = _details(read_metadata(header))
    if length > _limit():
        raise TooLargeError(limit=translator("en").size(_limit()))
    if length == 0:
        raise EmptyFileError
    body = read_chunk(request, length) if request.mimetype == CONTENT_TYPE else None
    checksum = read_checksum(request)
    begun = services().partial_uploads.create(_owner(), length, {**details, "header": header})
    if body is not None:
        services().partial_uploads.append(begun, body, checksum)
        begun = _finish(begun)
    response = _empty(begun, 201)
    response.headers["Location"] = addresses.api_url(f"/uploads/{begun.id}")
    return response


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/uploads/<upload_id>",
    who=Permission.EDIT_DATASETS,
    summary=N_("Ask how far an upload is"),
    description=N_(
        "HEAD says in Upload-Offset where to go on; GET says the same as JSON. Once the file is whole, Link "
        "(rel=status) leads to its processing. The last byte counts when the portal has taken the whole file."
    ),
    answer=UploadSchema,
    errors=(401, 403, 404, 410, 412),
    curl=f'curl "{{base}}/uploads/$UPLOAD_ID" {_BEARER}',
)
def read_upload(upload_id: str) -> Response:
    check_version(request)
    found = services().partial_uploads.find(upload_id, _owner())
    result = found.result or {}
    resource_id = result.get("resource_id")
    body = {
        "length": found.length,
        "offset": found.offset,
        "expires_at": found.expires_at,
        "resource_id": resource_id,
        "dataset_slug": result.get("dataset_slug"),
        "status_url": addresses.resource_url(resource_id, "status") if resource_id else None,
    }
    response = Response(UploadSchema().dumps(body), content_type="application/json")
    response.headers.update(headers_of(found))
    response.headers["Upload-Length"] = str(found.length)
    response.headers[METADATA] = found.details["header"]
    return response


@Operation(
    blueprint=blueprint,
    method="PATCH",
    rule="/uploads/<upload_id>",
    who=Permission.EDIT_DATASETS,
    summary=N_("Send the next bytes of an upload"),
    description=N_(
        "From Upload-Offset on, as many as you like; what arrives of an interrupted request stays. With "
        "Upload-Checksum (sha1, sha256 or md5) they are kept only if it is right, else the answer is 460."
    ),
    form=_CHUNK_FORM,
    status=204,
    errors=(400, 401, 403, 404, 409, 410, 412, 413, 415, 422, 423),
    curl=f'curl -X PATCH "{{base}}/uploads/$UPLOAD_ID" {_BEARER} \\\n  {_SENDING}',
)
def send_bytes(upload_id: str) -> Response:
    return _send_bytes(upload_id)


def _send_bytes(upload_id: str) -> Response:
    check_version(request)
    found = services().partial_uploads.find(upload_id, _owner())
    offset = read_number(request, "Upload-Offset")
    if offset != found.offset:
        raise OffsetError
    body = read_chunk(request, found.length - offset)
    services().partial_uploads.append(found, body, read_checksum(request))
    return _empty(_finish(found), 204)


@Operation(
    blueprint=blueprint,
    method="POST",
    rule="/uploads/<upload_id>",
    who=Permission.EDIT_DATASETS,
    summary=N_("Send the next bytes where only POST is let through"),
    description=N_("With the header X-HTTP-Method-Override: PATCH (or DELETE), this is that operation."),
    form=_CHUNK_FORM,
    status=204,
    errors=(400, 401, 403, 404, 405, 409, 410, 412, 413, 415, 422, 423),
    curl=(
        f'curl -X POST "{{base}}/uploads/$UPLOAD_ID" {_BEARER} -H "X-HTTP-Method-Override: PATCH" \\\n'
        f"  {_SENDING}"
    ),
)
def override_method(upload_id: str) -> Response:
    wanted = request.headers.get("X-HTTP-Method-Override", "").strip().upper()
    if wanted == "PATCH":
        return _send_bytes(upload_id)
    if wanted == "DELETE":
        return _stop_upload(upload_id)
    raise MethodNotAllowedError


@Operation(
    blueprint=blueprint,
    method="DELETE",
    rule="/uploads/<upload_id>",
    who=Permission.EDIT_DATASETS,
    summary=N_("Give up an upload"),
    description=N_("Its bytes are dropped. A file that it became stays."),
    status=204,
    errors=(401, 403, 404, 410, 412, 423),
    curl=f'curl -X DELETE "{{base}}/uploads/$UPLOAD_ID" {_BEARER}',
)
def stop_upload(upload_id: str) -> Response:
    return _stop_upload(upload_id)


def _stop_upload(upload_id: str) -> Response:
    check_version(request)
    partial_uploads = services().partial_uploads
    partial_uploads.remove(partial_uploads.find(upload_id, _owner()))
    return Response(status=204, headers={"Cache-Control": "no-store"})


def _limit() -> int:
    return services().settings.upload_limit_mb * MB


def _owner() -> str:
    return actor().person_id or actor().name


def _empty(upload: PartialUpload, status: int) -> Response:
    return Response(status=status, headers=headers_of(upload))


def _details(metadata: Mapping[str, str]) -> dict[str, Any]:
    """What is kept of it until the file is whole. Raises what the services would refuse by then."""
    fields = {name: text for name, text in metadata.items() if name not in {"filename", *_TARGETS}}
    read_fields(fields)
    if not metadata.get("filename", "").strip():
        raise InvalidInputError(FieldError("filename", N_("Give the name of the file.")))
    targets = [name for name in _TARGETS if metadata.get(name)]
    if len(targets) != 1:
        message = N_("Say where the file belongs: either dataset or resource.")
        raise InvalidInputError(FieldError("dataset", message))
    if fields and targets == ["resource"] and set(fields) != {"schema"}:
        message = N_("A new version keeps the title and description of its file.")
        raise InvalidInputError(*(FieldError(name, message) for name in fields if name != "schema"))
    return {
        "filename": metadata["filename"],
        "fields": fields,
        targets[0]: _checked_target(targets[0], metadata[targets[0]]),
    }


def _checked_target(kind: str, key: str) -> str:
    """Its id. Raises NotFoundError, ForbiddenError."""
    view = (
        services().catalogue_queries.dataset(actor(), key)
        if kind == "dataset"
        else services().resource_queries.resource(actor(), key)
    )
    if not view.may_edit:
        raise ForbiddenError
    return view.id


def _finish(upload: PartialUpload) -> PartialUpload:
    """Take the file if all of it has come. Raises what the service refuses."""

    def take(data: BufferedReader, attempted: dt.datetime | None) -> dict[str, str]:
        taken = _taken_before(upload.details, data, attempted) if attempted else None
        return taken or _take(upload.details, data)

    return services().partial_uploads.finish(upload, take)


def _take(details: Mapping[str, Any], data: BufferedReader) -> dict[str, str]:
    title, description, table_schema = read_fields(details["fields"])
    sent = Upload(data, details["filename"], title, description, table_schema)
    resources = services().resources
    if "dataset" in details:
        received = resources.add_resource(actor(), details["dataset"], sent)
    else:
        received = resources.replace_file(actor(), details["resource"], sent)
    return {"resource_id": received.resource_id, "dataset_slug": received.dataset_slug}


def _taken_before(
    details: Mapping[str, Any], data: BufferedReader, since: dt.datetime
) -> dict[str, str] | None:
    """What an attempt made that died before it could say so: the same bytes there, sent since by this person."""
    digest = hashlib.file_digest(data, "sha256").hexdigest()
    data.seek(0)
    queries = services().resource_queries
    views: Iterable[ResourceView]
    if "dataset" in details:
        views = queries.resources_of(actor(), details["dataset"])
    else:
        views = [queries.resource(actor(), details["resource"])]
    for view in views:
        last = view.latest
        if (last.sha256, last.created_by) == (digest, actor().name) and last.created_at >= since:
            return {"resource_id": view.id, "dataset_slug": view.dataset_slug}
    return None
