"""The form about how a file is read: what was found out, what its publisher says instead.

`build_reading_form` shows the present corrections, and preselects the likeliest reading where a column can be
read in two ways; `typed_corrections` turns what was sent into the JSON of `resources.formats.corrections`.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from opendata.http.context import speak
from opendata.kernel.errors import N_, FieldError, InvalidInputError
from opendata.web.words import DELIMITERS, word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opendata.resources.queries import ResourceView, ShelfFile, TableColumns, TableView

ENCODINGS: Final[Mapping[str, str]] = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "cp1258": "Windows-1258 (Việt Nam)",
    "tcvn3": "TCVN3 (ABC)",
    "vni": "VNI",
    "cp1252": "Windows-1252",
}
TYPES: Final[tuple[tuple[Mapping[str, Any], str], ...]] = (
    ({"type": "string"}, N_("text, as it is written")),
    ({"type": "integer"}, N_("whole number")),
    ({"type": "number"}, N_("number, decimal point (1234.5)")),
    ({"type": "number", "decimalChar": ",", "groupChar": "."}, N_("number, decimal comma (1.234,5)")),
    ({"type": "number", "decimalChar": ".", "groupChar": ","}, N_("number, thousands comma (1,234.5)")),
    ({"type": "date", "format": "%d/%m/%Y"}, N_("date, day first (31/12/2025)")),
    ({"type": "date", "format": "%m/%d/%Y"}, N_("date, month first (12/31/2025)")),
    ({"type": "date", "format": "%d-%m-%Y"}, N_("date, day first (31-12-2025)")),
    ({"type": "date"}, N_("date, year first (2025-12-31)")),
    ({"type": "boolean"}, N_("yes or no")),
    ({"type": "year"}, N_("year")),
)
_TEXT_FORMATS: Final = frozenset({"csv", "tsv"})
_BOOKS: Final = frozenset({"xlsx", "xlsb", "xls", "ods"})
_ROWS: Final = re.compile(r"([0-9]{1,9})(?:\s*[-–]\s*([0-9]{1,9}))?")
_MOST_HEADER_ROWS: Final = 10

Option = tuple[str, str, bool]
"""Value, words, chosen."""


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """`is_asked` where the values can be read in two ways and nobody has said which is right."""

    key: str
    name: str
    found: str
    options: tuple[Option, ...]
    is_asked: bool


@dataclass(frozen=True, slots=True)
class TableChoice:
    key: str
    title: str
    header_rows: str
    last_row: str
    columns: tuple[ColumnChoice, ...]


@dataclass(frozen=True, slots=True)
class ReadingForm:
    """`encodings` and `delimiters` are empty, and tables take no rows, where the format leaves no choice."""

    encodings: tuple[Option, ...]
    delimiters: tuple[Option, ...]
    tables: tuple[TableChoice, ...]
    takes_rows: bool

    @property
    def asked(self) -> int:
        return sum(column.is_asked for table in self.tables for column in table.columns)


def build_reading_form(file: ResourceView) -> ReadingForm:
    held = file.corrections or {}
    found = file.latest.identification
    format_name = file.latest.format
    is_text = format_name in _TEXT_FORMATS
    is_book = format_name in _BOOKS
    encodings = ENCODINGS if is_text else {"tcvn3": ENCODINGS["tcvn3"], "vni": ENCODINGS["vni"]}
    return ReadingForm(
        encodings=_options(encodings, held.get("encoding"), found.get("encoding") or "")
        if is_text or is_book
        else (),
        delimiters=_options(
            {mark: word("delimiter", mark) for mark in DELIMITERS},
            held.get("delimiter"),
            DELIMITERS.get((found.get("dialect") or {}).get("delimiter", ""), ""),
        )
        if is_text
        else (),
        tables=tuple(
            _table_choice(f"table.{position}", table, _held_for(held, table, len(file.tables)))
            for position, table in enumerate(file.tables)
        ),
        takes_rows=is_text or is_book,
    )


def columns_asked_about(file: ResourceView | ShelfFile) -> int:
    """How many columns can be read in two ways and wait for a word; the form itself is not made for it."""
    held, count = file.corrections or {}, len(file.tables)
    return sum(
        _is_asked(column, (_held_for(held, table, count).get("columns") or {}).get(column["name"]))
        for table in file.tables
        for column in table.columns
    )


def typed_corrections(file: ResourceView, form: Mapping[str, str]) -> dict[str, Any]:
    """Raises InvalidInputError for row numbers that are none."""
    tables: dict[str, dict[str, Any]] = {}
    for position, table in enumerate(file.tables):
        typed = _typed_table(f"table.{position}", table, form)
        if typed:
            tables[table.title] = typed
    corrections: dict[str, Any] = {name: form[name] for name in ("encoding", "delimiter") if form.get(name)}
    if len(file.tables) == 1:
        corrections |= next(iter(tables.values()), {})
    elif tables:
        corrections["tables"] = tables
    return corrections


def _held_for(held: Mapping[str, Any], table: TableView | TableColumns, count: int) -> Mapping[str, Any]:
    own = (held.get("tables") or {}).get(table.title) or (held.get("tables") or {}).get(table.name)
    return own or (held if count == 1 else {})


def _table_choice(key: str, table: TableView, held: Mapping[str, Any]) -> TableChoice:
    rows = held.get("header_rows") or []
    chosen = held.get("columns") or {}
    return TableChoice(
        key=key,
        title=table.title,
        header_rows=_shown_rows(rows),
        last_row=str(held.get("last_row") or ""),
        columns=tuple(
            _column_choice(f"{key}.column.{number}", column, chosen.get(column["name"]))
            for number, column in enumerate(table.columns)
        ),
    )


def _column_choice(key: str, column: Mapping[str, Any], chosen: Mapping[str, Any] | None) -> ColumnChoice:
    readings: list[Mapping[str, Any]] = [dict(choice) for choice in column.get("choices", ())]
    is_asked = _is_asked(column, chosen)
    offered: list[tuple[Mapping[str, Any], str]] = [(choice, _words(choice)) for choice in readings]
    offered += [
        (properties, speak().gettext(words)) for properties, words in TYPES if properties not in readings
    ]
    if chosen is not None and dict(chosen) not in [properties for properties, _ in offered]:
        offered.append((chosen, _words(chosen)))
    preselected = readings[0] if is_asked else chosen
    options = [("", speak().gettext(N_("as found out")), preselected is None)]
    options += [
        (json.dumps(properties, sort_keys=True), words, dict(properties) == preselected)
        for properties, words in offered
    ]
    return ColumnChoice(key, column["name"], word("kind", column["type"]), tuple(options), is_asked)


def _is_asked(column: Mapping[str, Any], chosen: Mapping[str, Any] | None) -> bool:
    return bool(column.get("choices")) and chosen is None


def _words(properties: Mapping[str, Any]) -> str:
    """A reading in words: one that is listed, or the type with its particulars."""
    for listed, words in TYPES:
        if dict(listed) == dict(properties):
            return speak().gettext(words)
    particulars = [str(value) for name, value in sorted(properties.items()) if name != "type"]
    kind = word("kind", properties.get("type", "string"))
    return f"{kind} ({' '.join(particulars)})" if particulars else kind


def _options(known: Mapping[str, str], chosen: str | None, found: str) -> tuple[Option, ...]:
    shown = speak().gettext(found)
    auto = speak().gettext(N_("as found out")) + (f" ({shown})" if shown else "")
    return (
        ("", auto, not chosen),
        *((value, words, value == chosen) for value, words in known.items()),
    )


def _typed_table(key: str, table: TableView, form: Mapping[str, str]) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    if rows := form.get(f"{key}.header_rows", "").strip():
        typed["header_rows"] = _row_range(f"{key}.header_rows", rows)
    if last := form.get(f"{key}.last_row", "").strip():
        (typed["last_row"],) = _row_range(f"{key}.last_row", last, most=1)
    columns: dict[str, Any] = {}
    for number, column in enumerate(table.columns):
        # What is no JSON did not come from the form's own options and counts as not chosen.
        with suppress(ValueError):
            columns[column["name"]] = json.loads(form.get(f"{key}.column.{number}", ""))
    return typed | ({"columns": columns} if columns else {})


def _row_range(field: str, text: str, most: int = _MOST_HEADER_ROWS) -> list[int]:
    """`3` or `3-4` as the numbers of these rows."""
    matched = _ROWS.fullmatch(text)
    if matched:
        first, last = int(matched[1]), int(matched[2] or matched[1])
        if 1 <= first <= last < first + most:
            return list(range(first, last + 1))
    raise InvalidInputError(
        FieldError(
            field,
            N_("“%(text)s” is no row number. Give one such as 3, or 3-4 for two header rows."),
            {"text": text[:40]},
        )
    )


def _shown_rows(rows: list[int]) -> str:
    if not rows:
        return ""
    return str(rows[0]) if len(rows) == 1 else f"{rows[0]}-{rows[-1]}"
