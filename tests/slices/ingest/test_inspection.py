"""What the command line asks of a file, and stages taken one by one from their stored results."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from opendata.resources.ingest.convert import ConvertedTable, convert
from opendata.resources.ingest.identify import identify
from opendata.resources.ingest.inspection import (
    UnknownTableError,
    UnreadableFileError,
    inspect_file,
    table_as_parquet,
    validate_file,
)
from opendata.resources.ingest.pipeline import ingest_file
from opendata.resources.ingest.profile import profile
from opendata.resources.ingest.result import Identification, IngestResult
from opendata.resources.ingest.validate import Validation, validate

TEXT = "Bảng 1\nmã,số,ngày\n01,5,31/12/2024\n02,x,01/01/2025\n03,7,02/01/2025\n04,8\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "số liệu.csv"
    path.write_text(TEXT)
    return path


def test_inspect_shows_what_would_be_published(file) -> None:
    found = inspect_file(file)
    assert found.no_table_reason is None
    (table,) = found.tables
    assert (table.name, table.title, table.header_row, table.row_count) == ("bang-1", "Bảng 1", 2, 4)
    assert [(column.name, column.type, column.format) for column in table.columns] == [
        ("mã", "string", "default"),
        ("số", "string", "default"),
        ("ngày", "date", "%d/%m/%Y"),
    ]
    assert {problem.code for problem in table.problems} == {"title-rows-skipped", "missing-cells"}
    assert json.loads(json.dumps(found.to_json()))["identification"]["encoding"] == "utf-8"


def test_inspect_of_what_is_no_table(tmp_path) -> None:
    path = tmp_path / "x.pdf"
    path.write_bytes(b"%PDF-1.7")
    found = inspect_file(path)
    assert found.no_table_reason is not None
    assert found.no_table_reason.code == "not-tabular"


def test_unreadable_files_say_why_in_both_calls(tmp_path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"\0\0\0\0")
    for call in (inspect_file, validate_file, lambda path: table_as_parquet(path, tmp_path)):
        with pytest.raises(UnreadableFileError, match="NUL") as caught:
            call(path)
        assert caught.value.message(lambda text: text.replace("The file", "Tệp")).startswith(
            "Tệp is named as text"
        )


def test_validate_gives_the_report(file) -> None:
    report = validate_file(file)
    assert not report["valid"]
    assert [error["type"] for error in report["tasks"][0]["errors"]] == ["missing-cell"]
    assert report["tasks"][0]["place"] == "số liệu.csv"
    fields = [
        {"name": "mã", "type": "string"},
        {"name": "số", "type": "integer"},
        {"name": "ngày", "type": "string"},
    ]
    report = validate_file(file, {"fields": fields}, 1)
    assert [error["type"] for error in report["tasks"][0]["errors"]] == ["type-error"]
    assert report["tasks"][0]["warnings"] == ["reached error limit: 1"]


def test_one_table_as_parquet(file, tmp_path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    found = table_as_parquet(file, work)
    assert (found.name, found.row_count) == ("bang-1", 4)
    assert pq.read_table(found.path).num_rows == 4
    assert table_as_parquet(file, work, "bang-1").name == "bang-1"
    with pytest.raises(UnknownTableError, match="It has: bang-1"):
        table_as_parquet(file, work, "other")


@pytest.mark.parametrize("filename", ["x.csv", "x.json"])
def test_stages_can_be_taken_up_from_their_stored_results(filename, tmp_path) -> None:
    """Each stage from the JSON of the one before gives what the whole pipeline gives."""
    path = tmp_path / filename
    records = [{"a": number, "b": f"x{number}", "c": [number]} for number in range(50)]
    lines = ["a,b", *(f"{number},{number % 3 or ''}" for number in range(50)), "1,2,3"]
    path.write_text("\n".join(lines) if filename == "x.csv" else json.dumps(records))
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()

    def stored(value):
        return type(value).from_json(json.loads(json.dumps(value.to_json())))

    identification = stored(identify(path, filename))
    assert isinstance(identification, Identification)
    validation = stored(validate(path, filename, identification, one))
    assert isinstance(validation, Validation)
    (table,) = validation.tables
    converted = stored(convert(path, identification, table, one))
    assert isinstance(converted, ConvertedTable)
    whole = ingest_file(path, filename, other)
    assert isinstance(whole, IngestResult)
    assert converted.path.read_bytes() == whole.tables[0].parquet_path.read_bytes()
    assert profile(converted.path, table.columns, one) == whole.tables[0].profile
    assert table.columns == whole.tables[0].columns
