"""Random tables and questions, answered by plain Python over the same values; and every page of the answer.

Python knows nothing of Parquet, DuckDB, row groups or cursors, so agreement is not an accident of one library.
"""

from __future__ import annotations

import datetime as dt
import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opendata.kernel.text import fold

if TYPE_CHECKING:
    from tests.slices.tabular.conftest import Reader, Tables

# Lower case without digits, so that the dictionary order below is complete.
ALPHABET = " aăâbcdđeêghiklmnoôơpqrstuưvxy"
TONES = ["", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323"]  # as dictionaries order them
WORDS = [
    "an",
    "ăn",
    "ân",
    "da",
    "đa",
    "đà",
    "dạ",
    "hà nội",
    "ha noi",
    "hà",
    "hạ long",
    "ba bá",
    "bà ba",
    "",
    "o",
    "ở",
]
DAYS = st.dates(dt.date(1999, 1, 1), dt.date(2001, 1, 1))
COLUMNS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "chữ": (pa.string(), st.sampled_from(WORDS) | st.text(ALPHABET, max_size=3)),
    "số": (pa.int64(), st.integers(-3, 3) | st.integers(-(2**63), 2**63 - 1)),
    "thực": (pa.float64(), st.sampled_from([-1.5, -0.0, 0.0, 0.1, 2.0, math.inf, -math.inf, math.nan])),
    "tiền": (pa.decimal128(12, 2), st.decimals(-9, 9, places=2)),
    "ngày": (pa.date32(), DAYS),
    "lúc": (pa.timestamp("us"), st.datetimes(dt.datetime(1999, 12, 31), dt.datetime(2000, 1, 2))),  # noqa: DTZ001
    "đúng": (pa.bool_(), st.booleans()),
}
COMPARED = ["eq", "ne", "lt", "le", "gt", "ge", "in", "isnull"]
Row = dict[str, Any]
Predicate = Callable[[Row], bool]


@dataclass(frozen=True)
class Question:
    """A table, filters as a request writes them beside the same as predicates, and sort keys (name, down)."""

    table: list[Row]
    names: list[str]
    filters: list[tuple[tuple[str, str], Predicate]]
    keys: list[tuple[str, bool]]


def is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def condition(draw: st.DrawFn, name: str, table: list[Row]) -> tuple[tuple[str, str], Predicate]:
    """Mostly about a value that stands in the table, else nearly every answer would be empty."""
    anything = COLUMNS[name][1].filter(lambda value: not isinstance(value, float) or math.isfinite(value))
    standing = [
        row[name] for row in table if not is_missing(row[name]) and row[name] not in {math.inf, -math.inf}
    ]
    values = st.sampled_from(standing) | anything if standing else anything
    operators = COMPARED + ["contains", "startswith"] * (name == "chữ")
    operator = draw(
        st.sampled_from([o for o in operators if name != "đúng" or o in {"eq", "ne", "in", "isnull"}])
    )
    if operator == "isnull":
        wanted = draw(st.booleans())
        return (f"{name}__isnull", written(wanted)), lambda row: is_missing(row[name]) == wanted
    if operator == "in":
        listed = draw(st.lists(values, min_size=1, max_size=4))
        text = ",".join('"' + written(value) + '"' for value in listed)
        return (f"{name}__in", text), lambda row: row[name] in listed
    value = draw(values)
    if operator in {"contains", "startswith"}:
        value = value[: draw(st.integers(1, 3))].upper() or "a"
    tests = {
        "eq": lambda cell: cell == value,
        "ne": lambda cell: cell != value,
        "lt": lambda cell: not is_missing(cell) and cell < value,
        "le": lambda cell: not is_missing(cell) and cell <= value,
        "gt": lambda cell: not is_missing(cell) and cell > value,
        "ge": lambda cell: not is_missing(cell) and cell >= value,
        "contains": lambda cell: cell is not None and value.lower() in cell.lower(),
        "startswith": lambda cell: cell is not None and cell.lower().startswith(value.lower()),
    }
    return (f"{name}__{operator}", written(value)), lambda row: tests[operator](row[name])


def search(draw: st.DrawFn) -> tuple[tuple[str, str], Predicate]:
    text = draw(st.sampled_from(["a", "ha", "Đ", "ĐÀ", "noi", "hà nội", "b"]))
    return ("q", text), lambda row: row["chữ"] is not None and fold(text) in fold(row["chữ"])


