"""Types of columns: certain over all values, or text with the reason."""

# ruff: noqa: DTZ001 - files hold moments without a zone

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendata.resources.ingest.infer import ColumnEvidence, Decision


def decide(values, kinds=None, batch=3) -> Decision:
    """The decision over values shown in small batches, rows numbered from 2."""
    evidence = ColumnEvidence()
    for start in range(0, len(values), batch):
        chunk = values[start : start + batch]
        rows = pa.array(range(start + 2, start + 2 + len(chunk)), pa.int64())
        evidence.show(pa.array(chunk, pa.string()), rows)
    return evidence.decide(kinds)


def outcome(values, kinds=None) -> tuple[str, str, dict, str, list[str]]:
    decision = decide(values, kinds)
    return (
        decision.type,
        decision.format,
        dict(decision.properties),
        decision.stored,
        [note.code for note in decision.notes],
    )


COMMA = {"decimalChar": ",", "groupChar": "."}
POINT = {"decimalChar": ".", "groupChar": ","}

CERTAIN = [
    (["1", "20", "-3", "0"], "integer", "default", {}, "int64"),
    (["999999999999999"], "integer", "default", {}, "int64"),
    (["1", None, "2", None], "integer", "default", {}, "int64"),
    (["1.5", "2", "-0.25"], "number", "default", {}, "double"),
    (["21.0001", "105.698"], "number", "default", {}, "double"),
    (["0.500", "1.234"], "number", "default", {}, "double"),
    (["1e-7", "2.5E3"], "number", "default", {}, "double"),
    (["0.30000000000000004", "5.054007053375244"], "number", "default", {}, "double"),
    (["1234567890123456.78", "0.5"], "number", "default", {}, "decimal128(18, 2)"),
    (["3.359,80", "6.700,40"], "number", "default", COMMA, "double"),
    (["8.718.000", "555.809", "7"], "number", "default", COMMA, "int64"),
    (["12,5", "3"], "number", "default", COMMA, "double"),
    (["1,234,567", "555,809"], "number", "default", POINT, "int64"),
    (["1,234.5", "2"], "number", "default", POINT, "double"),
    (["true", "False", "TRUE"], "boolean", "default", {}, "bool"),
    (["2024-01-31", "2024-02-29"], "date", "default", {}, "date32[day]"),
    (["31/12/2024", "1/2/2024"], "date", "%d/%m/%Y", {}, "date32[day]"),
    (["12/31/2024", "01/02/2024"], "date", "%m/%d/%Y", {}, "date32[day]"),
    (["31.12.2024"], "date", "%d.%m.%Y", {}, "date32[day]"),
    (["05/05/2024", "06/06/2024"], "date", "%d/%m/%Y", {}, "date32[day]"),
    (["2024/12/31"], "date", "%Y/%m/%d", {}, "date32[day]"),
    (["2024-01-31T10:00:00", "2024-01-31 11:30:15.5"], "datetime", "default", {}, "timestamp[us]"),
    (["2024-01-31T10:00:00Z"], "datetime", "default", {}, "timestamp[us, tz=UTC]"),
    (["2024-01-31T10:00:00+07:00"] * 2, "datetime", "default", {}, "timestamp[us, tz=+07:00]"),
    (["31/12/2024 10:30", "01/02/2024 09:00"], "datetime", "%d/%m/%Y %H:%M", {}, "timestamp[us]"),
    (["2024-12-31 10:30"], "datetime", "%Y-%m-%d %H:%M", {}, "timestamp[us]"),
]


@pytest.mark.parametrize(("values", "kind", "shape", "properties", "stored"), CERTAIN)
def test_certain_columns_are_typed(values, kind, shape, properties, stored) -> None:
    assert outcome(values) == (kind, shape, properties, stored, [])


TEXT = [
    ([None, None], []),
    (["an", "bình"], []),
    (["01", "02", "10"], ["leading-zeros"]),
    (["00001", "12345"], ["leading-zeros"]),
    (["1234567890123456", "1"], ["long-digits"]),
    (["-1234567890123456"], ["long-digits"]),
    (["+1", "+2"], []),
    (["105.698", "106.083"], ["ambiguous-number"]),
    (["105,698", "106,083"], ["ambiguous-number"]),
    (["5", "105.698"], ["ambiguous-number"]),
    (["01/07/2025", "02/03/2025"], ["ambiguous-date"]),
    (["01/07/2025 10:00", "02/03/2025 11:00"], ["ambiguous-date"]),
    (["2024-01-31T10:00:00+07:00", "2024-01-31T10:00:00Z"], ["mixed-offsets"]),
    (["2024-01-31T10:00:00+07:00", "2024-01-31T10:00:00"], ["mixed-offsets"]),
    (["1234567890123456789012345678901234567890.5"], ["inexact-numbers"]),
    (["1", "2", "3", "-"], ["column-mixed"]),
    (["1.5", "2", "3", "n/a", "4"], ["column-mixed"]),
    (["2024-01-31", "2024-02-28", "2023-02-29", "2024-03-01"], ["column-mixed"]),
    (["có", "không"], []),
    (["1", "true"], []),
    ([" 1", "2 "], []),
    (["10:30:00"], []),
    (["31/12/24"], []),
]


