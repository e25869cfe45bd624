"""Validation reports equal those of frictionless itself on the same file, with and without a schema."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from frictionless import Dialect, Schema
from frictionless.formats.csv import CsvControl
from frictionless.resources import TableResource
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from opendata.resources.formats.table import Rectangle, SourceTable
from opendata.resources.ingest.checks import check_given, faulty_cells
from opendata.resources.ingest.draft import draft_table
from opendata.resources.ingest.identify import identify
from opendata.resources.ingest.inspection import validate_file
from opendata.resources.ingest.problems import UnreadableError
from opendata.resources.ingest.schema import reduced_schema
from opendata.resources.ingest.validate import validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opendata.resources.formats.table import TextBatch
    from opendata.resources.ingest.draft import Draft


def of_frictionless(
    path: Path, schema: dict[str, Any], *, delimiter: str = ",", header_row: int = 1, limit: int = 1000
) -> dict[str, Any]:
    """What frictionless says when it reads the file by itself."""
    resource = TableResource(
        path=path.name,
        basepath=str(path.parent),
        format="csv",
        encoding="utf-8",
        schema=Schema.from_descriptor(schema),
        dialect=Dialect(
            header_rows=[header_row],
            controls=[CsvControl(delimiter=delimiter, quote_char='"', skip_initial_space=False)],
        ),
    )
    report: dict[str, Any] = resource.validate(limit_errors=limit).to_descriptor()
    return report


def without_noise(report: dict[str, Any]) -> dict[str, Any]:
    """The report without times, the table's name and the place of the file."""
    report = {key: value for key, value in report.items() if key != "name"}
    report["stats"] = report["stats"] | {"seconds": 0}
    report["tasks"] = [
        task | {"name": "", "place": "", "stats": task["stats"] | {"seconds": 0}} for task in report["tasks"]
    ]
    return report


CLEAN = {
    "numbers": "mã,số,tỷ lệ\n01,5,0.25\n02,-7,1\n03,,3.5\n",
    "vietnamese": 'tên,diện tích,dân số\nHà Nội,"3.359,80",8.718.000\nCao Bằng,"6.700,40",555.809\n',
    "dates": "ngày,lúc,đúng\n31/12/2024,2024-12-31T10:00:00,true\n01/01/2025,2025-01-01T00:00:00,false\n",
    "offsets": "lúc\n2024-12-31T10:00:00+07:00\n2024-12-31T11:00:00+07:00\n",
    "minutes": "lúc;x\n31/12/2024 10:30;a\n30/12/2024 23:59;b\n",
    "exponents": "a,b\n1e-7,12345678901234567890.5\n2.5E3,0.25\n",
    "quotes": 'a,b\n"x\ny","say ""hi"""\n"1,5",\n',
    "one column": "tên\nan\nbình\n",
}


@pytest.mark.parametrize("text", CLEAN.values(), ids=CLEAN)
def test_a_clean_file_gets_the_report_without_asking_frictionless(text, tmp_path, monkeypatch) -> None:
    path = tmp_path / "clean.csv"
    path.write_text(text)
    monkeypatch.setattr("opendata.resources.ingest.checks.Check", None)
    found = identify(path, path.name)
    assert found.dialect is not None
    table = validate(path, path.name, found, tmp_path).tables[0]
    theirs = of_frictionless(path, dict(table.table_schema), delimiter=found.dialect.delimiter)
    assert without_noise(dict(table.report)) == without_noise(theirs)
    assert theirs["valid"]


IRREGULAR = {
    "extra cell": "a,b\n1,2\n3,4,5\n6,7\n",
    "missing cell": "a,b,c\n1,2,3\n4,5\n6\n",
    "blank rows": "a,b\n1,2\n\n3,4\n,\n\n5,6\n\n",
    "blank label": "a,,c\n1,2,3\n",
    "duplicate label": "a,b,a,a\n1,2,3,4\n",
    "all at once": "a,,a\n1,2,3\n\n1\n1,2,3,4\n,,\n5,6,7\n",
    "title": "Bảng 1\n\na,b\n1,2\n3\n",
}


