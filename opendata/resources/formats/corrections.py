"""What a publisher said about a file where the guess was wrong, applied each time the file is read.

Stored as JSON with the resource, so that its next version is read in the same way; `readers.read_tables`
hands it to the readers of delimited text and workbooks, and `columns` to whoever decides types. The JSON comes
from a form or an API: `from_json` takes nothing on trust and raises ValueError.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from opendata.kernel.text import slugify

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ENCODINGS: Final = (
    "utf-8",
    "utf-16-le",
    "utf-16-be",
    "cp1258",
    "cp1252",
    "latin-1",
    "tcvn3",
    "vni",
)
FIELD_TYPES: Final = (
    "string",
    "integer",
    "number",
    "boolean",
    "date",
    "datetime",
    "time",
    "year",
    "yearmonth",
)
MOST_HEADER_ROWS: Final = 10
LAST_HEADER_ROW: Final = 1000
MOST_TABLES: Final = 1000
MOST_COLUMNS: Final = 4096
LONGEST_NAME: Final = 1000
LONGEST_FORMAT: Final = 100
LAST_ROW: Final = 1 << 32
_NAME_LIMIT: Final = 60  # of a table's name, see ingest.validate


@dataclass(frozen=True, slots=True)
class TableCorrections:
    """Of one table. Rows are numbered from 1 as a spreadsheet program shows them.

    `header_rows` are the rows that hold the names of the columns, `last_row` is the last row of data.
    `columns` maps a label to Table Schema field properties (type, format, decimalChar, groupChar, bareNumber).
    """

    header_rows: tuple[int, ...] | None = None
    last_row: int | None = None
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "header_rows": list(self.header_rows) if self.header_rows else None,
            "last_row": self.last_row,
            "columns": {label: dict(properties) for label, properties in self.columns.items()},
        }

    @classmethod
    def from_json(cls, data: Any) -> TableCorrections:
        """Raises ValueError for anything that `to_json` would not give; absent keys are None."""
        _known(data, ("header_rows", "last_row", "columns"))
        return cls(**_table_values(data))


@dataclass(frozen=True, slots=True)
class Corrections:
    """Of one file. `header_rows`, `last_row` and `columns` hold for its tables, `tables` for one of them.

    The keys of `tables` are titles (the sheet's name, where the sheet is one table) or names of tables. A sheet
    whose own header rows are given is read as one table. `encoding` is one of `ENCODINGS`; for a workbook
    `tcvn3` and `vni` mean that its texts hold such bytes, any other that they are as they should be.
    """

    encoding: str | None = None
    delimiter: str | None = None
    header_rows: tuple[int, ...] | None = None
    last_row: int | None = None
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tables: Mapping[str, TableCorrections] = field(default_factory=dict)

    @property
    def last_header_row(self) -> int:
        """The lowest row that any correction names as one of a header, 0 where none does."""
        named = (self.header_rows, *(table.header_rows for table in self.tables.values()))
        return max((rows[-1] for rows in named if rows), default=0)

    def own(self, title: str) -> TableCorrections | None:
        """What was said about the table of that title alone."""
        named = self.tables.get(title)
        return named if named is not None else self.tables.get(slugify(title, limit=_NAME_LIMIT))

    def of_table(self, title: str) -> TableCorrections:
        """What holds for the table of that title: its own corrections before those of the file."""
        own = self.own(title) or TableCorrections()
        return TableCorrections(
            header_rows=own.header_rows or self.header_rows,
            last_row=own.last_row or self.last_row,
            columns={**self.columns, **own.columns},
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "header_rows": list(self.header_rows) if self.header_rows else None,
            "last_row": self.last_row,
            "columns": {label: dict(properties) for label, properties in self.columns.items()},
            "tables": {name: table.to_json() for name, table in self.tables.items()},
        }

    @classmethod
    def from_json(cls, data: Any) -> Corrections:
        """Raises ValueError for anything that `to_json` would not give; absent keys are None."""
        _known(data, ("encoding", "delimiter", "header_rows", "last_row", "columns", "tables"))
        encoding = data.get("encoding")
        if encoding is not None and encoding not in ENCODINGS:
            raise ValueError(f"encoding is one of {', '.join(ENCODINGS)}")
        tables = _mapping(data.get("tables"), "tables", MOST_TABLES)
        return cls(
            encoding=encoding,
            delimiter=_delimiter(data.get("delimiter")),
            **_table_values(data),
            tables={name: TableCorrections.from_json(table) for name, table in tables.items()},
        )


def _table_values(data: Mapping[str, Any]) -> dict[str, Any]:
    header_rows = _header_rows(data.get("header_rows"))
    last_row = data.get("last_row")
    if last_row is not None:
        _row_number(last_row, "last_row", LAST_ROW)
        if header_rows and last_row <= header_rows[-1]:
            raise ValueError("last_row lies below the header rows")
    columns = _mapping(data.get("columns"), "columns", MOST_COLUMNS)
    return {
        "header_rows": header_rows,
        "last_row": last_row,
        "columns": {label: _field(properties) for label, properties in columns.items()},
    }


def _known(data: Any, keys: tuple[str, ...]) -> None:
    if not isinstance(data, dict):
        raise ValueError("corrections are an object")  # noqa: TRY004 - one kind of error for hostile JSON
    if unknown := [str(key) for key in data if key not in keys]:
        raise ValueError(f"unknown: {unknown[0][:LONGEST_NAME]!r}")


def _mapping(data: Any, name: str, most: int) -> dict[str, Any]:
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ValueError(f"{name} is an object")  # noqa: TRY004 - one kind of error for hostile JSON
    if len(data) > most:
        raise ValueError(f"{name} has at most {most} entries")
    for key in data:
        if not _is_text(key, LONGEST_NAME):
            raise ValueError(f"a name in {name} is a text of 1 to {LONGEST_NAME} characters")
    return data


def _header_rows(rows: Any) -> tuple[int, ...] | None:
    if rows is None:
        return None
    if not isinstance(rows, list | tuple) or not 1 <= len(rows) <= MOST_HEADER_ROWS:
        raise ValueError(f"header_rows is a list of 1 to {MOST_HEADER_ROWS} row numbers")
    for row in rows:
        _row_number(row, "header_rows", LAST_HEADER_ROW)
    if list(rows) != sorted(set(rows)):
        raise ValueError("header_rows are in order, each once")
    return tuple(rows)


def _row_number(row: Any, name: str, last: int) -> None:
    if type(row) is not int or not 1 <= row <= last:
        raise ValueError(f"{name} counts rows from 1 to {last}")


def _delimiter(delimiter: Any) -> str | None:
    if delimiter is None:
        return None
    is_one = isinstance(delimiter, str) and len(delimiter) == 1 and delimiter.isascii()
    if not is_one or delimiter.isalnum() or (delimiter != "\t" and not delimiter.isprintable()):
        raise ValueError("delimiter is one character, no letter or digit")
    if delimiter == '"':
        raise ValueError("delimiter is not the quotation mark")
    return str(delimiter)


def _field(properties: Any) -> dict[str, Any]:
    if not isinstance(properties, dict):
        raise ValueError("the properties of a column are an object")  # noqa: TRY004 - as above
    for name, value in properties.items():
        check = _FIELD_CHECKS.get(name)
        if check is None:
            raise ValueError(f"unknown property of a column: {str(name)[:LONGEST_NAME]!r}")
        if not check(value):
            raise ValueError(f"{name} of a column has a wrong value")
    return dict(properties)


def _is_text(value: Any, longest: int) -> bool:
    """A text that can be stored: JSON may carry half of a surrogate pair."""
    if not isinstance(value, str) or not 1 <= len(value) <= longest or "\0" in value:
        return False
    return not any("\ud800" <= char <= "\udfff" for char in value)


def _is_mark(value: Any) -> bool:
    return _is_text(value, 1) and not value.isalnum()


_FIELD_CHECKS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "type": lambda value: value in FIELD_TYPES,
    "format": lambda value: _is_text(value, LONGEST_FORMAT),
    "decimalChar": _is_mark,
    "groupChar": _is_mark,
    "bareNumber": lambda value: isinstance(value, bool),
}
