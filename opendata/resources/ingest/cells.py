"""Cells of a column as values under a field of a schema from outside, each distinct text read once.

Called by `checks` and `convert` for valid tables: frictionless's own cell reader gives the values, and
`CellValues` finds the smallest stored type that keeps them all.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from opendata.resources.ingest.numbers import survives_as_double

if TYPE_CHECKING:
    from opendata.resources.ingest.frictionless_checks import CellReader

_REMEMBERED: Final = 200_000
_INT64: Final = 2**63
_DECIMAL_DIGITS: Final = 38


class CellValues:
    """Reads a column through its field. Observe every batch, ask `stored`, then convert every batch."""

    def __init__(self, kind: str, reader: CellReader) -> None:
        self._kind = kind
        self._reader = reader
        self._known: dict[str, Any] = {}
        self._largest = 0
        self._before = self._after = 0
        self._is_double = self._is_finite = True
        self._offsets: set[str] = set()
        self._is_aware = False

    def observe(self, cells: pa.Array) -> None:
        if self._kind in {"integer", "number", "datetime", "time"}:
            for text in pc.unique(cells.drop_null()).to_pylist():
                self._weigh(self._value(text))

    def stored(self) -> str:
        """The Arrow type that keeps every value observed, `string` where only the text does."""
        if self._kind == "integer" and self._largest >= _INT64:
            return "decimal128(38, 0)" if self._largest < 10**_DECIMAL_DIGITS else "string"
        if self._kind == "number" and not self._is_double:
            digits = self._before + self._after
            fits = self._is_finite and digits <= _DECIMAL_DIGITS
            return f"decimal128({digits}, {self._after})" if fits else "string"
        if self._kind == "datetime":
            return self._stored_moment()
        if self._kind == "time":
            return "string" if self._is_aware else "time64[us]"
        fixed = {
            "integer": "int64",
            "number": "double",
            "boolean": "bool",
            "date": "date32[day]",
            "year": "int64",
        }
        return fixed.get(self._kind, "string")

    def convert(self, cells: pa.Array, stored: pa.DataType) -> pa.Array:
        """The cells as `stored`; text stays as it is written, missing values become null."""
        encoded = pc.fill_null(cells, "").dictionary_encode()
        texts = encoded.dictionary.to_pylist()
        values = [self._value(text) for text in texts]
        if pa.types.is_string(stored):
            values = [None if value is None else text for value, text in zip(values, texts, strict=True)]
        elif pa.types.is_floating(stored):
            values = [None if value is None else float(value) for value in values]
        elif pa.types.is_decimal(stored):
            values = [None if value is None else Decimal(value) for value in values]
        return pa.array(values, stored).take(encoded.indices)

    def _value(self, text: str) -> Any:
        if text in self._known:
            return self._known[text]
        value, _ = self._reader(text)
        if len(self._known) < _REMEMBERED:
            self._known[text] = value
        return value

    def _weigh(self, value: Any) -> None:
        if isinstance(value, int):
            self._largest = max(self._largest, abs(value))
        elif isinstance(value, Decimal):
            self._weigh_decimal(value)
        elif isinstance(value, dt.datetime):
            self._offsets.add(_offset(value))
        elif isinstance(value, dt.time):
            self._is_aware = self._is_aware or value.tzinfo is not None

    def _weigh_decimal(self, value: Decimal) -> None:
        if not value.is_finite():
            self._is_finite = False
            return
        _, digits, exponent = value.as_tuple()
        power = int(exponent)
        self._after = max(self._after, -power)
        self._before = max(self._before, len(digits) + power, 1)
        self._is_double = self._is_double and survives_as_double(str(value))

    def _stored_moment(self) -> str:
        if len(self._offsets) > 1:
            return "string"
        offset = next(iter(self._offsets), "")
        return f"timestamp[us, tz={offset}]" if offset else "timestamp[us]"


def _offset(value: dt.datetime) -> str:
    offset = value.utcoffset()
    if offset is None:
        return ""
    minutes = offset // dt.timedelta(minutes=1)
    sign = "-" if minutes < 0 else "+"
    return "UTC" if minutes == 0 else f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
