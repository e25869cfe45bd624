"""Dates and moments in a column: which format holds for every value.

Day before month or month before day is told by the values alone; where both hold for all of them nobody can
know. A format accepts only days that exist (31/02 is none), asked once per distinct value. Used by `infer`
to decide and by `convert` to store.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from opendata.resources.ingest.day_shapes import WrittenDays, written_days

if TYPE_CHECKING:
    from collections.abc import Callable

_CLOCK: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_SECONDS: Final = r":[0-5][0-9](?:\.[0-9]{1,6})?"
_OFFSET: Final = r"(?:Z|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])"
_REMEMBERED: Final = 50_000
_UTC: Final = frozenset({"Z", "+00:00", "+0000", "-00:00", "-0000"})


@dataclass(frozen=True, slots=True)
class DateFormat:
    """`format` is what the Table Schema field says; `day` has the groups y, m and d; `twin` is the format with
    day and month exchanged, empty where there is none.
    """

    format: str
    day: str
    twin: str = ""
    clock: str = ""

    @property
    def is_moment(self) -> bool:
        return bool(self.clock)

    @property
    def pattern(self) -> str:
        day = re.sub(r"\?P<.>", "", self.day)
        return rf"^{day}{self.clock}$"

    def written(self, values: pa.Array) -> WrittenDays | None:
        """The days of a column whose texts all have every digit, None where one has not."""
        if self.format != "default":
            return written_days(values, self.format)
        return written_days(values, *_WRITTEN_MOMENT) if self.is_moment else written_days(values, "%Y-%m-%d")


def _family(separator: str) -> tuple[DateFormat, ...]:
    s = re.escape(separator)
    first, second = r"[0-9]{1,2}", r"[0-9]{1,2}"
    day_first = rf"(?P<d>{first}){s}(?P<m>{second}){s}(?P<y>[0-9]{{4}})"
    month_first = rf"(?P<m>{first}){s}(?P<d>{second}){s}(?P<y>[0-9]{{4}})"
    d, m = f"%d{separator}%m{separator}%Y", f"%m{separator}%d{separator}%Y"
    clocks = ((f" {_CLOCK}:[0-5][0-9]", " %H:%M:%S"), (f" {_CLOCK}", " %H:%M"))
    return (
        DateFormat(d, day_first, m),
        DateFormat(m, month_first, d),
        *(DateFormat(d + text, day_first, m + text, clock) for clock, text in clocks),
        *(DateFormat(m + text, month_first, d + text, clock) for clock, text in clocks),
    )


_WRITTEN_MOMENT: Final = ("%Y-%m-%dT%H:%M:%S", re.compile(_OFFSET))
_ISO_DAY: Final = r"(?P<y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})"
_FORMATS: Final = (
    DateFormat("default", _ISO_DAY),
    DateFormat("default", _ISO_DAY, "", f"[T ]{_CLOCK}{_SECONDS}{_OFFSET}?"),
    DateFormat("%Y-%m-%d %H:%M", _ISO_DAY, "", f" {_CLOCK}"),
    DateFormat("%Y-%m-%dT%H:%M", _ISO_DAY, "", f"T{_CLOCK}"),
    DateFormat("%Y/%m/%d", r"(?P<y>[0-9]{4})/(?P<m>[0-9]{1,2})/(?P<d>[0-9]{1,2})"),
    *_family("/"),
    *_family("-"),
    *_family("."),
)
DATES: Final = {known.format: known for known in _FORMATS if not known.is_moment}
MOMENTS: Final = {known.format: known for known in _FORMATS if known.is_moment}


class DayReader:
    """Turns the day part of one format into days since 1970, each distinct text once."""

    def __init__(self, known: DateFormat) -> None:
        self._known = known
        self._pattern = re.compile(known.day)
        self._days: dict[str, int | None] = {}
        self.is_same_both_ways = True

    def read(self, values: pa.Array) -> pa.Array:
        """Days (int32) of text values; null where the text is not a day of this format."""
        written = self.written(values)
        if written is not None:
            return pa.array(written.days, mask=~written.exists)
        parts = self._day_parts(values) if self._known.is_moment else values
        encoded = parts.dictionary_encode()
        days = pa.array([self._day(text) for text in encoded.dictionary.to_pylist()], pa.int32())
        return days.take(encoded.indices)

    def written(self, values: pa.Array) -> WrittenDays | None:
        """All of the values at once, where each is written with every digit."""
        written = self._known.written(values)
        if written is not None:
            self.is_same_both_ways = self.is_same_both_ways and written.is_same_both_ways
        return written

    def _day_parts(self, values: pa.Array) -> pa.Array:
        return pc.struct_field(pc.extract_regex(values, r"^(?P<day>[^T ]+)"), "day")

    def _day(self, text: str) -> int | None:
        if text in self._days:
            return self._days[text]
        day = self._calendar_day(text)
        if len(self._days) < _REMEMBERED:
            self._days[text] = day
        return day

    def _calendar_day(self, text: str) -> int | None:
        found = self._pattern.fullmatch(text)
        if found is None:
            return None
        self.is_same_both_ways = self.is_same_both_ways and int(found["d"]) == int(found["m"])
        try:
            return (dt.date(int(found["y"]), int(found["m"]), int(found["d"])) - dt.date(1970, 1, 1)).days
        except ValueError:
            return None


def offsets_of(values: pa.Array) -> set[str]:
    """The zone offsets at the end of ISO moments, as `+07:00`; empty for a moment without one."""
    found = pc.struct_field(pc.extract_regex(values, r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})$"), "zone")
    # "-01-02T" cannot end a moment, so what looks like a zone at the end is one.
    texts = set(pc.unique(found).to_pylist())
    return {offset_of(text) for text in texts}


def offset_of(text: str | None) -> str:
    """A zone as `+07:00` or `UTC`, empty for none."""
    if not text:
        return ""
    return "UTC" if text in _UTC else f"{text[:3]}:{text[-2:]}"


def to_dates(values: pa.Array, reader: DayReader) -> pa.Array:
    """Text of a date format as date32; null only where the text is null."""
    return _with_nulls(values, lambda texts: reader.read(texts).cast(pa.date32()))


def to_moments(values: pa.Array, known: DateFormat, reader: DayReader, stored: pa.DataType) -> pa.Array:
    """Text of a moment format as `stored`, a timestamp in microseconds."""
    if known.format == "default":
        return (
            pc.cast(values, pa.timestamp("us", "UTC")).cast(stored) if stored.tz else pc.cast(values, stored)
        )
    return _with_nulls(values, lambda texts: pc.multiply(_seconds(texts, reader), 1_000_000).cast(stored))


def _seconds(values: pa.Array, reader: DayReader) -> pa.Array:
    """Seconds since 1970 of moments without a zone."""
    written = reader.written(values)
    if written is not None and written.seconds is not None:
        return pa.array(written.days.astype(np.int64) * 86_400 + written.seconds, mask=~written.exists)
    seconds = pc.multiply(reader.read(values).cast(pa.int64()), 86_400)
    clock = pc.struct_field(pc.extract_regex(values, r"(?P<clock>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)$"), "clock")
    for position, factor in ((0, 3600), (3, 60), (6, 1)):
        part = pc.utf8_slice_codeunits(clock, position, position + 2)
        part = pc.if_else(pc.equal(part, ""), "0", part)
        seconds = pc.add(seconds, pc.multiply(part.cast(pa.int64()), factor))
    return seconds


def _with_nulls(values: pa.Array, read: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """What `read` makes of the values that are not null, with the nulls where they were."""
    if not values.null_count:
        found = read(values)
    else:
        present = values.is_valid().to_numpy(zero_copy_only=False)
        found = read(values.drop_null())
        places = np.cumsum(present) - 1
        found = found.take(pa.array(places, mask=~present))
    if found.null_count != values.null_count:
        raise ValueError("a value is not a day of the format that was proven")
    return found
