"""What the row path needs to know of one published table; made by the callers from a resource version.

A version never changes once published, so everything derived from a `TableSource` (row orders, memory-mapped
copies, cursors) stays right for as long as it is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Final

from opendata.kernel.text import nfc

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Kind(StrEnum):
    """How the values of a column are written in a query and compared."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"


# Table Schema types (specs.frictionlessdata.io/table-schema); those not listed are queried as text.
_KINDS: Final[Mapping[str, Kind]] = {
    "integer": Kind.INTEGER,
    "year": Kind.INTEGER,
    "number": Kind.NUMBER,
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "time": Kind.TIME,
}


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """`type` and `format` are those of the Table Schema of the published file; `meaning` a key of
    `resources.meanings`, or None.
    """

    name: str
    type: str
    format: str = "default"
    meaning: str | None = None

    @property
    def kind(self) -> Kind:
        return _KINDS.get(self.type, Kind.TEXT)


@dataclass(frozen=True)
class TableSource:
    """One table of one version: `path` is its Parquet file, whose columns stand in the order of `columns`."""

    version_id: str
    table: str
    path: Path
    row_count: int
    columns: tuple[SourceColumn, ...]

    @cached_property
    def _positions(self) -> dict[str, int]:
        positions: dict[str, int] = {}
        for name in (str, nfc):
            for position, column in enumerate(self.columns):
                positions.setdefault(name(column.name), position)
        return positions

    def position(self, name: str) -> int | None:
        """Where the column stands, None when there is none; a name typed decomposed (NFD) is found too."""
        exact = self._positions.get(name)
        return self._positions.get(nfc(name)) if exact is None else exact
