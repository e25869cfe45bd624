"""Looking at a file in a limited child gives what looking at it here gives, or says why not."""

from __future__ import annotations

import pytest

from opendata.resources.ingest.inspection import (
    UnknownTableError,
    UnreadableFileError,
    inspect_file,
    table_as_parquet,
    validate_file,
)
from opendata.resources.ingest.limited_inspection import (
    limited_check,
    limited_inspection,
    limited_package_check,
    limited_table,
    limited_validation,
)
from opendata.resources.ingest.limits import Limits
from opendata.resources.ingest.packages import check_file, check_package
from opendata.tabular.conversion import convert_file

CSV = "tên;ngày;số\nA;05/06/2024;1,5\nB;07/08/2024;x\n"
SCHEMA = {
    "fields": [
        {"name": "tên", "type": "string"},
        {"name": "ngày", "type": "date", "format": "%d/%m/%Y"},
        {"name": "số", "type": "number", "decimalChar": ","},
    ]
}


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "x.csv"
    found.write_text(CSV)
    return found


def test_the_same_inspection(path) -> None:
    assert limited_inspection(path) == inspect_file(path)
    (path.parent / "x.pdf").write_bytes(b"%PDF-1.7\n")
    assert limited_inspection(path.parent / "x.pdf").no_table_reason is not None


def timeless(report: dict) -> dict:
    report["stats"].pop("seconds")
    for task in report["tasks"]:
        task["stats"].pop("seconds")
    return report


def test_the_same_report(path) -> None:
    assert timeless(limited_validation(path, SCHEMA)) == timeless(validate_file(path, SCHEMA))


def test_what_cannot_be_read_is_an_error_in_words(path) -> None:
    path.write_bytes(b"%PDF-1.7\n")
    with pytest.raises(UnreadableFileError, match="PDF"):
        limited_inspection(path)
    with pytest.raises(UnreadableFileError, match="PDF"):
        limited_validation(path)
    path.write_text("a,b\n" + "1,2\n" * 200_000)
    with pytest.raises(UnreadableFileError, match="memory"):
        limited_inspection(path, limits=Limits(memory_bytes=1 << 20))


def test_the_same_check_of_files_and_of_packages(path) -> None:
    assert timeless(limited_check(path, SCHEMA, 100)) == timeless(check_file(path, SCHEMA, 100))
    assert timeless(limited_check(path, None, 100)) == timeless(check_file(path, None, 100))
    package = {"resources": [{"name": "x", "path": "x.csv", "schema": SCHEMA}]}
    ours = timeless(limited_package_check(package, [path], 100))
    assert ours == timeless(check_package(package, [path], 100))
    assert not ours["valid"]
    with pytest.raises(UnreadableFileError):
        limited_package_check({"resources": []}, [path], 100)


def test_the_same_table(path, tmp_path) -> None:
    ours, here = (tmp_path / name for name in ("child", "here"))
    for folder in (ours, here):
        folder.mkdir()
    found, wanted = limited_table(path, ours), table_as_parquet(path, here)
    assert (found.name, found.columns, found.row_count) == (wanted.name, wanted.columns, wanted.row_count)
    assert found.path.parent == ours
    assert found.path.read_bytes() == wanted.path.read_bytes()
    with pytest.raises(UnknownTableError, match="none") as error:
        limited_table(path, tmp_path, "none")
    assert found.name in error.value.message()


def test_a_conversion_beyond_its_limits_is_refused_in_words_and_leaves_nothing(path, monkeypatch) -> None:
    path.write_text("a,b\n" + "1,2\n" * 200_000)
    out = path.with_name("out.parquet")
    monkeypatch.setattr("opendata.resources.ingest.limits.Limits", lambda: Limits(memory_bytes=1 << 20))
    with pytest.raises(UnreadableFileError, match="memory"):
        convert_file(path, out)
    assert sorted(each.name for each in path.parent.iterdir()) == ["x.csv"]
