"""Several tables with foreign keys between them: the report of frictionless, and what the command line makes of it."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from frictionless import Dialect, Package, Schema
from frictionless.formats.csv import CsvControl
from frictionless.resources import TableResource

from opendata.cli.files import validate as validate_command
from opendata.resources.ingest.problems import UnreadableError
from opendata.resources.ingest.whole_files import NamedTable, validate_package

if TYPE_CHECKING:
    from pathlib import Path

CASES = 300
VALUES = {
    "integer": ["1", "2", "3", "01", "x", ""],
    "number": ["1", "1.0", "2", "3.5", "", "x"],
    "string": ["1", "a", "b", "", "01"],
    "date": ["2024-01-31", "2024-02-01", "", "x"],
    "boolean": ["true", "1", "false", ""],
    "any": ["1", "a", ""],
    "array": ["[1]", ""],
}


def random_package(dice: random.Random) -> list[tuple[str, dict[str, Any], str]]:
    """Name, schema and text of two or three tables that refer to one another."""
    names = ["mot", "hai", "ba"][: dice.choice((2, 2, 3))]
    tables = []
    for name in names:
        kinds = [dice.choice(["integer", "string", *VALUES]) for _ in range(2)]
        schema: dict[str, Any] = {
            "fields": [{"name": field, "type": kind} for field, kind in zip("ab", kinds, strict=True)]
        }
        if dice.random() < 0.4:
            schema["primaryKey"] = dice.choice((["a"], ["a", "b"]))
        count = dice.choice((1, 1, 2))
        keys = [
            {
                "fields": dice.sample("ab", count),
                "reference": {"resource": dice.choice([*names, ""]), "fields": dice.sample("ab", count)},
            }
            for _ in range(dice.choice((0, 1, 1, 2)))
        ]
        if keys:
            schema["foreignKeys"] = keys
        rows = [[dice.choice(VALUES[kind]) for kind in kinds] for _ in range(dice.choice((0, 2, 5, 9)))]
        if dice.random() < 0.2:
            rows.insert(0, dice.choice(([], ["1"], ["1", "2", "3"])))
        header = dice.choice((["a", "b"], ["a", "b"], ["a", "b"], ["a", "c"], ["a"]))
        tables.append((name, schema, "".join(",".join(row) + "\n" for row in [header, *rows])))
    return tables


def of_frictionless(
    folder: Path, tables: list[tuple[str, dict[str, Any], str]], limit: int
) -> dict[str, Any]:
    resources = [
        TableResource(
            name=name,
            path=f"{name}.csv",
            basepath=str(folder),
            encoding="utf-8",
            schema=Schema.from_descriptor(schema),
            dialect=Dialect(controls=[CsvControl(delimiter=",")]),
        )
        for name, schema, _ in tables
    ]
    report: dict[str, Any] = (
        Package(name="package", resources=resources).validate(limit_errors=limit).to_descriptor()
    )
    return report


def without_times(report: dict[str, Any]) -> dict[str, Any]:
    tasks = [task | {"stats": task["stats"] | {"seconds": 0}} for task in report["tasks"]]
    return report | {"stats": report["stats"] | {"seconds": 0}, "tasks": tasks}


@pytest.mark.parametrize("seed", range(CASES // 20))
def test_foreign_keys_between_tables(seed, tmp_path) -> None:
    for number in range(seed * 20, seed * 20 + 20):
        dice = random.Random(number)
        tables = random_package(dice)
        limit = dice.choice((1000, 1000, 2))
        given = []
        for name, schema, text in tables:
            path = tmp_path / f"{name}.csv"
            path.write_text(text)
            given.append(NamedTable(name, path, schema, "utf-8", ","))
        try:
            theirs = of_frictionless(tmp_path, tables, limit)
        except TypeError:
            with pytest.raises(UnreadableError, match="schema"):
                validate_package(given, limit_errors=limit)
            continue
        ours = validate_package(given, limit_errors=limit)
        assert without_times(ours) == without_times(theirs), (number, tables, limit)


def test_a_key_of_lists_in_a_table_that_is_referred_to(tmp_path) -> None:
    """Frictionless stumbles over it only when the other table is checked: its own errors end before that row."""
    keyed = {"fields": [{"name": "a", "type": "string"}, {"name": "b", "type": "array"}], "primaryKey": ["b"]}
    key = {"fields": ["c"], "reference": {"resource": "mot", "fields": ["a"]}}
    other = {"fields": [{"name": "c", "type": "string"}], "foreignKeys": [key]}
    tables = [("mot", keyed, "a,b\nx,\ny,\nz,[1]\n"), ("hai", other, "c\nx\n")]
    for name, _, text in tables:
        (tmp_path / f"{name}.csv").write_text(text)
    with pytest.raises(TypeError):
        of_frictionless(tmp_path, tables, 2)
    given = [NamedTable(name, tmp_path / f"{name}.csv", schema, "utf-8", ",") for name, schema, _ in tables]
    with pytest.raises(UnreadableError, match="schema"):
        validate_package(given, limit_errors=2)


STAFF = {
    "name": "staff",
    "path": "staff.csv",
    "schema": {
        "fields": [{"name": "id", "type": "integer"}, {"name": "unit", "type": "string"}],
        "primaryKey": "id",
        "foreignKeys": [{"fields": "unit", "reference": {"resource": "units", "fields": "code"}}],
    },
}
UNITS = {
    "name": "units",
    "path": "data/units.csv",
    "schema": {"fields": [{"name": "code", "type": "string"}], "primaryKey": "code"},
}


@pytest.fixture
def package(tmp_path):
    (tmp_path / "datapackage.json").write_text(json.dumps({"name": "x", "resources": [STAFF, UNITS]}))
    (tmp_path / "staff.csv").write_text("id,unit\n1,A\n2,C\n2,B\n")
    (tmp_path / "units.csv").write_text("code\nA\nB\n")
    return tmp_path


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(validate_command, [str(argument) for argument in arguments])


def test_files_of_a_package_are_checked_together(package) -> None:
    files = [package / "staff.csv", package / "units.csv"]
    done = run(*files, "--schema", package / "datapackage.json", "--json")
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert [(task["name"], task["valid"]) for task in report["tasks"]] == [("staff", False), ("units", True)]
    assert [(error["type"], error["rowNumber"]) for error in report["tasks"][0]["errors"]] == [
        ("foreign-key", 3),
        ("primary-key", 4),
    ]
    alone = run(files[0], "--schema", package / "datapackage.json", "--json")
    assert [error["type"] for error in json.loads(alone.stdout)["tasks"][0]["errors"]] == ["primary-key"]


def test_a_file_that_the_package_does_not_know(package) -> None:
    (package / "other.csv").write_text("a,b\n1,2\n")
    done = run(package / "other.csv", "--schema", package / "datapackage.json")
    assert done.exit_code == 2
    assert "no resource with the path “other.csv”" in done.stderr


@pytest.mark.parametrize("resources", [{}, [STAFF | {"schema": "https://example.vn/x.json"}]])
def test_a_package_without_schemas_of_its_own(resources, package) -> None:
    (package / "datapackage.json").write_text(json.dumps({"resources": resources}))
    done = run(package / "staff.csv", "--schema", package / "datapackage.json")
    assert done.exit_code == 2
    assert "data package" in done.stderr


def test_exit_codes_and_limits_of_single_files(tmp_path) -> None:
    good, bad, broken = tmp_path / "good.csv", tmp_path / "bad.csv", tmp_path / "broken.csv"
    good.write_text("a,b\n1,x\n2,y\n")
    bad.write_text("a,b\nx,x\ny,y\n")
    broken.write_bytes(b"\0\0\0")
    schema = tmp_path / "schema.json"
    schema.write_text(
        json.dumps({"fields": [{"name": "a", "type": "integer"}, {"name": "b", "type": "string"}]})
    )
    assert run(good, "--schema", schema).exit_code == 0
    done = run(good, bad, "--schema", schema, "--limit-errors", "1", "--json")
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert report["stats"]["errors"] == 1
    assert report["tasks"][1]["warnings"] == ["reached error limit: 1"]
    assert run(good, broken, "--schema", schema).exit_code == 2
    assert "bad.csv" in run(bad, "--schema", schema).stdout


def test_a_messy_file_is_read_as_the_portal_reads_it(tmp_path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("Bảng 1\n\nmã,số\n01,5\n02,7\n", encoding="utf-16")
    schema = tmp_path / "schema.json"
    fields = [{"name": "mã", "type": "string"}, {"name": "số", "type": "integer"}]
    schema.write_text(json.dumps({"fields": fields}))
    assert run(path, "--schema", schema).exit_code == 0


def test_a_pattern_that_would_never_end_is_refused(tmp_path) -> None:
    path, schema = tmp_path / "x.csv", tmp_path / "schema.json"
    path.write_text("a,b\n" + "a" * 50 + "!,1\n")
    hostile = {"name": "a", "type": "string", "constraints": {"pattern": "(a+)+"}}
    schema.write_text(json.dumps({"fields": [hostile, {"name": "b", "type": "string"}]}))
    done = run(path, "--schema", schema)
    assert done.exit_code == 2
    assert "(a+)+" in done.stderr
