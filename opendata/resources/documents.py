"""What files add to the search document of their dataset: formats, names, columns and what they mean, rows.

`document_builder` puts it beside what the catalogue itself knows; `open_document_source` is what a process that
prepares documents starts from. Such a process starts for every large load, so nothing here imports what reads
files (pyarrow, DuckDB): the phrases of meanings are handed in.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache, partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, cast, select

from opendata.catalogue.documents import Contribution, DocumentBuilder
from opendata.catalogue.vocabularies import load_vocabularies
from opendata.kernel.bundled import bundled
from opendata.kernel.db import Database
from opendata.resources.models import PublishedTable, Resource, ResourceVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from opendata.catalogue.vocabularies import Vocabularies
    from opendata.search.port import SearchDocument

    Phrases = Mapping[str, tuple[str, ...]]

MOST_COLUMNS = 500
# Values of a column are searched where they are few, as codes and kinds are (xã, phường, đặc khu), and in words.
_FEW_VALUES = 40
_LONGEST_VALUE = 60
_LONGEST_VALUES = 1000
_KEPT = 20_000  # characters of columns that are kept as read
_A_WORD = re.compile(r"[^\W\d_]{2}")


def open_document_source(
    database_url: str, phrases: Phrases
) -> Callable[[Sequence[str]], list[SearchDocument]]:
    """What a process that prepares documents works from: ids to the documents of today."""
    database = Database(database_url)
    builder = document_builder(load_vocabularies(bundled("catalog_schemas")), phrases)

    def documents(ids: Sequence[str]) -> list[SearchDocument]:
        with database.reading() as session:
            return builder.build(session, ids)

    return documents


def document_builder(vocabularies: Vocabularies, phrases: Phrases) -> DocumentBuilder:
    """Makes documents of datasets with their files. `phrases`: the words by which people look for columns of a
    meaning, in both languages, by its key. They are found under `columns`, which weighs less than what an agency
    wrote itself.
    """
    return DocumentBuilder(vocabularies, contributors=(partial(describe_files, phrases),))


def usual_values(profile: Mapping[str, Any]) -> list[str]:
    """The most frequent values of columns of few values, from the stored statistics; without numbers and dates."""
    found: dict[str, None] = {}
    for column in profile.get("columns", ())[:MOST_COLUMNS]:
        if not 0 < (column.get("distinct") or 0) <= _FEW_VALUES:
            continue
        for counted in column.get("top") or ():
            value = counted["value"]
            if isinstance(value, str) and len(value) <= _LONGEST_VALUE and _A_WORD.search(value):
                found[value] = None
    return list(found)


def _within(values: list[str], length: int) -> list[str]:
    """As many of them as `length` characters take."""
    ends = list(accumulate(len(value) for value in values))
    return [value for value, end in zip(values, ends, strict=True) if end <= length]


def describe_files(
    phrases: Phrases, session: Session, dataset_ids: Sequence[str]
) -> Mapping[str, Contribution]:
    """One contribution for each dataset that has a published file."""
    found: dict[str, Contribution] = {}
    for dataset_id, kind, filename, rows, width, columns, profile in session.execute(
        _current_files(dataset_ids)
    ):
        told = found.get(dataset_id)
        if told is None:
            told = found[dataset_id] = Contribution()
        if kind and kind not in told.formats:
            told.formats.append(kind)
        if filename not in told.files:
            told.files.append(filename)
        if columns is None:
            continue
        told.rows += rows
        told.columns += width
        words, meanings = _of_columns(columns) if len(columns) <= _KEPT else _read_columns(columns)
        told.column_texts.extend(words)
        if profile:
            told.values.extend(value for value in usual_values(profile) if value not in told.values)
        for meaning in meanings:
            told.column_texts.extend(
                text for text in phrases.get(meaning, ()) if text not in told.column_texts
            )
    for told in found.values():
        told.values = _within(told.values, _LONGEST_VALUES)
    return found


def _read_columns(columns: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(name and description of each column, the keys of their meanings, each once), from stored JSON."""
    read = json.loads(columns)
    described = (" ".join(filter(None, (one["name"], one.get("description")))) for one in read[:MOST_COLUMNS])
    return tuple(described), tuple(dict.fromkeys(str(one["meaning"]) for one in read if one.get("meaning")))


# The formats of one table, and the editions of a series, have the same columns.
_of_columns = lru_cache(maxsize=1024)(_read_columns)


def _current_files(dataset_ids: Sequence[str]) -> Select[Any]:
    """What is read of the file that readers get and of its tables, in order; `columns` is None without a table.

    Only these columns: whole rows would bring schemas and reports, which are large.
    """
    return (
        select(
            Resource.dataset_id,
            ResourceVersion.format,
            ResourceVersion.filename,
            PublishedTable.row_count,
            PublishedTable.column_count,
            cast(PublishedTable.columns, Text).label("columns"),
            PublishedTable.profile,
        )
        .join(ResourceVersion, Resource.current_version_id == ResourceVersion.id)
        .outerjoin(PublishedTable, PublishedTable.version_id == ResourceVersion.id)
        .where(Resource.dataset_id.in_(dataset_ids))
        .order_by(Resource.dataset_id, Resource.position, PublishedTable.position)
    )
