"""One row of a table, column below column: how a wide row is read on a phone, and where long texts are whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from opendata.http.context import page_actor, services, speak
from opendata.kernel.errors import NotFoundError
from opendata.tabular.engine import cursor_at
from opendata.tabular.filters import parse_query
from opendata.web import addresses
from opendata.web.cell_text import cell_text

if TYPE_CHECKING:
    from opendata.resources.queries import ResourceView, TableView

# Bytes of text on the page; what a row holds beyond them is in the API's answer, which is linked.
TEXT_BUDGET: Final = 60_000
LENGTHS: Final = (20_000, 4_000, 400, 150)


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    description: str
    text: str | None
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Record:
    entries: tuple[Entry, ...]
    api_address: str
    is_cut: bool


def read_record(file: ResourceView, table: TableView, number: int) -> Record:
    """The row `number`, from 1, in the order of the file. Raises NotFoundError past the end."""
    tables, actor = services().tables, page_actor()
    if not 1 <= number <= table.row_count:
        raise NotFoundError
    source = tables.source(actor, file.id, table.name)
    pairs = [("limit", "1"), ("cursor", cursor_at(source, parse_query(source, ()), number - 1))]
    page = tables.rows(actor, file.id, pairs, table.name)
    tongue = speak()
    texts = [None if value is None else cell_text(value, tongue) for value in page.rows()[0]]
    most = next(
        (n for n in LENGTHS if sum(len(text[:n].encode()) for text in texts if text) <= TEXT_BUDGET),
        LENGTHS[-1],
    )
    described: dict[str, dict[str, Any]] = {column["name"]: column for column in table.columns}
    entries = tuple(
        Entry(
            column.name,
            described[column.name].get("description") or described[column.name].get("title") or "",
            None if text is None else text[:most],
            text is not None and len(text) > most,
        )
        for column, text in zip(page.columns, texts, strict=True)
    )
    api_address = addresses.api(f"/resources/{file.id}/rows", [("table", table.name), *pairs])
    return Record(entries, api_address, any(entry.is_cut for entry in entries))
