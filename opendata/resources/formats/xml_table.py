"""XML where it is a table: one element that repeats, whose children and attributes are plain values.

`survey` reads the whole file once and decides, for `ingest.identify`; `tables` reads the rows. It is a table when
everything that repeats is such a record and stands in one place; anything else is kept as it is, with the element
named that is in the way. The parser is a stream: memory is bounded by the longest value. Declarations of entities
end it at once, external files are never fetched, so nothing multiplies and nothing is read from elsewhere.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from xml.parsers import expat

from opendata.kernel.text import nfc
from opendata.resources.formats.clean_text import MEGABYTE
from opendata.resources.formats.delimited import LONGEST_CELL
from opendata.resources.formats.row_batches import row_batches
from opendata.resources.formats.table import SourceTable, check_width
from opendata.resources.ingest.problems import Problem, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from opendata.resources.formats.table import Report, TextBatch
    from opendata.resources.ingest.result import Identification

MOST_ELEMENTS: Final = 5000
DEEPEST: Final = 50
_ABOUT: Final = ("xmlns", "xsi:")


class IrregularXmlError(Exception):
    """XML that is no table; `element` is what is in the way, empty where nothing repeats."""

    def __init__(self, element: str = "") -> None:
        self.element = element
        super().__init__(element)


@dataclass(slots=True)
class _Element:
    """All elements of one name in one place: how many, and what they hold."""

    name: str
    count: int = 0
    repeats: bool = False
    has_text: bool = False
    attributes: dict[str, None] = field(default_factory=dict)
    children: dict[str, _Element] = field(default_factory=dict)

    @property
    def is_value(self) -> bool:
        return not self.children

    @property
    def is_record(self) -> bool:
        """Whether every child is one plain value, and no text stands between them."""
        if not self.children:
            return bool(self.attributes or self.has_text)
        return not self.has_text and all(
            child.is_value and not child.repeats for child in self.children.values()
        )


@dataclass(frozen=True, slots=True)
class _Column:
    """Where a value stands in a record: in child `child` (empty: the record itself), attribute or text."""

    label: str
    child: str
    attribute: str


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """The element that repeats, by the names from the root to it, and the columns it makes."""

    path: tuple[str, ...]
    columns: tuple[_Column, ...]


def survey(path: Path) -> list[RecordPlace]:
    """The records of the file. Raises IrregularXmlError, UnreadableError for broken XML and for declarations."""
    root = _Element("")
    shape = _Shape(root)
    for _ in _parsed(path, shape):
        pass
    found = list(_records(root, (), is_single=True))
    if not found:
        raise IrregularXmlError
    return [RecordPlace(place, _columns(element)) for place, element in found]


def tables(
    path: Path,
    identification: Identification,
) -> Iterator[SourceTable]:
    """A table for each element that repeats. Raises UnreadableError."""
    try:
        places = survey(path)
    except IrregularXmlError as error:
        raise UnreadableError(Problem("no-rows", {"columns": 0})) from error
    for place in places:
        check_width(len(place.columns))
        labels = tuple(column.label for column in place.columns)
        table = SourceTable(
            title=nfc(_local(place.path[-1])) if len(places) > 1 else "",
            labels=labels,
            header_row=1,
            header_width=len(labels),
            readings=(),
            row_shift=1,
        )
        table.readings = (partial(_read, path, identification.size, place, table),)
        yield table


def _read(
    path: Path, size: int, place: RecordPlace, table: SourceTable, report: Report
) -> Iterator[TextBatch]:
    def rows() -> Iterator[tuple[int, list[str]]]:
        collector = _Rows(place)
        number = 1
        for done in _parsed(path, collector):
            for cells in collector.taken():
                number += 1
                yield number, cells
            report(done, size, "bytes")

    return row_batches(rows(), len(table.labels), table.irregular)


def _parsed(path: Path, handler: _Shape | _Rows) -> Iterator[int]:
    """Feed the file to a handler a megabyte at a time; the bytes done after each."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = _refuse_subset
    parser.EntityDeclHandler = _refuse
    done = 0
    try:
        with path.open("rb") as source:
            while chunk := source.read(MEGABYTE):
                parser.Parse(chunk, False)  # noqa: FBT003 - it has no name in the library
                done += len(chunk)
                if done - parser.CurrentByteIndex > LONGEST_CELL:
                    raise _too_long(parser.CurrentLineNumber)
                yield done
            parser.Parse(b"", True)  # noqa: FBT003 - it has no name in the library
            yield done
    except (expat.ExpatError, LookupError, ValueError) as error:
        where = {"position": parser.CurrentColumnNumber + 1}
        raise UnreadableError(Problem("xml-invalid", where, row=parser.CurrentLineNumber)) from error


