"""Plainly written cells have the value that Python gives them; everything else has none."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opendata.resources.ingest.plain_cells import (
    is_day_form,
    plain_days,
    plain_doubles,
    plain_integers,
    plain_moments,
)

ODD = (
    "?!",
    "-",
    "--5",
    "5-",
    "1-2",
    "+5",
    " 5",
    "0x1F",
    "１２",
    "1_000",
    "x",
    "1e5",
    "1.5",
    ".5",
    "5.",
    "nan",
    "9" * 25,
)
texts = st.one_of(
    st.none(),
    st.sampled_from(ODD),
    st.integers(-(10**20), 10**20).map(str),
    st.text("0123456789-.,eE/ ", max_size=8),
)


@settings(deadline=None)
@given(st.lists(texts), st.integers(0, 3))
@example([None, "5", "?!"], 1)
@example(["5", "-"], 0)
def test_integers(cells: list[str | None], skipped: int) -> None:
    column = pa.array(cells, pa.string())[skipped:]
    values = plain_integers(column).to_pylist()
    for text, value in zip(column.to_pylist(), values, strict=True):
        if value is not None:
            assert re.fullmatch("-?[0-9]+", text)
            assert value == int(text)
        elif text is not None:
            assert not re.fullmatch("-?[0-9]{1,18}", text)


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("is_most", [True, False])
@settings(deadline=None)
@given(st.lists(texts))
@example(["1.5", "2,5", "?!"])
@example(["1.5", "2.5", "1.2.3"])
def test_doubles(decimal: str, is_most: bool, cells: list[str | None]) -> None:
    column = pa.array(cells, pa.string())
    values = plain_doubles(column, decimal, is_most=is_most)
    if values is None:
        return  # regular expressions tell
    for text, value in zip(cells, values.to_pylist(), strict=True):
        if value is not None:
            assert text is not None
            assert re.fullmatch(rf"-?(?:[0-9]+{re.escape(decimal)}?[0-9]*|{re.escape(decimal)}[0-9]+)", text)
            assert value == float(text.replace(decimal, "."))


def test_a_few_odd_cells_do_not_cost_the_others_their_value() -> None:
    usual = [str(number) for number in range(100)]
    assert plain_integers(pa.array([*usual, "?!", "-", None])).null_count == 3
    found = plain_doubles(pa.array([*usual, "?!", "1e5", None]), ".", is_most=True)
    assert found is not None
    assert found.null_count == 3
    assert plain_doubles(pa.array([*usual, *["1e5"] * 20]), ".", is_most=True) is None
    moments = ["2024-01-31T10:00:00"] * 40
    found = plain_moments(pa.array([*moments, "?!", None]))
    assert found is not None
    assert found.null_count == 2
    assert plain_moments(pa.array([*moments, *["2024-01-31T10:00:00Z"] * 9])) is None
    assert plain_moments(pa.array([*moments, "0000-01-31T10:00:00"])) is None


def test_bytes_that_arrow_leaves_behind_a_null_are_not_read() -> None:
    words = pa.array(["n/a", "x"])
    cells = pa.array(["1", "n/a", "2", "?"])
    emptied = pc.if_else(pc.is_in(cells, words), pa.scalar(None, pa.string()), cells)
    assert plain_integers(emptied).to_pylist() == [1, None, 2, None]


days = st.one_of(
    st.none(),
    st.dates().map(lambda day: day.strftime("%d/%m/") + f"{day.year:04d}"),
    st.text("0123/ ", min_size=10, max_size=10),
    st.sampled_from(
        ["31/02/2024", "29/02/2023", "29/02/2024", "1/2/2024", "01/01/0000", "01-01-2024", "ế/01/2024", "?!"]
    ),
)


@settings(deadline=None)
@given(st.lists(days), st.integers(0, 3))
def test_days(cells: list[str | None], skipped: int) -> None:
    column = pa.array(cells, pa.string())[skipped:]
    found = plain_days(column, "%d/%m/%Y")
    for text, number, is_day in zip(column.to_pylist(), found.days, found.is_day, strict=True):
        expected: Any = None
        if text is not None and re.fullmatch("[0-9]{2}/[0-9]{2}/[0-9]{4}", text):
            try:
                expected = dt.datetime.strptime(text, "%d/%m/%Y").date()  # noqa: DTZ007 - a date
            except ValueError:
                expected = None
        assert bool(is_day) == (expected is not None)
        if is_day:
            assert dt.date(1970, 1, 1) + dt.timedelta(int(number)) == expected


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d/%m/%Y", "%m.%d.%Y"])
def test_forms_of_days(form: str) -> None:
    assert is_day_form(form)


@pytest.mark.parametrize(
    "form", ["any", "default", "%d/%m/%y", "%d%m%Y", "%d/%d/%Y", "%d/%m/%Y ", "%d %m %Y", "%d/%b/%Y"]
)
def test_forms_that_are_left_to_the_reader(form: str) -> None:
    assert not is_day_form(form)
