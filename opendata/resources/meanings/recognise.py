"""Which meaning each column of a published table has, decided by its name and all of its values.

Called once per table by the pipeline, after conversion. A glance at some hundred values rules most meanings
out; those left are held to every value, so the share that decides is exact. Memory: a row group.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from opendata.resources.meanings.column_values import ColumnValues
from opendata.resources.meanings.labels import names_match
from opendata.resources.meanings.registry import MEANINGS
from opendata.resources.meanings.value_tests import anything

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from opendata.resources.ingest.result import Column
    from opendata.resources.meanings.meaning import Meaning, Test

# How much worse than asked the first look may be: its values are few, and the bad ones may stand together.
_LENIENCE: Final = 0.3
# A value of the other list may be a slip of the pen; one in fifty is none.
_LEAST_CONTRAST: Final = 0.02
_KEPT: Final = 1_000


@dataclass(slots=True)
class _Claim:
    """A meaning that a column may have, and what its values say so far. `words`: of the name, 0 for none."""

    meaning: Meaning
    test: Test
    share: float
    words: int
    least: int
    total: int = 0
    fits: int = 0
    contrasts: int = 0
    distinct: set[object] = field(default_factory=set)

    def show(self, values: pa.Array, counts: pa.Array) -> None:
        found = self.test(values)
        self.total += pc.sum(counts).as_py() or 0
        self.fits += pc.sum(counts.filter(found)).as_py() or 0
        contrast = self.meaning.contrast
        if contrast is not None:
            self.contrasts += pc.sum(counts.filter(contrast(values))).as_py() or 0
        if len(self.distinct) < _KEPT:
            self.distinct.update(values.filter(found).slice(0, _KEPT).to_pylist())

    @property
    def measured(self) -> float:
        return self.fits / self.total if self.total else 0.0

    @property
    def is_lost(self) -> bool:
        """After the first look."""
        return self.measured < self.share - _LENIENCE

    @property
    def is_settled(self) -> bool:
        """Nothing but the name counts, so a look at a few values is as good as one at all."""
        return self.test is anything and self.total > 0

    @property
    def holds(self) -> bool:
        meaning = self.meaning
        return (
            self.measured >= self.share
            and len(self.distinct) >= self.least
            and (meaning.contrast is None or self.contrasts >= self.total * _LEAST_CONTRAST)
            and (self.words > 0 or meaning.varied is None or self._is_varied())
        )

    def _is_varied(self) -> bool:
        kept = pa.array(sorted(self.distinct, key=str))
        return self.meaning.varied is None or self.meaning.varied(kept)

    @property
    def weight(self) -> tuple[int, int, float]:
        return (self.words, self.meaning.rank, self.measured)


def recognise(parquet_path: Path, columns: Sequence[Column]) -> tuple[str | None, ...]:
    """A key of `MEANINGS` for each column, in their order; None where nothing is certain enough.

    `columns` are those of the file, in its order.
    """
    claims = {position: _claims(column) for position, column in enumerate(columns)}
    with ColumnValues(parquet_path) as values:
        claims = {position: held for position, held in claims.items() if held}
        for position, (seen, counts) in values.first_look(list(claims)).items():
            claims[position] = _surviving(claims[position], seen, counts)
        claims = {position: held for position, held in claims.items() if held}
        unsettled = [position for position, held in claims.items() if not all(one.is_settled for one in held)]
        for position, seen, counts in values.counted(unsettled):
            for claim in claims[position]:
                claim.show(seen, counts)
    return tuple(_best(claims.get(position, [])) for position in range(len(columns)))


def _claims(column: Column) -> list[_Claim]:
    found = []
    for meaning in MEANINGS.values():
        words = _words(column, meaning)
        if words and meaning.named is not None and column.type in meaning.types:
            least = meaning.least_distinct
            found.append(_Claim(meaning, meaning.named, meaning.named_share, words, least))
        elif meaning.alone is not None and column.type == "string":
            least = max(meaning.alone_distinct, meaning.least_distinct)
            found.append(_Claim(meaning, meaning.alone, meaning.alone_share, 0, least))
    return found


def _words(column: Column, meaning: Meaning) -> int:
    labels = filter(None, (column.name, column.title))
    return max(names_match(label, meaning.names, meaning.not_names) for label in labels) if column.name else 0


def _surviving(claims: list[_Claim], seen: pa.Array, counts: pa.Array) -> list[_Claim]:
    kept = []
    for claim in claims:
        claim.show(seen, counts)
        if claim.is_settled:
            kept.append(claim)
        elif not claim.is_lost:
            claim.total = claim.fits = claim.contrasts = 0
            claim.distinct.clear()
            kept.append(claim)
    return kept


def _best(claims: Sequence[_Claim]) -> str | None:
    held: Mapping[str, _Claim] = {claim.meaning.key: claim for claim in claims if claim.holds}
    return max(held, key=lambda key: held[key].weight, default=None)
