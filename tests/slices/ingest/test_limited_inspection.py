"""Looking at a file in a limited child gives what looking at it here gives, or says why not."""

from __future__ import annotations

import pytest

from opendata.resources.ingest.inspection import UnreadableFileError, inspect_file, validate_file
from opendata.resources.ingest.limited_inspection import limited_inspection, limited_validation
from opendata.resources.ingest.limits import Limits

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


def test_the_same_report(path) -> None:
    def timeless(report: dict) -> dict:
        report["stats"].pop("seconds")
        for task in report["tasks"]:
            task["stats"].pop("seconds")
        return report

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
