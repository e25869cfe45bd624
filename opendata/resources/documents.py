"""What files add to the search document of their dataset: formats, names, columns and what they mean, rows."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from opendata.catalogue.documents import Contribution
from opendata.resources.meanings.registry import MEANINGS
from opendata.resources.models import PublishedTable, Resource, ResourceVersion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

MOST_COLUMNS = 500
# Values of a column are searched where they are few, as codes and kinds are (xã, phường, đặc khu), and in words.
_FEW_VALUES = 40
_LONGEST_VALUE = 60
_LONGEST_VALUES = 1000
_A_WORD = re.compile(r"[^\W\d_]{2}")


def _meanings(columns: Sequence[Mapping[str, Any]]) -> list[str]:
    """Words by which people look for columns of such a meaning, in both languages, each meaning once.

    They are found under `columns`, which weighs less than what an agency wrote itself.
    """
    keys = dict.fromkeys(str(column.get("meaning")) for column in columns)
    known = [MEANINGS[key] for key in keys if key in MEANINGS]
    return [phrase for meaning in known for words in meaning.search_words.values() for phrase in words]


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


def describe_files(session: Session, dataset_ids: Sequence[str]) -> Mapping[str, Contribution]:
    """One contribution for each dataset that has a published file."""
    found: dict[str, Contribution] = {}
    for row in session.execute(_current_files(dataset_ids)):
        told = found.setdefault(row.dataset_id, Contribution())
        if row.format and row.format not in told.formats:
            told.formats.append(row.format)
        if row.filename not in told.files:
            told.files.append(row.filename)
        if row.columns is None:
            continue
        told.rows += row.row_count
        told.columns += row.column_count
        for column in row.columns[:MOST_COLUMNS]:
            told.column_texts.append(" ".join(filter(None, (column["name"], column.get("description")))))
        told.values.extend(value for value in usual_values(row.profile) if value not in told.values)
        told.column_texts.extend(text for text in _meanings(row.columns) if text not in told.column_texts)
    for told in found.values():
        told.values = _within(told.values, _LONGEST_VALUES)
    return found


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
            PublishedTable.columns,
            PublishedTable.profile,
        )
        .join(ResourceVersion, Resource.current_version_id == ResourceVersion.id)
        .outerjoin(PublishedTable, PublishedTable.version_id == ResourceVersion.id)
        .where(Resource.dataset_id.in_(dataset_ids))
        .order_by(Resource.dataset_id, Resource.position, PublishedTable.position)
    )
