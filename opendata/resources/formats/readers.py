"""Which module reads which format. A new format is one module and one line here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from opendata.resources.formats import (
    archives,
    arrow_file,
    csv_table,
    geojson,
    json_records,
    parquet_table,
    spreadsheet,
    sqlite_file,
    xml_table,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from opendata.resources.formats.archives import ArchiveReader
    from opendata.resources.formats.corrections import Corrections
    from opendata.resources.formats.parquet_table import TypedColumn
    from opendata.resources.formats.table import CorrectableReader, Reader, Report, SourceTable
    from opendata.resources.ingest.problems import Problem
    from opendata.resources.ingest.result import Identification


class TypedReader(Protocol):
    """A module that tells the columns of a file, with the count of its rows, and gives the rows typed."""

    def columns_of(self, path: Path) -> tuple[list[TypedColumn], int]: ...

    def typed_batches(
        self, path: Path, columns: list[TypedColumn], report: Report
    ) -> Iterator[pa.RecordBatch]: ...


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
    "geojson": geojson.tables,
    "parquet": parquet_table.tables,
    "arrow": arrow_file.tables,
    "sqlite": sqlite_file.tables,
    "xml": xml_table.tables,
}
# Formats whose columns have types already, which are kept: they give their rows typed as well.
TYPED: Final[Mapping[str, TypedReader]] = {"parquet": parquet_table, "arrow": arrow_file}
# Formats that hold files of the others, but not of each other: an archive in an archive is not opened.
ARCHIVES: Final[Mapping[str, ArchiveReader]] = {
    "zip": archives.zip_tables,
    "gzip": archives.gzip_tables,
}


def read_tables(
    path: Path,
    identification: Identification,
    corrections: Corrections | None = None,
    *,
    workdir: Path | None = None,
) -> Iterator[SourceTable | Problem]:
    """The tables of an identified file, read as the publisher said where the format leaves room for it.

    Members of archives are unpacked into `workdir`, one at a time, or where the system keeps such files.
    """
    readers: Mapping[str, Reader] = READERS
    if corrections is not None:
        corrected = {name: partial(reader, corrections=corrections) for name, reader in CORRECTABLE.items()}
        readers = {**READERS, **corrected}
    archive = ARCHIVES.get(identification.format)
    if archive is not None:
        return archive(path, identification, readers=readers, workdir=workdir)
    return readers[identification.format](path, identification)
