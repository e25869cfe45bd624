"""Large sheets of XLSX by columns, many times faster than cell by cell, where they are regular; None where not.

Called by `spreadsheet`, which lets the library read whatever is refused here. The sheet is unpacked in blocks of
whole rows that `sheet_xml` and `sheet_values` take apart, so memory is what its texts need and a block or two.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from opendata.kernel.text import nfc
from opendata.resources.formats.library_answers import LibraryAnswers
from opendata.resources.formats.library_cells import sheet_merges
from opendata.resources.formats.shared_strings import PART as SHARED_STRINGS
from opendata.resources.formats.shared_strings import shared_strings
from opendata.resources.formats.sheet_cells import CellBlock, SheetCells
from opendata.resources.formats.sheet_extent import MOST_EMPTY, Extent, check_sheet_xml
from opendata.resources.formats.sheet_values import SheetValues
from opendata.resources.formats.sheet_xml import PADDING, IrregularSheetError, cells_of
from opendata.resources.formats.unpacking import MEGABYTE, UnpackingError
from opendata.resources.formats.zip_directory import content, read_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from opendata.resources.formats.sheet_cells import Merge
    from opendata.resources.formats.zip_directory import Entry

# Smaller ones the library reads as fast: there the questions to it cost more than they save.
LEAST_BYTES: Final = MEGABYTE
BLOCK_BYTES: Final = MEGABYTE
_MOST_BLOCK_BYTES: Final = 16 * MEGABYTE
_LEAST_ROWS: Final = 256
_MOST_PART: Final = 64 * MEGABYTE
_MOST_HEAD: Final = MEGABYTE
_MOST_TAIL: Final = 16 * MEGABYTE
_NO_SHEETS: Final = (SHARED_STRINGS, "xl/styles.xml")
_BOOK: Final = "xl/workbook.xml"
_LINKS: Final = "xl/_rels/workbook.xml.rels"
_ASKED_WITH: Final = ("[Content_Types].xml", "_rels/.rels", _BOOK, _LINKS, "xl/styles.xml")
_START: Final = b"<sheetData>"
_END: Final = b"</sheetData>"
_ROW_END: Final = b"</row>"
_DECLARATION: Final = re.compile(
    rb"""\A<\?xml version=["']1\.0["'](?: encoding=["'][Uu][Tt][Ff]-8["'])?(?: standalone=["']yes["'])?\s*\?>\s*"""
)
_SHEET: Final = re.compile(rb"<sheet\s[^>]*?\br:id=\"([^\"]*)\"")
_LINK: Final = re.compile(rb"<Relationship\s[^>]*>")
_ID: Final = re.compile(rb"\sId=\"([^\"]*)\"")
_TARGET: Final = re.compile(rb"\sTarget=\"([^\"]*)\"")


@dataclass
class QuickWorkbook:
    """An XLSX whose sheets may be read quickly, by their places in the workbook."""

    path: Path
    least_bytes: int = LEAST_BYTES
    _entries: dict[str, Entry] = field(default_factory=dict)
    _parts: dict[str, bytes] = field(default_factory=dict)
    _shared: pa.Array | None = None
    _checked: set[str] = field(default_factory=set)

    def cells(self, place: int, name: str) -> SheetCells | None:
        """All cells of a sheet as the library would give them, None where only it can."""
        try:
            return self._cells(place, name)
        except (IrregularSheetError, UnpackingError):
            return None

    def check_extent(self, place: int, name: str) -> None:
        """Raises UnreadableError for a sheet whose cells lie so far apart that the library could not hold it.

        Where it is not certain which part the library will read, all of them are looked at.
        """
        part = self._proven_part(place, name)
        for entry in self._entries.values():
            is_asked = entry.name == part if part else entry.name not in _NO_SHEETS
            if is_asked and entry.name not in self._checked:
                self._checked.add(entry.name)
                with suppress(UnpackingError):  # the library says so
                    check_sheet_xml(content(self.path, entry), nfc(name))

    def _proven_part(self, place: int, name: str) -> str | None:
        """The part of a sheet, where the library finds the sheet in a workbook that has no other part for one."""
        try:
            part = self._part_of(place)
            LibraryAnswers(self._parts, part, name).cells([b"><v>1</v>"])
        except (IrregularSheetError, UnpackingError):
            return None
        return part if sum(other.lower() == part.lower() for other in self._entries) == 1 else None

    def _cells(self, place: int, name: str) -> SheetCells:
        part = self._part_of(place)
        if self._entries[part].unpacked < self.least_bytes:
            raise IrregularSheetError
        library = LibraryAnswers(self._parts, part, name)
        values = SheetValues(library, lambda: self._strings(library))
        sheet = _SheetPart(content(self.path, self._entries[part]))
        blocks = []
        extent = Extent(nfc(name), "xlsx")
        for block, first in sheet.blocks():
            cells = cells_of(block, first - 1)
            if len(cells.rows):
                left, end = int(cells.columns.min()), int(cells.columns.max()) + 1
                if (cells.last_row + 1 - first) * end > MOST_EMPTY:
                    raise IrregularSheetError
                extent.add(int(cells.rows[-1]) + 1, left, end, len(cells.rows))
            blocks.append(values.block(cells, first))
            sheet.next_row = cells.last_row + 1
            sheet.block_rows = len(blocks[-1])
        extent.check()
        around = sheet.head + _START + _END + sheet.tail
        return _framed(blocks, extent, sheet_merges(library.sheet(around), extent.first_column))

    def _part_of(self, place: int) -> str:
        """The part of the sheet at that place; the library, asked by its name, has to find the same."""
        if not self._entries:
            self._entries = {entry.name: entry for entry in read_directory(self.path)}
        for part in _ASKED_WITH:
            if part not in self._parts and part in self._entries:
                self._parts[part] = self._read(part)
        links = {}
        for link in _LINK.findall(self._parts.get(_LINKS, b"")):
            identifier, target = _ID.search(link), _TARGET.search(link)
            if identifier and target:
                links[identifier[1]] = target[1].decode("utf-8", "replace")
        sheets = _SHEET.findall(self._parts.get(_BOOK, b""))
        target_path = links.get(sheets[place], "") if place < len(sheets) else ""
        part = (
            target_path.removeprefix("/") if target_path.startswith(("/xl/", "xl/")) else f"xl/{target_path}"
        )
        if part not in self._entries:
            raise IrregularSheetError
        return part

    def _read(self, part: str) -> bytes:
        entry = self._entries[part]
        if entry.unpacked > _MOST_PART:
            raise IrregularSheetError
        return b"".join(content(self.path, entry))

    def _strings(self, library: LibraryAnswers) -> pa.Array:
        """The shared strings, once for all sheets."""
        if self._shared is None:
            if SHARED_STRINGS not in self._entries:
                raise IrregularSheetError
            self._shared = shared_strings(self._read(SHARED_STRINGS), library)
        return self._shared


class _SheetPart:
    """The XML of a sheet, unpacked piece by piece: its head, blocks of whole rows, and what follows them."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""
        self._size = BLOCK_BYTES
        self.head = b""
        self.tail = b""
        self.next_row = 0
        self.block_rows = _LEAST_ROWS

    def blocks(self) -> Iterator[tuple[bytes, int]]:
        """Blocks with padding, and the first row that each may have; the caller sets `next_row` in between."""
        self._take_head()
        is_done = False
        while not is_done:
            if self.block_rows < _LEAST_ROWS:  # wide rows: a block of few costs as much as one of many
                self._size = min(2 * self._size, _MOST_BLOCK_BYTES)
            is_done = not self._fill(self._size)
            cut = self._held.rfind(_ROW_END) + len(_ROW_END)
            # Were it before the last row, it would stand among the tags of the block, which nothing allows.
            end = self._held.find(_END, cut if cut >= len(_ROW_END) else 0)
            if end >= 0:
                is_done = True
                self.tail = self._held[end:]
                self._held = self._held[:end]
                cut = end
            if end < 0 and (is_done or cut < len(_ROW_END)):
                raise IrregularSheetError
            if cut:
                block, self._held = self._held[:cut] + PADDING, self._held[cut:]
                yield block, self.next_row
        self._take_tail()

    def _fill(self, size: int) -> bool:
        """Hold at least so many bytes; False at the end of the part."""
        held = [self._held]
        length = len(self._held)
        while length < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            held.append(piece)
            length += len(piece)
        self._held = b"".join(held)
        return length >= size

    def _take_head(self) -> None:
        self._fill(_MOST_HEAD)
        start = self._held.find(_START)
        self.head = self._held[: max(start, 0)]
        declared = _DECLARATION.match(self.head)
        root = self.head[declared.end() if declared else 0 :]
        if start < 0 or not root.startswith(b"<worksheet") or b"<!" in root or b"<?" in root:
            raise IrregularSheetError
        self._held = self._held[start + len(_START) :]

    def _take_tail(self) -> None:
        self._held = self.tail
        if self._fill(_MOST_TAIL):
            raise IrregularSheetError
        self.tail = self._held.removeprefix(_END)


def _framed(blocks: list[CellBlock], extent: Extent, merges: Sequence[Merge] | None) -> SheetCells:
    """The cells between the first and the last column, and down to the last row, that hold anything."""
    framed = []
    for block in blocks if extent.cells else ():
        height = min(len(block), extent.rows - block.first)
        if height <= 0:
            break
        kinds = np.zeros((height, extent.columns), np.uint8)
        given = block.kinds[:height, extent.first_column :]
        kinds[:, : given.shape[1]] = given
        columns = [column.slice(0, height) for column in block.columns[extent.first_column :]]
        columns += [pa.nulls(height, pa.string())] * (extent.columns - len(columns))
        framed.append(CellBlock(block.first, kinds, columns))
    return SheetCells(extent.columns, framed, merges)
