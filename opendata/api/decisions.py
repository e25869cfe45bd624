"""How files are read, what people decide about them, and what changed from version to version."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

from flask import Response

from opendata.accounts.policy import Permission
from opendata.api import addresses, representations
from opendata.api.access import EVERYONE, actor
from opendata.api.operations import Answer, ApiBlueprint, Operation
from opendata.api.schemas.decisions import (
    ChangesSchema,
    CorrectionsSchema,
    DecisionSchema,
    ReadingSchema,
    TableOfVersionSchema,
)
from opendata.api.schemas.parameters import NoParametersSchema
from opendata.api.schemas.resources import ReceivedSchema, StatusSchema
from opendata.http.caching import digest_tag, label
from opendata.http.context import services
from opendata.http.files import Download, content_disposition, send_download
from opendata.kernel.errors import N_, NotFoundError
from opendata.resources.ingest.differences import CHANGE_COLUMN
from opendata.resources.ingest.result import QUARANTINE_HEADER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opendata.resources.queries import AttachedFile, TableView, VersionView

blueprint: Final = ApiBlueprint(
    "decisions", __name__, description=N_("How files are read, and what changed in them")
)

_BEARER: Final = '-H "Authorization: Bearer $OPENDATA_TOKEN"'
_CSV: Final = {"text/csv": {"type": "string", "format": "binary"}}


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/resources/<resource_id>/corrections",
    who=EVERYONE,
    summary=N_("Read how a file is to be read"),
    description=N_(
        "What its publisher corrected about encoding, delimiter, header rows and types of columns."
    ),
    query=NoParametersSchema,
    answer=CorrectionsSchema,
    errors=(404,),
    curl="curl '{base}/resources/{resource}/corrections'",
)
def read_corrections(query: Mapping[str, Any], resource_id: str) -> Answer:
    del query
    return Answer({"corrections": services().resource_queries.resource(actor(), resource_id).corrections})


@Operation(
    blueprint=blueprint,
    method="PUT",
    rule="/resources/<resource_id>/corrections",
    who=Permission.EDIT_DATASETS,
    summary=N_("Have a file read in another way"),
    description=N_(
        "Takes the newest upload once more, as a new version: with corrections, which stay with the file, or "
        "with its faulty rows set aside or kept as text. The old version serves until the new one is ready."
    ),
    body=ReadingSchema,
    answer=ReceivedSchema,
    status=202,
    errors=(400, 401, 403, 404, 409, 413, 415, 422),
    curl=(
        f'curl -X PUT "{{base}}/resources/{{new_resource}}/corrections" {_BEARER} '
        '-H "Content-Type: application/json" \\\n  -d \'{{"faulty_rows": "set-aside"}}\''
    ),
)
def correct_reading(body: dict[str, Any], resource_id: str) -> Answer:
    services().resources.read_again(
        actor(), resource_id, body.get("corrections"), body.get("faulty_rows", "refuse")
    )
    received = representations.received(services().resource_queries.resource(actor(), resource_id))
    return Answer(received, headers={"Location": addresses.resource_url(resource_id)})


@Operation(
    blueprint=blueprint,
    method="POST",
    rule="/resources/<resource_id>/decision",
    who=Permission.EDIT_DATASETS,
    summary=N_("Decide about personal data"),
    description=N_(
        "A version in which personal data was found is held until a person decides. To release it takes the "
        "admin role in its agency; to turn it down, any role."
    ),
    body=DecisionSchema,
    answer=StatusSchema,
    errors=(400, 401, 403, 404, 409, 413, 415, 422),
    curl=(
        f'curl -X POST "{{base}}/resources/{{new_resource}}/decision" {_BEARER} '
        '-H "Content-Type: application/json" \\\n  -d \'{{"version": 1, "decision": "release"}}\''
    ),
)
def decide(body: dict[str, Any], resource_id: str) -> Answer:
    services().resources.decide(actor(), resource_id, body["version"], body["decision"])
    return Answer(representations.status(services().resource_queries.resource(actor(), resource_id)))


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/resources/<resource_id>/changes",
    who=EVERYONE,
    summary=N_("Read what changed in a table"),
    description=N_(
        "Against the version that was public before: rows added, removed and changed, and columns."
    ),
    query=TableOfVersionSchema,
    answer=ChangesSchema,
    errors=(400, 404),
    curl="curl '{base}/resources/{resource}/changes'",
)
def read_changes(query: Mapping[str, Any], resource_id: str) -> Answer:
    version, table = _table(resource_id, query)
    found = table.differences
    pairs = [("version", str(version.number)), ("table", table.name)]
    return Answer(
        {
            "table": table.name,
            "version": version.number,
            "differences": found and found | {"retyped": _retyped(found["retyped"])},
            "rows_url": addresses.resource_url(resource_id, "changes.csv", pairs)
            if table.changed_rows
            else None,
        }
    )


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/resources/<resource_id>/changes.csv",
    who=EVERYONE,
    summary=N_("Download the rows that changed"),
    description=N_("The column _change says added, removed, before or after; a changed row takes two lines."),
    query=TableOfVersionSchema,
    contents=_CSV,
    errors=(400, 404, 416),
    curl="curl -OJ '{base}/resources/{resource}/changes.csv'",
)
def download_changes(query: Mapping[str, Any], resource_id: str) -> Response:
    version, table = _table(resource_id, query)
    head = (CHANGE_COLUMN, *(column["name"] for column in table.columns))
    return _attached(table.changed_rows, head, f"{table.name}-v{version.number}-changes.csv", version)


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/resources/<resource_id>/quarantine.csv",
    who=EVERYONE,
    summary=N_("Download what was set aside"),
    description=N_(
        "The cells for which rows were left out of the table: row, column, value, and the reason in both "
        "languages. The original file holds those rows as they were sent."
    ),
    query=TableOfVersionSchema,
    contents=_CSV,
    errors=(400, 404, 416),
    curl="curl -OJ '{base}/resources/{resource}/quarantine.csv'",
)
def download_quarantine(query: Mapping[str, Any], resource_id: str) -> Response:
    version, table = _table(resource_id, query)
    name = f"{table.name}-v{version.number}-quarantine.csv"
    return _attached(table.quarantine, QUARANTINE_HEADER, name, version)


def _table(resource_id: str, query: Mapping[str, Any]) -> tuple[VersionView, TableView]:
    """The table of the version asked for, the current one without. Raises NotFoundError."""
    queries = services().resource_queries
    version = queries.version(actor(), resource_id, query.get("version"))
    name = query.get("table")
    for table in queries.tables_of_version(actor(), version.id):
        if name is None or table.name == name:
            return version, table
    raise NotFoundError


def _retyped(found: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    return {name: {"before": before, "after": after} for name, (before, after) in found.items()}


def _attached(file: AttachedFile | None, head: Sequence[str], name: str, version: VersionView) -> Response:
    """The file, or where there is nothing to list a CSV of its header alone."""
    if file is None:
        written = io.StringIO(newline="")
        csv.writer(written).writerow(head)
        body = written.getvalue().encode()
        response = Response(body, content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = content_disposition(name)
        label(response, tag=digest_tag(body), private=actor().is_known)
        return response
    return send_download(
        Download(
            path=services().store.path(file.sha256),
            size=file.size,
            tag=file.sha256,
            filename=name,
            media_type="text/csv",
            modified=version.finished_at,
            private=actor().is_known,
        )
    )
