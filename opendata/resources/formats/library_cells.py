"""A sheet by columns, from the rows that python-calamine gives: any XLS, XLSB, ODS, and the XLSX that need it.

Called by `spreadsheet`. Goes through the rows once; the cells of a column in a block mostly are of one type and
then written out together.
"""

from __future__ import annotations

import datetime as dt
from itertools import compress, islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from opendata.resources.formats.sheet_cells import (
    NUMBER,
    TEXT,
    CellBlock,
    SheetCells,
    cleaned,
    kind_of,
    of_numbers,
    written,
)
from opendata.resources.formats.table import BATCH_ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import python_calamine as calamine
    from numpy.typing import NDArray

    from opendata.resources.formats.sheet_cells import Merge

_MERGED_CELLS: Final = 100_000
_MOST_MERGES: Final = 20_000
_MOST_CELLS: Final = 1 << 20  # in a block: Python objects of this many at a time


def library_cells(sheet: calamine.CalamineSheet) -> SheetCells:
    """All cells of a sheet."""
    blocks: list[CellBlock] = []
    rows = sheet.iter_rows()
    first = 0
    most = max(1, min(BATCH_ROWS, _MOST_CELLS // max(1, sheet.width)))
    while chunk := list(islice(rows, most)):
        made = [column_of(column) for column in zip(*chunk, strict=True)]
        kinds = np.stack([kinds for kinds, _ in made], axis=1)
        blocks.append(CellBlock(first, kinds, [texts for _, texts in made]))
        first += len(chunk)
    merges = sheet_merges(sheet, sheet.start[1]) if sheet.start else []
    return SheetCells(len(blocks[0].columns) if blocks else 0, blocks, merges)


def column_of(cells: Sequence[Any]) -> tuple[NDArray[Any], pa.Array]:
    """The kinds and texts of the cells of a column, as the library gives them."""
    types = set(map(type, cells))
    if types == {str}:
        texts = cleaned(pa.array(cells, pa.string()))
        return np.asarray(texts.is_valid(), np.uint8) * TEXT, texts
    if types == {float}:
        return np.full(len(cells), NUMBER, np.uint8), of_numbers(np.array(cells))
    if types in ({dt.date}, {dt.datetime}):
        texts = pa.array([cell.isoformat() for cell in cells], pa.string())
        return np.full(len(cells), kind_of(cells[0]), np.uint8), texts
    kinds = np.fromiter(map(kind_of, cells), np.uint8, len(cells))
    places = np.full(len(cells), -1)
    parts: list[pa.Array] = []
    done = 0
    is_number = np.fromiter((type(cell) is float for cell in cells), bool, len(cells))
    for mask, of_values in ((is_number, _numbers), (~is_number & (kinds != 0), _others)):
        count = int(mask.sum())
        if count:
            parts.append(of_values(list(compress(cells, mask))))
            places[mask] = np.arange(done, done + count)
            done += count
    if not parts:
        return kinds, pa.nulls(len(cells), pa.string())
    return kinds, pa.concat_arrays(parts).take(pa.array(places, mask=places < 0))


def _numbers(cells: list[float]) -> pa.Array:
    return of_numbers(np.array(cells))


def _others(cells: list[Any]) -> pa.Array:
    return pa.array([written(cell) for cell in cells], pa.string())


def sheet_merges(sheet: calamine.CalamineSheet, left: int) -> Sequence[Merge] | None:
    """The merged cells, as many as any sheet has that somebody reads.

    The library counts them from the sheet's corner, but the columns of its rows from `left`, the first that
    holds anything.
    """
    ranges = sheet.merged_cell_ranges
    if ranges is None:
        return None
    merges: list[Merge] = []
    columns = 0
    for (top, first), (bottom, last) in ranges[:_MOST_MERGES]:
        columns += last - first
        if columns > _MERGED_CELLS:
            break
        if last >= left:
            merges.append((top, max(0, first - left), bottom, last - left))
    return merges
