"""Numbers of a sheet read as whole columns are written as the doubles they stand for, or left to the library."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.resources.formats.sheet_cells import written
from opendata.resources.formats.sheet_values import numbers
from opendata.resources.formats.sheet_xml import IrregularSheetError

DECIMALS = st.one_of(
    st.from_regex(r"-?[0-9]{1,17}(\.[0-9]{1,17})?", fullmatch=True),
    st.from_regex(r"0\.0{0,6}[0-9]{1,6}", fullmatch=True),
    st.from_regex(r"[0-9]{0,9}\.[0-9]{0,8}", fullmatch=True),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(DECIMALS, min_size=1, max_size=12))
def test_numbers_are_written_as_the_doubles_they_stand_for(texts) -> None:
    try:
        expected = [written(float(text)) for text in texts]
    except ValueError:  # a point alone
        expected = None
    try:
        found = numbers(pa.array([text.encode() for text in texts])).to_pylist()
    except IrregularSheetError:
        return
    assert found == expected


@pytest.mark.parametrize(
    "number", ["1", "15", "0.5", "8.25", "-3", "123456789012345", "1.10", "0.10000000000000001"]
)
def test_usual_numbers_are_read(number) -> None:
    assert numbers(pa.array([number.encode(), b"1"])).to_pylist() == [written(float(number)), "1"]
