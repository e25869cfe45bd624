"""Which tables a sheet holds: below each other, side by side, each with a header of its own.

Called by `spreadsheet` with the survey of a sheet. A blank row alone ends no table, for offices leave rows
blank within one; a header of its own below it does. The same holds for a blank column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opendata.resources.formats.footers import footer_rows
from opendata.resources.formats.headers import Header, find_header
from opendata.resources.formats.marginal_words import (
    is_measure_name,
    is_note,
    is_signature,
    is_table_title,
    unit_note,
)
from opendata.resources.formats.sheet_survey import HEADER_WITHIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opendata.resources.formats.sheet_survey import SheetSurvey

_MOST_CAPTION_ROWS: Final = 6
_MOST_NAME_ROWS: Final = 3
_SAME_LABELS: Final = 2
_UNEVEN: Final = 3
_FEWEST_ROWS: Final = 2


@dataclass(frozen=True, slots=True)
class Region:
    """A table on a sheet. Rows and columns count from 0, `header` counts rows from `first`.

    Data are the rows from `data` to `last`; `footers` are the rows below that were left out, `names` those
    below the header that name the columns once more. `columns` are those that hold anything.
    """

    first: int
    data: int
    last: int
    left: int
    right: int
    header: Header
    columns: tuple[int, ...]
    names: tuple[int, ...] = ()
    footers: tuple[int, ...] = ()
    caption: str = ""


def regions_of(survey: SheetSurvey) -> list[Region]:
    """The tables of a sheet from top to bottom, left to right; those without rows too."""
    found: list[Region] = []
    for first, last in _stacked(survey):
        found += _side_by_side(survey, first, last)
    return found


def whole_sheet(
    survey: SheetSurvey, *, rows: tuple[int, ...] | None, first: int = 0, last: int | None = None
) -> Region | None:
    """The sheet, or a range of its rows, as one table. `rows`: the rows of its header, counted from 0."""
    end = len(survey) - 1 if last is None else last
    within = tuple(row - first for row in rows) if rows else None
    return region_of(survey, first, end, 0, survey.width - 1, rows=within)


def region_of(
    survey: SheetSurvey, first: int, last: int, left: int, right: int, *, rows: tuple[int, ...] | None = None
) -> Region | None:
    """The table in a range of cells, None where that is blank."""
    until = HEADER_WITHIN if rows is None else HEADER_WITHIN + rows[-1]
    grid = survey.grid(first, min(last, first + until), left, right)
    header = find_header(grid, rows=rows)
    if header is None:
        return None
    data = first + header.position + 1
    names = _name_rows(survey, data, last, left, right) if rows is None and header.units_row is None else 0
    footers = _footers(survey, (data + names, last), (left, right), sum(map(bool, header.labels)))
    end = last - footers
    while end >= data + names and not _is_filled(survey, end, left, right):
        end -= 1
    kinds = survey.kinds(data + names, end)
    labels = header.labels
    columns = tuple(
        column
        for column in range(left, min(right, survey.width - 1) + 1)
        if kinds[column] or (column < len(labels) and labels[column])
    )
    return Region(
        first=first,
        data=data + names,
        last=end,
        left=left,
        right=right,
        header=header,
        columns=columns,
        names=tuple(range(data, data + names)),
        footers=tuple(
            row for row in range(last - footers + 1, last + 1) if _is_filled(survey, row, left, right)
        ),
        caption=_caption(header.titles),
    )


def _is_filled(survey: SheetSurvey, row: int, left: int, right: int) -> bool:
    return any(survey.shape(row)[left : right + 1])


def _caption(titles: Sequence[str]) -> str:
    return next((title for title in titles if title and unit_note(title) is None), "")


def _footers(survey: SheetSurvey, rows: tuple[int, int], columns: tuple[int, int], labels: int) -> int:
    first, last = rows
    if last < first:
        return 0
    grid, start = survey.last_rows(*rows, *columns)
    usual = survey.usual_cells(*rows, *columns)
    return footer_rows(grid, max(0, first - start), labels or usual)


def _name_rows(survey: SheetSurvey, first: int, last: int, left: int, right: int) -> int:
    """How many rows under the header name the columns once more: words over columns of anything but words.

    One such column would be a wrong cell; half of them at once are names in another language, or codes.
    """
    for count in range(_MOST_NAME_ROWS, 0, -1):
        if first + count > last:
            continue
        rest = survey.kinds(first + count, last)
        rows = [survey.kinds(row, row) for row in range(first, first + count)]
        if all(_are_names(kinds[left : right + 1], rest[left : right + 1]) for kinds in rows):
            return count
    return 0


def _are_names(row: Sequence[set[str]], rest: Sequence[set[str]]) -> bool:
    filled = [column for column, kinds in enumerate(row) if kinds]
    if any(row[column] != {"text"} for column in filled):
        return False
    measured = [column for column in filled if rest[column] and "text" not in rest[column]]
    return len(measured) > 1 and len(measured) * 2 >= len(filled)


# Below each other ---------------------------------------------------------------------------------------


def _stacked(survey: SheetSurvey) -> list[tuple[int, int]]:
    """Ranges of rows, each with a table: a new one begins where a block of rows has its own header."""
    starts = [0]
    current = region_of(survey, 0, len(survey) - 1, 0, survey.width - 1) if len(survey) else None
    for block in survey.block_starts:
        if current is None or block <= current.data:
            continue
        row = _own_header(survey, current, block)
        if row is None:
            continue
        start = _with_captions(survey, row, current.data)
        starts.append(start)
        current = region_of(survey, start, len(survey) - 1, 0, survey.width - 1)
    ends = [start - 1 for start in starts[1:]] + [len(survey) - 1]
    return list(zip(starts, ends, strict=True))


def _own_header(survey: SheetSurvey, current: Region, block: int) -> int | None:
    """The row of a block that names columns anew: the same names, or words where numbers stood so far."""
    row = block
    while row < min(block + _MOST_CAPTION_ROWS, len(survey)) and sum(map(bool, survey.shape(row))) <= 1:
        row += 1
    if row + 1 >= len(survey) or row not in survey.cells or survey.is_blank(row + 1):
        return None
    shape = survey.shape(row)
    filled = [column for column, kind in enumerate(shape) if kind]
    if len(filled) <= 1 or any(shape[column] != "text" for column in filled):
        return None
    texts, labels = survey.texts(row), current.header.labels
    same = sum(1 for column in filled if column < len(labels) and _alike(texts[column], labels[column]))
    if same >= _SAME_LABELS and same * 2 >= len(filled):
        return row
    so_far = survey.kinds(current.data, block - 1)
    kinds = [{"text"} if kind else set[str]() for kind in shape]
    kinds += [set() for _ in range(len(so_far) - len(kinds))]
    below = survey.kinds(row + 1, min(row + _UNEVEN, len(survey) - 1))
    is_measured = sum(1 for column in filled if "number" in below[column]) > 1
    if is_measured and _are_names(kinds, so_far):
        return row
    if _begins_anew(survey, current, row, so_far):
        return row
    return row if _is_announced(survey, block, row) and _is_named_anew(shape, so_far, below) else None


def _begins_anew(survey: SheetSurvey, current: Region, row: int, so_far: Sequence[set[str]]) -> bool:
    """Whether words over one column of numbers are names of columns, though nothing announces a table.

    A remark in place of a number ("chưa có số liệu") looks the same, and so do headings of groups. So the whole
    row must be words, stand over and under rows without any in that column, and say that it names: it repeats
    the name of another column, or begins as names of measures do (`Số giường`).
    """
    labels = current.header.labels
    filled = [column for column, kind in enumerate(survey.shape(row)) if kind]
    measured = [column for column in filled if so_far[column] and "text" not in so_far[column]]
    usual = [column for column in current.columns if so_far[column]]
    end = min(row + _UNEVEN, len(survey) - 1)
    if len(measured) != 1 or not {*usual} <= {*filled} or row + _FEWEST_ROWS > end:
        return False
    column = measured[0]
    below = [survey.shape(under)[column] for under in range(row + 1, end + 1) if not survey.is_blank(under)]
    if len(below) < _FEWEST_ROWS or any(kind in {"", "text"} for kind in below):
        return False
    texts = survey.texts(row)
    others = [other for other in filled if other != column and other < len(labels)]
    is_repeated = any(_alike(texts[other], labels[other]) for other in others)
    return is_repeated or is_measure_name(texts[column])


def _is_announced(survey: SheetSurvey, block: int, row: int) -> bool:
    """Whether a line above a row says that a table begins: `Bảng 2: Trạm y tế`."""
    return any(is_table_title("".join(survey.texts(above))) for above in range(block, row))


def _is_named_anew(shape: Sequence[str], so_far: Sequence[set[str]], below: Sequence[set[str]]) -> bool:
    """A word where only numbers or dates stood, or over them: enough for a table that is announced."""
    return any(
        kind == "text" and any(kinds and "text" not in kinds for kinds in (above, under))
        for kind, above, under in zip(shape, so_far, below, strict=False)
    )


def _alike(text: str, label: str) -> bool:
    return bool(text.strip()) and " ".join(text.split()).casefold() == label.casefold()


def _with_captions(survey: SheetSurvey, row: int, data: int) -> int:
    """The first of the lines above a header that speak of it: single cells that are no note of what was before."""
    start = row
    for above in range(row - 1, max(data, row - _MOST_CAPTION_ROWS) - 1, -1):
        filled = [column for column, kind in enumerate(survey.shape(above)) if kind]
        if not filled:
            continue
        texts = survey.texts(above)
        text = texts[filled[0]] if filled[0] < len(texts) else ""
        if len(filled) > 1 or survey.shape(above)[filled[0]] != "text" or is_note(text) or is_signature(text):
            break
        start = above
    return start


# Side by side -------------------------------------------------------------------------------------------


def _side_by_side(survey: SheetSurvey, first: int, last: int) -> list[Region]:
    whole = region_of(survey, first, last, 0, survey.width - 1)
    if whole is None:
        return []
    groups = _groups(whole.columns)
    if len(groups) == 1:
        return [whole]
    parts = [region_of(survey, first, last, group[0], group[-1]) for group in groups]
    tables = [part for part in parts if part is not None and part.last >= part.data]
    is_whole = len(tables) == len(groups) and all(_named(table) >= _SAME_LABELS for table in tables)
    return tables if is_whole and _are_separate(survey, tables) else [whole]


def _groups(columns: Sequence[int]) -> list[list[int]]:
    """Columns that hold anything, apart where a blank column lies between."""
    groups: list[list[int]] = []
    for column in columns:
        if groups and column == groups[-1][-1] + 1:
            groups[-1].append(column)
        else:
            groups.append([column])
    return groups or [[]]


def _named(region: Region) -> int:
    return sum(1 for label in region.header.labels if label)


def _are_separate(survey: SheetSurvey, tables: Sequence[Region]) -> bool:
    """Names that begin anew; or words first in each, and a caption over each or clearly different lengths."""
    first = [label.casefold() for label in tables[0].header.labels if label]
    repeated = all(
        sum(1 for label in table.header.labels if label and label.casefold() in first) >= _SAME_LABELS
        for table in tables[1:]
    )
    captions = {table.caption for table in tables}
    has_captions = "" not in captions and len(captions) == len(tables)
    uneven = any(abs(table.last - tables[0].last) >= _UNEVEN for table in tables[1:])
    begin_with_words = all(
        "text" in survey.kinds(table.data, table.last)[table.columns[0]] for table in tables
    )
    return repeated or (begin_with_words and (has_captions or uneven))
