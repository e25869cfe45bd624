"""A schema that came along: what is kept of it, what its errors say, and how its columns are stored."""

# ruff: noqa: DTZ001 - files hold moments without a zone

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pyarrow.parquet as pq
import pytest

from opendata.resources.ingest.schema import reduced_schema


def schema(*fields, **more):
    return {"fields": [{"name": name, "type": kind, **options} for name, kind, options in fields], **more}


def codes(problems) -> list[str]:
    return [problem.code for problem in problems]


def test_errors_name_column_row_and_value(ingest) -> None:
    given = schema(
        ("ngay", "date", {"format": "%d/%m/%Y"}), ("so", "integer", {"constraints": {"required": True}})
    )
    text = "ngay,so\n" + "01/02/2020,1\n" * 13 + "31/02/2020,2\n03/02/2020,\n04/02/2020,x\n"
    result = ingest(text, table_schema=given)
    assert result.failed
    assert result.tables == ()
    assert [problem.message() for problem in result.problems] == [
        "Column “ngay”, row 15: “31/02/2020” is not a date. Correct it or leave it empty.",
        "Column “so”, row 16: a value is required. Fill it in.",
        "Column “so”, row 17: “x” is not a whole number. Correct it or leave it empty.",
    ]
    assert result.report is not None
    assert [error["rowNumber"] for error in result.report["tasks"][0]["errors"]] == [15, 16, 17]


@pytest.mark.parametrize(
    ("header", "row", "fields", "expected"),
    [
        ("a,b", "1,2,3", ["a", "b"], "row-extra-cell"),
        ("a,b\n3,4", "1", ["a", "b"], "row-missing-cell"),
        ("a,b\n3,4", "", ["a", "b"], "row-blank"),
        ("a,c", "1,2", ["a", "b"], "label-incorrect"),
        ("a,b,c", "1,2,3", ["a", "b"], "label-extra"),
        ("a,b", "1,2", ["a", "b", "c"], "label-missing"),
        ("a,,c", "1,2,3", ["a", "b", "c"], "label-blank"),
        ("a,a", "1,2", ["a", "b"], "label-duplicate"),
    ],
)
def test_wrong_shape_fails_a_file_with_schema(header, row, fields, expected, ingest) -> None:
    given = schema(*((name, "integer", {}) for name in fields))
    result = ingest(f"{header}\n{row}\n5,6\n", table_schema=given)
    assert result.failed
    assert expected in codes(result.problems)
    assert all(problem.message() for problem in result.problems)


def test_keys_and_uniqueness(ingest) -> None:
    given = schema(("a", "integer", {}), ("b", "string", {"constraints": {"unique": True}}), primaryKey="a")
    result = ingest("a,b\n1,x\n2,y\n1,z\n3,x\n", table_schema=given)
    assert [(problem.code, problem.row) for problem in result.problems] == [
        ("row-key", 4),
        ("cell-not-unique", 5),
    ]
    assert not ingest("a,b\n1,x\n2,y\n", table_schema=given).failed


def test_a_reference_within_the_table(ingest) -> None:
    key = {"fields": "cha", "reference": {"resource": "", "fields": "id"}}
    given = schema(("id", "integer", {}), ("cha", "integer", {}), foreignKeys=[key])
    assert not ingest("id,cha\n1,\n2,1\n", table_schema=given).failed
    result = ingest("id,cha\n1,\n2,9\n", table_schema=given)
    assert [(problem.code, problem.row) for problem in result.problems] == [("row-foreign-key", 3)]


def test_a_hundred_errors_are_listed_and_all_are_counted(ingest) -> None:
    given = schema(("a", "integer", {}))
    result = ingest("a\n" + "x\n" * 150, table_schema=given)
    assert len(result.problems) == 101
    assert result.problems[-1].code == "more-errors"
    assert result.problems[-1].params == {"count": 150, "listed": 100}
    result = ingest("a\n" + "x\n" * 5000, table_schema=given)
    assert result.problems[-1].code == "many-errors"
    assert result.problems[-1].params == {"count": 1000, "listed": 100}
    assert result.problems[-1].row == 1001


