"""Delimited text: which character separates cells.

Called by `ingest.identify` for the dialect. Looks at a bounded sample and judges each separator by what it
would make of it, with the same parser that reads the file later.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Final

from opendata.resources.formats.headers import MOST_TITLE_ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

# Commas also stand in text and in numbers, so that of two equals the other one is meant.
DELIMITERS: Final = ("\t", ";", "|", ",")
SAMPLE_BYTES: Final = 1 << 18
SAMPLE_ROWS: Final = 200
LONGEST_CELL: Final = 16 << 20
QUOTE: Final = '"'


def judge_delimiters(sample: str) -> dict[str, float]:
    """Score of each delimiter, 0 (makes no columns) to 1 (every row has the same many columns).

    A row counts when it has the usual number of cells. More columns are likelier than two, and a header that
    fits than one that has to be skipped as a title: decimal commas split rows evenly, but not the header.
    """
    return {delimiter: _judge(rows_of(sample, delimiter)) for delimiter in DELIMITERS}


def best_delimiter(scores: dict[str, float]) -> str | None:
    """The delimiter with the highest score, None where none makes columns."""
    best = max(scores, key=lambda delimiter: scores[delimiter])
    return best if scores[best] > 0 else None


def rows_of(sample: str, delimiter: str, most: int = SAMPLE_ROWS) -> list[list[str]]:
    """The first rows of a sample; what cannot be parsed (an endless cell) ends the list."""
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, quotechar=QUOTE)
    try:
        rows.extend(islice(reader, most))
    except csv.Error:
        return rows
    return rows


def _judge(rows: list[list[str]]) -> float:
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    wide = [len(row) for row in filled if len(row) > 1]
    if not wide:
        return 0.0
    usual, count = Counter(wide).most_common(1)[0]
    share = count / len(filled)
    titles = _title_rows(filled)
    header_fits = len(filled[titles]) == usual
    return share * share * (1 - 0.8 / usual) * 0.9**titles * (1.0 if header_fits else 0.4)


def _title_rows(filled: Sequence[Sequence[str]]) -> int:
    for skipped, row in enumerate(filled[: MOST_TITLE_ROWS + 1]):
        if sum(1 for cell in row if cell.strip()) > 1:
            return skipped
    return 0
