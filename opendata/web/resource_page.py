"""From the query string of a file's page to what its template shows of the table, refusals included.

A filter that cannot be understood does not cost the reader the page: the reason stands where the rows would
be, with the form to mend it beside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from flask import request

from opendata.http.context import page_actor, services
from opendata.kernel.errors import BadParameterError, PortalError, UnknownParameterError
from opendata.tabular.cursor import cursor_version
from opendata.tabular.filters import parse_query
from opendata.tabular.problems import QueryTooLargeError, QueryTooSlowError
from opendata.tabular.syntax import select_parameter
from opendata.web.table_address import COLUMNS_FROM, TABLE, TableAddress
from opendata.web.table_page import (
    MOST_COLUMNS,
    FilterChip,
    TablePreview,
    build_preview,
    filter_chips,
    rows_per_page,
)

if TYPE_CHECKING:
    from opendata.resources.queries import ResourceView, TableView
    from opendata.tabular.source import TableSource

_MENDABLE: Final = (BadParameterError, UnknownParameterError, QueryTooSlowError, QueryTooLargeError)


@dataclass(frozen=True, slots=True)
class ShownTable:
    """`refusal` is why there is no `preview`. `columns_total` are those asked for, shown in parts."""

    address: TableAddress
    table: TableView
    chips: tuple[FilterChip, ...]
    preview: TablePreview | None = None
    refusal: PortalError | None = None
    columns_total: int = 0
    is_older: bool = False

    @property
    def status(self) -> int:
        return self.refusal.status if self.refusal else 200

    @property
    def columns_last(self) -> int:
        return min(self.address.columns_from + MOST_COLUMNS - 1, self.columns_total)

    @property
    def columns_before(self) -> str:
        first = self.address.columns_from
        return self.address.columns_at(max(1, first - MOST_COLUMNS)).page if first > 1 else ""

    @property
    def columns_after(self) -> str:
        following = self.columns_last + 1
        return self.address.columns_at(following).page if following <= self.columns_total else ""


def read_address(slug: str, file: ResourceView, query: str | None = None) -> TableAddress:
    """From this request's query string, or from `query`. Raises NotFoundError for a table that is not there."""
    read = parse_qsl(query, keep_blank_values=True) if query is not None else request.args.items(multi=True)
    pairs = list(read)
    table = dict(pairs).get(TABLE)
    if table is not None:
        file.table(table)
    first = dict(pairs).get(COLUMNS_FROM, "1")
    return TableAddress(
        slug,
        file.id,
        table,
        tuple(pair for pair in pairs if pair[0] not in {TABLE, COLUMNS_FROM}),
        int(first) if first.isascii() and first.isdigit() and len(first) < len("99999") else 1,
    )


def show_table(file: ResourceView, address: TableAddress) -> ShownTable:
    """Raises NotFoundError, UnavailableError."""
    tables, actor = services().tables, page_actor()
    table = file.table(address.table)
    source = tables.source(actor, file.id, address.table)
    chips = filter_chips(source, address)
    try:
        asked = parse_query(source, [pair for pair in address.pairs if pair[0] != "cursor"]).columns
        first = address.columns_from if address.columns_from <= len(asked) else 1
        address = address.columns_at(first)
        window = asked[first - 1 : first - 1 + MOST_COLUMNS]
        page = tables.rows(actor, file.id, _row_pairs(source, address, window), address.table)
    except _MENDABLE as refusal:
        return ShownTable(address, table, chips, refusal=refusal, columns_total=table.column_count)
    return ShownTable(
        address=address,
        table=table,
        chips=chips,
        preview=build_preview(page, table, address),
        columns_total=len(asked),
        is_older=_is_older(file, address),
    )


def _row_pairs(source: TableSource, address: TableAddress, window: tuple[int, ...]) -> list[tuple[str, str]]:
    """Only the columns in sight are read, and as many rows as fit the page."""
    pairs = [pair for pair in address.pairs if pair[0] not in {"select", "limit"}]
    if len(window) < len(source.columns):
        pairs.append(("select", select_parameter(source.columns[column].name for column in window)))
    pairs.append(("limit", str(rows_per_page(len(window)))))
    return pairs


def _is_older(file: ResourceView, address: TableAddress) -> bool:
    """Whether the page is pinned to a version that has been replaced since."""
    cursor = address.given("cursor")
    return bool(cursor) and file.current is not None and cursor_version(cursor or "") != file.current.id
