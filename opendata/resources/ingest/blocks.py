"""A table in blocks for the validator: whole columns of ordinary rows, and the odd rows one by one.

Made from a draft (`blocks_of_draft`) or straight from a file (`plain_csv`); read by `table_check` and `keys`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from opendata.resources.ingest.draft import draft_batches, draft_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from opendata.resources.ingest.draft import Draft

_ODD_ROWS: Final = 10_000


class NotCoveredError(Exception):
    """What is asked for is left to frictionless itself, on the whole table."""


@dataclass(frozen=True, slots=True)
class Block:
    """`columns` are texts, null where a cell is empty; `rows` (int64) their row numbers, ascending.

    `odd` are rows that have more or fewer cells than the header, or none at all: number and cells, ascending.
    They lie between the rows of this block or before the first one.
    """

    columns: Sequence[pa.Array]
    rows: NDArray[np.int64]
    odd: Sequence[tuple[int, Sequence[str]]] = ()


ReadBlocks = Callable[[], Iterator[Block]]


def blocks_of_draft(draft: Draft) -> Iterator[Block]:
    """Ragged rows are taken out of the columns of the draft and given as the file has them."""
    if len(draft.header) < len(draft.labels):
        rows = draft_rows(draft)
        while odd := list(islice(rows, _ODD_ROWS)):
            yield Block((), np.empty(0, np.int64), odd)
        return
    irregular = draft.irregular
    odd_rows: dict[int, Sequence[str]] = {row: [""] * cells for row, cells in irregular.blank.items()}
    odd_rows |= irregular.ragged
    waiting = sorted(odd_rows)
    ragged = pa.array(sorted(irregular.ragged), pa.int64())
    for batch in draft_batches(draft.path):
        if not batch.num_rows:
            continue
        kept = batch
        if len(ragged):
            kept = batch.filter(pc.invert(pc.is_in(batch.column(batch.num_columns - 1), ragged)))
        last = batch.column(batch.num_columns - 1)[-1].as_py()
        count = int(np.searchsorted(waiting, last, side="right"))
        odd = [(row, odd_rows[row]) for row in waiting[:count]]
        waiting = waiting[count:]
        *columns, rows_ = kept.columns
        yield Block(columns, rows_.to_numpy(), odd)
    if waiting:
        yield Block((), np.empty(0, np.int64), [(row, odd_rows[row]) for row in waiting])
