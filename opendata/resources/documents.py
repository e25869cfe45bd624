"""What files add to the search document of their dataset: formats, names, columns and what they mean, rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opendata.catalogue.documents import Contribution
from opendata.resources.meanings.registry import MEANINGS
from opendata.resources.queries import current_tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

MOST_COLUMNS = 500


def _meanings(columns: Sequence[Mapping[str, Any]]) -> list[str]:
    """Words by which people look for columns of such a meaning, in both languages, each meaning once.

    They are found under `columns`, which weighs less than what an agency wrote itself.
    """
    keys = dict.fromkeys(str(column.get("meaning")) for column in columns)
    known = [MEANINGS[key] for key in keys if key in MEANINGS]
    return [phrase for meaning in known for words in meaning.search_words.values() for phrase in words]


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
        told.column_texts.extend(text for text in _meanings(table.columns) if text not in told.column_texts)
    return found
