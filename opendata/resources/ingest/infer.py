"""What type a column has: decided over all of its values, never by a sample, never at the price of a digit.

`ColumnEvidence` is shown every value while the file is read and keeps only counts and a few examples.
`decide` then gives the one type that every value has, or text with the reason: values that do not fit, with
their rows; leading zeros; more digits than a number keeps; or two readings that nothing in the column tells
apart, which are then named as choices. A format that states kinds of value (a workbook, JSON) is believed:
what it holds as text is never made a number.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from opendata.resources.ingest.candidates import BooleanWords, Candidate, Days, Digits, Numbers, WholeNumbers
from opendata.resources.ingest.dates import DATES, MOMENTS
from opendata.resources.ingest.numbers import COMMA, PLAIN, POINT, STYLES, Style, plain_text
from opendata.resources.ingest.problems import Problem, examples_of

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_LOOK: Final = 500
_ENOUGH_TO_JUDGE: Final = 4
_INT64_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Decision:
    """The type of a column. `type`, `format` and `properties` make its Table Schema field.

    `stored` is the Arrow type as text. `notes` lack the column's name, which the caller adds. `by_schema`:
    the values are read by the field of a schema from outside, not by what was found out here.
    """

    type: str = "string"
    format: str = "default"
    properties: Mapping[str, Any] = field(default_factory=dict)
    stored: str = "string"
    notes: tuple[Problem, ...] = ()
    choices: tuple[Mapping[str, Any], ...] = ()
    by_schema: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "format": self.format,
            "properties": dict(self.properties),
            "stored": self.stored,
            "notes": [note.to_json() for note in self.notes],
            "choices": [dict(choice) for choice in self.choices],
            "by_schema": self.by_schema,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Decision:
        return cls(
            data["type"],
            data["format"],
            data["properties"],
            data["stored"],
            tuple(Problem.from_json(note) for note in data["notes"]),
            tuple(data["choices"]),
            data["by_schema"],
        )


class ColumnEvidence:
    """Watches one column. Show it every batch in order, then ask `decide`."""

    def __init__(self) -> None:
        self.count = 0
        self._whole = WholeNumbers()
        self._digits = Digits()
        self._numbers = {style.name: Numbers(style) for style in STYLES}
        self._days = [Days(known) for known in (*DATES.values(), *MOMENTS.values())]
        self._live: list[Candidate] = [
            BooleanWords(),
            self._whole,
            *self._numbers.values(),
            self._digits,
            *self._days,
        ]

    def show(self, values: pa.Array, rows: pa.Array) -> None:
        """A batch of the column and its row numbers; nulls are left out of every count."""
        if values.null_count:
            valid = pc.is_valid(values)
            values, rows = values.filter(valid), rows.filter(valid)
        if not self.count and len(values) > FIRST_LOOK:
            # Most candidates are out after a glance; the few that stay look at everything.
            self._look(values.slice(0, FIRST_LOOK), rows.slice(0, FIRST_LOOK))
            values, rows = values.slice(FIRST_LOOK), rows.slice(FIRST_LOOK)
        self._look(values, rows)

    def _look(self, values: pa.Array, rows: pa.Array) -> None:
        self.count += len(values)
        if not len(values) or not self._live:
            return
        spared = self._spared(values)
        for candidate in self._live:
            if candidate not in spared:
                candidate.show(values, rows)
        self._live = [candidate for candidate in self._live if candidate.misses * 2 <= self.count]

    def _spared(self, values: pa.Array) -> set[Candidate]:
        """Candidates that need not look: whole numbers fit every style of number and read the same in all.

        So do plain numbers without exponent in the point style, which then takes over what was learnt.
        """
        plain, point = self._numbers[PLAIN.name], self._numbers[POINT.name]
        shape = None if plain.misses else plain.shape_of(values)
        if self._whole.misses == 0 and self._whole.take_all(values, shape):
            longest = pc.max(pc.utf8_length(values)).as_py() if shape is None else shape.longest
            for numbers in self._numbers.values():
                numbers.exactness.before = max(numbers.exactness.before, longest)
            return {self._whole, self._digits, *self._numbers.values()}
        if plain.misses or point.misses:
            return set()
        if shape is not None or pc.all(plain.fits(values)).as_py():
            return {point}
        point.exactness = replace(plain.exactness)
        point.misses = int(plain.exactness.has_exponent)
        return set()

    def decide(self, kinds: set[str] | None = None) -> Decision:
        """The type of the column. `kinds`: what the format states of its values (see SourceTable)."""
        if self.count == 0:
            return Decision()
        if kinds:
            return self._decide_stated(kinds)
        fitting = self._fitting(Candidate)
        if any(isinstance(candidate, BooleanWords) for candidate in fitting):
            return Decision("boolean", stored="bool")
        if self._whole in fitting:
            return Decision("integer", stored="int64")
        return self._decide_number() or self._decide_day() or self._explain_text()

    def _fitting(self, kind: type[Candidate]) -> list[Any]:
        return [
            candidate for candidate in self._live if candidate.misses == 0 and isinstance(candidate, kind)
        ]

    def _decide_stated(self, kinds: set[str]) -> Decision:
        if "nested" in kinds:
            return Decision(notes=(Problem("nested-values"),))
        if kinds == {"boolean"}:
            return Decision("boolean", stored="bool")
        decided = None
        if kinds == {"number"}:
            decided = self._decide_plain_number()
        elif kinds <= {"date", "datetime"} or kinds == {"text"}:
            decided = self._decide_day()
        if decided is not None:
            return decided
        looks_otherwise = self._whole.misses == 0 or self._fitting(Numbers) or self._fitting(BooleanWords)
        if looks_otherwise and "text" in kinds:
            return Decision(notes=(Problem("text-in-source"),))
        return self._explain_text()

    def _decide_plain_number(self) -> Decision | None:
        if self._whole.misses == 0:
            return Decision("integer", stored="int64")
        plain = self._numbers[PLAIN.name]
        if plain.misses:
            return None
        if plain.exactness.is_whole and plain.exactness.before <= _INT64_DIGITS:
            return Decision("integer", stored="int64")  # stated as a number: no code, however long
        return _number(plain)

    def _decide_number(self) -> Decision | None:
        fitting = {candidate.style.name: candidate for candidate in self._fitting(Numbers)}
        plain, comma, point = (fitting.get(style.name) for style in (PLAIN, COMMA, POINT))
        if plain is not None:
            if comma is not None and comma.marked:
                return _ambiguous(comma, decimal=PLAIN, thousands=COMMA)
            if plain.exactness.is_whole and self._digits in self._live:
                return None  # long codes: explained as such
            return _number(plain)
        if comma is not None and point is not None:
            return _ambiguous(comma, decimal=COMMA, thousands=POINT)
        one = comma or point
        return _number(one) if one is not None else None

    def _decide_day(self) -> Decision | None:
        fitting: list[Days] = self._fitting(Days)
        if not fitting:
            return None
        first = fitting[0]
        twin = next((other for other in fitting if other.known.format == first.known.twin), None)
        if twin is not None and not first.reader.is_same_both_ways:
            return _ambiguous_day(first, twin)
        if len(first.offsets) > 1:
            return Decision(notes=(Problem("mixed-offsets"),))
        if first.kind == "date":
            return Decision("date", first.known.format, stored="date32[day]")
        offset = next(iter(first.offsets), "")
        return Decision(
            "datetime",
            first.known.format,
            stored=f"timestamp[us, tz={offset}]" if offset else "timestamp[us]",
        )

    def _explain_text(self) -> Decision:
        """Text, with the reason where the column looks like something else."""
        if self._digits in self._live and self._digits.zero_led:
            return Decision(notes=(Problem("leading-zeros", {"value": self._digits.zero_led}),))
        if self._digits in self._live and self._digits.misses == 0:
            return Decision(notes=(Problem("long-digits", {"value": self._digits.longest}),))
        near = [c for c in self._live if c is not self._digits and c.misses]
        if not near or self.count < _ENOUGH_TO_JUDGE:
            return Decision()
        best = min(near, key=lambda candidate: candidate.misses)
        values = {
            "count": best.misses,
            "total": self.count,
            "kind": best.kind,
            "examples": examples_of(best.examples),
        }
        return Decision(notes=(Problem("column-mixed", values),))


def _number(numbers: Numbers) -> Decision:
    stored = numbers.exactness.stored()
    if stored is None:
        code = "long-digits" if numbers.exactness.is_whole else "inexact-numbers"
        shown = numbers.exactness.inexact or numbers.marked
        return Decision(notes=(Problem(code, {"value": shown}),))
    return Decision("number", properties=numbers.style.properties, stored=str(stored))


def _ambiguous(numbers: Numbers, *, decimal: Style, thousands: Style) -> Decision:
    """The mark is a decimal mark or a thousands mark. Decimals written by programs lose the zeros at their
    end, thousands keep them: that makes one reading likelier, not certain.
    """
    value = float(plain_text(pa.array([numbers.marked]), decimal)[0].as_py())
    whole = plain_text(pa.array([numbers.marked]), thousands)[0].as_py()
    readings = {"value": numbers.marked, "low": math.floor(value), "high": math.ceil(value), "whole": whole}
    as_decimal = {"type": "number", **decimal.properties}
    as_thousands = {"type": "number", **thousands.properties}
    choices = (as_thousands, as_decimal) if numbers.ends_with_zero else (as_decimal, as_thousands)
    return Decision(notes=(Problem("ambiguous-number", readings),), choices=choices)


def _ambiguous_day(first: Days, twin: Days) -> Decision:
    """Day first is the likelier, and comes first in DATES: Viet Nam writes dates so."""
    day, month = re.findall(r"[0-9]+", first.first)[:2]
    readings = {"value": first.first, "day": int(day), "month": int(month)}
    choices = tuple({"type": days.kind, "format": days.known.format} for days in (first, twin))
    return Decision(notes=(Problem("ambiguous-date", readings),), choices=choices)