def test_columns_are_stored_as_the_schema_reads_them(ingest, rows_of) -> None:
    given = schema(
        ("mã", "integer", {}),
        ("số", "number", {"decimalChar": ",", "groupChar": "."}),
        ("tiền", "number", {}),
        ("ngày", "date", {"format": "%d/%m/%Y"}),
        ("lúc", "datetime", {"format": "%d/%m/%Y %H:%M"}),
        ("giờ", "time", {}),
        ("có", "boolean", {"trueValues": ["có"], "falseValues": ["không"]}),
        ("năm", "year", {}),
        ("tên", "string", {"title": "Tên đơn vị", "description": "Tên đầy đủ"}),
        ("con", "array", {}),
        missingValues=["", "-"],
    )
    names = ",".join(field["name"] for field in given["fields"])
    text = (
        f"{names}\n"
        '007,"105.698",12345678901234567.89,01/07/2025,01/07/2025 08:30,08:30:00,có,2025,-,"[1, 2]"\n'
        '-,"1,5",-,-,-,-,không,-,Hà Nội,-\n'
    )
    result = ingest(text, table_schema=given)
    assert not result.failed, [problem.message() for problem in result.problems]
    first, second = rows_of(result)
    assert first == {
        "mã": 7,
        "số": 105698.0,
        "tiền": Decimal("12345678901234567.89"),
        "ngày": dt.date(2025, 7, 1),
        "lúc": dt.datetime(2025, 7, 1, 8, 30),
        "giờ": dt.time(8, 30),
        "có": True,
        "năm": 2025,
        "tên": None,
        "con": "[1, 2]",
    }
    assert (second["số"], second["có"], second["tên"], second["mã"]) == (1.5, False, "Hà Nội", None)
    name = next(column for column in result.tables[0].columns if column.name == "tên")
    assert (name.title, name.description) == ("Tên đơn vị", "Tên đầy đủ")


def test_what_a_schema_reads_but_no_type_keeps_stays_text(ingest, rows_of) -> None:
    given = schema(("số", "number", {}), ("lúc", "datetime", {}), ("nguyên", "integer", {}))
    long = "1" * 50
    text = f"số,lúc,nguyên\n{long}.5,2024-01-01T00:00:00Z,{long}\nNaN,2024-01-01T00:00:00+07:00,1\n"
    result = ingest(text, table_schema=given)
    assert rows_of(result)[0] == {"số": f"{long}.5", "lúc": "2024-01-01T00:00:00Z", "nguyên": long}
    assert {note.code for column in result.tables[0].columns for note in column.notes} == {"kept-as-text"}


def test_offsets_that_agree_are_kept(ingest, rows_of) -> None:
    given = schema(("lúc", "datetime", {"format": "any"}))
    result = ingest("lúc\n2024-01-01 08:00 +07:00\n2 Jan 2024 09:30 +0700\n", table_schema=given)
    zone = dt.timezone(dt.timedelta(hours=7))
    assert rows_of(result)[1]["lúc"] == dt.datetime(2024, 1, 2, 9, 30, tzinfo=zone)


def test_a_workbook_applies_its_schema_where_the_names_fit(ingest) -> None:
    import io

    import openpyxl

    book = openpyxl.Workbook()
    book.worksheets[0].append(["ghi chú"])
    book.worksheets[0].append(["x"])
    sheet = book.create_sheet("số liệu")
    sheet.append(["a", "b"])
    sheet.append([1, "x"])
    target = io.BytesIO()
    book.save(target)
    given = schema(("a", "integer", {"constraints": {"minimum": 5}}), ("b", "string", {}))
    result = ingest(target.getvalue(), "x.xlsx", table_schema=given)
    assert [(problem.code, problem.table, problem.row) for problem in result.problems] == [
        ("cell-constraint", "so-lieu", 2)
    ]


