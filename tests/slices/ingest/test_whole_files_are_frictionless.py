"""Plain files get the report of frictionless, errors and all: compared with its own on corner cases and chance.

    python -m tests.slices.ingest.test_whole_files_are_frictionless FIRST_SEED COUNT [MOST_KEPT]

compares as many random tables as one has time for; with MOST_KEPT they are read in blocks of a few rows.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from frictionless import Dialect, Schema
from frictionless.formats.csv import CsvControl
from frictionless.resources import TableResource

from opendata.resources.ingest import plain_csv, table_check
from opendata.resources.ingest.problems import UnreadableError
from opendata.resources.ingest.whole_files import validate_table
from tests.slices.ingest.random_tables import SECOND, Case, random_case

CASES = 4_000
PORTION = 250


def of_frictionless(path: Path, case: Case, encoding: str | None) -> dict[str, Any]:
    options: dict[str, Any] = {"encoding": encoding} if encoding else {}
    if case.delimiter:
        options["dialect"] = Dialect(controls=[CsvControl(delimiter=case.delimiter)])
    resource = TableResource(
        path=path.name,
        basepath=str(path.parent),
        schema=Schema.from_descriptor(case.schema),
        **options,
    )
    report: dict[str, Any] = resource.validate(limit_errors=case.limit).to_descriptor()
    return report


def without_times(report: dict[str, Any]) -> dict[str, Any]:
    report = report | {"stats": report["stats"] | {"seconds": 0}}
    report["tasks"] = [task | {"stats": task["stats"] | {"seconds": 0}} for task in report["tasks"]]
    return report


def compare(path: Path, case: Case, encoding: str | None = "utf-8") -> None:
    try:
        theirs = of_frictionless(path, case, encoding)
    except Exception:  # noqa: BLE001 - what it stumbles over is refused here
        with pytest.raises(UnreadableError, match="schema"):
            validate_table(
                path, case.schema, encoding=encoding, delimiter=case.delimiter, limit_errors=case.limit
            )
        return
    ours = validate_table(
        path, case.schema, encoding=encoding, delimiter=case.delimiter, limit_errors=case.limit
    )
    assert without_times(ours) == without_times(theirs), case


def run_cases(folder: Path, seeds: range) -> None:
    path = folder / "table.csv"
    for seed in seeds:
        case = random_case(random.Random(seed))
        path.write_bytes(case.text.encode())
        try:
            compare(path, case)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {case}") from error


def schema(*kinds: Any, **more: Any) -> dict[str, Any]:
    """Fields a, b, … of the types given; a pair holds a type and options."""
    fields = []
    for name, kind in zip("abcdef", kinds, strict=False):
        options = {"type": kind} if isinstance(kind, str) else {"type": kind[0], **kind[1]}
        fields.append({"name": name, **options})
    return {"fields": fields, **more}


INTEGERS = schema("integer", "integer")
KEYED = schema("integer", "string", primaryKey=["a"])
UNIQUE = {"constraints": {"unique": True}}
SELF = {"fields": ["b"], "reference": {"resource": "", "fields": ["a"]}}
FAST: dict[str, tuple[str, dict[str, Any]]] = {
    "clean": ("a,b\n1,2\n3,4\n", INTEGERS),
    "no line end": ("a,b\n1,2\n3,x", INTEGERS),
    "CRLF": ("a,b\r\n1,x\r\n\r\n3,4\r\n", INTEGERS),
    "lone CR": ("a,b\r1,x\r3,4\r", INTEGERS),
    "a CR among LF": ("a,b\n1,x\n3,4\r5,6\n", INTEGERS),
    "quotes": ('a,b\n"1","x"\n3,"4"\n', INTEGERS),
    "line breaks in cells": ('a,b\n1,"x\ny"\n"3\r\n",4\n5,z\n', INTEGERS),
    "doubled quotes": ('a,b\n1,"say ""x"""\n3,""""\n', INTEGERS),
    "quote within a cell": ('a,b\n1,2"3\n3,"4"5\n', INTEGERS),
    "quote never closed": ('a,b\n1,2\n3,"4\n5,6\n', INTEGERS),
    "NUL": ("a,b\n1,\0\n3,4\n", INTEGERS),
    "byte order mark": ("\ufeffa,b\n1,2\n3,x\n", INTEGERS),
    "header only": ("a,b\n", INTEGERS),
    "blank rows": ('a,b\n\n1,2\n,\n"",\n\n\n3,x\n\n', INTEGERS),
    "one column, blank rows": ('a\n1\n\n""\n2\nx\n', schema("integer")),
    "ragged": ("a,b\n1\n1,2,3\n1,2,\n4,5\nx\n", INTEGERS),
    "every row too long": ("a,b\n1,2,3\n1,2,3\n", INTEGERS),
    "extra label": ("a,b,c\n1,2,3\n", INTEGERS),
    "missing label": ("a\n1\nx\n", INTEGERS),
    "blank and duplicate labels": ("a,\n1,2\n", INTEGERS),
    "duplicate label": ("a,a\n1,x\n", INTEGERS),
    "more duplicates than fields": ("a,b,b,b\n1,2,3,4\n", INTEGERS),
    "title row": ("Bảng 1\na,b,c,d\n1,2,3,4\n5,6,7,x\n", schema("integer", "integer", "integer", "integer")),
    "integers": ("a,b\n01, 2\n+3,1_000\n-0,\n１,0x1F\n", INTEGERS),
    "bounds of integers": (
        "a,b\n1,2\n0,5\n6,x\n",
        schema(("integer", {"constraints": {"minimum": 1, "maximum": 5}}), "any"),
    ),
    "bounds of numbers": (
        "a,b\n2.5,2\n2.50,5\n2.500000000000000000000001,x\n0.1,\n1e400,\nNaN,\n",
        schema(("number", {"constraints": {"minimum": "0.1", "maximum": 2.5}}), "any"),
    ),
    "written numbers": (
        'a,b\n"1.234,5",1 000.5\n"1.2,5",1000\n1.5,"1,5"\n"1,2,3", 7 \n',
        schema(("number", {"decimalChar": ",", "groupChar": "."}), ("number", {"groupChar": " "})),
    ),
    "bare numbers": (
        "a,b\n5%,€7\nx,1 đ\n",
        schema(("integer", {"bareNumber": False}), ("number", {"bareNumber": False})),
    ),
    "moments": (
        (
            "a,b\n2024-01-31T10:00:00,23:59:59\n0000-01-31T10:00:00,24:00:00\n2024-02-30T10:00:00,1\n"
            "2024-01-31T24:00:00,00:00:00Z\n2024-01-31T10:00+07,1:00:00\n"
        ),
        schema("datetime", "time"),
    ),
    "words for nothing": (
        "a,b\n-,x\nn/a,-\n-,n/a\n,\n1,\n",
        schema("integer", ("string", {"missingValues": ["n/a"]}), missingValues=["-"]),
    ),
    "a required word for nothing": (
        "a,b\n0,1\n1,0\n",
        schema(("integer", {"constraints": {"required": True}}), "any", missingValues=["", "0"]),
    ),
    "lists and patterns": (
        "a,b\nx,ab\nz,abc\n,a|b\nx,\n",
        schema(
            ("string", {"constraints": {"enum": ["x", "y"]}}),
            ("string", {"constraints": {"pattern": "ab|a.b", "maxLength": 3}}),
        ),
    ),
    "key": ("a,b\n1,x\n01,y\n,z\nx,u\n 1,v\n", KEYED),
    "key, blank and ragged rows": ("a,b\n1,x\n\n,\n1\n1,y,z\n", KEYED),
    "composite key": (
        "a,b\n1,x\n1,\n1,\n,x\n,x\n,\nq,x\n",
        schema("integer", "string", primaryKey=["b", "a"]),
    ),
    "key of numbers": ("a,b\n1,x\n1.0,y\n1e0,z\n", schema("number", "string", primaryKey="a")),
    "unique beside wrong cells": (
        "a,b\nx,1\nx,1\ny,1\n",
        schema(("integer", {"constraints": {"minimum": 1}}), ("integer", UNIQUE)),
    ),
    "unique texts and nothing": ("a,b\nx,1\n,1\n,\nx,\n", schema(("string", UNIQUE), ("any", UNIQUE))),
    "unique empty texts": (
        "a,b\nx,1\n,1\n,2\n",
        schema(("string", UNIQUE), "any", missingValues=["-"]),
    ),
    "reference to itself": (
        "a,b\n1,\n2,1\n3,01\n4,9\n5,x\n",
        schema("integer", "integer", foreignKeys=[SELF]),
    ),
    "reference across types": (
        "a,b\n1,1.0\n2,2\n3,2.5\n",
        schema("integer", "number", foreignKeys=[SELF]),
    ),
    "reference from text to number": ("a,b\n1,1\n", schema("integer", "string", foreignKeys=[SELF])),
    "fields by name": ("b,a\n1,x\n", schema("integer", "integer", fieldsMatch="equal")),
}
LEFT_ALONE: dict[str, tuple[str, dict[str, Any]]] = {
    "bounds that a resource of the first edition does not know": (
        "a,b\n1,2\n0,5\n6,x\n",
        schema(("integer", {"constraints": {"minimum": 1, "exclusiveMaximum": 6}}), "any", **SECOND),
    ),
    "empty": ("", INTEGERS),
    "no labels": ("\n1,2\n", INTEGERS),
    "key of NaN": ("a,b\nNaN,x\nNaN,x\n", schema("number", "string", primaryKey="a")),
    "key of 65 bits": ("a,b\n18446744073709551616,x\n018446744073709551616,x\n", KEYED),
    "reference without its column": ("a\n1\n", schema("integer", "integer", foreignKeys=[SELF])),
    "bound without a zone": (
        "a,b\n2024-01-31T10:00:00,x\nx,1\n",
        schema(("datetime", {"constraints": {"minimum": "2024-01-01T00:00:00"}}), ("any", UNIQUE)),
    ),
    "a byte order mark where the data begin": ("a,b\n\ufeff1,2\n\ufeffx,y\n", schema("integer", "integer")),
    "ambiguous names": ("a,a\n1,2\n", schema("integer", "integer", fieldsMatch="subset")),
}


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize("limit", [1000, 1, 2, 0])
def test_corner_cases_without_asking_about_the_whole_file(name, limit, tmp_path, monkeypatch) -> None:
    text, given = FAST[name]
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode())
    case = Case(given, text, limit, ",")
    theirs = of_frictionless(path, case, "utf-8")

    def not_allowed(*_args: Any, **_options: Any) -> None:
        raise AssertionError("the whole file was left to frictionless")

    monkeypatch.setattr(TableResource, "validate", not_allowed)
    ours = validate_table(path, given, encoding="utf-8", delimiter=",", limit_errors=limit)
    assert without_times(ours) == without_times(theirs)


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_is_left_to_frictionless(name, tmp_path) -> None:
    text, given = LEFT_ALONE[name]
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode())
    compare(path, Case(given, text, 1000, ","))


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("a,b\n1,é\nx,2\n".encode("cp1252"), "cp1252"),
        ("a,b\n1,ế\nx,2\n".encode("utf-16"), "utf-16"),
        ("a,b\n1,ế\nx,2\n".encode("utf-16"), None),
        ("a,b\n1,ế\nx,2\n".encode(), None),
        (b"a,b\n1,\xff\nx,2\n", "utf-8"),
        (b"a,b\n1,2,\xff\nx,2\n", "utf-8"),
        (b"a,b\n" + b"1,2\n" * 3000 + b"\xe1\xba", "utf-8"),
    ],
)
def test_encodings(content, encoding, tmp_path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    compare(path, Case(INTEGERS, "", 1000, ","), encoding)


@pytest.mark.parametrize("delimiter", [";", "\t", "|", None])
def test_delimiters_given_and_found(delimiter, tmp_path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,2\n3,x\n".replace(",", delimiter or ";"))
    compare(path, Case(INTEGERS, "", 1000, delimiter))


def test_spaces_after_separators_and_tabs(tmp_path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a, b\n1, 2\n3, x\n")
    compare(path, Case(INTEGERS, "", 1000, ","))
    path = tmp_path / "table.tsv"
    path.write_bytes(b'a\tb\r\n1\t"2\r\n3"\r\n3\tx\r\n')
    compare(path, Case(INTEGERS, "", 1000, None))


@pytest.mark.parametrize("limit", [1000, 5, 0])
def test_many_blocks_with_everything_in_them(limit, tmp_path) -> None:
    """Several blocks of the reader, ragged and blank rows between, keys that repeat across them."""
    dice = random.Random(7)
    lines = ["a,b"]
    for number in range(60_000):
        odd = dice.random()
        text = dice.choice(("chữ " * 12, '"một\nhai ""ba"""', ""))
        lines.append(
            "" if odd < 0.0005 else "1,2,3" if odd < 0.001 else "4" if odd < 0.0015 else f"{number},{text}"
        )
        if odd > 0.9999:
            lines.append(f"{dice.randrange(number + 1)},{'x' * 10}")
    path = tmp_path / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    given = schema(
        ("integer", {"constraints": {"required": True}}),
        ("string", {"constraints": {"maxLength": 60}}),
        primaryKey="a",
    )
    compare(path, Case(given, "", limit, ","))


