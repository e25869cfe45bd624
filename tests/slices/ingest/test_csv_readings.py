"""The fast and the exact reading of a CSV file give what Python's own csv module gives."""

from __future__ import annotations

import csv
import io
import tempfile
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from opendata.resources.formats import csv_table
from opendata.resources.formats.table import IrregularRowsError
from opendata.resources.ingest.identify import UnidentifiedError, identify
from opendata.resources.ingest.problems import UnreadableError

if TYPE_CHECKING:
    from opendata.resources.formats.table import Reading, SourceTable

Row = tuple[int, list[str | None]]

hostile_text = st.lists(
    st.sampled_from(
        ["a", "ữ", "1", ",", '"', '""', "\n", "\r\n", "\r", " ", ",,", "\n\n", '",', ',"', "x\u0301"]
    ),
    max_size=40,
).map("".join)


def _oracle(text: str, table: SourceTable) -> list[Row]:
    """Rows that are not blank, cut or filled to the width of the header, numbered from 1."""
    width = len(table.labels)
    rows = []
    for number, cells in enumerate(csv.reader(io.StringIO(text, newline="")), start=1):
        if number > table.header_row and any(cells):
            padded = [*cells[:width], *[""] * (width - len(cells))]
            rows.append((number, [cell or None for cell in padded]))
    return rows


def _read(reading: Reading) -> list[Row]:
    rows: list[Row] = []
    for batch in reading(lambda *_: None):
        columns = [column.to_pylist() for column in batch.columns.columns]
        rows += [(row, list(cells)) for row, *cells in zip(batch.rows.to_pylist(), *columns, strict=True)]
    return rows


def _read_or_refuse(exact: Reading) -> list[Row] | None:
    """The rows, or None where a quote is never closed; nothing else may be wrong with the text."""
    try:
        return _read(exact)
    except UnreadableError as error:
        if error.problem.code != "unclosed-quote":
            raise
        return None


def _tables(text: str, folder: Path) -> SourceTable | None:
    path = folder / "x.csv"
    path.write_bytes(text.encode())
    with suppress(UnidentifiedError, UnreadableError):
        found = identify(path, "x.csv")
        if found.dialect and found.dialect.delimiter == ",":
            return next(csv_table.tables(path, found))
    return None


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example('h,i\n1,"')
@example('h,i\n1,""x\n"a\nb",2')
@example('h\n1\n""\n2')
@given(hostile_text)
def test_both_readings_agree_with_the_csv_module(tail: str) -> None:
    text = f"h,i\n{tail}"
    with tempfile.TemporaryDirectory() as folder:
        table = _tables(text, Path(folder))
        if table is None:
            return
        fast, exact = table.readings
        read_exactly = _read_or_refuse(exact)
        expected = _oracle(unicodedata.normalize("NFC", text), table)
        if read_exactly is not None:
            assert read_exactly == expected
        with suppress(IrregularRowsError):
            assert _read(fast) == expected
            assert read_exactly is not None, "the fast reading did not see that a quote is never closed"


def test_rows_longer_than_a_block_are_left_to_the_exact_reading(tmp_path: Path) -> None:
    long = "x" * (csv_table.BLOCK + 100)
    table = _tables(f"h,i\n1,{long}\n2,b\n", tmp_path)
    assert table is not None
    fast, exact = table.readings
    with suppress(IrregularRowsError):
        assert _read(fast) == [(2, ["1", long]), (3, ["2", "b"])]
    assert _read(exact) == [(2, ["1", long]), (3, ["2", "b"])]


def test_many_blocks_keep_order_and_numbers(tmp_path: Path) -> None:
    lines = [f"{number},văn bản {number}" for number in range(400_000)]
    table = _tables("\n".join(["h,i", *lines]), tmp_path)
    assert table is not None
    rows = _read(table.readings[0])
    assert len(rows) == 400_000
    assert rows[0] == (2, ["0", "văn bản 0"])
    assert rows[-1] == (400_001, ["399999", "văn bản 399999"])
    assert [row for row, _ in rows] == list(range(2, 400_002))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("padding", ["", ",,"])
def test_both_readings_leave_out_the_same_footer(encoding, padding, tmp_path: Path) -> None:
    data = "".join(f"{number},café {number},x\n" for number in range(5000))
    path = tmp_path / "x.csv"
    path.write_bytes(f"a,b,c\n{data}\nSource: café{padding}\nNote: none{padding}\n".encode(encoding))
    found = identify(path, "x.csv")
    said = []
    for place in (0, 1):
        table = next(csv_table.tables(path, found))
        if place == 0 and encoding in {"utf-16", "cp1252"} and not padding:
            with pytest.raises(IrregularRowsError):
                _read(table.readings[0])
            continue
        rows = _read(table.readings[place])
        assert len(rows) == 5000
        assert rows[-1] == (5001, ["4999", "café 4999", "x"])
        assert table.last_row == 5001
        said.append([(problem.code, problem.params) for problem in table.problems])
    assert all(each == said[0] for each in said)
    assert said[0][0][1]["rows"] == "5003–5004"
