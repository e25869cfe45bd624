"""The address of a search: what is written reads back the same, and what cannot be used is named."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendata.catalogue.search_form import (
    DATES,
    DEEPEST,
    DEFAULT_PER_PAGE,
    FACETS,
    GROUPS,
    MOST_PER_PAGE,
    SORTS,
    DatasetSearchForm,
    read_form,
)
from opendata.catalogue.series import key_text
from opendata.kernel.errors import BadParameterError, UnknownParameterError
from opendata.kernel.text import clean_line

values = st.text(min_size=1, max_size=12)
days = st.dates(dt.date(1000, 1, 1), dt.date(2999, 12, 31)).flatmap(
    lambda day: st.sampled_from([day.isoformat(), f"{day:%Y-%m}", f"{day:%Y}"])
)


def in_order(dates: dict[str, str]) -> bool:
    form = DatasetSearchForm(dates=dates)
    spans = [(form.day(f"{kind}_from"), form.day(f"{kind}_to")) for kind in ("modified", "period")]
    return all(first is None or last is None or first <= last for first, last in spans)


forms = st.builds(
    DatasetSearchForm,
    text=st.text(max_size=30).map(clean_line),
    exact=st.booleans(),
    chosen=st.dictionaries(
        st.sampled_from(FACETS), st.lists(values, min_size=1, max_size=3, unique=True).map(tuple)
    ),
    dates=st.dictionaries(st.sampled_from(DATES), days).filter(in_order),
    series=st.just("") | st.integers(0, 2**53 - 1).map(key_text),
    group=st.sampled_from(["", *GROUPS]),
    sort=st.sampled_from(["", *SORTS]),
    page=st.integers(1, DEEPEST),
    per_page=st.integers(1, MOST_PER_PAGE),
)
utf8 = st.text(alphabet=st.characters(codec="utf-8"), max_size=20)


@given(forms)
def test_a_form_reads_back_from_its_address(form: DatasetSearchForm) -> None:
    assert read_form(form.parameters()) == form


@given(forms)
def test_an_address_survives_its_encoding(form: DatasetSearchForm) -> None:
    pairs = form.parameters()
    try:
        written = urlencode(pairs)
    except UnicodeEncodeError:  # half of a surrogate pair: no browser can send it
        return
    assert read_form(parse_qsl(written, keep_blank_values=True)) == form


@given(forms)
def test_the_address_is_canonical_and_short(form: DatasetSearchForm) -> None:
    pairs = form.parameters()
    assert read_form(reversed(pairs)).parameters() == [
        pair for name in dict(pairs) for pair in reversed(pairs) if pair[0] == name
    ]
    assert "" not in {value for _, value in pairs}
    assert DatasetSearchForm().parameters() == []


@given(
    st.lists(st.tuples(st.sampled_from(["q", *FACETS, "sort", "page", "per_page", "x"]), utf8), max_size=6)
)
def test_any_address_is_read_or_refused_with_a_reason(pairs: list[tuple[str, str]]) -> None:
    try:
        form = read_form(pairs)
    except (UnknownParameterError, BadParameterError) as error:
        answer = (error.status, bool(error.message()))
    else:
        answer = (400, True) if read_form(form.parameters()) == form else (200, False)
    assert answer == (400, True)


@given(forms, st.sampled_from(FACETS), values)
def test_picking_a_value_twice_changes_nothing_but_the_page(form, facet: str, value: str) -> None:
    picked = form.toggled(facet, value)
    assert (value in picked.chosen.get(facet, ())) != (value in form.chosen.get(facet, ()))
    assert picked.page == 1
    if value not in form.chosen.get(facet, ()):
        assert picked.toggled(facet, value) == form.at_page(1)
    assert all(picked.chosen.values())


def test_the_order_in_effect() -> None:
    assert DatasetSearchForm().order == "newest"
    assert DatasetSearchForm(text="dân số").order == "relevance"
    assert DatasetSearchForm(text="dân số", sort="title").order == "title"
    assert DatasetSearchForm(page=9, text="x").with_text("y").page == 1
    assert DatasetSearchForm(page=9).sorted_by("title") == DatasetSearchForm(sort="title")


@pytest.mark.parametrize(
    "pairs",
    [
        [("page", "-1")],
        [("page", "0")],
        [("page", "")],
        [("page", "1.5")],
        [("page", "٣")],
        [("page", "1e3")],
        [("page", " 1")],
        [("page", str(DEEPEST + 1))],
        [("page", "9" * 5000)],
        [("per_page", "0")],
        [("per_page", str(MOST_PER_PAGE + 1))],
        [("sort", "random")],
        [("sort", "Title")],
        [("group", "years")],
        [("exact", "yes")],
        [("series", "0")],
        [("series", "G" * 14)],
        [("period_from", "20")],
        [("period_from", "2026-13")],
        [("period_to", "2026-02-30")],
        [("period_to", "٢٠٢٦")],
        [("modified_from", "31/12/2026")],
        [("modified_to", "9999-12-31")],
        [("modified_from", "2026-02"), ("modified_to", "2026-01-31")],
    ],
)
def test_values_that_cannot_be_used(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(BadParameterError) as refused:
        read_form(pairs)
    assert f"“{pairs[0][0]}”" in refused.value.message()
    assert len(refused.value.message()) < 200


@pytest.mark.parametrize("name", ["Q", "publishers", "limit", "", "\x00", "theme[]"])
def test_unknown_parameters_are_named_with_the_known_ones(name: str) -> None:
    with pytest.raises(UnknownParameterError) as refused:
        read_form([("q", "x"), (name, "y")])
    assert refused.value.params["name"] == name
    assert "theme" in str(refused.value.params["known"])


def test_what_was_typed_is_one_line_of_text() -> None:
    assert read_form([("q", "  dân\x00\tsố\x1b ")]) == DatasetSearchForm(text="dân số")
    assert read_form([("q", "\x00")]) == DatasetSearchForm()


def test_parameters_read_elsewhere_are_let_through() -> None:
    assert read_form([("facets", "theme"), ("q", "x")], also=("facets",)) == DatasetSearchForm(text="x")


def test_empty_values_mean_nothing_chosen() -> None:
    """A browser sends every field of a form, also those left empty."""
    assert read_form([("q", "  "), ("theme", ""), ("sort", ""), ("theme", "y-te")]) == DatasetSearchForm(
        chosen={"theme": ("y-te",)}
    )
    assert read_form([("per_page", str(DEFAULT_PER_PAGE))]) == DatasetSearchForm()
    assert read_form([("theme", "a"), ("theme", "a"), ("theme", "b")]).chosen == {"theme": ("a", "b")}


@given(st.dates(dt.date(1000, 1, 1), dt.date(2999, 12, 31)))
def test_a_year_or_month_means_its_first_or_last_day(day: dt.date) -> None:
    for text in (f"{day:%Y}", f"{day:%Y-%m}", day.isoformat()):
        form = DatasetSearchForm(dates={"period_from": text, "period_to": text})
        first, last = form.day("period_from"), form.day("period_to")
        assert first is not None
        assert last is not None
        assert first <= day <= last
        assert (first - dt.timedelta(1)).isoformat()[: len(text)] != text or first.year == 1000
        assert (last + dt.timedelta(1)).isoformat()[: len(text)] != text
        assert first.isoformat().startswith(text)
        assert last.isoformat().startswith(text)


@given(forms)
def test_filters_can_be_taken_away_one_by_one(form: DatasetSearchForm) -> None:
    for name in (*FACETS, *DATES, "series"):
        form = form.without(name)
    assert not form.is_narrowed
    assert form.only_words() == form.at_page(1)
