"""Which module reads which format. A new format is one module and one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opendata.resources.formats import csv_table, json_records, parquet_table, spreadsheet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opendata.resources.formats.table import Reader

READERS: Final[Mapping[str, Reader]] = {
    "csv": csv_table.tables,
    "tsv": csv_table.tables,
    "json": json_records.tables,
    "jsonl": json_records.tables,
    "parquet": parquet_table.tables,
    "xlsx": spreadsheet.tables,
    "xlsb": spreadsheet.tables,
    "xls": spreadsheet.tables,
    "ods": spreadsheet.tables,
}
