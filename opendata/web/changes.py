"""What changed in a table from one version to the next: counts, columns, and the first rows concerned."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from flask import Blueprint, request

from opendata.http.context import page_actor, services
from opendata.kernel.errors import NotFoundError
from opendata.web.access import open_to_all
from opendata.web.rendering import render_page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from opendata.resources.queries import TableView

SHOWN: Final = 100
LONGEST_CELL: Final = 120
MOST_COLUMNS: Final = 40

blueprint = Blueprint("changes", __name__)


@dataclass(frozen=True, slots=True)
class ChangedRows:
    """The first lines of the file of changes: (`added` | `removed` | `before` | `after`, cells)."""

    columns: tuple[str, ...]
    lines: tuple[tuple[str, tuple[str, ...]], ...]


@blueprint.get("/datasets/<slug>/resources/<resource_id>/changes")
@open_to_all
def changes(slug: str, resource_id: str) -> Response:
    held, actor = services(), page_actor()
    file = held.resource_queries.resource(actor, resource_id)
    number = request.args.get("version", "")
    if file.dataset_slug != slug or not (
        number.isascii() and number.isdigit() and len(number) < len("9999999999")
    ):
        raise NotFoundError
    version = held.resource_queries.version(actor, resource_id, int(number))
    tables = held.resource_queries.tables_of_version(actor, version.id)
    compared = [(table, _changed_rows(table)) for table in tables if table.differences is not None]
    if not compared:
        raise NotFoundError
    return render_page("resources/changes.html", file=file, version=version, tables=compared)


def _changed_rows(table: TableView) -> ChangedRows | None:
    if table.changed_rows is None:
        return None
    path = services().store.path(table.changed_rows.sha256)
    with path.open(encoding="utf-8", newline="") as source:
        reader = csv.reader(source)
        header = next(reader)
        lines = [
            (row[0], tuple(_short(cell) for cell in row[1 : MOST_COLUMNS + 1]))
            for row in islice(reader, SHOWN)
        ]
    return ChangedRows(tuple(header[1 : MOST_COLUMNS + 1]), tuple(lines))


def _short(cell: str) -> str:
    return cell if len(cell) <= LONGEST_CELL else cell[: LONGEST_CELL - 1] + "…"
