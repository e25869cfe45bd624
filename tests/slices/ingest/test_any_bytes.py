"""Whatever the bytes are: a result with tables, a reason why there is none, or a coded problem. Never an exception."""

from __future__ import annotations

import io
import json
import random
import re
import tempfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opendata.resources.ingest.pipeline import ingest_file
from opendata.resources.ingest.problem_kinds import KINDS
from opendata.resources.ingest.result import IngestResult

FILENAMES = (
    "x.csv",
    "x.tsv",
    "x.xlsx",
    "x.xls",
    "x.ods",
    "x.json",
    "x.jsonl",
    "x.parquet",
    "x.txt",
    "x.pdf",
    "x",
)


def ingested(content: bytes, filename: str) -> IngestResult:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        source.write_bytes(content)
        work = Path(folder) / "work"
        work.mkdir()
        result = ingest_file(source, filename, work)
        assert_whole(result)
        return result


def assert_whole(result: IngestResult) -> None:
    """Exactly one outcome, every code known, JSON there and back."""
    outcomes = [bool(result.tables), result.no_table_reason is not None, result.failed]
    assert outcomes.count(True) == 1, outcomes
    said = [*result.problems, *(problem for table in result.tables for problem in table.problems)]
    said += [note for table in result.tables for column in table.columns for note in column.notes]
    said += [result.no_table_reason] if result.no_table_reason else []
    for problem in said:
        assert problem.code in KINDS
        asked = re.findall(r"%\((\w+)\)s", problem.kind.sentence + problem.kind.advice)
        assert set(asked) <= set(problem._values(str)), f"{problem.code} lacks a value of its sentence"
        assert "%(" not in problem.message()
    assert IngestResult.from_json(json.loads(json.dumps(result.to_json()))) == result
    for table in result.tables:
        read = pq.read_table(table.parquet_path)
        assert read.num_rows == table.row_count > 0
        assert read.column_names == [column.name for column in table.columns]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300), st.sampled_from(FILENAMES))
def test_random_bytes(content: bytes, filename: str) -> None:
    ingested(content, filename)


printable = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200)
cells = st.sampled_from(
    [
        "1",
        "-7",
        "2.5",
        "3.359,80",
        "105.698",
        "8.718.000",
        "01",
        "true",
        "FALSE",
        "31/12/2024",
        "05/06/2024",
        "31/02/2020",
        "2024-01-31",
        "x",
        "",
        "-",
        "1e5",
        "1e999",
        "-0",
        "2024-01-01T10:00:00+07:00",
        "2024-01-01 10:00",
        "ệ",
        "́",
        "12345678901234567890",
        "0.1234567890123456789",
        '"',
        '"a\nb"',
        "a;b",
        "12/31/2024 10:00:59",
        " 1",
        "1,000",
    ]
)
table_like = st.builds(
    lambda rows, delimiter, end: end.join(
        ["a", "b" + delimiter + "c", *(delimiter.join(row) for row in rows)]
    ),
    st.integers(1, 4).flatmap(
        lambda column: st.lists(st.lists(cells, min_size=column, max_size=column), max_size=8)
    ),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
one_kind = st.builds(
    lambda values: "\n".join(["a;b", *(f"{value};x" for value in values)]),
    cells.flatmap(lambda usual: st.lists(st.one_of(st.just(usual), st.just(usual), cells), max_size=8)),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(printable, table_like, table_like, one_kind, one_kind),
    st.sampled_from(["x.csv", "x.csv", "x.csv", *FILENAMES]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]),
)
def test_random_text(text: str, filename: str, encoding: str) -> None:
    ingested(text.encode(encoding, "replace"), filename)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


records = st.lists(
    st.dictionaries(st.sampled_from(["a", "b", "A", " a", ""]), json_values, max_size=3), max_size=6
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(json_values, records, records), st.sampled_from(["x.json", "x.jsonl", "x"]))
def test_random_json(value: object, filename: str) -> None:
    ingested(json.dumps(value).encode(), filename)


def _workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["a", "b"])
    for number in range(40):
        sheet.append([number, f"x{number}"])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _parquet() -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table({"a": list(range(50)), "b": ["x"] * 50}), target)
    return target.getvalue()


@pytest.mark.parametrize(("make", "filename"), [(_workbook, "x.xlsx"), (_parquet, "x.parquet")])
def test_damaged_containers(make, filename) -> None:
    whole = make()
    assert ingested(whole, filename).tables
    dice = random.Random(7)
    for _ in range(40):
        broken = bytearray(whole)
        for _ in range(dice.randrange(1, 6)):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        ingested(bytes(broken), filename)
        ingested(whole[: dice.randrange(len(whole))], filename)
