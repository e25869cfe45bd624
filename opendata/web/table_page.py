"""The preview of a table as the page shows it: heads with pictures, cells as text, links to every neighbour.

Built from one answer of the row path and the stored statistics; makes no query of its own. A page stays
under 100 KB whatever the table holds: wide tables show their columns in parts and fewer rows, and very long
texts are opened in place or on the page of their row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from opendata.http.context import speak
from opendata.resources.ingest.problems import Problem
from opendata.resources.meanings.registry import MEANINGS
from opendata.tabular.query import Operator
from opendata.tabular.source import Kind
from opendata.tabular.syntax import read_filter_name
from opendata.web import addresses
from opendata.web.cell_text import MEASURED, cell_text, needs_groups, statistic_text
from opendata.web.charts import ColumnPicture, picture
from opendata.web.words import word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opendata.resources.queries import TableView
    from opendata.tabular.engine import RowPage
    from opendata.tabular.source import SourceColumn, TableSource
    from opendata.web.table_address import TableAddress

MOST_COLUMNS: Final = 20
MOST_ROWS: Final = 40
LEAST_ROWS: Final = 10
MOST_CELLS: Final = 480
SHORT: Final = 120
ONE_LINE: Final = 40
# Bytes of cell text on one page, and how much of each long text it may show to stay within them.
TEXT_BUDGET: Final = 24_000
LENGTHS: Final = (2_000, 600, 200, SHORT)
_RIGHT: Final = {Kind.INTEGER, Kind.NUMBER}


@dataclass(frozen=True, slots=True)
class Cell:
    """`opening` is set for a long text: its beginning, to be unfolded. `is_cut`: even `text` is not all."""

    text: str
    is_null: bool = False
    opening: str = ""
    is_cut: bool = False

    @property
    def is_wide(self) -> bool:
        """Whether the text may break into lines instead of widening its column."""
        return len(self.text) > ONE_LINE or "\n" in self.text


@dataclass(frozen=True, slots=True)
class ColumnHead:
    """`sorted` is "ascending", "descending" or ""; `sort_link` leads to the next of the three."""

    name: str
    title: str
    kind: str
    is_figure: bool
    sorted: str
    sort_link: str
    picture: ColumnPicture | None


@dataclass(frozen=True, slots=True)
class FilterChip:
    text: str
    remove_link: str


@dataclass(frozen=True, slots=True)
class MeaningLabel:
    """`search_link` leads to the datasets with a column of such a meaning."""

    title: str
    description: str
    search_link: str


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    link: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class TablePreview:
    """`first` and `last` number the rows of the result, from 1; `total` all of them."""

    heads: tuple[ColumnHead, ...]
    rows: tuple[Row, ...]
    first: int
    last: int
    total: int
    previous_link: str
    next_link: str
    first_link: str


def rows_per_page(columns: int) -> int:
    return max(LEAST_ROWS, min(MOST_ROWS, MOST_CELLS // max(columns, 1)))


def build_preview(page: RowPage, table: TableView, address: TableAddress) -> TablePreview:
    statistics = {column["name"]: column for column in table.profile.get("columns", ())}
    grouped = [_is_grouped(column, statistics.get(column.name)) for column in page.columns]
    return TablePreview(
        heads=_heads(page.columns, table, statistics, address),
        rows=_rows(page, grouped, address),
        first=page.start + 1,
        last=page.start + len(page.numbers),
        total=page.total if page.total is not None else table.row_count,
        previous_link=address.at(page.previous_cursor).page if page.previous_cursor else "",
        next_link=address.at(page.next_cursor).page if page.next_cursor else "",
        first_link=address.at(None).page if page.start else "",
    )


def filter_chips(source: TableSource, address: TableAddress) -> tuple[FilterChip, ...]:
    """What is asked, in words: `Tỉnh contains “Hà”`. A name that is no column is left to the refusal."""
    chips = []
    for pair in address.filters:
        name, value = pair
        found = None if name == "q" else read_filter_name(source, name)
        if name == "q":
            text = speak().gettext("Contains “%(words)s”", words=value)
        elif found is None:
            text = f"{name} = {value}"
        else:
            text = f"{source.columns[found[0]].name} {_condition(found[1], value)}"
        chips.append(FilterChip(text, address.dropping(pair).page))
    return tuple(chips)


def column_figures(table: TableView) -> dict[str, Mapping[str, Any]]:
    """Statistics by column name, for the data dictionary."""
    return {column["name"]: column for column in table.profile.get("columns", ())}


def column_meaning(column: Mapping[str, Any]) -> MeaningLabel | None:
    """What the values of a column mean, for its label in the data dictionary."""
    meaning = MEANINGS.get(column.get("meaning") or "")
    if meaning is None:
        return None
    tongue = speak()
    phrase = meaning.search_words[tongue.language][0]
    return MeaningLabel(
        title=tongue.gettext(meaning.title),
        description=tongue.gettext(meaning.description),
        search_link=addresses.page("datasets.search", [("q", phrase)]),
    )


def column_notes(table: TableView) -> tuple[tuple[str, Problem], ...]:
    """Why columns stayed text, and what else was noted about one: (column, problem)."""
    return tuple(
        (column["name"], Problem.from_json(note))
        for column in table.columns
        for note in column.get("notes", ())
    )


def statistic(figures: Mapping[str, Any], name: str, kind: str) -> str:
    """The least or greatest value of a column, as its cells are written."""
    grouped = kind in MEASURED and needs_groups(figures["min"], figures["max"])
    text = statistic_text(figures[name], kind, speak(), grouped=grouped)
    return text if len(text) <= SHORT // 2 else f"{text[: SHORT // 2]}…"


def _condition(operator: str, value: str) -> str:
    if operator == Operator.ISNULL:
        return speak().gettext("has no value") if value == "true" else speak().gettext("has a value")
    return f"{word('operator', operator)} “{value}”"


def _heads(
    columns: Sequence[SourceColumn],
    table: TableView,
    statistics: Mapping[str, Mapping[str, Any]],
    address: TableAddress,
) -> tuple[ColumnHead, ...]:
    described = {column["name"]: column for column in table.columns}
    sort = address.given("sort") or ""
    return tuple(
        _head(column, described.get(column.name, {}), statistics.get(column.name), sort, address)
        for column in columns
    )


def _head(
    column: SourceColumn,
    described: Mapping[str, Any],
    statistics: Mapping[str, Any] | None,
    sort: str,
    address: TableAddress,
) -> ColumnHead:
    ascending, descending = (
        address.sorted_by([(column.name, False)]),
        address.sorted_by([(column.name, True)]),
    )
    states = {ascending.given("sort"): "ascending", descending.given("sort"): "descending"}
    state = states.get(sort, "")
    following = {"": ascending, "ascending": descending, "descending": address.sorted_by([])}[state]
    return ColumnHead(
        name=column.name,
        title=described.get("description") or described.get("title") or "",
        kind=word("kind", column.type),
        is_figure=column.kind in _RIGHT,
        sorted=state,
        sort_link=following.page,
        picture=picture(statistics, column.type, speak()) if statistics else None,
    )


def _rows(page: RowPage, grouped: Sequence[bool], address: TableAddress) -> tuple[Row, ...]:
    tongue = speak()
    texts = [
        [
            None if value is None else cell_text(value, tongue, grouped=group)
            for value, group in zip(row, grouped, strict=True)
        ]
        for row in page.rows()
    ]
    most = _most_length([text for row in texts for text in row if text])
    return tuple(
        Row(number + 1, address.record(number + 1), tuple(_cell(text, most) for text in row))
        for number, row in zip(page.numbers, texts, strict=True)
    )


def _most_length(texts: Sequence[str]) -> int:
    """How much of each text may be shown so that all of them fit the page."""
    for length in LENGTHS:
        if sum(len(text[:length].encode()) for text in texts) <= TEXT_BUDGET:
            return length
    return LENGTHS[-1]


def _cell(text: str | None, most: int) -> Cell:
    if text is None:
        return Cell("", is_null=True)
    if len(text) <= SHORT:
        return Cell(text)
    if most <= SHORT:
        return Cell(text[:SHORT], is_cut=True)
    return Cell(text[:most], opening=text[: SHORT - 20], is_cut=len(text) > most)


def _is_grouped(column: SourceColumn, statistics: Mapping[str, Any] | None) -> bool:
    if column.type not in MEASURED or statistics is None:
        return False
    return needs_groups(statistics["min"], statistics["max"])
