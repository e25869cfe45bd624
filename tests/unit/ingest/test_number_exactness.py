"""Numbers survive as double or decimal, or are not taken for numbers. Oracle: Python's Decimal."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.resources.ingest.numbers import STYLES, Exactness, arrow_type, plain_text, survives_as_double

digits = st.text("0123456789", min_size=1, max_size=25)
plain = st.builds(
    lambda sign, whole, fraction: f"{sign}{whole.lstrip('0') or '0'}{'.' + fraction if fraction else ''}",
    st.sampled_from(["", "-"]),
    digits,
    st.one_of(st.just(""), digits),
)


@settings(deadline=None)
@given(plain)
def test_a_double_survives_where_its_shortest_text_is_the_number(text) -> None:
    assert survives_as_double(text) == (Decimal(repr(float(text))) == Decimal(text))


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_a_program_prints_for_a_double_survives(value) -> None:
    assert survives_as_double(repr(value))


@settings(deadline=None)
@given(st.lists(plain, min_size=1, max_size=6))
def test_the_stored_type_keeps_every_number(texts) -> None:
    exactness = Exactness()
    exactness.observe(pa.array(texts))
    stored = exactness.stored()
    if stored is None:
        return
    back = pa.array(texts).cast(stored).to_pylist()
    assert [Decimal(repr(value)) if isinstance(value, float) else Decimal(value) for value in back] == [
        Decimal(text) for text in texts
    ]


def test_beyond_all_doubles() -> None:
    assert not survives_as_double("1e400")
    assert not survives_as_double("1e-400")
    assert survives_as_double("0.0")
    assert survives_as_double("-1.50e3")


@settings(deadline=None)
@given(st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=2))
def test_every_style_reads_back_what_it_writes(value) -> None:
    for style in STYLES:
        written = f"{value:,f}" if style.group else f"{value:f}"
        written = written.replace(",", "\0").replace(".", style.decimal).replace("\0", style.group)
        read = plain_text(pa.array([written]), style)[0].as_py()
        assert Decimal(read) == value


def test_types_are_found_by_the_name_they_print() -> None:
    names = ["int64", "double", "bool", "string", "date32[day]", "time64[us]", "decimal128(20, 4)"]
    for name in [*names, "timestamp[us]", "timestamp[us, tz=UTC]", "timestamp[us, tz=+07:00]"]:
        assert str(arrow_type(name)) == name


@settings(deadline=None)
@given(
    st.lists(st.floats(-1e9, 1e9).map(repr), min_size=1, max_size=5),
    plain,
)
def test_doubles_as_programs_print_them_are_told_from_longer_numbers(printed, other) -> None:
    exactness = Exactness()
    exactness.observe(pa.array([*printed, other]))
    assert exactness.is_double == (survives_as_double(other) or len(other) <= 15)
