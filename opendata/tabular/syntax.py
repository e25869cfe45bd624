"""How column names and lists are written in a query string, in both directions.

`filters` reads with it; pages and documentation write links with it, so that a column called `select`,
`col.x`, `a,b` or `dân số__gt` can be filtered, chosen and sorted like any other.

    <column>=v               the value equals v
    <column>__<op>=v         any operator
    col.<column>__<op>=v     the same for every name: the last `__<op>` is the operator, all before it the name
    select=a,"b,c"           an entry holding a comma or a quotation mark stands in quotation marks, "" inside
    sort=-a,"-b"             a minus before the entry turns the order round; a quoted minus is part of the name

In the short form a name that is a column as it stands wins over name plus operator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opendata.tabular.problems import UnclosedQuoteError, clip
from opendata.tabular.query import Operator

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opendata.tabular.source import TableSource

ESCAPE: Final = "col."
_MARK: Final = "__"


def filter_parameter(source: TableSource, column: str, operator: Operator = Operator.EQ) -> str:
    """The parameter name that filters `column`, escaped only where the short form would be read otherwise."""
    plain = f"{column}{_MARK}{operator.value}"
    exact = {candidate.name for candidate in source.columns}
    short = plain not in exact and not plain.startswith(ESCAPE)
    return plain if short else ESCAPE + plain


def read_filter_name(source: TableSource, name: str) -> tuple[int, str] | None:
    """Column position and operator text (not yet checked) of a parameter name; None when it names no column."""
    escaped = name.startswith(ESCAPE)
    rest = name.removeprefix(ESCAPE) if escaped else name
    whole = source.position(rest)
    column, mark, operator = rest.rpartition(_MARK)
    position = source.position(column) if mark else None
    as_whole = None if whole is None else (whole, Operator.EQ.value)
    as_parts = None if position is None else (position, operator)
    if escaped and position is not None and operator in {known.value for known in Operator}:
        return as_parts
    return as_whole or as_parts


def list_entry(text: str) -> str:
    """`text` as an entry of a list, quoted where it would otherwise be read as something else."""
    plain = text and text == text.strip() and not text.startswith(("-", '"')) and "," not in text
    return text if plain else '"' + text.replace('"', '""') + '"'


def select_parameter(columns: Iterable[str]) -> str:
    return ",".join(list_entry(column) for column in columns)


def sort_parameter(keys: Iterable[tuple[str, bool]]) -> str:
    """Keys are (column, descending)."""
    return ",".join(("-" if descending else "") + list_entry(column) for column, descending in keys)


@dataclass(frozen=True, slots=True)
class Entry:
    text: str
    quoted: bool
    minus: bool


def read_list(name: str, text: str, *, signed: bool) -> list[Entry]:
    """The entries of a list; `signed` reads a leading minus as a direction. `name` is for the refusal.

    White space around an entry is not part of it unless it is quoted.
    """
    entries: list[Entry] = []
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        minus = signed and text.startswith("-", at)
        at += minus
        if text.startswith('"', at):
            value, at = _read_quoted(name, text, at + 1)
            entries.append(Entry(value, quoted=True, minus=minus))
        else:
            end = text.find(",", at)
            end = len(text) if end < 0 else end
            entries.append(Entry(text[at:end].strip(), quoted=False, minus=minus))
            at = end
        if at >= len(text):
            return entries
        at += 1


def _read_quoted(name: str, text: str, at: int) -> tuple[str, int]:
    """The entry whose quotation mark was opened before `at`, and the place of the comma or end after it."""
    parts: list[str] = []
    while True:
        end = text.find('"', at)
        if end < 0:
            raise UnclosedQuoteError(name=name, value=clip(text))
        parts.append(text[at:end])
        if not text.startswith('"', end + 1):
            break
        parts.append('"')
        at = end + 2
    after = end + 1
    while after < len(text) and text[after].isspace():
        after += 1
    if after < len(text) and text[after] != ",":
        raise UnclosedQuoteError(name=name, value=clip(text))
    return "".join(parts), after
