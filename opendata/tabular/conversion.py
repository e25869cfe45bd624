"""A file on disk as the table the portal would publish, in any download format: `opendata convert`.

The same ingest, the same row path and the same writers as a published file; only the portal is left out. The
file is read by a child under limits, for it may come from anybody; this process sees only the table made of it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from opendata.kernel.errors import N_, PortalError
from opendata.resources.ingest.limited_inspection import limited_table
from opendata.tabular.engine import TableEngine
from opendata.tabular.export import FORMATS, export_rows
from opendata.tabular.filters import parse_query
from opendata.tabular.source import SourceColumn, TableSource

if TYPE_CHECKING:
    from collections.abc import Iterable


class UnknownOutputError(PortalError):
    code = "unknown-output"
    status = 422
    template = N_("The ending “%(ending)s” is not a format that can be written. Known are: %(known)s.")


def convert_file(path: Path, out: Path, table: str | None = None) -> int:
    """Write one table of `path` to `out`, whole or not at all; the number of rows.

    The ending of `out` says the format. Raises UnknownOutputError, UnreadableFileError, UnknownTableError, OSError.
    """
    wanted = FORMATS.get(out.suffix.lower().removeprefix("."))
    if wanted is None:
        raise UnknownOutputError(ending=out.suffix, known=", ".join(FORMATS))
    with tempfile.TemporaryDirectory(prefix="opendata-") as folder:
        work = Path(folder)
        found = limited_table(path, work, table)
        columns = tuple(SourceColumn(column.name, column.type, column.format) for column in found.columns)
        source = TableSource(out.name, found.name, found.path, found.row_count, columns)
        with TableEngine((work,), work / "cache") as engine:
            _write(out, export_rows(engine, source, parse_query(source, (), paging=False), wanted))
    return found.row_count


def _write(out: Path, chunks: Iterable[bytes]) -> None:
    partial = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with partial.open("wb") as target:
            target.writelines(chunks)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
