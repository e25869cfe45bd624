"""Days of whole columns are those of Python's own calendar, text by text."""

from __future__ import annotations

import datetime as dt
import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.resources.ingest.candidates import Days
from opendata.resources.ingest.dates import DATES, MOMENTS, DayReader, to_dates, to_moments
from opendata.resources.ingest.day_shapes import written_days

EPOCH = dt.date(1970, 1, 1)
two = st.integers(0, 99).map("{:02d}".format)
years = st.sampled_from(["0000", "0001", "1600", "1899", "1900", "1970", "2000", "2023", "2024", "9999"])
zones = st.sampled_from(["", "Z", "+07:00", "-0330", "+15:00", "+7", " "])


def python_day(day, month, year):
    try:
        return (dt.date(int(year), int(month), int(day)) - EPOCH).days
    except ValueError:
        return None


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%m-%d-%Y", "%Y-%m-%d", "%Y/%m/%d"])
@settings(deadline=None)
@given(st.lists(st.tuples(two, two, years), min_size=1, max_size=6))
def test_days_that_exist_and_their_places(form, parts) -> None:
    texts = [form.replace("%d", d).replace("%m", m).replace("%Y", y) for d, m, y in parts]
    found = written_days(pa.array(["thừa", *texts]).slice(1), form)
    assert found is not None
    days = [day if exists else None for day, exists in zip(found.days, found.exists, strict=True)]
    assert days == [python_day(*each) for each in parts]
    assert found.is_same_both_ways == all(d == m for d, m, _ in parts)


@pytest.mark.parametrize(
    "texts", [["1/2/2024"], ["01/02/2024", "1/2/2024x"], ["01.02.2024"], ["01/02/20a4"], [""]]
)
def test_other_ways_of_writing_are_left_alone(texts) -> None:
    assert written_days(pa.array(texts), "%d/%m/%Y") is None


@settings(deadline=None)
@given(st.lists(st.tuples(two, two, two, zones), min_size=1, max_size=4))
def test_moments_fit_as_their_pattern_says(parts) -> None:
    known = MOMENTS["default"]
    texts = [f"2024-02-{day}T{hour}:{minute}:59{zone}" for day, hour, minute, zone in parts]
    expected = [
        re.fullmatch(known.pattern, text) is not None and python_day(text[8:10], 2, 2024) is not None
        for text in texts
    ]
    days = Days(known)
    assert days.fits(pa.array(texts)).to_pylist() == expected
    days.show(pa.array(texts), pa.array(range(len(texts))))
    if all(expected):
        offsets = {dt.datetime.fromisoformat(text).utcoffset() for text in texts}
        assert len(days.offsets) == len(offsets)


def test_nulls_stay_where_they_were() -> None:
    days = pa.array([None, "29/02/2024", None, "01/03/1900"])
    expected = [None, dt.date(2024, 2, 29), None, dt.date(1900, 3, 1)]
    assert to_dates(days, DayReader(DATES["%d/%m/%Y"])).to_pylist() == expected
    moments = pa.array(["29/02/2024 23:59", None])
    known = MOMENTS["%d/%m/%Y %H:%M"]
    stored = to_moments(moments, known, DayReader(known), pa.timestamp("us"))
    assert stored.to_pylist() == [dt.datetime(2024, 2, 29, 23, 59), None]  # noqa: DTZ001 - files say no zone


def test_a_day_that_was_not_proven_is_no_null() -> None:
    with pytest.raises(ValueError, match="not a day"):
        to_dates(pa.array(["30/02/2024", None]), DayReader(DATES["%d/%m/%Y"]))


@settings(deadline=None)
@given(st.lists(st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)), min_size=1, max_size=5))  # noqa: DTZ001 - files say no zone
def test_moments_of_every_year_are_kept(moments) -> None:
    known = MOMENTS["%d-%m-%Y %H:%M:%S"]
    exact = [moment.replace(microsecond=0) for moment in moments]
    texts = pa.array([f"{m.day:02d}-{m.month:02d}-{m.year:04d} {m:%H:%M:%S}" for m in exact])
    assert to_moments(texts, known, DayReader(known), pa.timestamp("us")).to_pylist() == exact
