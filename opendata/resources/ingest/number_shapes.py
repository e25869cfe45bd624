"""Numbers of one style proven on whole columns: whether every text is one, and how many digits they have.

Called by `candidates`, which falls back to the patterns of `numbers` where one cell is anything else: this knows
only columns without a single exception, and says of them what the patterns would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from opendata.resources.ingest.column_bytes import ColumnBytes, column_bytes

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Places = NDArray[np.int32]

_ZERO: Final = ord("0")
_NINE: Final = ord("9")
_MINUS: Final = ord("-")
_SLASH: Final = ord("/")
_COMMA: Final = ord(",")
_GROUP: Final = 4  # a mark and its three digits


@dataclass(frozen=True, slots=True)
class NumberShape:
    """What all numbers of a column have in common, in their plain spelling (without group marks).

    `longest` counts characters, `before` those before the decimal mark, a minus among them, and `digits` those
    before it without the minus. `marked` is the place of the first number with a mark, None where none has one;
    `marked_zero`: a number with a mark ends with a zero.
    """

    longest: int
    before: int
    after: int
    digits: int
    is_whole: bool
    has_minus_zero: bool
    marked: int | None
    marked_zero: bool


def number_shape(values: pa.Array, decimal: str, group: str) -> NumberShape | None:
    """None unless every text is a number with these marks, without exponent; `group` may be empty."""
    held = column_bytes(values)
    if held is None or not _are_digits_and_marks(held, decimal, group):
        return None
    data, starts, ends = held.data, held.starts, held.ends
    firsts = starts
    is_negative = data[np.minimum(starts, len(data) - 1)] == _MINUS
    minuses = int(np.count_nonzero(data == _MINUS))
    if minuses:
        if minuses != np.count_nonzero(is_negative):
            return None
        firsts = starts + is_negative
    if (firsts >= ends).any():  # nothing, or a lone minus
        return None
    marks = _points(held, ord(decimal))
    if marks is None or (firsts >= marks.wholes_end).any():
        return None
    digits = marks.wholes_end - firsts
    leads = data[firsts] == _ZERO
    groups = _groups(held, ord(group), firsts, marks.wholes_end) if group else np.zeros(len(starts), np.int32)
    if groups is None or (leads & (digits > 1)).any():
        return None
    marked = groups > 0
    marked[marks.rows] = True
    is_marked = bool(marked.any())
    return NumberShape(
        longest=int((ends - starts - groups).max()),
        before=int((marks.wholes_end - starts - groups).max()),
        after=int((ends[marks.rows] - marks.points).max()) - 1 if len(marks.points) else 0,
        digits=int((digits - groups).max()),
        is_whole=not len(marks.points),
        has_minus_zero=bool((leads & is_negative).any()),
        marked=int(np.argmax(marked)) if is_marked else None,
        marked_zero=is_marked and bool((data[ends[marked] - 1] == _ZERO).any()),
    )


@dataclass(frozen=True, slots=True)
class _Points:
    """The decimal marks, the rows they stand in, and where the digits before a mark end in every row."""

    points: Places
    rows: Places
    wholes_end: Places


def _are_digits_and_marks(held: ColumnBytes, decimal: str, group: str) -> bool:
    data = held.data
    if not len(data) or int(data.max()) > _NINE or int(data.min()) < _COMMA or (data == _SLASH).any():
        return False
    return "," in {decimal, group} or int(data.min()) > _COMMA


def _points(held: ColumnBytes, decimal: int) -> _Points | None:
    """None where a number has two decimal marks, or no digit behind one."""
    points = np.flatnonzero(held.data == decimal).astype(np.int32)
    count = len(held.starts)
    if len(points) == count and (points >= held.starts).all() and (points < held.ends).all():
        rows = np.arange(count, dtype=np.int32)
    else:
        rows = (np.searchsorted(held.starts, points, side="right") - 1).astype(np.int32)
        if (rows[1:] == rows[:-1]).any():
            return None
    if (points + 1 >= held.ends[rows]).any():
        return None
    wholes_end = held.ends
    if len(points):
        wholes_end = held.ends.copy()
        wholes_end[rows] = points
    return _Points(points, rows, wholes_end)


def _groups(held: ColumnBytes, mark: int, firsts: Places, ends: Places) -> Places | None:
    """How many group marks each number has; None where one does not stand before exactly three digits."""
    places = np.flatnonzero(held.data == mark).astype(np.int32)
    counts = np.zeros(len(firsts), np.int32)
    if not len(places):
        return counts
    rows = np.searchsorted(held.starts, places, side="right") - 1
    is_last = np.append(rows[1:] != rows[:-1], True)
    following = np.where(is_last, ends[rows], np.append(places[1:], 0))
    if (following - places != _GROUP).any():
        return None
    is_first = np.append(True, rows[1:] != rows[:-1])
    led, of = places[is_first], rows[is_first]
    lead = led - firsts[of]
    if ((lead < 1) | (lead >= _GROUP)).any() or (held.data[firsts[of]] == _ZERO).any():
        return None
    counts[of] = np.diff(np.append(np.flatnonzero(is_first), len(places)))
    return counts
