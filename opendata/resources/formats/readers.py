"""Which module reads which format. A new format is one module and one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opendata.resources.formats import csv_table, json_records, parquet_table, spreadsheet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from opendata.resources.formats.corrections import Corrections
    from opendata.resources.formats.table import CorrectableReader, Reader, SourceTable
    from opendata.resources.ingest.problems import Problem
    from opendata.resources.ingest.result import Identification

# Formats whose structure is guessed, so that a publisher can say where the guess was wrong.
CORRECTABLE: Final[Mapping[str, CorrectableReader]] = {
    "csv": csv_table.tables,
    "tsv": csv_table.tables,
    "xlsx": spreadsheet.tables,
    "xlsb": spreadsheet.tables,
    "xls": spreadsheet.tables,
    "ods": spreadsheet.tables,
}
READERS: Final[Mapping[str, Reader]] = {
    **CORRECTABLE,
    "json": json_records.tables,
    "jsonl": json_records.tables,
    "parquet": parquet_table.tables,
}


def read_tables(
    path: Path, identification: Identification, corrections: Corrections | None = None
) -> Iterator[SourceTable | Problem]:
    """The tables of an identified file, read as the publisher said where the format leaves room for it."""
    correctable = CORRECTABLE.get(identification.format)
    if correctable is None or corrections is None:
        return READERS[identification.format](path, identification)
    return correctable(path, identification, corrections=corrections)
