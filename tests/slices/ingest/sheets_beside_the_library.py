"""Workbooks made from XML, and their sheets read quickly beside what the library reads."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import python_calamine as calamine

from opendata.resources.formats.library_cells import library_cells
from opendata.resources.formats.quick_sheet import QuickWorkbook

if TYPE_CHECKING:
    from pathlib import Path

    from opendata.resources.formats.sheet_cells import SheetCells

XMLNS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def flat(cells: SheetCells) -> tuple[int, list[list[str]], list[list[int]], Any]:
    """Width, the texts and the kinds of all rows, the merged cells."""
    texts = [row for _, row in cells.texts(0, len(cells) - 1)]
    kinds = [row.tolist() for block in cells.blocks for row in block.kinds]
    return cells.width, texts, kinds, cells.merges


def both(path: Path) -> list[tuple[Any, Any]]:
    """Each sheet read quickly (None where that was refused) and by the library."""
    quick = QuickWorkbook(path, least_bytes=0)
    workbook = calamine.CalamineWorkbook.from_path(path)
    pairs = []
    for place, name in enumerate(workbook.sheet_names):
        found = quick.cells(place, name)
        pairs.append(
            (None if found is None else flat(found), flat(library_cells(workbook.get_sheet_by_name(name))))
        )
    return pairs


def check(path: Path) -> int:
    """How many sheets were read quickly; each as the library does."""
    pairs = both(path)
    for found, expected in pairs:
        if found is not None:
            assert found == expected
    return sum(found is not None for found, _ in pairs)


def workbook_of(
    target: Path, sheet: str, *, strings: str = "", formats: str = "", date1904: bool = False
) -> Path:
    """An XLSX of one sheet from its XML; `strings` are the items of the shared strings, `formats` cell formats."""
    parts = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f'<Relationships><Relationship Id="rId1" Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>",
        "xl/workbook.xml": f'<workbook xmlns="{XMLNS}" xmlns:r="{LINKS}"><workbookPr date1904="{int(date1904)}"/>'
        '<sheets><sheet name="Bảng &amp; 1" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships><Relationship Id="rId1" Type="{LINKS}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "xl/styles.xml": f'<styleSheet xmlns="{XMLNS}">{formats}</styleSheet>',
        "xl/worksheets/sheet1.xml": sheet,
    }
    if strings:
        declared = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        parts["xl/sharedStrings.xml"] = f'{declared}<sst xmlns="{XMLNS}" uniqueCount="9">{strings}</sst>'
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as container:
        for name, content in parts.items():
            container.writestr(name, content)
    return target


def sheet_of(rows: str, head: str = "", tail: str = "") -> str:
    return f'<worksheet xmlns="{XMLNS}">{head}<sheetData>{rows}</sheetData>{tail}</worksheet>'
