"""What is said of the structure that was made of a table: its header, what was left out, its totals.

Used by the readers of workbooks and of delimited text, so that both say the same in the same words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opendata.resources.formats.marginal_words import is_total
from opendata.resources.ingest.problems import Problem, examples_of, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opendata.resources.formats.headers import Header

_SHOWN: Final = 5


def header_problems(header: Header, first: int) -> Iterator[Problem]:
    """What was made of the rows of a header that begins at row `first`, counted from 0."""
    if header.titles:
        top = header.rows[0]
        yield Problem("title-rows-skipped", {"count": top, "header_row": first + top + 1})
    if len(header.rows) > 1:
        rows = {"rows": row_ranges([first + row + 1 for row in header.rows])}
        yield Problem("header-rows-joined", rows, row=first + header.rows[0] + 1)
    if header.unit:
        yield Problem("unit-above-table", {"unit": shown(header.unit)})
    if header.units_row is not None:
        units = ", ".join(dict.fromkeys(unit for unit in header.units if unit))
        yield Problem("units-row", {"units": shown(units)}, row=first + header.units_row + 1)
    if header.numbers_row is not None:
        yield Problem("column-numbers-skipped", row=first + header.numbers_row + 1)


def footer_problem(rows: Sequence[tuple[int, str]]) -> Problem:
    """Says which rows were left out; `rows` are numbers and texts."""
    numbers = [number for number, _ in rows]
    counted = {"count": len(rows), "rows": row_ranges(numbers), "examples": examples_of(rows[:_SHOWN])}
    return Problem("footer-left-out", counted, row=numbers[0])


def total_problem(rows: Sequence[tuple[int, str]]) -> Problem:
    """Says which rows look like totals."""
    counted = {"count": len(rows), "examples": examples_of(rows[:_SHOWN])}
    return Problem("total-rows", counted, row=rows[0][0])


def totals(numbered: Sequence[tuple[int, Sequence[str]]]) -> list[tuple[int, str]]:
    """Rows whose first words are `Tổng số`, `Cả nước`, `Total` and the like."""
    found = []
    for number, texts in numbered:
        words = next((text for text in texts if text.strip() and not text.strip().isdigit()), "")
        if is_total(words):
            found.append((number, words))
    return found


def row_ranges(numbers: Sequence[int]) -> str:
    """Row numbers as people write them: `3, 7–9`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)
