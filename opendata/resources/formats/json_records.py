"""JSON and JSON Lines as tables, in memory bounded by the longest record.

Read are lists of records (`[{…}, {…}]`, also inside an object: `{"data": [{…}]}`), lists of rows under a header
(`[["a", "b"], [1, 2]]`) and lists by column (`{"a": [1, 2], "b": [3, 4]}`). Nested records are taken apart one
level deep, see `json_shapes`. The file is read once to learn its columns, which are the names of all records in
the order in which they first occur, and once for the rows of each table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from opendata.resources.formats.clean_text import MEGABYTE
from opendata.resources.formats.json_items import items
from opendata.resources.formats.json_shapes import (
    Field,
    RecordShape,
    entries_of,
    likely_keys,
    repeated_key,
    unique_key,
)
from opendata.resources.formats.json_text import cell_of, clean, kind_of
from opendata.resources.formats.row_batches import row_batches
from opendata.resources.formats.table import SourceTable, check_width
from opendata.resources.ingest.problems import Problem, UnreadableError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from opendata.resources.formats.table import Report, TextBatch
    from opendata.resources.ingest.result import Identification

MOST_PLACES: Final = 4096
MOST_COLUMN_TEXT: Final = 64 * MEGABYTE
_ABOUT: Final = frozenset({"fields", "columns", "header", "headers", "links", "schema.fields"})
_HEADERS: Final = ("columns", "fields", "headers", "header")
_RECORD: Final = "record"


@dataclass(slots=True)
class _Place:
    """One list of the file: how many of its entries are what, and what they look like."""

    records: RecordShape = field(default_factory=RecordShape)
    count: int = 0
    rows: int = 0
    plain: int = 0
    odd: int = 0
    first: list[Any] | None = None
    kinds: list[set[str]] = field(default_factory=list)

    def see(self, number: int, value: Any) -> None:
        self.count += 1
        if isinstance(value, dict):
            self.records.see(value)
        elif isinstance(value, list):
            self.rows += 1
            self._see_row(value)
        else:
            self.plain += 1
        if not self.odd and not (self.is_records or self.is_rows):
            self.odd = number

    @property
    def is_records(self) -> bool:
        return self.records.count == self.count

    @property
    def is_rows(self) -> bool:
        return self.rows == self.count

    def _see_row(self, row: list[Any]) -> None:
        if self.first is None:
            self.first = row
            return
        check_width(len(row))
        self.kinds += [set() for _ in range(len(row) - len(self.kinds))]
        for kinds, value in zip(self.kinds, row, strict=False):
            if kind := kind_of(value):
                kinds.add(kind)


def tables(path: Path, identification: Identification) -> Iterator[SourceTable | Problem]:
    """The tables of the file. Raises UnreadableError for what holds none."""
    source = _Source(path, identification)
    places, alone = source.survey()
    if set(places) <= {""} and not alone:
        if not places:
            raise UnreadableError(Problem("no-rows", {"columns": 0}))
        yield from source.tables_of("", places[""], None)
        return
    good = {name: place for name, place in places.items() if source.has_table(place, name, places)}
    if main := {name: place for name, place in good.items() if name not in _ABOUT}:
        good = main
    if good:
        for name, place in good.items():
            yield from source.tables_of(name, place, places)
        if left := [name for name in (*places, *alone) if name not in good]:
            named = ", ".join(clean(name) for name in left)
            yield Problem("json-members-left-out", {"count": len(left), "names": shown(named)})
    elif not alone and places and all(place.plain == place.count for place in places.values()):
        yield source.columns(places)
    else:
        raise UnreadableError(Problem("json-not-records"))


class _Source:
    """The file behind all readings."""

    def __init__(self, path: Path, identification: Identification) -> None:
        self._path = path
        self._identification = identification
        self._headers: dict[str, list[str]] = {}

    def survey(self) -> tuple[dict[str, _Place], list[str]]:
        """The lists of the file, and the names of what stands in none."""
        places: dict[str, _Place] = {}
        alone: dict[str, None] = {}
        for place, number, value in items(self._path, self._identification, _no_report):
            if len(places) + len(alone) > MOST_PLACES:
                raise UnreadableError(Problem("json-not-records"))
            if not number:
                alone[place] = None
                continue
            try:
                places.setdefault(place, _Place()).see(number, value)
            except RecursionError as error:
                raise UnreadableError(Problem("json-too-deep", {"record": number})) from error
            if place in _HEADERS and isinstance(value, str):
                self._headers.setdefault(place, []).append(value)
        return places, [*alone]

    def has_table(self, place: _Place, name: str, places: Mapping[str, _Place]) -> bool:
        if place.is_records:
            return bool(place.records.members)
        return place.is_rows and self._header(place, name, places) is not None

    def tables_of(
        self, name: str, place: _Place, places: Mapping[str, _Place] | None
    ) -> Iterator[SourceTable]:
        """The table of one list, and those of the lists in its records."""
        if place.is_records:
            if not place.records.members:
                raise UnreadableError(Problem("no-rows", {"columns": 0}))
            yield from self._record_tables(name, place.records)
            return
        header = self._header(place, name, places or {}) if place.is_rows else None
        if header is None:
            raise UnreadableError(Problem("json-record-not-object", {"record": place.odd or 1}))
        yield self._row_table(name, place, header)

    def columns(self, places: Mapping[str, _Place]) -> SourceTable:
        """Lists by column; all of them are held in memory, since none can be read without the others."""
        check_width(len(places))
        counts = {place.count for place in places.values()}
        if len(counts) > 1:
            raise UnreadableError(Problem("json-columns-differ", {"low": min(counts), "high": max(counts)}))
        columns: dict[str, list[str]] = {name: [] for name in places}
        kinds: dict[str, set[str]] = {name: set() for name in places}
        held = 0
        for name, _, value in items(self._path, self._identification, _no_report):
            cell = cell_of(value)
            held += len(cell)
            if held > MOST_COLUMN_TEXT:
                limit = MOST_COLUMN_TEXT // MEGABYTE
                raise UnreadableError(Problem("json-columns-too-large", {"limit": limit}))
            columns[name].append(cell)
            if kind := kind_of(value):
                kinds[name].add(kind)

        def rows(_: Report) -> Iterator[tuple[int, list[str]]]:
            return ((number, [*cells]) for number, cells in enumerate(zip(*columns.values(), strict=True), 2))

        return _table("", [clean(name).strip() for name in columns], [*kinds.values()], rows)

    def _records(self, name: str, report: Report) -> Iterator[tuple[int, dict[str, Any]]]:
        for place, number, value in items(self._path, self._identification, report):
            if place == name and number:
                yield number, value

    def _record_tables(self, name: str, shape: RecordShape) -> Iterator[SourceTable]:
        lists = shape.lists()
        key, repeated = self._key(name, shape, lists) if lists else (None, {})
        fields = shape.fields()

        def rows(report: Report) -> Iterator[tuple[int, list[str]]]:
            for number, record in self._records(name, report):
                yield number + 1, _cells(number, fields, record)

        inner = [self._list_table(name, shape, each, key, repeated) for each in lists]
        if fields:
            table = _table(name, [each.label for each in fields], [each.kinds for each in fields], rows)
            for each, child in zip(lists, inner, strict=True):
                counted = {"list": clean(each), "count": shape.members[each].rows, "key": child.labels[0]}
                if each in repeated:
                    counted["key"] = clean(repeated[each])
                table.problems.append(Problem("json-list-as-table", counted))
            yield table
        yield from inner

    def _key(self, name: str, shape: RecordShape, lists: list[str]) -> tuple[str | None, dict[str, str]]:
        def records() -> Iterator[dict[str, Any]]:
            return (record for _, record in self._records(name, _no_report))

        key = unique_key(records(), likely_keys(shape))
        return key, (repeated_key(records(), key, lists) if key is not None else {})

    def _list_table(
        self, name: str, shape: RecordShape, each: str, key: str | None, repeated: Mapping[str, str]
    ) -> SourceTable:
        """The entries of a list in the records, behind the key of their record unless they repeat it."""
        inner = shape.members[each].inner
        fields = [Field(clean(label).strip(), label, None, kinds) for label, kinds in inner.items()]
        labels = [column.label for column in fields]
        kinds = [column.kinds for column in fields]
        has_key = each in repeated
        if not has_key:
            label = clean(key or _RECORD).strip()
            labels.insert(0, f"{name or 'parent'}.{label}" if label in labels else label)
            kinds.insert(0, shape.members[key].kinds if key is not None else {"number"})

        def rows(report: Report) -> Iterator[tuple[int, list[str]]]:
            row = 1
            for number, record in self._records(name, report):
                front = [] if has_key else [str(number) if key is None else cell_of(record.get(key))]
                for _, entry in entries_of([record], each):
                    row += 1
                    yield row, front + _cells(number, fields, entry)

        title = f"{clean(name)}.{clean(each)}" if name else clean(each)
        return _table(title, labels, kinds, rows)

    def _header(self, place: _Place, name: str, places: Mapping[str, _Place]) -> list[str] | None:
        """The labels of a list of rows: a list of names beside it, or its first row."""
        width = len(place.first or ())
        beside = name.rpartition(".")[0]
        for known in _HEADERS:
            sibling = f"{beside}.{known}" if beside else known
            labels = self._headers.get(sibling)
            if labels and len(labels) == width and sibling in places:
                return labels
        if place.first and place.rows > 1 and all(kind_of(value) == "text" for value in place.first):
            return [str(value) for value in place.first]
        return None

    def _row_table(self, name: str, place: _Place, header: list[str]) -> SourceTable:
        first = place.first or []
        is_first = header == first
        check_width(len(header))
        kinds = [set(place.kinds[at]) if at < len(place.kinds) else set() for at in range(len(header))]
        if not is_first:
            for known, value in zip(kinds, first, strict=False):
                known.update({kind_of(value)} - {""})
        shift = 0 if is_first else 1

        def rows(report: Report) -> Iterator[tuple[int, list[str]]]:
            for at, number, value in items(self._path, self._identification, report):
                if at == name and number and not (is_first and number == 1):
                    yield number + shift, [_cell(number, cell) for cell in value]

        table = _table(name, [clean(label).strip() for label in header], kinds, rows)
        table.row_shift = shift
        return table


def _table(
    title: str,
    labels: list[str],
    kinds: list[set[str]],
    rows: Callable[[Report], Iterator[tuple[int, list[str]]]],
) -> SourceTable:
    check_width(len(labels))
    table = SourceTable(
        title=clean(title),
        labels=tuple(labels),
        header_row=1,
        header_width=len(labels),
        readings=(),
        kinds=kinds,
        row_shift=1,
    )
    table.readings = (partial(_read, rows, table),)
    return table


def _read(
    rows: Callable[[Report], Iterator[tuple[int, list[str]]]], table: SourceTable, report: Report
) -> Iterator[TextBatch]:
    return row_batches(rows(report), len(table.labels), table.irregular)


def _cells(number: int, fields: list[Field], record: Mapping[str, Any]) -> list[str]:
    try:
        return [column.cell(record) for column in fields]
    except RecursionError as error:
        raise UnreadableError(Problem("json-too-deep", {"record": number})) from error


def _cell(number: int, value: Any) -> str:
    try:
        return cell_of(value)
    except RecursionError as error:
        raise UnreadableError(Problem("json-too-deep", {"record": number})) from error


def _no_report(done: int, total: int, unit: str) -> None:
    """The readings before the rows are not shown."""
