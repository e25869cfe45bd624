"""Rows around the data of a table that are no data: notes, sources, signatures and stray sums below it.

Called with the last rows of a sheet or of delimited text. A row is only taken for a footer where its words and
its shape both say so, and the reader names every row it leaves out. Totals are data: they are only named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opendata.resources.formats.marginal_words import (
    is_note,
    is_numbered_note,
    is_signature,
    is_total,
)

if TYPE_CHECKING:
    from opendata.resources.formats.headers import Grid

MOST_FOOTER_ROWS: Final = 60
_NARROW: Final = 2
_FEW_SIGNERS: Final = 4
_LONG: Final = 60
_STRAY_ROWS: Final = 2


def footer_rows(grid: Grid, first: int, usual: int, *, has_strays: bool = True) -> int:
    """How many of the last rows are a footer, blank ones among them included.

    Rows before `first` are not looked at. `usual`: how many columns the table has. `has_strays`: whether bare
    numbers far below the table are taken for somebody's sums.
    """
    if usual < _NARROW:
        return 0  # in a list of texts a note cannot be told from the rest
    last = len(grid.rows)
    while last > first and not grid.marks[last - 1].strip():
        last -= 1
    start = _stray(grid, first, last, usual) if has_strays else last
    start = _notes(grid, first, start, usual)
    while start > first and start < last and not grid.marks[start - 1].strip():
        start -= 1
    return len(grid.rows) - start if start < last else 0


def _notes(grid: Grid, first: int, last: int, usual: int) -> int:
    """Where notes and signatures begin: the highest row from which on there is nothing but such rows."""
    start = last
    for row in range(last - 1, max(first, last - MOST_FOOTER_ROWS) - 1, -1):
        cells = grid.filled(row)
        if not cells:
            continue
        if "v" in grid.marks[row].strip() and not _is_marked(grid, row):
            break
        if _is_footer(grid, row, usual):
            start = row
        elif not (len(cells) <= _FEW_SIGNERS and len(cells) < usual):
            break
    return start


def _is_footer(grid: Grid, row: int, usual: int) -> bool:
    cells = grid.filled(row)
    texts = grid.texts(row)
    if len(cells) >= max(usual, _NARROW):
        return False
    if _is_marked(grid, row):
        return len(cells) <= _FEW_SIGNERS and (is_note(texts[0]) or _is_apart(grid, row))
    if len(cells) <= _FEW_SIGNERS and any(is_signature(text) for text in texts):
        return _is_apart(grid, row) or usual > _FEW_SIGNERS
    is_line = len(cells) == 1 and usual > _NARROW and not is_total(texts[0])
    return is_line and len(texts[0]) > _LONG and _is_apart(grid, row)


def _is_marked(grid: Grid, row: int) -> bool:
    texts = grid.texts(row)
    return bool(texts) and (is_note(texts[0]) or is_numbered_note(texts[0]))


def _is_apart(grid: Grid, row: int) -> bool:
    """Whether a blank row, or the word that begins notes, lies above; footnotes between do not count."""
    above = row - 1
    while above >= 0 and grid.marks[above].strip():
        text = grid.texts(above)[0]
        if not is_numbered_note(text):
            return is_note(text)
        above -= 1
    return above >= 0


def _stray(grid: Grid, first: int, last: int, usual: int) -> int:
    """Where one or two rows of bare numbers begin that lie two blank rows below everything else."""
    start = last
    while start > first and grid.marks[start - 1].strip() and last - start <= _STRAY_ROWS:
        if "w" in grid.marks[start - 1] or len(grid.filled(start - 1)) >= usual:
            return last
        start -= 1
    is_far = start >= first + 2 and not (grid.marks[start - 1] + grid.marks[start - 2]).strip()
    return start if last - start <= _STRAY_ROWS and is_far else last
