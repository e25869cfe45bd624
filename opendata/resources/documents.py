"""What files add to the search document of their dataset: formats, names, columns, rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opendata.catalogue.documents import Contribution
from opendata.resources.queries import current_tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

MOST_COLUMNS = 500


def describe_files(session: Session, dataset_ids: Sequence[str]) -> Mapping[str, Contribution]:
    """One contribution for each dataset that has a published file."""
    found: dict[str, Contribution] = {}
    for dataset_id, version, table in current_tables(session, dataset_ids):
        told = found.setdefault(dataset_id, Contribution())
        if version.format and version.format not in told.formats:
            told.formats.append(version.format)
        if version.filename not in told.files:
            told.files.append(version.filename)
        if table is None:
            continue
        told.rows += table.row_count
        told.columns += table.column_count
        for column in table.columns[:MOST_COLUMNS]:
            told.column_texts.append(" ".join(filter(None, (column["name"], column.get("description")))))
    return found
