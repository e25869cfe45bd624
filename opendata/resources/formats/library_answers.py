"""What the library makes of single cells: asked in a small workbook of one column, made for the question.

Used by `quick_sheet` for all that is not plain (dates in whatever format of cells, shared strings, entities, merged
cells), so that a sheet read quickly holds exactly what the library would have given, without its rules written down
here once more. The workbook has the parts of the real one (formats, date system, names of sheets), and in place of
its sheet the cells in question.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any, Final

import python_calamine as calamine

from opendata.resources.formats.sheet_xml import IrregularSheetError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEAD: Final = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL: Final = b"</sheetData></worksheet>"
MOST_ANSWERS: Final = 1_048_576


class LibraryAnswers:
    """Answers for the sheet `name` of a workbook with these `parts`, whose own cells are in `sheet_part`."""

    def __init__(self, parts: Mapping[str, bytes], sheet_part: str, name: str) -> None:
        self._parts = parts
        self._sheet_part = sheet_part
        self._name = name

    def cells(self, asked: Sequence[bytes], further: Mapping[str, bytes] | None = None) -> list[Any]:
        """The value of each cell, given as its attributes and content: ` s="1"><v>2</v>`.

        `further` are parts that only this question needs. Raises IrregularSheetError where the library does.
        """
        if not asked:
            return []
        rows = b"".join(
            b'<row r="%d"><c r="A%d"%b</c></row>' % (row, row, cell)
            for row, cell in enumerate(asked, start=1)
        )
        sheet = self.sheet(HEAD + rows + TAIL, further)
        try:
            given = [cells[0] for cells in sheet.iter_rows()]
        except (calamine.CalamineError, ValueError, IndexError) as error:
            raise IrregularSheetError from error
        return given + [""] * (len(asked) - len(given))

    def sheet(self, xml: bytes, further: Mapping[str, bytes] | None = None) -> calamine.CalamineSheet:
        """The sheet as the library reads it, if its part held this."""
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as container:
            for part, content in {**self._parts, **(further or {}), self._sheet_part: xml}.items():
                container.writestr(part, content)
        target.seek(0)
        try:
            return calamine.CalamineWorkbook.from_filelike(target).get_sheet_by_name(self._name)
        except (calamine.CalamineError, OSError, ValueError) as error:
            raise IrregularSheetError from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            raise IrregularSheetError from error
