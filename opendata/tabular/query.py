"""A row query as a tree: what `filters` makes of a query string and what `engine` and `export` answer.

Columns are positions in the source, never names, so no name a publisher chose ever reaches SQL.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from opendata.tabular.source import TableSource

Value = str | int | Decimal | bool | dt.date | dt.datetime | dt.time

DEFAULT_LIMIT: Final = 100
LARGEST_LIMIT: Final = 10_000


class Operator(StrEnum):
    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    CONTAINS = "contains"
    STARTSWITH = "startswith"
    IN = "in"
    ISNULL = "isnull"


@dataclass(frozen=True, slots=True)
class Condition:
    """`values` holds one value, several for `in`, one boolean for `isnull`."""

    column: int
    operator: Operator
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class SortKey:
    column: int
    descending: bool = False


@dataclass(frozen=True, slots=True)
class RowQuery:
    """All conditions and searches must hold. `start`: rows of the result that come before the page."""

    columns: tuple[int, ...]
    conditions: tuple[Condition, ...] = ()
    searches: tuple[str, ...] = ()
    sort: tuple[SortKey, ...] = ()
    limit: int = DEFAULT_LIMIT
    start: int = 0
    count: bool = True

    @property
    def is_filtered(self) -> bool:
        return bool(self.conditions or self.searches)

    @property
    def is_natural(self) -> bool:
        """Every row in the order of the file."""
        return not (self.is_filtered or self.sort)


def is_whole(source: TableSource, query: RowQuery) -> bool:
    """Whether the query asks for the table as it is stored, so that the stored Parquet file is the answer."""
    return query.is_natural and query.columns == tuple(range(len(source.columns)))


def fingerprint(source: TableSource, query: RowQuery) -> bytes:
    """Eight bytes that differ where table, filters or order differ; columns chosen and page do not count."""
    conditions = sorted(
        repr((c.column, c.operator.value, [(type(v).__name__, str(v)) for v in c.values]))
        for c in query.conditions
    )
    parts = (source.table, conditions, sorted(query.searches), [(k.column, k.descending) for k in query.sort])
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
