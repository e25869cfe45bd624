"""The values of plainly written cells, whole Arrow columns at a time: null where a cell is written otherwise.

Used by `cell_proofs` and `keys`. Arrow's own parsers are the fastest, but one odd cell stops them; so the odd cells
are told by their bytes or their length and set apart, and the parser is asked again. What is plain is what every
reader agrees on; whether anything else is a value is for frictionless to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from opendata.resources.ingest.day_shapes import written_days

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

_MOST_INT64_DIGITS: Final = 18
_INTEGER: Final = rf"^-?[0-9]{{1,{_MOST_INT64_DIGITS}}}$"
_MOMENT_LENGTH: Final = 19
_FIRST_SECOND: Final = -62_135_596_800  # of the year 1; Arrow also reads the year 0
_DAY_FORM: Final = re.compile(r"%([dmY])[-/.]%([dmY])[-/.]%([dmY])")
_ZERO, _NINE, _MINUS, _POINT = ord("0"), ord("9"), ord("-"), ord(".")
_MOST_APART: Final = 16  # one cell in so many; a column with more of them is written in another way


def plain_integers(cells: pa.Array) -> pa.Array:
    """As int64."""
    values = None
    if _are_digits(cells):  # Arrow also reads 0x1F
        values = _read(cells, pa.int64())
    if values is None:
        values = _read(_apart(cells, _odd_bytes(cells, _MINUS)), pa.int64())
    if values is None:
        plain = pc.match_substring_regex(cells, _INTEGER)
        values = pc.if_else(plain, cells, pa.scalar(None, pa.string())).cast(pa.int64())
    return values


def plain_doubles(bare: pa.Array, decimal: str, *, is_most: bool) -> pa.Array | None:
    """As doubles, of cells without marks between thousands; None for regular expressions to tell.

    Exponents are not plain. `is_most`: None also where too many cells would be set apart.
    """
    if decimal != ".":
        dotted = pc.match_substring(bare, ".")
        if pc.any(dotted).as_py():
            bare = _apart(bare, pc.fill_null(dotted, fill_value=False).to_numpy(zero_copy_only=False))
        bare = pc.replace_substring(bare, decimal, ".")
    values = None
    if _are_digits(bare):  # neither exponents nor "nan" and "inf"
        values = _read(bare, pa.float64())
    if values is None:
        odd = _odd_bytes(bare, _MINUS, _POINT)
        if not is_most or not _are_many(odd):
            values = _read(_apart(bare, odd), pa.float64())
    return values


def _read(cells: pa.Array, kind: pa.DataType) -> pa.Array | None:
    try:
        return cells.cast(kind)
    except pa.ArrowInvalid:
        return None


def plain_moments(cells: pa.Array) -> pa.Array | None:
    """As seconds, of moments written in full and without a zone; None where too many cells are something else."""
    odd = pc.fill_null(pc.not_equal(pc.binary_length(cells), _MOMENT_LENGTH), fill_value=False)
    odd = odd.to_numpy(zero_copy_only=False)
    if _are_many(odd):
        return None
    values = _read(_apart(cells, odd), pa.timestamp("s"))
    if values is None:
        return None
    first = pc.min(values.cast(pa.int64())).as_py()
    return values if first is None or first >= _FIRST_SECOND else None


@dataclass(frozen=True, slots=True)
class PlainDays:
    """`days` since 1970, of no meaning where the cell `is_day` not."""

    days: NDArray[np.int32]
    is_day: Mask


def is_day_form(form: str) -> bool:
    """Whether `plain_days` reads it: day, month and year once each, with marks between them."""
    match = _DAY_FORM.fullmatch(form)
    return match is not None and set(match.groups()) == {"d", "m", "Y"}


def plain_days(cells: pa.Array, form: str) -> PlainDays:
    """Days written with every digit in a form of strptime."""
    written = written_days(cells, form)
    if written is not None:
        return PlainDays(written.days, written.exists)
    days, is_day = np.zeros(len(cells), np.int32), np.zeros(len(cells), np.bool_)
    shaped = _shaped(cells, form)
    written = written_days(cells.take(pa.array(shaped)), form) if len(shaped) else None
    if written is not None:
        days[shaped], is_day[shaped] = written.days, written.exists
    return PlainDays(days, is_day)


def _shaped(cells: pa.Array, form: str) -> NDArray[np.intp]:
    """Positions of the cells that have digits and marks where the form has them."""
    shape = form.replace("%d", "00").replace("%m", "00").replace("%Y", "0000")
    starts, ends, data = _bytes_of(cells)
    positions = np.flatnonzero(ends - starts == len(shape))
    fits = np.ones(len(positions), np.bool_)
    for place, char in enumerate(shape):
        found = data[starts[positions] + place]
        fits &= (found >= _ZERO) & (found <= _NINE) if char == "0" else found == ord(char)
    fitting: NDArray[np.intp] = positions[fits]
    return fitting


def _bytes_of(cells: pa.Array) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8]]:
    """Where each cell starts and ends, and the bytes of all of them. Arrow may leave bytes behind a null."""
    if not len(cells):
        return np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.uint8)
    _, offsets, data = cells.buffers()
    edges = np.frombuffer(offsets, np.int32)[cells.offset : cells.offset + len(cells) + 1]
    held = np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)[edges[0] : edges[-1]]
    edges = edges - edges[0]
    return edges[:-1], edges[1:], held


def _are_digits(cells: pa.Array) -> bool:
    """Whether there is no byte but digits and marks such as a minus and a point."""
    _, _, data = _bytes_of(cells)
    return not len(data) or (int(data.min()) >= _MINUS and int(data.max()) <= _NINE)


def _odd_bytes(cells: pa.Array, *marks: int) -> Mask:
    """Cells with a byte that is neither a digit nor one of the marks, or a minus anywhere but before another byte."""
    odd = np.zeros(len(cells), np.bool_)
    starts, ends, data = _bytes_of(cells)
    is_foreign = data - np.uint8(_ZERO) > _NINE - _ZERO  # whatever is below zero becomes large
    for mark in marks:
        is_foreign &= data != mark
    odd[np.searchsorted(ends, np.flatnonzero(is_foreign), side="right")] = True
    minuses = np.flatnonzero(data == _MINUS)
    signed = np.searchsorted(ends, minuses, side="right")
    odd[signed[(starts[signed] != minuses) | (ends[signed] == minuses + 1)]] = True
    return odd


def _are_many(odd: Mask) -> bool:
    return bool(np.count_nonzero(odd) * _MOST_APART > len(odd))


def _apart(cells: pa.Array, odd: Mask) -> pa.Array:
    """The column without some of its cells."""
    return pc.if_else(pa.array(odd), pa.scalar(None, pa.string()), cells) if odd.any() else cells