@pytest.mark.parametrize("text", IRREGULAR.values(), ids=IRREGULAR)
def test_wrong_shape_is_reported_as_frictionless_reports_it(text, tmp_path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(text)
    found = identify(path, path.name)
    table = validate(path, path.name, found, tmp_path).tables[0]
    assert table.draft is not None
    theirs = of_frictionless(path, dict(table.table_schema), header_row=table.draft.header_row)
    assert without_noise(dict(table.report)) == without_noise(theirs)


def test_the_limit_of_errors_ends_the_check_where_frictionless_ends_it(tmp_path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("a,b\n" + "1,2\n3\n1,2,3\n" * 10)
    schema = {"fields": [{"name": "a", "type": "integer"}, {"name": "b", "type": "boolean"}]}
    for limit in (1, 2, 7, 19, 1000):
        ours = validate_file(path, schema, limit)
        assert without_noise(ours) == without_noise(of_frictionless(path, schema, limit=limit))


values = st.sampled_from(
    [
        "1",
        "2",
        "-3",
        "007",
        "1.5",
        "1,5",
        "3.359,80",
        "8.718.000",
        "NaN",
        "x",
        "X",
        "xyz",
        "",
        "",
        " 1",
        "true",
        "True",
        "1e3",
        "2024-01-31",
        "31/01/2024",
        "31/02/2024",
        "2024-01-31T10:00:00",
        "2024-01-31T10:00:00Z",
        "10:30:00",
        "2024",
        "n/a",
        "a@b.vn",
        "http://x.vn/",
        "[1]",
        '{"a": 1}',
        "P1D",
        "1 000",
        "1_000",
        "12345678901234567890",
    ]
)


def _field(name: str) -> st.SearchStrategy[dict[str, Any]]:
    required = st.fixed_dictionaries({}, optional={"required": st.booleans()})
    bounds = st.fixed_dictionaries(
        {},
        optional={
            "required": st.booleans(),
            "minimum": st.sampled_from([1, "2"]),
            "maximum": st.just(5),
            "enum": st.just([1, 2]),
        },
    )
    texts = st.fixed_dictionaries(
        {},
        optional={
            "required": st.booleans(),
            "minLength": st.integers(0, 3),
            "maxLength": st.integers(1, 4),
            "pattern": st.sampled_from(["[a-z]+", "x.*", "[0-9]*"]),
            "enum": st.just(["x", "1", "2024"]),
        },
    )
    kinds: list[st.SearchStrategy[dict[str, Any]]] = [
        st.fixed_dictionaries({"type": st.just("string"), "constraints": texts}),
        st.fixed_dictionaries({"type": st.just("string"), "format": st.sampled_from(["email", "uri"])}),
        st.fixed_dictionaries({"type": st.just("integer"), "constraints": bounds}),
        st.fixed_dictionaries({"type": st.just("number"), "constraints": bounds}),
        st.fixed_dictionaries(
            {"type": st.just("number"), "decimalChar": st.just(","), "groupChar": st.sampled_from([".", ""])}
        ),
        st.fixed_dictionaries({"type": st.just("integer"), "bareNumber": st.booleans()}),
        st.fixed_dictionaries({"type": st.just("boolean"), "constraints": required}),
        st.fixed_dictionaries(
            {"type": st.just("boolean"), "trueValues": st.just(["x"]), "falseValues": st.just(["1"])}
        ),
        st.fixed_dictionaries({"type": st.just("date"), "constraints": required}),
        st.fixed_dictionaries({"type": st.just("date"), "format": st.just("%d/%m/%Y")}),
        st.fixed_dictionaries(
            {"type": st.sampled_from(["datetime", "time", "year", "array", "object", "any", "duration"])}
        ),
    ]
    return st.one_of(kinds).map(lambda field: {"name": name, **field})


EXTRAS: list[dict[str, list[str]]] = [
    {},
    {},
    {},
    {"missingValues": ["", "n/a"]},
    {"missingValues": ["-"]},
    {"primaryKey": ["a"]},
    {"primaryKey": ["a", "b"]},
]
schemas = st.builds(
    lambda fields, extra: {"fields": list(fields), **extra},
    st.one_of(st.tuples(_field("a"), _field("b")), st.tuples(_field("a"), _field("b"), _field("c"))),
    st.sampled_from(EXTRAS),
)
rows = st.lists(st.lists(values, min_size=2, max_size=2), min_size=1, max_size=6)
odd_rows = st.lists(st.lists(values, max_size=3), min_size=1, max_size=6)
headers = st.sampled_from(
    [["a", "b"], ["a", "b"], ["a", "b"], ["b", "a"], ["a", "b", "c"], ["a", "", "c"], ["a", "a"]]
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(
    {"fields": [{"name": "a", "type": "integer"}, {"name": "b", "type": "string"}]},
    ["a", "b"],
    [["", ""], ["1", "x"]],
)
@given(schemas, headers, st.one_of(rows, odd_rows))
def test_a_schema_from_outside_is_judged_as_frictionless_judges_it(schema, header, table) -> None:
    text = "\n".join(",".join(_quoted(cell) for cell in row) for row in [header, *table]) + "\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_text(text)
        try:
            draft = drafted(text, Path(folder))
        except UnreadableError:
            return  # no rows: nothing is validated
        try:
            theirs = of_frictionless(path, schema)["tasks"][0]
        except TypeError:  # a key of objects, which frictionless cannot compare
            with pytest.raises(UnreadableError, match="schema"):
                check_given(draft, reduced_schema(schema), 1000, lambda _: None)
            return
        ours = check_given(draft, reduced_schema(schema), 1000, lambda _: None)
        assert [dict(error) for error in ours.errors] == theirs["errors"]
        assert ours.rows == theirs["stats"]["rows"]
        cells = list(faulty_cells(draft, reduced_schema(schema)))
        of_rows = [error for error in theirs["errors"] if "rowNumber" in error]
        assert [(cell.row, cell.column) for cell in cells] == [
            (error["rowNumber"], error.get("fieldName", "")) for error in of_rows
        ]


def drafted(text: str, folder: Path) -> Draft:
    """The draft of these very rows: what identification makes of headers and footers is not asked here."""
    header, *table = csv.reader(io.StringIO(text, newline=""))
    source = SourceTable("", tuple(header), 1, len(header), ())

    def reading(report: Any) -> Iterator[TextBatch]:
        batch = Rectangle(len(header), source.irregular).batch(list(enumerate(table, start=2)))
        if batch is not None:
            yield batch

    source.readings = (reading,)
    return draft_table(source, folder / "draft.arrow", lambda *_: None)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if "," in cell or '"' in cell else cell
