"""A query string into a `RowQuery`: pure, no database, every doubt refused with the names that would be known.

Called by the rows, export and page views with the decoded (name, value) pairs of the request.

Operators, and what they mean for rows without a value:
    eq, in            equal to the value, to one of a list
    ne                everything that is not eq, rows without a value included: eq and ne part the table
    lt le gt ge       numbers, dates and times by value, text by character code; rows without a value never match
    contains, startswith
                      text only; capital letters do not matter, accents do (`hà` finds HÀ NỘI, `ha` does not)
    isnull            true or false
`q` looks in every text column and minds neither capitals nor accents: `q=ha noi` finds `Hà Nội`.
Several conditions, also on one column, must all hold. See `syntax` for how names and lists are written.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING, Final

from opendata.kernel.errors import UnknownParameterError
from opendata.kernel.text import clean_line, fold, nfc
from opendata.tabular.cursor import decode_cursor
from opendata.tabular.problems import (
    CountError,
    CursorOfOtherQueryError,
    CursorOfOtherVersionError,
    EmptyValueError,
    LimitError,
    ListedTwiceError,
    OperatorNotForColumnError,
    RepeatedError,
    TooManyError,
    UnknownColumnError,
    clip,
    listed,
)
from opendata.tabular.query import (
    DEFAULT_LIMIT,
    LARGEST_LIMIT,
    Condition,
    Operator,
    RowQuery,
    SortKey,
    Value,
    fingerprint,
)
from opendata.tabular.source import Kind
from opendata.tabular.syntax import read_filter_name, read_list
from opendata.tabular.values import checked_text, read_value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from opendata.tabular.source import TableSource
    from opendata.tabular.syntax import Entry

MOST_CONDITIONS: Final = 50
MOST_LISTED: Final = 1_000
LONGEST_PATTERN: Final = 200

_SHAPE: Final = ("select", "q", "sort")
_PAGING: Final = ("limit", "cursor", "count")
_COMPARING: Final = (Operator.EQ, Operator.NE, Operator.LT, Operator.LE, Operator.GT, Operator.GE)
_PATTERNS: Final = (Operator.CONTAINS, Operator.STARTSWITH)
_ANY: Final = (Operator.IN, Operator.ISNULL)
_OPERATORS: Final[Mapping[Kind, tuple[Operator, ...]]] = {
    kind: (*_COMPARING, *_PATTERNS, *_ANY) if kind is Kind.TEXT else (*_COMPARING, *_ANY) for kind in Kind
} | {Kind.BOOLEAN: (Operator.EQ, Operator.NE, *_ANY)}


def operators_for(kind: Kind) -> tuple[Operator, ...]:
    """What a column of this kind can be asked, in the order a form should offer it."""
    return _OPERATORS[kind]


def parse_query(
    source: TableSource,
    parameters: Iterable[tuple[str, str]],
    *,
    paging: bool = True,
    taken: Collection[str] = (),
) -> RowQuery:
    """The query the parameters ask of `source`.

    `paging=False` is for exports: limit, cursor and count are then unknown. `taken` names the parameters the
    endpoint reads itself (for example `table`); they are passed over here. Raises UnknownParameterError or a
    BadParameterError; a cursor of another version, table, filter or order is refused too.
    """
    known = (*_SHAPE, *_PAGING) if paging else _SHAPE
    settings: dict[str, str] = {}
    searches: list[str] = []
    conditions: list[Condition] = []
    for name, text in parameters:
        if name in taken:
            continue
        if name == "q":
            searches += _search(text)
        elif name in known:
            if name in settings:
                raise RepeatedError(name=name, value=clip(text))
            settings[name] = text
        else:
            conditions.append(_condition(source, name, text, known))
        if len(conditions) + len(searches) > MOST_CONDITIONS:
            raise TooManyError(name=clip(name), value=clip(text), most=MOST_CONDITIONS)
    query = RowQuery(
        columns=_columns(source, settings.get("select")),
        conditions=tuple(conditions),
        searches=tuple(searches),
        sort=_sort(source, settings.get("sort")),
        limit=_limit(settings.get("limit")),
        start=0,
        count=_count(settings.get("count")),
    )
    return _at_cursor(source, query, settings.get("cursor"))


def _search(text: str) -> list[str]:
    """An empty search box is sent along by every form; it asks for nothing."""
    words = fold(clean_line(checked_text("q", text, LONGEST_PATTERN)))
    return [words] if words else []


def _condition(source: TableSource, name: str, text: str, known: tuple[str, ...]) -> Condition:
    found = read_filter_name(source, name)
    if found is None:
        names = [column.name for column in source.columns]
        forms = f"{', '.join(known)}, <column>__<{'|'.join(Operator)}>; columns: {listed(names)}"
        raise UnknownParameterError(name=clip(name), known=forms)
    position, operator_text = found
    column = source.columns[position]
    allowed = _OPERATORS[column.kind]
    if operator_text not in {operator.value for operator in Operator}:
        forms = ", ".join(f"{clip(column.name)}__{operator}" for operator in allowed)
        raise UnknownParameterError(name=clip(name), known=forms)
    operator = Operator(operator_text)
    if operator not in allowed:
        raise OperatorNotForColumnError(
            name=clip(name), value=clip(text), operator=operator.value, column=clip(column.name),
            type=column.type, known=", ".join(allowed),
        )  # fmt: skip
    return Condition(position, operator, _operand(column.kind, operator, name, text))


def _operand(kind: Kind, operator: Operator, name: str, text: str) -> tuple[Value, ...]:
    if operator is Operator.ISNULL:
        return (read_value(Kind.BOOLEAN, name, text),)
    if operator in _PATTERNS:
        if not text:
            raise EmptyValueError(name=clip(name), value="")
        return (nfc(checked_text(name, text, LONGEST_PATTERN)),)
    if operator is Operator.IN:
        entries = read_list(clip(name), text, signed=False)
        if len(entries) > MOST_LISTED:
            raise TooManyError(name=clip(name), value=clip(text), most=MOST_LISTED)
        return tuple(dict.fromkeys(read_value(kind, name, entry.text) for entry in entries))
    return (read_value(kind, name, text),)


def _columns(source: TableSource, text: str | None) -> tuple[int, ...]:
    if text is None:
        return tuple(range(len(source.columns)))
    return tuple(position for position, _ in _named_columns(source, "select", text))


def _sort(source: TableSource, text: str | None) -> tuple[SortKey, ...]:
    if text is None:
        return ()
    return tuple(SortKey(position, entry.minus) for position, entry in _named_columns(source, "sort", text))


def _named_columns(source: TableSource, name: str, text: str) -> list[tuple[int, Entry]]:
    if not text.strip():
        raise EmptyValueError(name=name, value="")
    found: list[tuple[int, Entry]] = []
    for entry in read_list(name, text, signed=name == "sort"):
        position = source.position(entry.text)
        if position is None:
            names = [column.name for column in source.columns]
            raise UnknownColumnError(name=name, value=clip(entry.text), known=listed(names))
        found.append((position, entry))
    repeated = [position for position, times in Counter(p for p, _ in found).items() if times > 1]
    if repeated:
        raise ListedTwiceError(name=name, value=clip(source.columns[repeated[0]].name))
    return found


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(LARGEST_LIMIT))):
        raise LimitError(name="limit", value=clip(text), most=LARGEST_LIMIT)
    if not 1 <= int(digits) <= LARGEST_LIMIT:
        raise LimitError(name="limit", value=clip(text), most=LARGEST_LIMIT)
    return int(digits)


def _count(text: str | None) -> bool:
    if text not in {None, "exact", "none"}:
        raise CountError(name="count", value=clip(text or ""))
    return text != "none"


def _at_cursor(source: TableSource, query: RowQuery, text: str | None) -> RowQuery:
    """The query moved to where its cursor points, after checking that the cursor was made for this query."""
    if text is None:
        return query
    cursor = decode_cursor(text)
    if cursor.version_id != source.version_id:
        raise CursorOfOtherVersionError(name="cursor", value=clip(text))
    if cursor.fingerprint != fingerprint(source, query):
        raise CursorOfOtherQueryError(name="cursor", value=clip(text))
    return dataclasses.replace(query, start=cursor.start)
