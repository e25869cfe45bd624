"""Comparing whole-number and decimal columns with any number a person may write; used by `sql`.

DuckDB brings both sides to one DECIMAL type and fails where that does not hold them (a DECIMAL(38,10) column and
0.12345678901234 is enough). So the number asked for is first put on the column's own grid: what lies between two
of its values becomes a comparison with the one below, what lies beyond its range a comparison that is constant.
"""

from __future__ import annotations

import decimal
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Final

import pyarrow as pa

from opendata.tabular.query import Operator

# Numbers come with at most 60 digits on each side of the point and exponents of three digits.
_CONTEXT: Final = decimal.Context(prec=1_200, Emin=-5_000, Emax=5_000)


@dataclass(frozen=True, slots=True)
class Grid:
    """The values an exact column can hold: multiples of 10^-scale from `least` to `most`; `whole`: an integer type."""

    scale: int
    least: Decimal
    most: Decimal
    whole: bool

    def holds(self, value: Decimal) -> bool:
        return self.least <= value <= self.most and self._floor(value) == value

    def comparison(self, operator: Operator, value: Decimal) -> tuple[str, list[object]]:
        """SQL after the cell and its parameters, for lt, le, gt and ge; rows without a value never match."""
        upwards = operator in {Operator.GT, Operator.GE}
        if value > self.most or value < self.least:
            all_match = (value > self.most) != upwards
            return ("IS NOT NULL" if all_match else "IN ()"), []
        if self.holds(value):
            sign = {Operator.LT: "<", Operator.LE: "<=", Operator.GT: ">", Operator.GE: ">="}[operator]
            return f"{sign} ?", [self.stored(value)]
        return ("> ?" if upwards else "<= ?"), [self.stored(value)]

    def stored(self, value: Decimal) -> int | Decimal:
        """The value itself or the one below it, such that DuckDB reads it as the column's type."""
        below = self._floor(value)
        return int(below) if self.whole else below

    def _floor(self, value: Decimal) -> Decimal:
        return value.quantize(Decimal(1).scaleb(-self.scale), ROUND_FLOOR, context=_CONTEXT)


def grid_of(physical: pa.DataType) -> Grid | None:
    """The grid of a column's stored type; None where it is not one of exact numbers."""
    if pa.types.is_integer(physical):
        bits = physical.bit_width
        if pa.types.is_signed_integer(physical):
            return Grid(0, Decimal(-(2 ** (bits - 1))), Decimal(2 ** (bits - 1) - 1), whole=True)
        return Grid(0, Decimal(0), Decimal(2**bits - 1), whole=True)
    if pa.types.is_decimal(physical):
        most = Decimal("9" * physical.precision).scaleb(-physical.scale, context=_CONTEXT)
        return Grid(physical.scale, -most, most, whole=False)
    return None
