"""Query strings become the right tree or a refusal that says what would have been understood."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from opendata.kernel.errors import BadParameterError, UnknownParameterError
from opendata.tabular import problems
from opendata.tabular.cursor import Cursor, cursor_version, encode_cursor
from opendata.tabular.filters import operators_for, parse_query
from opendata.tabular.query import Condition, Operator, RowQuery, SortKey, fingerprint, is_whole
from opendata.tabular.source import Kind, SourceColumn, TableSource

SOURCE = TableSource(
    "v1",
    "dân số",
    Path("unused.parquet"),
    5,
    (
        SourceColumn("tinh", "string"),
        SourceColumn("dan_so", "integer"),
        SourceColumn("dien_tich", "number"),
        SourceColumn("ngay", "date"),
        SourceColumn("luc", "datetime"),
        SourceColumn("gio", "time"),
        SourceColumn("con_hieu_luc", "boolean"),
        SourceColumn("nam", "year"),
        SourceColumn("limit", "integer"),
        SourceColumn("Diện tích, km²", "number"),
        SourceColumn("dan_so__gt", "string"),
        SourceColumn("-a", "string"),
    ),
)


def parsed(*parameters: tuple[str, str]) -> RowQuery:
    return parse_query(SOURCE, parameters)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("tinh", "Hà Nội", Condition(0, Operator.EQ, ("Hà Nội",))),
        ("tinh", "", Condition(0, Operator.EQ, ("",))),
        ("tinh__eq", " 01 ", Condition(0, Operator.EQ, (" 01 ",))),
        ("tinh__contains", "hà", Condition(0, Operator.CONTAINS, ("hà",))),
        ("tinh__startswith", "ha\u0300", Condition(0, Operator.STARTSWITH, ("hà",))),
        ("tinh__in", 'a,"b,c","d""e", f', Condition(0, Operator.IN, ("a", "b,c", 'd"e', "f"))),
        ("tinh__isnull", "true", Condition(0, Operator.ISNULL, (True,))),
        ("dan_so__le", " -5 ", Condition(1, Operator.LE, (-5,))),
        ("dan_so__in", "1, 2,2", Condition(1, Operator.IN, (1, 2))),
        ("dan_so__isnull", "False", Condition(1, Operator.ISNULL, (False,))),
        ("dien_tich__gt", "1.50", Condition(2, Operator.GT, (Decimal("1.50"),))),
        ("dien_tich__lt", "-1e3", Condition(2, Operator.LT, (Decimal(-1000),))),
        ("ngay__ge", "2025-07-01", Condition(3, Operator.GE, (dt.date(2025, 7, 1),))),
        ("luc__lt", "2025-07-01", Condition(4, Operator.LT, (dt.datetime(2025, 7, 1),))),  # noqa: DTZ001 - as stored
        (
            "luc",
            "2025-07-01T08:30:00.5+07:00",
            Condition(
                4,
                Operator.EQ,
                (dt.datetime(2025, 7, 1, 8, 30, 0, 500_000, dt.timezone(dt.timedelta(hours=7))),),
            ),
        ),
        ("gio__gt", "08:30", Condition(5, Operator.GT, (dt.time(8, 30),))),
        ("con_hieu_luc", "TRUE", Condition(6, Operator.EQ, (True,))),
        ("nam__ne", "2024", Condition(7, Operator.NE, (2024,))),
        ("Diện tích, km²__lt", "3", Condition(9, Operator.LT, (Decimal(3),))),
    ],
)
def test_a_filter_is_read(name: str, text: str, expected: Condition) -> None:
    assert parsed((name, text)).conditions == (expected,)


@pytest.mark.parametrize(
    ("name", "column", "operator"),
    [
        ("limit__eq", 8, Operator.EQ),
        ("col.limit", 8, Operator.EQ),
        ("col.limit__gt", 8, Operator.GT),
        ("dan_so__gt", 10, Operator.EQ),
        ("col.dan_so__gt", 1, Operator.GT),
        ("col.dan_so__gt__eq", 10, Operator.EQ),
        ("dan_so__gt__gt", 10, Operator.GT),
        ("-a", 11, Operator.EQ),
    ],
)
def test_names_that_could_mean_two_things_mean_what_is_documented(
    name: str, column: int, operator: Operator
) -> None:
    (condition,) = parsed((name, "1")).conditions
    assert (condition.column, condition.operator) == (column, operator)


def test_defaults() -> None:
    query = parsed()
    assert query == RowQuery(columns=tuple(range(12)), limit=100, start=0, count=True)
    assert is_whole(SOURCE, query)


def test_choice_order_and_page() -> None:
    query = parsed(
        ("select", 'dan_so, "Diện tích, km²",tinh'), ("sort", '-dan_so,"-a",tinh'), ("limit", "7"), ("count", "none")
    )  # fmt: skip
    assert query.columns == (1, 9, 0)
    assert query.sort == (SortKey(1, descending=True), SortKey(11), SortKey(0))
    assert (query.limit, query.count) == (7, False)
    assert not is_whole(SOURCE, query)


def test_descending_on_a_name_that_begins_with_a_minus() -> None:
    assert parsed(("sort", '-"-a"')).sort == (SortKey(11, descending=True),)


def test_search_is_folded_and_an_empty_box_asks_for_nothing() -> None:
    assert parsed(("q", "  Hà   Nội "), ("q", ""), ("q", " ")).searches == ("ha noi",)


def test_every_filter_on_a_column_is_kept() -> None:
    assert len(parsed(("dan_so__gt", "1"), ("col.dan_so__gt", "2"), ("dan_so__lt", "9")).conditions) == 3


@pytest.mark.parametrize(
    ("name", "text", "refusal"),
    [
        ("page", "-1", UnknownParameterError),
        ("tỉnh", "x", UnknownParameterError),
        ("tinh__like", "x", UnknownParameterError),
        ("col.nope", "x", UnknownParameterError),
        ("__eq", "x", UnknownParameterError),
        ("", "x", UnknownParameterError),
        ("col.", "x", UnknownParameterError),
        ("dan_so", "abc", problems.NotAWholeNumberError),
        ("dan_so__ge", "1.5", problems.NotAWholeNumberError),
        ("dan_so__ge", "1 000", problems.NotAWholeNumberError),
        ("dan_so__ge", "1_000", problems.NotAWholeNumberError),
        ("dan_so__ge", "٣", problems.NotAWholeNumberError),
        ("dan_so__ge", "9" * 39, problems.NotAWholeNumberError),
        ("dan_so__ge", "", problems.EmptyValueError),
        ("dan_so__in", "1,x", problems.NotAWholeNumberError),
        ("dan_so__in", "1,,2", problems.EmptyValueError),
        ("dien_tich", "1,5", problems.NotANumberError),
        ("dien_tich", "nan", problems.NotANumberError),
        ("dien_tich", "0x10", problems.NotANumberError),
        ("ngay", "2025-02-30", problems.NotADateError),
        ("ngay", "01/07/2025", problems.NotADateError),
        ("ngay", "20250701", problems.NotADateError),
        ("luc", "2025-07-01 25:00", problems.NotAMomentError),
        ("gio", "8h30", problems.NotATimeError),
        ("con_hieu_luc", "yes", problems.NotABooleanError),
        ("con_hieu_luc__gt", "true", problems.OperatorNotForColumnError),
        ("dan_so__contains", "1", problems.OperatorNotForColumnError),
        ("tinh__isnull", "1", problems.NotABooleanError),
        ("tinh__isnull", "", problems.EmptyValueError),
        ("tinh__contains", "", problems.EmptyValueError),
        ("tinh__contains", "x" * 201, problems.TooLongError),
        ("tinh", "x" * 1001, problems.TooLongError),
        ("q", "x" * 201, problems.TooLongError),
        ("tinh__in", '"a', problems.UnclosedQuoteError),
        ("tinh__in", '"a"b', problems.UnclosedQuoteError),
        ("tinh__in", ",".join(map(str, range(1001))), problems.TooManyError),
        ("select", "", problems.EmptyValueError),
        ("select", "tinh,nope", problems.UnknownColumnError),
        ("select", "tinh,,dan_so", problems.UnknownColumnError),
        ("select", "tinh,tinh", problems.ListedTwiceError),
        ("sort", "-tinh,tinh", problems.ListedTwiceError),
        ("sort", "--tinh", problems.UnknownColumnError),
        ("limit", "0", problems.LimitError),
        ("limit", "-1", problems.LimitError),
        ("limit", "10001", problems.LimitError),
        ("limit", "1e3", problems.LimitError),
        ("limit", "9" * 5000, problems.LimitError),
        ("count", "maybe", problems.CountError),
        ("count", "", problems.CountError),
        ("cursor", "", problems.CursorUnreadableError),
        ("cursor", "garbage", problems.CursorUnreadableError),
        ("cursor", "đường", problems.CursorUnreadableError),
        ("cursor", "A" * 4000, problems.CursorUnreadableError),
    ],
)
def test_what_cannot_be_understood_is_refused_with_a_sentence(
    name: str, text: str, refusal: type[BadParameterError | UnknownParameterError]
) -> None:
    with pytest.raises(refusal) as refused:
        parsed((name, text))
    sentence = refused.value.message()
    assert refused.value.status == 400
    assert sentence.endswith(".")
    assert "%(" not in sentence
    assert len(sentence) < 2000


def test_a_refusal_names_what_is_known() -> None:
    with pytest.raises(UnknownParameterError) as unknown:
        parsed(("page", "-1"))
    assert {"select", "cursor", "dan_so", "startswith"} <= set(
        unknown.value.message().replace(",", " ").replace("|", " ").replace(";", " ").split()
    )
    with pytest.raises(UnknownParameterError) as operator:
        parsed(("dan_so__like", "1"))
    assert "dan_so__ge" in operator.value.message()
    assert "dan_so__contains" not in operator.value.message()


@pytest.mark.parametrize("name", ["select", "sort", "limit", "count", "cursor"])
def test_what_can_be_said_once_is_refused_twice(name: str) -> None:
    with pytest.raises(problems.RepeatedError):
        parsed((name, "1"), (name, "1"))


def test_too_many_conditions() -> None:
    with pytest.raises(problems.TooManyError):
        parsed(*[("dan_so__ne", str(number)) for number in range(51)])


def test_exports_have_no_pages() -> None:
    for name in ("cursor", "count"):
        with pytest.raises(UnknownParameterError):
            parse_query(SOURCE, [(name, "none")], paging=False)
    # without paging, `limit` is nothing but the column of that name
    assert parse_query(SOURCE, [("limit", "3")], paging=False).conditions == (
        Condition(8, Operator.EQ, (3,)),
    )


def test_what_the_endpoint_reads_itself_is_passed_over() -> None:
    query = parse_query(SOURCE, [("table", "x"), ("tinh", "y")], taken={"table", "tinh"})
    assert query.conditions == ()


def test_a_cursor_moves_the_page_and_belongs_to_its_query() -> None:
    sorted_query = parsed(("sort", "tinh"))
    cursor = encode_cursor(Cursor("v1", fingerprint(SOURCE, sorted_query), 200))
    assert parsed(("sort", "tinh"), ("cursor", cursor)).start == 200
    assert parsed(("cursor", cursor), ("select", "nam"), ("limit", "3"), ("sort", "tinh")).start == 200
    assert cursor_version(cursor) == "v1"
    for other in (("sort", "-tinh"), ("sort", "tinh,nam"), ("tinh", "x"), ("q", "x")):
        with pytest.raises(problems.CursorOfOtherQueryError):
            parsed(other, ("cursor", cursor))


def test_a_cursor_belongs_to_its_version_and_table() -> None:
    cursor = encode_cursor(Cursor("v1", fingerprint(SOURCE, parsed()), 100))
    newer = TableSource("v2", SOURCE.table, SOURCE.path, SOURCE.row_count, SOURCE.columns)
    with pytest.raises(problems.CursorOfOtherVersionError):
        parse_query(newer, [("cursor", cursor)])
    beside = TableSource("v1", "other", SOURCE.path, SOURCE.row_count, SOURCE.columns)
    with pytest.raises(problems.CursorOfOtherQueryError):
        parse_query(beside, [("cursor", cursor)])


def test_the_order_of_filters_does_not_break_a_cursor() -> None:
    one = parsed(("tinh", "x"), ("nam__gt", "2000"))
    other = parsed(("nam__gt", "2000"), ("tinh", "x"))
    assert fingerprint(SOURCE, one) == fingerprint(SOURCE, other)


def test_equal_looking_values_of_other_operators_are_other_queries() -> None:
    queries = [
        parsed(("dan_so", "1")),
        parsed(("dan_so__ne", "1")),
        parsed(("dan_so__in", "1,11")),
        parsed(("dan_so__in", "11,1")),
        parsed(("dan_so__isnull", "true")),
        parsed(("tinh", "1")),
        parsed(("nam", "1")),
        parsed(("q", "1")),
        parsed(("tinh__contains", "1")),
    ]
    assert len({fingerprint(SOURCE, query) for query in queries}) == len(queries)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_form_offers_only_what_is_understood(kind: Kind) -> None:
    offered = operators_for(kind)
    assert (Operator.CONTAINS in offered) == (kind is Kind.TEXT)
    assert (Operator.LT in offered) == (kind is not Kind.BOOLEAN)
    assert {Operator.EQ, Operator.NE, Operator.IN, Operator.ISNULL} <= set(offered)