BAD_SCHEMAS = [
    ({}, "schema-no-fields"),
    ({"fields": "x"}, "schema-no-fields"),
    ({"fields": []}, "schema-no-fields"),
    ([], "schema-no-fields"),
    ({"fields": [{"type": "string"}]}, "schema-field-without-name"),
    ({"fields": ["a"]}, "schema-field-without-name"),
    ({"fields": [{"name": "a", "type": "money"}]}, "schema-unknown-type"),
    ({"fields": [{"name": "a", "type": ["x"]}]}, "schema-unknown-type"),
    ({"fields": [{"name": "a"}, {"name": "A"}]}, "schema-duplicate-field"),
    ({"fields": [{"name": "a", "constraints": {"pattern": 5}}]}, "schema-bad-constraint"),
    ({"fields": [{"name": "a", "constraints": {"pattern": "x" * 600}}]}, "schema-bad-constraint"),
    ({"fields": [{"name": "a", "constraints": {"minLength": -1}}]}, "schema-bad-constraint"),
    ({"fields": [{"name": "a", "constraints": {"enum": []}}]}, "schema-bad-constraint"),
    ({"fields": [{"name": "a", "constraints": {"enum": [{}]}}]}, "schema-bad-constraint"),
    (
        {"fields": [{"name": "a", "type": "integer", "constraints": {"minimum": "x"}}]},
        "schema-bad-constraint",
    ),
    ({"fields": [{"name": "a", "constraints": {"pattern": "("}}]}, "schema-bad-constraint"),
    ({"fields": [{"name": "a", "type": "string", "format": "phone"}]}, "schema-refused"),
    ({"fields": [{"name": "a", "type": "integer", "constraints": {"pattern": "x"}}]}, "schema-refused"),
    ({"fields": [{"name": "a"}], "missingValues": "-"}, "schema-bad-list"),
    ({"fields": [{"name": "a"}], "missingValues": [1]}, "schema-bad-list"),
    ({"fields": [{"name": "a"}], "primaryKey": ["b"]}, "schema-bad-key"),
    ({"fields": [{"name": "a"}], "primaryKey": [["a"]]}, "schema-bad-list"),
    (
        {"fields": [{"name": "a"}], "foreignKeys": [{"fields": "a", "reference": {"fields": "b"}}]},
        "schema-bad-key",
    ),
]


@pytest.mark.parametrize(("given", "code"), BAD_SCHEMAS)
def test_a_schema_that_cannot_be_used_is_refused(given, code, ingest) -> None:
    result = ingest("a\nx\n", table_schema=given)
    (problem,) = result.problems
    assert (problem.code, problem.severity) == (code, "error")


def test_only_names_types_formats_rules_and_keys_are_kept() -> None:
    hostile = {
        "$schema": "http://evil.example/profile.json",
        "path": "/etc/passwd",
        "profile": "http://evil.example",
        "fields": [
            {
                "name": "a",
                "type": "string",
                "format": "default",
                "title": "T",
                "rdfType": "http://evil.example",
                "example": "x",
                "type_checker": "os.system",
                "constraints": {"required": True, "jsonSchema": {"$ref": "http://evil.example"}},
                "trueValues": ["x"],
            },
            {"name": "b", "type": "number", "decimalChar": ",", "groupChar": "..", "bareNumber": "x"},
        ],
        "primaryKey": "a",
        "foreignKeys": [{"fields": "a", "reference": {"resource": "../other", "fields": "a"}}],
        "missingValues": ["", "-"],
        "fieldsMatch": "subset",
    }
    assert reduced_schema(json.loads(json.dumps(hostile))) == {
        "fields": [
            {
                "name": "a",
                "type": "string",
                "format": "default",
                "title": "T",
                "constraints": {"required": True},
            },
            {"name": "b", "type": "number", "decimalChar": ","},
        ],
        "primaryKey": ["a"],
        "missingValues": ["", "-"],
    }


def test_the_published_schema_is_the_reduced_one(ingest) -> None:
    given = schema(("a", "integer", {"constraints": {"minimum": 1}, "rdfType": "http://x.example"}))
    (table,) = ingest("a\n1\n", table_schema=given).tables
    assert table.table_schema == schema(("a", "integer", {"constraints": {"minimum": 1}}))
    kept = pq.read_schema(table.parquet_path).metadata[b"opendata.schema"]
    assert json.loads(kept) == table.table_schema
