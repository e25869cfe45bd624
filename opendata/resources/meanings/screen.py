"""The screen for personal data: what in a converted table may be about people, for a person to decide on.

Called by the pipeline after `recognise`. It looks at every value, and asks rather than judges: hotlines of
offices are found as well. Findings carry counts and masked samples, never a value. Memory: a few blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from opendata.resources.meanings.column_values import ColumnValues
from opendata.resources.meanings.hidden import SUSPECT, HiddenCount, hidden_kinds
from opendata.resources.meanings.masking import (
    masked_email,
    masked_name,
    masked_number,
    masked_phone,
    masked_plate,
)
from opendata.resources.meanings.personal_finding import PersonalFinding
from opendata.resources.meanings.registry import MEANINGS
from opendata.resources.meanings.value_tests import spelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from opendata.resources.ingest.result import Column

SAMPLE: Final = 3
# Masked, many values look alike (`ng***@g***.com`); so many are tried for samples that do not.
_TRIED: Final = 300
_WHOLE_COLUMNS: Final[Mapping[str, tuple[str, Callable[[str], str]]]] = {
    "citizen-id": ("personal-citizen-ids", masked_number),
    "phone": ("personal-phones", masked_phone),
    "email": ("personal-emails", masked_email),
    "licence-plate": ("personal-plates", masked_plate),
}
# Their texts hold long numbers that are no one's: parts of addresses and of places.
_NOT_SEARCHED: Final = frozenset({"url", "coordinate-pair"})


def screen(
    parquet_path: Path, columns: Sequence[Column], meanings: Sequence[str | None]
) -> tuple[PersonalFinding, ...]:
    """Findings in the order of the columns. `meanings` are those that `recognise` gave for them."""
    whole = {place: key for place, key in enumerate(meanings) if key in _WHOLE_COLUMNS}
    texts = [
        place
        for place, column in enumerate(columns)
        if column.type == "string" and meanings[place] not in _NOT_SEARCHED
    ]
    with ColumnValues(parquet_path) as values:
        found = _count(values, whole, texts)
        pairs = list(_names_beside_births(values, columns, meanings))
    findings = [
        (place, finding)
        for place, counts in found.items()
        for finding in counts.findings(columns[place].name, values.row_count)
    ]
    ordered = sorted([*findings, *pairs], key=lambda pair: pair[0])
    return tuple(finding for _, finding in ordered)


class _Counts:
    """What one column holds: values of its meaning, and values hidden in texts."""

    def __init__(self, meaning: str | None, *, is_text: bool) -> None:
        self._meaning = meaning
        self._hidden = [HiddenCount(kind) for kind in hidden_kinds() if is_text and kind.key != meaning]
        self._values = 0
        self._count = 0
        self._sample: list[str] = []

    def show(self, values: pa.Array, counts: pa.Array) -> None:
        self._values += pc.sum(counts).as_py() or 0
        if self._meaning is not None:
            fits = self._show_whole(values, counts)
            values, counts = values.filter(pc.invert(fits)), counts.filter(pc.invert(fits))
        if not self._hidden:
            return
        suspect = pc.match_substring_regex(values, pattern=SUSPECT)
        texts = values.filter(suspect)
        if len(texts):
            for hidden in self._hidden:
                hidden.show(texts, counts.filter(suspect))

    def _show_whole(self, values: pa.Array, counts: pa.Array) -> pa.Array:
        """Which of the values are what the column means; the others may still hold something else."""
        test = MEANINGS[self._meaning or ""].named
        fits = test(values) if test is not None else pc.is_valid(values)
        self._count += pc.sum(counts.filter(fits)).as_py() or 0
        _, mask = _WHOLE_COLUMNS[self._meaning or ""]
        if len(self._sample) < SAMPLE:
            _add_masked(self._sample, spelled(values.filter(fits).slice(0, _TRIED)).to_pylist(), mask)
        return fits

    def findings(self, column: str, rows: int) -> Iterator[PersonalFinding]:
        if self._count:
            code, _ = _WHOLE_COLUMNS[self._meaning or ""]
            yield PersonalFinding(code, (column,), self._count, rows, tuple(self._sample))
        for hidden in self._hidden:
            if hidden.holds(self._values):
                yield PersonalFinding(hidden.kind.code, (column,), hidden.count, rows, tuple(hidden.sample))


def _count(values: ColumnValues, whole: Mapping[int, str | None], texts: Sequence[int]) -> dict[int, _Counts]:
    searched = frozenset(texts)
    wanted = sorted({*whole, *texts})
    counts = {place: _Counts(whole.get(place), is_text=place in searched) for place in wanted}
    for place, seen, times in values.counted(wanted):
        counts[place].show(seen, times)
    return counts


def _names_beside_births(
    values: ColumnValues, columns: Sequence[Column], meanings: Sequence[str | None]
) -> Iterator[tuple[int, PersonalFinding]]:
    """The first column of personal names with the first of birth dates: rows that have both."""
    names, births = _first(meanings, "personal-name"), _first(meanings, "birth-date")
    if names is None or births is None:
        return
    count = 0
    sample: list[str] = []
    for rows in values.rows([names, births]):
        both = pc.and_(_present(rows[names]), _present(rows[births]))
        count += pc.sum(both).as_py() or 0
        if len(sample) < SAMPLE:
            _add_masked(sample, rows[names].filter(both).slice(0, _TRIED).to_pylist(), masked_name)
    if count:
        both_columns = (columns[names].name, columns[births].name)
        yield (
            names,
            PersonalFinding("personal-names-births", both_columns, count, values.row_count, tuple(sample)),
        )


def _add_masked(sample: list[str], texts: Sequence[str], mask: Callable[[str], str]) -> None:
    """Fill a sample with masked values, none that is shown already."""
    for text in texts:
        if len(sample) == SAMPLE:
            return
        masked = mask(text)
        if masked not in sample:
            sample.append(masked)


def _present(values: pa.Array) -> pa.Array:
    if pa.types.is_string(values.type):
        return pc.fill_null(pc.not_equal(values, ""), fill_value=False)
    return pc.is_valid(values)


def _first(meanings: Sequence[str | None], key: str) -> int | None:
    return next((place for place, meaning in enumerate(meanings) if meaning == key), None)
