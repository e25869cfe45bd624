"""SQLite: every table of the database, read-only, in memory of a few thousand rows.

The file is opened as one that never changes, with its views, triggers and virtual tables out of reach: only plain
reading of columns is allowed, functions in the schema are not trusted, no value may be longer than a cell. Columns
have the types that their values have (the storage class); what a column was declared as is no more than a hint
in SQLite. A database that holds more rows than its bytes could is damaged on purpose.
"""

from __future__ import annotations

import base64
import re
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from opendata.kernel.text import nfc
from opendata.resources.formats.delimited import LONGEST_CELL
from opendata.resources.formats.row_batches import row_batches
from opendata.resources.formats.table import SourceTable, check_width
from opendata.resources.formats.unpacking import MEGABYTE, MOST_TABLES, MOST_UNPACKED
from opendata.resources.ingest.problems import Problem, UnreadableError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opendata.resources.formats.table import Report, TextBatch
    from opendata.resources.ingest.result import Identification

# Tables that SQLite and GeoPackage keep for themselves.
_OF_THE_SYSTEM: Final = ("sqlite_", "gpkg_", "rtree_")
_REPORT_EVERY: Final = 4096
# Steps of SQLite's machine between two looks, and how many of them may pass without a row.
_STEPS: Final = 100_000
_MOST_LOOKS: Final = 100
_ALLOWED: Final = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ})
_ALLOWED_PRAGMAS: Final = frozenset({"table_xinfo"})
_VIRTUAL: Final = re.compile(r"\s*create\s+virtual\s", re.IGNORECASE)
_COMMENTS: Final = re.compile(r"/\*.*?\*/|--[^\n]*\n", re.DOTALL)
# A cell of a page and the pointer to it, in bytes.
_LEAST_ROW: Final = 4
# The last value of a row of table_xinfo: a plain column, and one that was computed when the row was written.
_STORED: Final = (0, 3)


@dataclass(slots=True)
class _Database:
    connection: sqlite3.Connection
    looks: int = 0

    def watch(self) -> int:
        """Called by SQLite every so many steps; anything but 0 ends the query."""
        self.looks += 1
        return int(self.looks > _MOST_LOOKS)


def tables(
    path: Path,
    identification: Identification,  # noqa: ARG001 - asked for by the Reader protocol
) -> Iterator[SourceTable | Problem]:
    """A table for each that has rows, a problem for each that has none or is not read. Raises UnreadableError."""
    names, left_out = _names(path)
    if left_out:
        yield Problem("sqlite-left-out", {"count": len(left_out), "names": shown(", ".join(left_out))})
    if len(names) > MOST_TABLES:
        raise UnreadableError(Problem("archive-too-many-tables", {"count": len(names), "limit": MOST_TABLES}))
    found = 0
    for name in names:
        table = _table(path, name)
        if table is None:
            yield Problem("sqlite-table-without-rows", {"name": shown(name)})
            continue
        found += 1
        yield table
    if not found:
        raise UnreadableError(Problem("sqlite-without-tables"))


@contextmanager
def _open(path: Path) -> Iterator[_Database]:
    """The database, locked down. What is wrong with it becomes an UnreadableError."""
    address = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            for setting in ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON", "mmap_size=0"):
                connection.execute(f"PRAGMA {setting}")
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_CELL)
            connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, MEGABYTE)
            connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            connection.setlimit(sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 20)
            connection.setlimit(sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 1)
            connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
            database = _Database(connection)
            connection.set_progress_handler(database.watch, _STEPS)
            connection.set_authorizer(_authorize)
            yield database
    except sqlite3.Error as error:
        raise UnreadableError(Problem("sqlite-unreadable")) from error


def _authorize(action: int, first: str | None, *_: str | None) -> int:
    is_allowed = action in _ALLOWED or (action == sqlite3.SQLITE_PRAGMA and first in _ALLOWED_PRAGMAS)
    return sqlite3.SQLITE_OK if is_allowed else sqlite3.SQLITE_DENY


def _names(path: Path) -> tuple[list[str], list[str]]:
    """The tables that are read, and the views and virtual tables that are not."""
    with _open(path) as database:
        listed = database.connection.execute("SELECT type, name, sql FROM sqlite_schema").fetchmany(20_000)
    known = [(kind, str(name), str(sql or "")) for kind, name, sql in listed if kind in {"table", "view"}]
    virtual = [
        name for kind, name, sql in known if kind == "table" and _VIRTUAL.match(_COMMENTS.sub(" ", sql))
    ]
    behind = tuple(f"{name}_" for name in virtual)  # the tables that a virtual table keeps its data in
    plain = [
        name
        for kind, name, sql in known
        if kind == "table" and name not in virtual and not name.startswith((*_OF_THE_SYSTEM, *behind))
    ]
    return plain, [*(name for kind, name, _ in known if kind == "view"), *virtual]


def _table(path: Path, name: str) -> SourceTable | None:
    with _open(path) as database:
        columns = database.connection.execute(f"PRAGMA table_xinfo({_quoted(name)})").fetchall()
        # What is computed when it is read would run functions of the file's choice.
        stored = [str(column[1]) for column in columns if column[6] in _STORED]
        check_width(len(stored))
        if (
            not stored
            or database.connection.execute(_query(name, stored[:1]) + " LIMIT 1").fetchone() is None
        ):
            return None
    table = SourceTable(
        title=nfc(name),
        labels=tuple(nfc(column).strip() for column in stored),
        header_row=1,
        header_width=len(stored),
        readings=(),
        kinds=[set() for _ in stored],
        row_shift=1,
    )
    table.readings = (partial(_read, path, _query(name, stored), table),)
    return table


def _read(path: Path, query: str, table: SourceTable, report: Report) -> Iterator[TextBatch]:
    binary: set[int] = set()
    yield from row_batches(_rows(path, query, table, binary, report), len(table.labels), table.irregular)
    table.problems.extend(Problem("binary-values", column=table.labels[column]) for column in sorted(binary))


def _rows(
    path: Path, query: str, table: SourceTable, binary: set[int], report: Report
) -> Iterator[tuple[int, list[str]]]:
    size = path.stat().st_size
    row, characters = 1, 0
    seen: set[tuple[type, ...]] = set()
    with _open(path) as database:
        for value in database.connection.execute(query):
            database.looks = 0
            row += 1
            full = tuple(None if cell == "" else cell for cell in value) if "" in value else value
            types = tuple(map(type, full))
            if types not in seen:
                seen.add(types)
                _note(types, table, binary)
            cells = [cell if type(cell) is str and cell.isascii() else _text(cell) for cell in full]
            characters += sum(map(len, cells))
            if row * _LEAST_ROW > size or characters > MOST_UNPACKED:
                raise UnreadableError(Problem("sqlite-unreadable"))
            yield row, cells
            if row % _REPORT_EVERY == 0:
                report(row, row, "rows")
                seen.clear()


def _note(types: tuple[type, ...], table: SourceTable, binary: set[int]) -> None:
    """The kinds of value of a row. Rows are of few sorts, so this is asked for a few of them."""
    for column, kind in enumerate(types):
        if kind is not type(None) and table.kinds is not None:
            table.kinds[column].add("number" if kind in {int, float} else "text")
        if kind is bytes:
            binary.add(column)


def _query(name: str, columns: list[str]) -> str:
    chosen = ", ".join(_quoted(column) for column in columns)
    return f"SELECT {chosen} FROM main.{_quoted(name)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return nfc(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return (
        str(int(value))
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53
        else repr(value)
    )
