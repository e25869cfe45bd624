"""Every code has words, every code used exists, and what was stored can always be shown."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import opendata.resources
from opendata.resources.ingest.problem_kinds import KINDS
from opendata.resources.ingest.problems import Problem, shown

HOUSE = Path(opendata.resources.__file__).parent
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def _codes_in_source() -> set[str]:
    codes = set()
    for path in [*HOUSE.rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                first = node.args[0]
                if node.func.id in {"Problem", "_invalid"} and isinstance(first, ast.Constant):
                    codes.add(str(first.value))
    return codes


def test_every_code_used_is_known() -> None:
    used = _codes_in_source()
    assert len(used) > 40
    assert used <= set(KINDS)


def test_every_known_code_is_used() -> None:
    from opendata.resources.ingest import report

    by_frictionless = {
        *report._CODES.values(),
        "table-error",
        "cell-required",
        "cell-constraint",
        "cell-not-type",
    }
    by_frictionless |= {f"cell-not-{kind}" for kind in report._CELL_TYPES}
    computed = {"binary-values", "nested-values", "long-digits", "inexact-numbers"}
    assert set(KINDS) == _codes_in_source() | by_frictionless | computed


def test_sentences_are_whole() -> None:
    for kind in KINDS.values():
        assert kind.severity in {"error", "warning", "info"}
        assert kind.title
        assert not kind.title.endswith(".")
        assert kind.sentence.endswith((".", "%(reason)s"))
        assert kind.advice or kind.severity == "info", f"{kind.code}: a person must know what to do next"
        rest = PLACEHOLDER.sub("", kind.sentence + kind.advice)
        assert "%" not in rest


def test_a_message_says_where_and_what_to_do() -> None:
    problem = Problem("cell-not-date", {"value": "31/02/2020"}, column="ngay", row=15)
    assert problem.severity == "error"
    assert (
        problem.message()
        == "Column “ngay”, row 15: “31/02/2020” is not a date. Correct it or leave it empty."
    )


def test_names_of_formats_and_types_are_translated() -> None:
    def translate(message: str) -> str:
        return {"ZIP archive": "tệp nén ZIP", "CSV text": "văn bản CSV", "dates": "ngày"}.get(
            message, message
        )

    differs = Problem("content-differs", {"claimed": "csv", "found": "zip"})
    assert "văn bản CSV" in differs.sentence(translate)
    assert "tệp nén ZIP" in differs.sentence(translate)
    mixed = Problem(
        "column-mixed", {"count": 1, "total": 9, "kind": "date", "examples": [[4, "x"], [7, "y"]]}, column="c"
    )
    assert "ngày" in mixed.sentence(translate)
    assert "“x” (row 4), “y” (row 7)" in mixed.sentence()


def test_json_there_and_back() -> None:
    problem = Problem("extra-cells", {"count": 2, "examples": [[3, "x"]]}, table="t", row=3, column="c")
    assert Problem.from_json(problem.to_json()) == problem
    assert Problem.from_json({"code": "empty-file"}).severity == "error"


def test_an_old_stored_problem_still_shows() -> None:
    assert "no-such-code" in Problem.from_json({"code": "no-such-code", "severity": "info"}).message()
    assert "?" in Problem("cell-not-date").message()


def test_values_in_sentences_are_one_short_line() -> None:
    assert shown("a\n b\t c") == "a b c"
    assert len(shown("x" * 500)) == 80
    assert Problem("cell-not-date", {"value": "100% %(x)s"}, row=1, column="c").message()
