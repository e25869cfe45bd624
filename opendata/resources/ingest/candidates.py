"""The types a column may have, each watching whether every value fits.

Used by `infer.ColumnEvidence`, which shows them whole batches of Arrow text. A candidate counts what does not
fit and keeps the first examples with their rows; what it learns besides (digits, day first, offsets) decides
later how the column is stored.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from opendata.resources.ingest.dates import DateFormat, DayReader, offset_of, offsets_of
from opendata.resources.ingest.number_shapes import NumberShape, number_shape
from opendata.resources.ingest.numbers import COMMA, INTEGER, MOST_DIGITS, Exactness, Style, plain_text

EXAMPLES: Final = 5
_BOOLEANS: Final = ("true", "True", "TRUE", "false", "False", "FALSE")
_DIGITS: Final = r"^[0-9]+$"
_ZERO_LED: Final = r"^0[0-9]+$"


class Candidate:
    """One type that a column may have. It is dropped when more than half of the values seen do not fit."""

    kind = "string"

    def __init__(self) -> None:
        self.misses = 0
        self.examples: list[tuple[int, str]] = []

    def fits(self, values: pa.Array) -> pa.Array:
        """A mask of the values that this type takes."""
        raise NotImplementedError

    def observe(self, values: pa.Array) -> None:
        """Further evidence; called with whole batches that fit."""

    def show(self, values: pa.Array, rows: pa.Array) -> None:
        mask = self.fits(values)
        missed = pc.invert(mask)
        count = pc.sum(missed).as_py() or 0
        if count and len(self.examples) < EXAMPLES:
            wanted = EXAMPLES - len(self.examples)
            shown = values.filter(missed).slice(0, wanted).to_pylist()
            self.examples += list(zip(rows.filter(missed).slice(0, wanted).to_pylist(), shown, strict=True))
        self.misses += count
        if self.misses == 0:
            self.observe(values)


class BooleanWords(Candidate):
    kind = "boolean"

    def fits(self, values: pa.Array) -> pa.Array:
        return pc.is_in(values, value_set=pa.array(_BOOLEANS))


class WholeNumbers(Candidate):
    kind = "integer"

    def fits(self, values: pa.Array) -> pa.Array:
        return pc.match_substring_regex(values, INTEGER)

    def take_all(self, values: pa.Array, shape: NumberShape | None) -> bool:
        """Whether every value fits; `shape` is that of plain numbers."""
        if shape is not None:
            return shape.is_whole and not shape.has_minus_zero and shape.digits <= MOST_DIGITS
        return bool(pc.all(self.fits(values)).as_py())


class Digits(Candidate):
    """Nothing but digits: codes, where they are not whole numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.zero_led = ""
        self.longest = ""

    def fits(self, values: pa.Array) -> pa.Array:
        if not self.zero_led:
            led = values.filter(pc.match_substring_regex(values, _ZERO_LED))
            self.zero_led = led[0].as_py() if len(led) else ""
        return pc.match_substring_regex(values, _DIGITS)

    def observe(self, values: pa.Array) -> None:
        """Keeps the longest value, which shows why the column is no number."""
        if len(values):
            lengths = pc.utf8_length(values)
            longest = values[pc.index(lengths, pc.max(lengths)).as_py()].as_py()
            self.longest = max(self.longest, longest, key=len)


class Numbers(Candidate):
    """Numbers of one style."""

    kind = "number"

    def __init__(self, style: Style) -> None:
        super().__init__()
        self.style = style
        self.exactness = Exactness()
        self.marked = ""
        self.ends_with_zero = False
        self._shape_of: tuple[pa.Array | None, NumberShape | None] = (None, None)

    def shape_of(self, values: pa.Array) -> NumberShape | None:
        """The shape of the values where all are numbers of this style without exponent."""
        known, shape = self._shape_of
        if known is not values:
            shape = number_shape(values, self.style.decimal, self.style.group)
            self._shape_of = (values, shape)
        return shape

    def show(self, values: pa.Array, rows: pa.Array) -> None:
        shape = None if self.misses else self.shape_of(values)
        if shape is None:
            super().show(values, rows)
        elif not self.exactness.add(shape):
            self.observe(values)
        elif self.style is COMMA and shape.marked is not None:
            self.marked = self.marked or values[shape.marked].as_py()
            self.ends_with_zero = self.ends_with_zero or shape.marked_zero
        self._shape_of = (None, None)

    def fits(self, values: pa.Array) -> pa.Array:
        return pc.match_substring_regex(values, self.style.pattern)

    def observe(self, values: pa.Array) -> None:
        self.exactness.observe(plain_text(values, self.style))
        if self.style is COMMA:  # the one style that others can be mistaken for
            marked = values.filter(pc.match_substring_regex(values, "[.,]"))
            if len(marked):
                self.marked = self.marked or marked[0].as_py()
                self.ends_with_zero = self.ends_with_zero or bool(pc.any(pc.ends_with(marked, "0")).as_py())


class Days(Candidate):
    """Dates, or moments, of one format."""

    def __init__(self, known: DateFormat) -> None:
        super().__init__()
        self.kind = "datetime" if known.is_moment else "date"
        self.known = known
        self.reader = DayReader(known)
        self.first = ""
        self.offsets: set[str] = set()
        self._suffix: str | None = None

    def fits(self, values: pa.Array) -> pa.Array:
        written = self.reader.written(values)
        self._suffix = None if written is None else written.suffix
        if written is not None:
            return pa.array(written.exists)
        shaped = pc.match_substring_regex(values, self.known.pattern)
        if not pc.any(shaped).as_py():
            return shaped
        return pc.and_(shaped, pc.is_valid(self.reader.read(pc.if_else(shaped, values, ""))))

    def observe(self, values: pa.Array) -> None:
        if len(values):
            self.first = self.first or values[0].as_py()
            if self.known.is_moment and self.known.format == "default":
                self.offsets |= offsets_of(values) if self._suffix is None else {offset_of(self._suffix)}
