"""Whatever a publisher calls a column, a link written for it is read back as that column."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.kernel.text import nfc
from opendata.tabular.filters import parse_query
from opendata.tabular.query import Condition, Operator, SortKey
from opendata.tabular.source import SourceColumn, TableSource
from opendata.tabular.syntax import filter_parameter, list_entry, select_parameter, sort_parameter

AWKWARD = [
    "a",
    "a__gt",
    "a__gt__gt",
    "col.a",
    "col.a__eq",
    "select",
    "limit",
    "q",
    "-a",
    '"',
    ",",
    "a,b",
    "a b",
    "",
    " a",
]
names = st.one_of(
    st.sampled_from(AWKWARD),
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.builds(
        "".join,
        st.lists(
            st.sampled_from(["col.", "__", "eq", "gt", "in", "-", '"', ",", " ", "a", "dân số", "."]),
            max_size=6,
        ),
    ),
)
columns = st.lists(names.map(nfc), min_size=1, max_size=6, unique=True)


def source_of(*column_names: str) -> TableSource:
    return TableSource(
        "v", "t", Path("unused"), 0, tuple(SourceColumn(name, "string") for name in column_names)
    )


@settings(max_examples=500)
@given(columns, st.data())
def test_filters_reach_every_column(column_names: list[str], data: st.DataObject) -> None:
    source = source_of(*column_names)
    position = data.draw(st.integers(0, len(column_names) - 1))
    operator = data.draw(st.sampled_from([Operator.EQ, Operator.NE, Operator.GT, Operator.CONTAINS]))
    name = filter_parameter(source, column_names[position], operator)
    address = urlencode([(name, "x")])
    assert parse_query(source, parse_qsl(address, keep_blank_values=True)).conditions == (
        Condition(position, operator, ("x",)),
    )


@settings(max_examples=500)
@given(columns, st.data())
def test_lists_reach_every_column(column_names: list[str], data: st.DataObject) -> None:
    source = source_of(*column_names)
    chosen = data.draw(st.lists(st.integers(0, len(column_names) - 1), min_size=1, unique=True))
    turned = [data.draw(st.booleans()) for _ in chosen]
    address = urlencode(
        {
            "select": select_parameter(column_names[position] for position in chosen),
            "sort": sort_parameter(
                (column_names[position], down) for position, down in zip(chosen, turned, strict=True)
            ),
        }
    )
    query = parse_query(source, parse_qsl(address, keep_blank_values=True))
    assert query.columns == tuple(chosen)
    assert query.sort == tuple(SortKey(p, down) for p, down in zip(chosen, turned, strict=True))


@settings(max_examples=500)
@given(st.lists(st.text(max_size=8), min_size=1, max_size=6, unique=True))
def test_any_values_can_be_listed(values: list[str]) -> None:
    text = ",".join(map(list_entry, values))
    (condition,) = parse_query(source_of("a"), [("a__in", text)]).conditions
    assert condition.values == tuple(values)


def test_plain_names_are_written_plainly() -> None:
    source = source_of("tinh", "dân số")
    assert filter_parameter(source, "tinh") == "tinh__eq"
    assert filter_parameter(source, "dân số", Operator.GT) == "dân số__gt"
    assert select_parameter(["tinh", "dân số"]) == "tinh,dân số"


def test_a_name_typed_decomposed_is_found() -> None:
    source = source_of("dân số")
    assert parse_query(source, [("da\u0302n so\u0302\u0301", "1")]).conditions[0].column == 0


def test_columns_that_differ_only_in_form_are_told_apart() -> None:
    source = source_of("a\u0300", "à")
    assert [parse_query(source, [(name, "1")]).conditions[0].column for name in ("a\u0300", "à")] == [0, 1]


def test_a_link_is_escaped_where_a_longer_name_would_be_read() -> None:
    source = source_of("a", "a__gt", "col.a")
    for position, column in enumerate(["a", "a__gt", "col.a"]):
        for operator in (Operator.EQ, Operator.GT):
            name = filter_parameter(source, column, operator)
            assert parse_query(source, [(name, "x")]).conditions == (Condition(position, operator, ("x",)),)