@st.composite
def questions(draw: st.DrawFn, *, most_filters: int, least_keys: int) -> Question:
    names = draw(st.lists(st.sampled_from(list(COLUMNS)), min_size=1, max_size=3, unique=True))
    row = st.fixed_dictionaries({name: st.none() | COLUMNS[name][1] for name in names})
    size = draw(st.sampled_from([0, 1, 7, 8, 20, 40]))
    table = draw(st.lists(row, min_size=size, max_size=size))
    filters = []
    for _ in range(draw(st.integers(min(1, most_filters), most_filters))):
        if "chữ" in names and draw(st.integers(0, 4)) == 0:
            filters.append(search(draw))
        else:
            filters.append(condition(draw, draw(st.sampled_from(names)), table))
    sorted_by = draw(st.lists(st.sampled_from(names), min_size=least_keys, max_size=3, unique=True))
    return Question(table, names, filters, [(name, draw(st.booleans())) for name in sorted_by])


def dictionary_order(text: str) -> tuple[list[int], list[int]]:
    """Vietnamese: letters first, accents of vowels being letters; tones, first syllable first, break ties."""
    letters: list[int] = []
    tones: list[int] = []
    for char in text:
        apart = unicodedata.normalize("NFD", char)
        tone = next((mark for mark in apart if mark in TONES[1:]), "")
        letters.append(
            ALPHABET.index(unicodedata.normalize("NFC", apart.replace(tone, "") if tone else apart))
        )
        tones.append(TONES.index(tone))
    return letters, tones


def expected(table: list[Row], tests: list[Any], keys: list[tuple[str, bool]]) -> list[int]:
    """The places of the rows asked for, in order. Missing values last in both directions; ties by place."""
    order = [place for place, row in enumerate(table) if all(test(row) for test in tests)]
    for name, down in reversed(keys):  # sorts are stable, so the least important key comes first

        def key(place: int, name: str = name) -> Any:
            return dictionary_order(table[place][name]) if name == "chữ" else table[place][name]

        present = [place for place in order if not is_missing(table[place][name])]
        missing = [place for place in order if is_missing(table[place][name])]
        present.sort(key=key)
        if down:  # turned round as a whole, with equal rows kept in their order
            groups: list[list[int]] = []
            for place in present:
                if groups and key(groups[-1][0]) == key(place):
                    groups[-1].append(place)
                else:
                    groups.append([place])
            present = [place for group in reversed(groups) for place in group]
        order = present + missing
    return order


def same(value: Any, other: Any) -> bool:
    return value == other or (is_missing(value) and is_missing(other))


def check(reader: Reader, tables: Tables, question: Question, limit: int) -> None:
    schema = pa.schema([(name, COLUMNS[name][0]) for name in question.names])
    source = tables.publish(pa.Table.from_pylist(question.table, schema=schema))
    parameters = [parameter for parameter, _ in question.filters] + [("limit", str(limit))]
    if question.keys:
        keys = ",".join(("-" if down else "") + name for name, down in question.keys)
        parameters.append(("sort", keys))
    pages = reader.every_page(source, *parameters)
    order = expected(question.table, [test for _, test in question.filters], question.keys)
    assert [number for page in pages for number in page.numbers] == order
    assert {page.total for page in pages} == {len(order)}
    for page in pages:
        assert len(page.numbers) == min(limit, len(order) - page.start)
        for number, row in zip(page.numbers, page.rows(), strict=True):
            stored = question.table[number]
            assert all(same(cell, stored[name]) for name, cell in zip(question.names, row, strict=True))


THOROUGH = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
limits = st.sampled_from([3, 7, 8, 40])


@THOROUGH
@given(question=questions(most_filters=0, least_keys=1), limit=limits)
def test_every_order(reader: Reader, tables: Tables, question: Question, limit: int) -> None:
    check(reader, tables, question, limit)


@THOROUGH
@given(question=questions(most_filters=1, least_keys=0), limit=limits)
def test_every_filter(reader: Reader, tables: Tables, question: Question, limit: int) -> None:
    check(reader, tables, question, limit)


@THOROUGH
@given(question=questions(most_filters=3, least_keys=1), limit=limits)
def test_filters_and_order_together(reader: Reader, tables: Tables, question: Question, limit: int) -> None:
    check(reader, tables, question, limit)
