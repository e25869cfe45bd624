"""The address of a view on a table: which filters, order, columns and page, and the links to its neighbours.

The query string is the row path's own (see `tabular.syntax`), with `table` and `columns_from` added, so the
same string asks the API. Immutable: every change is a new address, and every state of a table has one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from opendata.tabular.syntax import filter_parameter, sort_parameter
from opendata.web import addresses

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opendata.tabular.query import Operator
    from opendata.tabular.source import TableSource

TABLE: Final = "table"
COLUMNS_FROM: Final = "columns_from"
_SHAPE: Final = ("select", "sort", "limit", "cursor", "count")

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TableAddress:
    """`pairs` are those the row path reads; `columns_from` counts from 1."""

    slug: str
    resource_id: str
    table: str | None
    pairs: Pairs
    columns_from: int = 1

    @property
    def page(self) -> str:
        return addresses.page(
            "resources.resource", self.own_pairs, slug=self.slug, resource_id=self.resource_id
        )

    @property
    def own_query(self) -> str:
        """The query string of `page` from its first row, for a form that adds to it."""
        return urlencode(self.at(None).own_pairs)

    @property
    def query(self) -> Pairs:
        """What decides about the rows, without page and columns: the filters and the order."""
        return self._without("cursor", "limit", "count")

    @property
    def filters(self) -> Pairs:
        return tuple((name, value) for name, value in self.pairs if name not in _SHAPE and value)

    def given(self, name: str) -> str | None:
        return dict(self.pairs).get(name)

    def at(self, cursor: str | None) -> TableAddress:
        more = (("cursor", cursor),) if cursor else ()
        return replace(self, pairs=self._without("cursor") + more)

    def sorted_by(self, keys: Iterable[tuple[str, bool]]) -> TableAddress:
        """Keys are (column, descending); none for the order of the file."""
        text = sort_parameter(keys)
        more = (("sort", text),) if text else ()
        return replace(self, pairs=self._without("cursor", "sort") + more)

    def with_filter(self, source: TableSource, column: str, operator: Operator, value: str) -> TableAddress:
        name = filter_parameter(source, column, operator)
        return replace(self, pairs=(*self._without("cursor"), (name, value)))

    def searching(self, text: str) -> TableAddress:
        more = (("q", text),) if text else ()
        return replace(self, pairs=self._without("cursor", "q") + more)

    def dropping(self, pair: tuple[str, str]) -> TableAddress:
        """Without this one filter."""
        kept = list(self._without("cursor"))
        kept.remove(pair)
        return replace(self, pairs=tuple(kept))

    def unfiltered(self) -> TableAddress:
        return replace(
            self, pairs=tuple(pair for pair in self.pairs if pair[0] in {"sort", "select", "limit"})
        )

    @property
    def plain(self) -> TableAddress:
        """The table as it is: no filter, no order, all columns."""
        return TableAddress(self.slug, self.resource_id, self.table, ())

    def columns_at(self, first: int) -> TableAddress:
        return replace(self, columns_from=first)

    def of_table(self, table: str) -> TableAddress:
        return TableAddress(self.slug, self.resource_id, table, ())

    def export(self, name: str, *extra: tuple[str, str], everything: bool = False) -> str:
        """A download of these rows, or of the whole table."""
        pairs = () if everything else self.query
        return addresses.api(
            f"/resources/{self.resource_id}/export.{name}", (*self._table_pair(), *pairs, *extra)
        )

    def rows(self) -> str:
        """The same rows from the API."""
        return addresses.api(f"/resources/{self.resource_id}/rows", (*self._table_pair(), *self.pairs))

    def record(self, number: int) -> str:
        """The page of one row; rows count from 1."""
        return addresses.page(
            "resources.record",
            self._table_pair(),
            slug=self.slug,
            resource_id=self.resource_id,
            number=number,
        )

    @property
    def own_pairs(self) -> Pairs:
        """The query string of `page` as pairs."""
        window = ((COLUMNS_FROM, str(self.columns_from)),) if self.columns_from > 1 else ()
        return (*self._table_pair(), *self.pairs, *window)

    def _table_pair(self) -> Pairs:
        return ((TABLE, self.table),) if self.table else ()

    def _without(self, *names: str) -> Pairs:
        return tuple(pair for pair in self.pairs if pair[0] not in names)