@pytest.mark.parametrize(("values", "notes"), TEXT)
def test_what_is_not_certain_stays_text_and_says_why(values, notes) -> None:
    assert outcome(values) == ("string", "default", {}, "string", notes)


def test_a_mixed_column_names_count_and_first_rows() -> None:
    values = ["1"] * 50 + ["-"] + ["2"] * 40 + ["x"] * 8 + ["3"]
    (note,) = decide(values).notes
    assert note.params["count"] == 9
    assert note.params["total"] == 100
    assert note.params["kind"] == "integer"
    assert note.params["examples"] == [[52, "-"], [93, "x"], [94, "x"], [95, "x"], [96, "x"]]


def test_a_day_that_does_not_exist_is_named() -> None:
    (note,) = decide(["31/12/2024", "30/11/2024", "31/02/2020", "15/01/2024"]).notes
    assert note.code == "column-mixed"
    assert note.params["kind"] == "date"
    assert note.params["examples"] == [[4, "31/02/2020"]]


def test_an_ambiguous_column_offers_both_readings() -> None:
    decision = decide(["105.698", "106.083"])
    assert [dict(choice) for choice in decision.choices] == [{"type": "number"}, {"type": "number", **COMMA}]
    assert decision.notes[0].params == {"value": "105.698", "low": 105, "high": 106, "whole": "105698"}
    likely_thousands = decide(["105.690", "106.083"])
    assert next(dict(choice) for choice in likely_thousands.choices) == {"type": "number", **COMMA}


def test_an_ambiguous_date_offers_day_first() -> None:
    decision = decide(["01/07/2025", "02/03/2025"])
    assert [choice["format"] for choice in decision.choices] == ["%d/%m/%Y", "%m/%d/%Y"]
    assert decision.notes[0].params == {"value": "01/07/2025", "day": 1, "month": 7}


def test_one_late_value_decides() -> None:
    ambiguous = ["01/07/2025"] * 500
    assert outcome(ambiguous)[4] == ["ambiguous-date"]
    assert outcome([*ambiguous, "13/01/2025"])[:2] == ("date", "%d/%m/%Y")
    assert outcome(["105.698"] * 500 + ["7.5"])[:4] == ("number", "default", {}, "double")
    assert outcome(["105.698"] * 500 + ["8.718.000"])[:4] == ("number", "default", COMMA, "int64")
    assert outcome(["5.5"] * 500 + ["1,234.5"])[:4] == ("number", "default", POINT, "double")
    assert outcome(["1e5"] * 500 + ["1,234.5"])[:1] == ("string",)


STATED = [
    (["1", "2"], {"number"}, "integer", []),
    (["105.698", "106.083"], {"number"}, "number", []),
    (["1", "2"], {"text"}, "string", ["text-in-source"]),
    (["1", "2"], {"text", "number"}, "string", ["text-in-source"]),
    (["true"], {"text"}, "string", ["text-in-source"]),
    (["01", "02"], {"text"}, "string", ["leading-zeros"]),
    (["31/12/2024"], {"text"}, "date", []),
    (["2024-12-31"], {"date"}, "date", []),
    (["true", "false"], {"boolean"}, "boolean", []),
    (["[1]"], {"nested"}, "string", ["nested-values"]),
    (["1", "2", "3", "-"], {"number", "text"}, "string", ["column-mixed"]),
    (["12345678901234567890"], {"number"}, "string", ["long-digits"]),
    (["1e400"], {"number"}, "string", ["inexact-numbers"]),
    (["1e-400", "5"], {"number"}, "string", ["inexact-numbers"]),
    (["123456789012345678"], {"number"}, "integer", []),
]


@pytest.mark.parametrize(("values", "kinds", "kind", "notes"), STATED)
def test_what_a_format_states_is_believed(values, kinds, kind, notes) -> None:
    decided = outcome(values, kinds)
    assert (decided[0], decided[4]) == (kind, notes)


@given(st.lists(st.integers(-(10**15) + 1, 10**15 - 1), min_size=1))
def test_canonical_integers_are_integers(values) -> None:
    assert outcome([str(value) for value in values])[3] == "int64"


@given(st.lists(st.dates(), min_size=1))
def test_iso_dates_are_dates(values) -> None:
    assert outcome([value.isoformat() for value in values])[0] == "date"


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=2), min_size=1))
def test_no_digit_is_lost(values) -> None:
    """Whatever type a column of decimals gets, it gives every value back."""
    texts = [f"{value:f}" for value in values]
    decided = decide(texts)
    if decided.stored == "double":
        assert [Decimal(repr(float(text))) for text in texts] == [Decimal(text) for text in texts]
    elif decided.stored == "int64":
        assert [Decimal(int(Decimal(text))) for text in texts] == [Decimal(text) for text in texts]
    elif decided.stored.startswith("decimal"):
        assert pa.array([Decimal(text) for text in texts]).type.scale <= 38
    else:
        assert decided.stored == "string"


@given(st.lists(st.datetimes(min_value=dt.datetime(1, 1, 1)), min_size=1))
def test_iso_moments_are_moments(values) -> None:
    assert outcome([value.isoformat(timespec="seconds") for value in values])[0] == "datetime"
