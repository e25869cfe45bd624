"""How numbers are written in a column, decided from all of its values and never from one.

`3.359,80` is certain on its own; `105.698` is not: with a decimal point it is a hundred, with a thousands
point a hundred thousand. `infer` watches every value under the three styles that occur; `Exactness` says which
stored type, if any, keeps every digit of the numbers a style reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from opendata.resources.ingest.number_shapes import NumberShape

MOST_DIGITS: Final = 15
_DECIMAL_DIGITS: Final = 38

INTEGER: Final = r"^(?:0|-?[1-9][0-9]{0,14})$"
_WHOLE: Final = r"(?:0|[1-9][0-9]*)"
_EXPONENT: Final = r"(?:[eE][-+]?[0-9]{1,3})?"
_USUAL: Final = r"^-?[0-9]{1,15}\.[0-9]{1,25}$"
_SIXTEEN_DIGITS: Final = r"(?:[0-9][^0-9]*){16}"


@dataclass(frozen=True, slots=True)
class Style:
    """A way of writing numbers. `pattern` matches every number written so, whole numbers included."""

    name: str
    decimal: str
    group: str
    pattern: str

    @property
    def properties(self) -> dict[str, Any]:
        """What a Table Schema field says of it (section "number": decimalChar, groupChar)."""
        return {} if self.name == "plain" else {"decimalChar": self.decimal, "groupChar": self.group}


def _grouped(group: str, decimal: str) -> str:
    g, d = re.escape(group), re.escape(decimal)
    return rf"^-?(?:{_WHOLE}|[1-9][0-9]{{0,2}}(?:{g}[0-9]{{3}})+)(?:{d}[0-9]+)?$"


PLAIN: Final = Style("plain", ".", "", rf"^-?{_WHOLE}(?:\.[0-9]+)?{_EXPONENT}$")
COMMA: Final = Style("comma", ",", ".", _grouped(".", ","))
POINT: Final = Style("point", ".", ",", _grouped(",", "."))
STYLES: Final = (PLAIN, COMMA, POINT)


def arrow_type(name: str) -> pa.DataType:
    """The Arrow type that prints as `name`, of those this pipeline stores."""
    decimal = re.fullmatch(r"decimal128\((\d+), (\d+)\)", name)
    if decimal:
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    moment = re.fullmatch(r"timestamp\[(s|ms|us|ns)(?:, tz=(.+))?\]", name)
    if moment:
        return pa.timestamp(moment[1], moment[2])
    return pa.type_for_alias(name)


def plain_text(values: pa.Array, style: Style) -> pa.Array:
    """Numbers of a style as plain decimal text (`3.359,80` → `3359.80`)."""
    if style.group:
        values = pc.replace_substring(values, style.group, "")
    return values if style.decimal == "." else pc.replace_substring(values, style.decimal, ".")


@dataclass(slots=True)
class Exactness:
    """Whether all numbers of a column, seen as plain text, survive as double or as decimal.

    A double keeps any 15 digits; with more it still may be the very number (`0.30000000000000004` is what
    every program prints for that double), and with an exponent it may be beyond all doubles: both are asked
    value by value.
    """

    is_whole: bool = True
    is_double: bool = True
    has_exponent: bool = False
    before: int = 0
    after: int = 0
    inexact: str = ""

    def add(self, shape: NumberShape) -> bool:
        """Take over what a whole column has in common; False, and nothing done, where single numbers count."""
        if self.is_double and shape.longest > MOST_DIGITS:
            return False
        self.is_whole = self.is_whole and shape.is_whole
        self.before = max(self.before, shape.before)
        self.after = max(self.after, shape.after)
        return True

    def observe(self, numbers: pa.Array) -> None:
        """`numbers` is plain decimal text without nulls."""
        point = pc.find_substring(numbers, ".")
        has_point = pc.greater_equal(point, 0)
        length = pc.utf8_length(numbers)
        self.is_whole = self.is_whole and not pc.any(has_point).as_py()
        exponents = pc.match_substring(numbers, "e", ignore_case=True)
        self.has_exponent = self.has_exponent or bool(pc.any(exponents).as_py())
        self.is_whole = self.is_whole and not self.has_exponent
        whole = pc.if_else(has_point, point, length)
        fraction = pc.if_else(has_point, pc.subtract(pc.subtract(length, point), 1), 0)
        self.before = max(self.before, pc.max(whole).as_py() or 0)
        self.after = max(self.after, pc.max(fraction).as_py() or 0)
        if self.is_double and (self.has_exponent or pc.max(length).as_py() > MOST_DIGITS):
            doubtful = pc.or_(exponents, pc.match_substring_regex(numbers, _SIXTEEN_DIGITS))
            unsure = _not_printed_so(numbers.filter(doubtful))
            lost = (text for text in unsure.to_pylist() if not survives_as_double(text))
            self.inexact = next(lost, "")
            self.is_double = not self.inexact

    def stored(self) -> pa.DataType | None:
        """The smallest exact type, None where there is none. Whole numbers of 16 digits are codes."""
        if self.is_whole:
            return pa.int64() if self.before <= MOST_DIGITS else None
        if self.is_double:
            return pa.float64()
        if not self.has_exponent and self.before + self.after <= _DECIMAL_DIGITS:
            return pa.decimal128(self.before + self.after, self.after)
        return None


def _not_printed_so(numbers: pa.Array) -> pa.Array:
    """The numbers that are not just what a program prints for a double: sixteen and seventeen digits mostly are."""
    is_usual = pc.match_substring_regex(numbers, _USUAL)
    printed = pc.if_else(is_usual, numbers, "0").cast(pa.float64()).cast(pa.string())
    return numbers.filter(pc.or_(pc.invert(is_usual), pc.not_equal(printed, numbers)))


def survives_as_double(text: str) -> bool:
    """Whether the number comes back digit for digit after it was a double; zeros at its end do not count."""
    return _digits(repr(float(text))) == _digits(text)


def _digits(text: str) -> tuple[str, int]:
    """Significant digits and the power of ten of the last one."""
    mantissa, _, exponent = text.lower().lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    stripped = digits.rstrip("0")
    power = int(exponent or 0) - len(fraction) + len(digits) - len(stripped)
    return (stripped, power) if stripped else ("", 0)
