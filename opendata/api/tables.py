"""Tables of files: their schema, validation report, statistics, rows, and exports of the same rows.

Rows and exports share one query language (`tabular.filters`); only the last step differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Response, request

from opendata.api import addresses
from opendata.api.access import EVERYONE, actor
from opendata.api.operations import Answer, ApiBlueprint, Operation
from opendata.api.schemas.parameters import ExportQuerySchema, RowPageQuerySchema, TableParameterSchema
from opendata.api.schemas.tables import (
    PROFILE_DOCUMENT,
    REPORT_DOCUMENT,
    TABLE_SCHEMA_DOCUMENT,
    RowPageSchema,
    rows_as,
    schema_with_meanings,
)
from opendata.api.streams import send_export
from opendata.http.context import services
from opendata.http.files import starts_download
from opendata.kernel.errors import N_
from opendata.tabular.export import FORMATS
from opendata.tabular.problems import RepeatedError, clip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opendata.resources.queries import TableView

blueprint: Final = ApiBlueprint("tables", __name__, description=N_("Tables of files: schema, rows, exports"))


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/resources/<resource_id>/schema",
    who=EVERYONE,
    summary=N_("Read the Table Schema"),
    description=N_("Columns with types and formats, as specified by Table Schema."),
    query=TableParameterSchema,
    answer=TABLE_SCHEMA_DOCUMENT,
    errors=(400, 404),
    curl="curl '{base}/resources/{resource}/schema'",
)
def read_schema(query: Mapping[str, Any], resource_id: str) -> Answer:
    return Answer(schema_with_meanings(_table(resource_id, query)))


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/resources/<resource_id>/report",
    who=EVERYONE,
    summary=N_("Read the validation report"),
    description=N_("What frictionless found, in the shape of its report descriptor."),
    query=TableParameterSchema,
    answer=REPORT_DOCUMENT,
    errors=(400, 404),
    curl="curl '{base}/resources/{resource}/report'",
)
def read_report(query: Mapping[str, Any], resource_id: str) -> Answer:
    return Answer(_table(resource_id, query).report)


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/resources/<resource_id>/profile",
    who=EVERYONE,
    summary=N_("Read the statistics of every column"),
    query=TableParameterSchema,
    answer=PROFILE_DOCUMENT,
    errors=(400, 404),
    curl="curl '{base}/resources/{resource}/profile'",
)
def read_profile(query: Mapping[str, Any], resource_id: str) -> Answer:
    return Answer(_table(resource_id, query).profile)


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/resources/<resource_id>/rows",
    who=EVERYONE,
    summary=N_("Query rows"),
    description=N_(
        "Filters, sorting and paging. A cursor is pinned to the version of the file it began with, so pages "
        "stay consistent while the file is replaced. Follow next_url until it is null."
    ),
    described_query=RowPageQuerySchema,
    answer=RowPageSchema,
    errors=(400, 404, 503),
    curl="curl -G '{base}/resources/{resource}/rows' -d limit=5 \\\n  --data-urlencode 'sort={sort}' -d '{filter}=false'",
)
def query_rows(resource_id: str) -> Answer:
    table, pairs = _table_and_pairs()
    page = services().tables.rows(actor(), resource_id, pairs, table)
    following = _next_url(resource_id, page.next_cursor)
    body = {
        "columns": page.columns,
        "rows": page.json_rows(),
        "total": page.total,
        "next": page.next_cursor,
        "next_url": following,
    }
    return Answer(body, addresses.next_link(following), pinned="cursor" in request.args)


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/resources/<resource_id>/export.<format_name>",
    who=EVERYONE,
    summary=N_("Download rows"),
    description=N_(
        "All rows, or those the same filters choose, without a cap. Whole tables as Parquet take Range. An "
        "export that fails on the way ends so that no program can take it for complete."
    ),
    described_query=ExportQuerySchema,
    contents={kind.media_type: rows_as(name) for name, kind in FORMATS.items()},
    errors=(400, 404, 416, 503),
    curl="curl -G '{base}/resources/{resource}/export.csv' --data-urlencode 'select={select}'",
)
def export_rows(resource_id: str, format_name: str) -> Response:
    table, pairs = _table_and_pairs()
    export = services().tables.export(actor(), resource_id, pairs, table, format_name)
    response = send_export(export, format_name, private=actor().is_known)
    if starts_download(response):
        services().usage.download(export.dataset_id)
    return response


def _table(resource_id: str, query: Mapping[str, Any]) -> TableView:
    return services().resource_queries.resource(actor(), resource_id).table(query.get("table"))


def _table_and_pairs() -> tuple[str | None, list[tuple[str, str]]]:
    """`table` and the query proper; a column called table is addressed as `col.table__eq`."""
    tables = request.args.getlist("table")
    if len(tables) > 1:
        raise RepeatedError(name="table", value=clip(tables[1]))
    pairs = [(name, value) for name, value in request.args.items(multi=True) if name != "table"]
    return (tables[0] if tables else None), pairs


def _next_url(resource_id: str, cursor: str | None) -> str | None:
    """This request again, further on."""
    if cursor is None:
        return None
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "cursor"]
    return addresses.resource_url(resource_id, "rows", [*kept, ("cursor", cursor)])