def _refuse_subset(_name: str, _system: str | None, _public: str | None, has_subset: int) -> None:
    if has_subset:
        raise UnreadableError(Problem("xml-entities"))


def _refuse(*_: Any) -> None:
    raise UnreadableError(Problem("xml-entities"))


def _too_long(row: int) -> UnreadableError:
    return UnreadableError(Problem("cell-too-long", {"limit": LONGEST_CELL // MEGABYTE}, row=row))


class _Shape:
    """Learns which elements there are, in memory of their names."""

    def __init__(self, root: _Element) -> None:
        self._stack: list[tuple[_Element, Counter[str]]] = [(root, Counter())]
        self._known = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        above, seen = self._stack[-1]
        element = above.children.get(name)
        if element is None:
            element = above.children[name] = _Element(name)
            self._known += 1
        seen[name] += 1
        element.count += 1
        element.repeats |= seen[name] > 1
        element.attributes.update((each, None) for each in attributes if not each.startswith(_ABOUT))
        if (
            self._known > MOST_ELEMENTS
            or len(self._stack) > DEEPEST
            or len(element.attributes) > MOST_ELEMENTS
        ):
            raise IrregularXmlError(name)
        self._stack.append((element, Counter()))

    def end(self, _: str) -> None:
        self._stack.pop()

    def text(self, data: str) -> None:
        element = self._stack[-1][0]
        if not element.has_text and not data.isspace():
            element.has_text = True


class _Rows:
    """Collects the rows of one kind of record."""

    def __init__(self, place: RecordPlace) -> None:
        self._path = list(place.path)
        self._at = {(column.child, column.attribute): index for index, column in enumerate(place.columns)}
        self._stack: list[str] = []
        self._cells: list[str] | None = None
        self._pieces: list[str] = []
        self._length = 0
        self._done: list[list[str]] = []

    def taken(self) -> list[list[str]]:
        found, self._done = self._done, []
        return found

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._stack.append(name)
        if self._stack == self._path:
            self._cells = [""] * len(self._at)
        if self._cells is None:
            return
        child = name if len(self._stack) > len(self._path) else ""
        for attribute, value in attributes.items():
            if (index := self._at.get((child, attribute))) is not None:
                self._cells[index] = nfc(value).strip()
        self._pieces.clear()
        self._length = 0

    def end(self, name: str) -> None:
        if self._cells is not None:
            is_record = len(self._stack) == len(self._path)
            index = self._at.get(("" if is_record else name, ""))
            if index is not None:
                self._cells[index] = nfc("".join(self._pieces)).strip()
            self._pieces.clear()
            if is_record:
                self._done.append(self._cells)
                self._cells = None
        self._stack.pop()

    def text(self, data: str) -> None:
        if self._cells is not None:
            self._pieces.append(data)
            self._length += len(data)
            if self._length > LONGEST_CELL:
                raise _too_long(len(self._done))


def _records(
    element: _Element, above: tuple[str, ...], *, is_single: bool
) -> Iterator[tuple[tuple[str, ...], _Element]]:
    """The records below an element. Raises IrregularXmlError for what repeats and is none."""
    for name, child in element.children.items():
        place = (*above, name)
        if child.repeats:
            if not is_single or not child.is_record:
                raise IrregularXmlError(name)
            yield place, child
        else:
            yield from _records(child, place, is_single=is_single and child.count == 1)


def _columns(element: _Element) -> tuple[_Column, ...]:
    found = [_Column(_local(attribute), "", attribute) for attribute in element.attributes]
    for name, child in element.children.items():
        if child.has_text or not child.attributes:
            found.append(_Column(_local(name), name, ""))
        found += [_Column(f"{_local(name)}.{_local(each)}", name, each) for each in child.attributes]
    if element.has_text:
        found.append(_Column(_local(element.name), "", ""))
    return tuple(found)


def _local(name: str) -> str:
    """The name without the prefix of its namespace."""
    return nfc(name.rpartition(":")[2])
