"""What is proven on whole columns is what the patterns say text by text, and decides the same types."""

from __future__ import annotations

import re
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.resources.ingest import candidates, dates
from opendata.resources.ingest.infer import ColumnEvidence
from opendata.resources.ingest.number_shapes import number_shape
from opendata.resources.ingest.numbers import STYLES

texts = st.one_of(
    st.text("0123.,-/e ", max_size=9),
    st.from_regex(r"-?[0-9]{1,3}([.,][0-9]{3}){0,3}([.,][0-9]{0,4})?", fullmatch=True),
    st.integers(-(10**17), 10**17).map(str),
    st.integers(-(10**9), 10**9).map("{:,}".format),
    st.sampled_from(["-0", "0", "", "-", "1.", ".5", "1e5", "٣", "1.234.567,80", "1,234,567.80"]),
)
columns = st.one_of(
    st.lists(texts, min_size=1, max_size=6),
    *(
        st.lists(
            st.from_regex(style.pattern[1:-1], fullmatch=True).filter(str.isascii), min_size=1, max_size=6
        )
        for style in STYLES
    ),
)


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
@settings(deadline=None, max_examples=100)
@given(column=columns)
def test_a_shape_is_known_where_every_text_is_a_number_of_the_style(style, column) -> None:
    shape = number_shape(pa.array(["x1", *column]).slice(1), style.decimal, style.group)
    fitting = all(re.fullmatch(style.pattern[1:-1], text) and "e" not in text.lower() for text in column)
    assert (shape is not None) == fitting
    if shape is None:
        return
    bare = [text.replace(style.group, "") if style.group else text for text in column]
    plain = [text.replace(style.decimal, ".") for text in bare]
    assert shape.longest == max(map(len, plain))
    assert shape.before == max(len(text.split(".")[0]) for text in plain)
    assert shape.after == max(len(text.partition(".")[2]) for text in plain)
    assert shape.digits == max(len(text.split(".")[0].lstrip("-")) for text in plain)
    assert shape.is_whole == all(Decimal(text).as_tuple().exponent == 0 for text in plain)
    assert shape.has_minus_zero == any(text.startswith("-0") for text in plain)
    marked = [text for text in column if re.search("[.,]", text)]
    assert (column[shape.marked] if shape.marked is not None else None) == (marked[0] if marked else None)
    assert shape.marked_zero == any(text.endswith("0") for text in marked)


days = st.dates().map("{:%d/%m/%Y}".format)
moments = st.datetimes().map(lambda moment: moment.replace(microsecond=0).isoformat())


@settings(deadline=None, max_examples=100)
@given(
    st.one_of(
        columns,
        st.lists(st.one_of(days, st.sampled_from(["31/02/2024", "1/2/2024", ""])), min_size=1, max_size=6),
        st.lists(st.one_of(moments, moments.map("{}Z".format)), min_size=1, max_size=6),
    ),
    st.integers(1, 4),
)
def test_types_are_decided_as_text_by_text(column, size) -> None:
    def decided():
        evidence = ColumnEvidence()
        for start in range(0, len(column), size):
            batch = column[start : start + size]
            rows = pa.array(range(start, start + len(batch)), pa.int64())
            evidence.show(pa.array([text or None for text in batch], pa.string()), rows)
        return evidence.decide()

    fast = decided()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "number_shape", lambda *_: None)
        patch.setattr(dates, "written_days", lambda *_: None)
        assert decided() == fast
