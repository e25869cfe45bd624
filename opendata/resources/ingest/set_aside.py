"""Rows that break the schema, taken out of a table because its publisher chose so: the quarantine.

Called by `validate`. Every cell at fault is listed in a CSV file with its row, its column, its value and the
reason in both languages; the draft goes on without those rows. The original file keeps them all.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc

from opendata.kernel.i18n import translator
from opendata.resources.formats.table import Irregular
from opendata.resources.ingest.checks import faulty_cells
from opendata.resources.ingest.draft import ROW_COLUMN, draft_batches
from opendata.resources.ingest.problems import Problem, UnreadableError
from opendata.resources.ingest.result import QUARANTINE_HEADER, Quarantine

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from opendata.resources.ingest.draft import Draft


def set_aside(draft: Draft, schema: Mapping[str, Any]) -> tuple[Draft, Quarantine | None]:
    """The draft without its faulty rows, and the quarantine; None where no row is at fault.

    Raises UnreadableError where nothing would be left.
    """
    irregular = draft.irregular
    uneven = irregular.extra_count + irregular.missing_count
    if uneven > len(irregular.ragged):  # what the others looked like was not kept
        raise UnreadableError(Problem("too-uneven-to-set-aside", {"count": uneven}))
    target = draft.path.with_suffix(".quarantine.csv")
    rows = _list_faults(draft, schema, target)
    if not rows:
        target.unlink()
        return draft, None
    kept = _without(draft, rows)
    if kept.row_count == 0:
        raise UnreadableError(Problem("every-row-set-aside", {"count": len(rows)}))
    return kept, Quarantine(target, target.stat().st_size, len(rows))


def text_where_faulty(draft: Draft, schema: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The schema with every column that has a faulty cell as plain text without rules, and their names."""
    faulty = {fault.column for fault in faulty_cells(draft, schema) if fault.column}
    fields = [
        {key: field[key] for key in ("name", "title", "description") if key in field} | {"type": "string"}
        if field["name"] in faulty
        else field
        for field in schema["fields"]
    ]
    names = tuple(field["name"] for field in schema["fields"] if field["name"] in faulty)
    return dict(schema) | {"fields": fields}, names


def _list_faults(draft: Draft, schema: Mapping[str, Any], target: Path) -> set[int]:
    """Write the list; the numbers of the rows in it."""
    in_vietnamese, in_english = (translator(language).gettext for language in ("vi", "en"))
    rows: set[int] = set()
    with target.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(QUARANTINE_HEADER)
        for fault in faulty_cells(draft, schema):
            rows.add(fault.row + draft.row_shift)
            reasons = (fault.reason.sentence(in_vietnamese), fault.reason.sentence(in_english))
            writer.writerow((fault.row, fault.column, fault.value, *reasons))
    return rows


def _without(draft: Draft, rows: set[int]) -> Draft:
    """The same draft in a new file, without these rows, the others numbered anew.

    Nothing is irregular any more: under a schema every blank or uneven row is a fault.
    """
    target = draft.path.with_suffix(".kept.arrow")
    faulty = pa.array(sorted(rows), pa.int64())
    count = 0
    batches = draft_batches(draft.path)
    first = next(batches)
    with ipc.new_file(str(target), first.schema) as writer:
        for batch in chain([first], batches):
            kept = batch.filter(pc.invert(pc.is_in(batch.column(ROW_COLUMN), faulty)))
            start = draft.header_row + 1 + count
            numbers = pa.array(range(start, start + kept.num_rows), pa.int64())
            arrays = [*kept.columns[:-1], numbers]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=first.schema))
            count += kept.num_rows
    draft.path.unlink()
    return replace(draft, path=target, row_count=count, irregular=Irregular())
