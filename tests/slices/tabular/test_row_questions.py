"""What each parameter answers, on nine rows that can be checked by eye; from Parquet and from a derived copy."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from opendata.kernel.errors import PortalError
from opendata.tabular.engine import cursor_at
from opendata.tabular.filters import parse_query

if TYPE_CHECKING:
    from opendata.tabular.source import TableSource
    from tests.slices.tabular.conftest import Reader, Tables


@pytest.mark.parametrize(
    ("parameters", "codes"),
    [
        ([("mã", "01")], ["01"]),
        ([("mã", "1")], []),
        ([("mã__in", "20,01,99")], ["01", "20"]),
        ([("tên", "")], ["20"]),
        ([("tên__isnull", "true")], ["19"]),
        ([("tên__contains", "LA")], ["12", "14"]),
        ([("tên__contains", "lá")], []),
        ([("tên__contains", "lào")], ["15"]),
        ([("tên__startswith", "la")], ["12"]),
        ([("tên__startswith", "đ")], ["11"]),
        ([("tên__ne", "Hà Nội"), ("mã__lt", "08")], ["04"]),
        ([("tên__ne", "Hà Nội"), ("mã__ge", "19")], ["19", "20"]),
        ([("q", "ha noi")], ["01"]),
        ([("q", "dien")], ["11"]),
        ([("q", "điện")], ["11"]),
        ([("q", "0")], ["01", "04", "08", "20"]),
        ([("q", "la"), ("q", "ch")], ["12"]),
        ([("dân số__gt", "1000000"), ("dân số__lt", "1800000")], ["14", "15"]),
        ([("dân số__ne", "0"), ("mã__ge", "15")], ["15", "19"]),
        ([("dân số__isnull", "false"), ("mã__ge", "15")], ["15", "20"]),
        ([("diện tích", "0.1")], ["20"]),
        ([("diện tích__lt", "0")], ["19"]),
        ([("diện tích__ge", "9068.73")], ["08", "12", "15"]),
        ([("diện tích__isnull", "true")], ["11", "14"]),
        ([("diện tích__isnull", "false"), ("mã__lt", "12")], ["01", "04", "08"]),
        ([("mới", "true")], ["08", "15", "20"]),
        ([("mới__ne", "true"), ("mã__ge", "15")], ["19"]),
        ([("mới__in", "true,false"), ("mã__ge", "15")], ["15", "20"]),
        ([("sort", "dân số"), ("limit", "3")], ["20", "12", "04"]),
        ([("sort", "-dân số"), ("limit", "3")], ["01", "08", "15"]),
        ([("sort", "mới,-mã")], ["14", "12", "11", "04", "01", "20", "15", "08", "19"]),
        ([("sort", "-mới")], ["08", "15", "20", "01", "04", "11", "12", "14", "19"]),
        ([("sort", "diện tích")], ["19", "20", "01", "04", "12", "15", "08", "11", "14"]),
        ([("sort", "-diện tích")], ["08", "15", "12", "04", "01", "20", "19", "11", "14"]),
        ([("sort", "tên")], ["20", "04", "11", "01", "12", "15", "14", "08", "19"]),
        ([("sort", "-tên"), ("limit", "4")], ["08", "14", "15", "12"]),
    ],
)
def test_which_rows_in_which_order(
    reader: Reader, provinces: TableSource, parameters: list[tuple[str, str]], codes: list[str]
) -> None:
    page = reader.page(provinces, ("select", "mã"), *parameters)
    assert [code for (code,) in page.rows()] == codes


def test_a_page_carries_columns_values_and_places(reader: Reader, provinces: TableSource) -> None:
    page = reader.page(provinces, ("select", "diện tích,mã,dân số"), ("sort", "-mã"), ("limit", "2"))
    assert [column.name for column in page.columns] == ["diện tích", "mã", "dân số"]
    assert page.rows() == [(0.1, "20", 0), (-1.5, "19", None)]
    assert page.numbers == (8, 7)
    assert (page.start, page.total) == (0, 9)


def test_json_has_no_nan(reader: Reader, provinces: TableSource) -> None:
    page = reader.page(provinces, ("select", "diện tích"), ("mã", "11"))
    assert page.json_rows() == [(None,)]


def test_total_is_exact_unless_not_wanted(reader: Reader, provinces: TableSource) -> None:
    assert reader.page(provinces, ("mới", "true"), ("limit", "1")).total == 3
    assert reader.page(provinces, ("mới", "true"), ("limit", "1"), ("count", "none")).total is None
    assert reader.page(provinces, ("mã", "none")).total == 0


def test_forth_and_back(reader: Reader, provinces: TableSource) -> None:
    asked = (("sort", "-mã"), ("select", "mã"), ("limit", "4"))
    pages = reader.every_page(provinces, *asked)
    assert [[code for (code,) in page.rows()] for page in pages] == [
        ["20", "19", "15", "14"],
        ["12", "11", "08", "04"],
        ["01"],
    ]
    assert pages[0].previous_cursor is None
    assert pages[-1].next_cursor is None
    for before, page in pairwise(pages):
        assert page.previous_cursor is not None
        assert reader.page(provinces, *asked, ("cursor", page.previous_cursor)).rows() == before.rows()


def test_any_page_can_be_opened(reader: Reader, provinces: TableSource) -> None:
    query = parse_query(provinces, [("limit", "2")])
    page = reader.page(provinces, ("limit", "2"), ("cursor", cursor_at(provinces, query, 6)))
    assert page.numbers == (6, 7)
    past = reader.page(provinces, ("cursor", cursor_at(provinces, query, 900)))
    assert (past.rows(), past.next_cursor, past.total) == ([], None, 9)


@pytest.mark.parametrize("rows", [0, 1])
def test_tables_with_next_to_nothing(reader: Reader, tables: Tables, rows: int) -> None:
    source = tables.publish(pa.table({"a": pa.array(["x"] * rows, pa.string())}))
    for asked in ([], [("sort", "a")], [("a", "x")], [("q", "x")]):
        page = reader.page(source, *asked)
        assert (page.rows(), page.total) == ([("x",)] * rows, rows)


@pytest.mark.parametrize("repeated", [True, False])
def test_pages_of_very_long_values_are_cut_short_and_nothing_is_lost(
    reader: Reader, tables: Tables, monkeypatch: pytest.MonkeyPatch, *, repeated: bool
) -> None:
    """Also where the file does not show how long they are, because repeated values take no room in it."""
    monkeypatch.setattr("opendata.tabular.engine.PAGE_BYTES", 50_000)
    rows = 40
    shapes = [f"{0 if repeated else place}" * 10_000 for place in range(rows)]
    source = tables.publish(pa.table({"n": range(rows), "shape": shapes}))
    for asked in ([], [("sort", "-n")]):
        pages = reader.every_page(source, *asked, ("limit", "10000"))
        assert len(pages) >= 8
        places = [number for page in pages for number in page.numbers]
        assert places == list(range(rows))[:: -1 if asked else 1]
        assert all(page.table.nbytes <= 50_000 for page in pages)
        assert [row[0] for page in pages for row in page.rows()] == places
    assert len(reader.page(source, ("select", "n"), ("limit", "10000")).numbers) == rows


NAMES = ["select", "limit", 'a"b', "a'b", "a;b", "A", "a", "c0", "file_row_number", "t", "", "x.y", "x", "dân số", "a\nb", "--"]  # fmt: skip


def test_columns_may_be_called_anything(reader: Reader, tables: Tables) -> None:
    """Among them names that differ in case only, that DuckDB uses itself, and one that is a prefix of another."""
    source = tables.publish(
        pa.table([pa.array([f"{place}", f"{place + 100}"]) for place in range(len(NAMES))], names=NAMES)
    )
    assert reader.page(source).rows() == [
        tuple(str(place) for place in range(len(NAMES))),
        tuple(str(place + 100) for place in range(len(NAMES))),
    ]
    for place, name in enumerate(NAMES):
        quoted = '"' + name.replace('"', '""') + '"'
        page = reader.page(
            source, (f"col.{name}__eq", str(place + 100)), ("select", quoted), ("sort", f"-{quoted}")
        )
        assert page.rows() == [(str(place + 100),)], name


HOSTILE = [
    "'; DROP TABLE t; --",
    '" OR 1=1 --',
    "x') OR ('1'='1",
    "\\",
    "%",
    "_",
    "$1",
    "?",
    "\x00",
    "😀",
    "\u202eabc",
    "{}",
    "(?i)",
]


def test_values_are_never_syntax(reader: Reader, tables: Tables) -> None:
    source = tables.publish(pa.table({"a": HOSTILE}))
    for text in HOSTILE:
        for operator in ("eq", "contains", "startswith"):
            rows = reader.page(source, (f"a__{operator}", text)).rows()
            expected = [(one,) for one in HOSTILE if one == text or (operator != "eq" and text in one)]
            if operator != "startswith":
                assert rows == expected, (operator, text)
            assert (text,) in rows
        listed = '"' + text.replace('"', '""') + '"'
        assert reader.page(source, ("a__in", listed)).rows() == [(text,)]


def test_hostile_names_in_parameters_are_refused(reader: Reader, provinces: TableSource) -> None:
    for text in HOSTILE:
        for asked in ((text, "1"), (f"{text}__eq", "1"), ("sort", text), ("select", text)):
            with pytest.raises(PortalError):
                reader.page(provinces, asked)


def test_stored_decomposed_text_is_found_as_typed(reader: Reader, tables: Tables) -> None:
    source = tables.publish(pa.table({"a": ["Ha\u0300 No\u0323\u0302i", "Hà Nội", "Ha Noi"]}))
    assert reader.page(source, ("a__contains", "hà nội")).numbers == (0, 1)
    assert reader.page(source, ("a__startswith", "HÀ")).numbers == (0, 1)
    assert reader.page(source, ("q", "ha noi")).numbers == (0, 1, 2)
    assert reader.page(source, ("a", "Ha\u0300 No\u0323\u0302i")).numbers == (0, 1)


def test_numbers_between_and_beyond_what_a_column_holds(reader: Reader, tables: Tables) -> None:
    """DuckDB alone fails on these: no DECIMAL holds both sides."""
    from decimal import Decimal

    wide = [Decimal("-9" * 1 + "9" * 27 + ".9999999999"), Decimal("0.1"), Decimal("0.2"), None]
    source = tables.publish(
        pa.table(
            {
                "d": pa.array(wide, pa.decimal128(38, 10)),
                "i": pa.array([-(2**63), 0, 2**63 - 1, None], pa.int64()),
            }
        ),
        {"i": "number"},
    )
    for column, asked, rows in (
        ("d__gt", "0.10000000000000001", (2,)),
        ("d__ge", "0.10000000000000001", (2,)),
        ("d__lt", "0.10000000000000001", (0, 1)),
        ("d__eq", "0.10000000000000001", ()),
        ("d__ne", "0.10000000000000001", (0, 1, 2, 3)),
        ("d__eq", "0.1000", (1,)),
        ("d__in", "0.2,5e300,0.1", (1, 2)),
        ("d__lt", "1e300", (0, 1, 2)),
        ("d__gt", "1e300", ()),
        ("d__gt", "-1e300", (0, 1, 2)),
        ("d__gt", "1e-300", (1, 2)),
        ("d__lt", "-1e-300", (0,)),
        ("i__gt", "0.5", (2,)),
        ("i__lt", "0.5", (0, 1)),
        ("i__lt", "-0.5", (0,)),
        ("i__eq", "0.5", ()),
        ("i__ge", "9223372036854775808", ()),
        ("i__le", "9223372036854775808", (0, 1, 2)),
        ("i__le", "9223372036854775807", (0, 1, 2)),
        ("i__gt", "9223372036854775806", (2,)),
    ):
        assert reader.page(source, (column, asked)).numbers == rows, (column, asked)


def test_moments_are_compared_in_universal_time(reader: Reader, tables: Tables) -> None:
    import datetime as dt

    noon = dt.datetime(2025, 7, 1, 5, 0, tzinfo=dt.UTC)  # 12:00 in Viet Nam
    source = tables.publish(
        pa.table(
            {
                "zoned": pa.array([noon], pa.timestamp("us", "Asia/Ho_Chi_Minh")),
                "plain": pa.array([noon.replace(tzinfo=None)], pa.timestamp("us")),
            }
        )
    )
    for column in ("zoned", "plain"):
        assert reader.page(source, (column, "2025-07-01T12:00:00+07:00")).total == 1
        assert reader.page(source, (column, "2025-07-01T05:00:00")).total == 1
        assert reader.page(source, (column, "2025-07-01 05:00Z")).total == 1
        assert reader.page(source, (column, "2025-07-01T12:00:00")).total == 0
    assert reader.page(source).json_rows() == [("2025-07-01T05:00:00Z", "2025-07-01T05:00:00")]


def test_lists_and_objects_are_asked_as_text(reader: Reader, tables: Tables) -> None:
    source = tables.publish(
        pa.table({"a": pa.array([[1, 2], [3]]), "b": pa.array([{"k": "Hà"}, {"k": "x"}]), "n": [1, 2]}),
        {"a": "array", "b": "object"},
    )
    assert reader.page(source, ("q", "ha")).numbers == (0,)
    assert reader.page(source, ("a__contains", "3")).numbers == (1,)
    assert reader.page(source, ("select", "n,b"), ("sort", "-a")).json_rows() == [
        (2, '{"k": "x"}'),
        (1, '{"k": "Hà"}'),
    ]


def test_very_many_columns(reader: Reader, tables: Tables) -> None:
    source = tables.publish(pa.table({f"cột {place}": ["x", f"y{place}"] for place in range(1200)}))
    page = reader.page(source, ("q", "Y1199"), ("select", "cột 1199,cột 0"))
    assert page.rows() == [("y1199", "y0")]
