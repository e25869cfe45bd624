"""Days and moments written with every digit (`05/09/2024`, `2024-09-05T07:30:00Z`), read from whole columns.

Called by `dates.DayReader`, which reads every other way of writing them text by text. A column of a million
takes hundredths of a second. The calendar is the proleptic Gregorian one of Python's `datetime`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from opendata.resources.ingest.column_bytes import column_bytes

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_WIDTHS: Final = {"d": 2, "m": 2, "Y": 4, "H": 2, "M": 2, "S": 2}
_LATEST: Final = {"H": 23, "M": 59, "S": 59}
_DIRECTIVE: Final = re.compile(r"%(.)|(.)")
_LAST_OF_MONTH: Final = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int32)
_ZERO: Final = ord("0")
_SPACE: Final = ord(" ")
# Days from 1 March of the year 0 to 1 January 1970.
_EPOCH: Final = 719_468


@dataclass(frozen=True, slots=True)
class WrittenDays:
    """`days` since 1970, of no meaning where the day does not exist; `seconds` of the day, None for dates.

    `suffix` stands after every moment of the column.
    """

    days: NDArray[np.int32]
    exists: NDArray[np.bool_]
    seconds: NDArray[np.int32] | None
    is_same_both_ways: bool
    suffix: str


def written_days(values: pa.Array, form: str, suffixes: re.Pattern[str] | None = None) -> WrittenDays | None:
    """The days of a column where every text has exactly the form (of strptime: d, m, Y, H, M, S), else None.

    With `suffixes` the same text of that pattern may follow every moment, and a space stand for a `T` in it.
    """
    held = column_bytes(values)
    if held is None:
        return None
    parts = [(match[1] or "", match[2] or "") for match in _DIRECTIVE.finditer(form)]
    width = sum(_WIDTHS[directive] if directive else 1 for directive, _ in parts)
    length = int(held.ends[0] - held.starts[0])
    suffix = values[0].as_py()[width:] if suffixes and length > width else ""
    if length != width + len(suffix) or (suffix and not (suffixes and suffixes.fullmatch(suffix))):
        return None
    cells = held.rectangle(length)
    if cells is None or not _all_end_with(cells[:, width:], suffix):
        return None
    found: dict[str, NDArray[np.int32]] = {}
    place = 0
    for directive, literal in parts:
        if directive:
            number = _number(cells[:, place : place + _WIDTHS[directive]])
            if number is None or int(number.max()) > _LATEST.get(directive, 9999):
                return None
            found[directive] = number
            place += _WIDTHS[directive]
        elif _is_mark(cells[:, place], literal, may_be_space=suffixes is not None):
            place += 1
        else:
            return None
    return _days(found, suffix)


def _all_end_with(ends: NDArray[np.uint8], suffix: str) -> bool:
    return not suffix or bool((ends == np.frombuffer(suffix.encode(), np.uint8)).all())


def _is_mark(column: NDArray[np.uint8], literal: str, *, may_be_space: bool) -> bool:
    fits = column == ord(literal)
    if may_be_space and literal == "T":
        fits |= column == _SPACE
    return bool(fits.all())


def _number(digits: NDArray[np.uint8]) -> NDArray[np.int32] | None:
    """The number that the columns of digits write; None where one is no digit."""
    number = np.zeros(len(digits), np.int32)
    for place in range(digits.shape[1]):
        digit = digits[:, place] - np.uint8(_ZERO)  # whatever is below zero becomes large
        if int(digit.max()) > 9:  # noqa: PLR2004 - a digit
            return None
        number *= 10
        number += digit
    return number


def _days(found: dict[str, NDArray[np.int32]], suffix: str) -> WrittenDays:
    year, month, day = found["Y"], found["m"], found["d"]
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    last = _LAST_OF_MONTH[np.minimum(month, 12)] + (is_leap & (month == 2))  # noqa: PLR2004 - February
    exists = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= last)  # noqa: PLR2004 - months
    # Years that begin in March have their leap day at the end.
    marches = year - (month <= 2)  # noqa: PLR2004 - February
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    days = 365 * marches + marches // 4 - marches // 100 + marches // 400 + of_year - _EPOCH
    seconds = None
    if "H" in found:
        seconds = found["H"] * 3600 + found["M"] * 60
        if "S" in found:
            seconds = seconds + found["S"]
    return WrittenDays(days, exists, seconds, bool((day == month).all()), suffix)