def test_a_row_longer_than_a_block(tmp_path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b\n" + "1,2\n" * 5000 + "x," + "9" * 5_000_000 + "\n" + "3,x\n\n4\n" * 10)
    compare(path, Case(schema("integer", "string"), "", 1000, ","))


@pytest.mark.parametrize("first", range(0, CASES, PORTION))
def test_random_schemas_and_hostile_tables(first, tmp_path) -> None:
    run_cases(tmp_path, range(first, first + PORTION))


@pytest.mark.parametrize("most_kept", [0, 200])
def test_random_tables_in_tiny_blocks(most_kept, tmp_path, monkeypatch) -> None:
    """Rows in doubt of the first blocks are kept; those after them, and rows that break a key, are read again."""
    in_tiny_blocks(monkeypatch.setattr, most_kept)
    run_cases(tmp_path, range(CASES, CASES + 80))


def in_tiny_blocks(change: Any, most_kept: int) -> None:
    change(plain_csv, "_BLOCK", 90)
    change(plain_csv, "BATCH_ROWS", 3)
    change(table_check, "_MOST_KEPT", most_kept)


def _campaign(first: int, count: int) -> None:
    different = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            try:
                run_cases(Path(folder), range(seed, seed + 1))
            except AssertionError as error:
                different += 1
                sys.stdout.write(f"{str(error)[:2000]}\n{str(error.__cause__)[:300]}\n")
                sys.stdout.flush()
    sys.stdout.write(f"{count} cases, {different} differences\n")


if __name__ == "__main__":
    if sys.argv[3:]:
        in_tiny_blocks(setattr, int(sys.argv[3]))
    _campaign(int(sys.argv[1]), int(sys.argv[2]))
