"""Rows and facet values of the search page are made in Python: what came in must still never act as HTML."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
from flask import url_for

from opendata.catalogue.search import DatasetSummary, EditionLink, Editions, FacetOption
from opendata.catalogue.search_form import DatasetSearchForm
from opendata.search.port import Segment
from opendata.web import addresses
from opendata.web.escaping import foreign
from opendata.web.result_list import marked, result_rows, ticks

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTILE = "<b onx='1'>\"&amp;</b>"
ITEM = DatasetSummary(
    id="01a", slug="gia-ca", state="published", title={"vi": HOSTILE}, summary={"en": HOSTILE},
    publisher=HOSTILE, theme=None, license=None, frequency=None, place=None, formats=("csv",), rows=1000,
    columns=3, modified_at=dt.datetime(2024, 2, 28, 23, 59, tzinfo=dt.UTC), downloads=0, edition={},
    series="0123456789abcd",
)  # fmt: skip


class Elements(HTMLParser):
    """Every element with its attributes, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(str(html))  # a Markup would escape what is added to it
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def reading(client: Any) -> Iterator[None]:
    with client.application.test_request_context("/vi/datasets"):
        yield


def no_address(form: DatasetSearchForm) -> str:
    return f"?series={form.series}"


@pytest.mark.usefixtures("reading")
def test_a_value_of_a_facet_is_text_whatever_it_says() -> None:
    options = [
        FacetOption(HOSTILE, {"vi": HOSTILE}, 1234, chosen=True),
        FacetOption("CSV", {"en": "CSV"}, 0, chosen=False),
    ]
    page = Elements(ticks("format", options))
    boxes = [attributes for tag, attributes in page.found if tag == "input"]
    assert boxes == [
        {"type": "checkbox", "name": "format", "value": HOSTILE, "checked": None},
        {"type": "checkbox", "name": "format", "value": "CSV"},
    ]
    assert page.text == f"{HOSTILE}1.234\nCSV0"
    assert {tag for tag, _ in page.found} == {"label", "input", "span"}


def test_marks_stand_around_what_matched_and_nothing_else_is_an_element() -> None:
    page = Elements(marked([Segment(HOSTILE, is_match=True), Segment("<i>", is_match=False)]))
    assert [tag for tag, _ in page.found] == ["mark"]
    assert page.text == HOSTILE + "<i>"


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ({"vi": "a", "en": "b"}, ""),
        ({"en": "b"}, ' lang="en"'),
        ({"vi": "", "en": "b"}, ' lang="en"'),
        ({}, ""),
    ],
)
def test_a_text_in_the_other_language_says_so(text: dict[str, str], mark: str) -> None:
    assert foreign(text, "vi") == mark


@pytest.mark.usefixtures("reading")
def test_a_row_is_escaped_and_leads_where_the_route_is() -> None:
    (row,) = result_rows([ITEM], no_address, DatasetSearchForm())
    assert row.address == url_for("web.datasets.dataset", lang="vi", slug="gia-ca")
    assert not Elements(row.title + row.snippet).found
    assert Elements(row.title).text == Elements(row.snippet).text == HOSTILE
    assert (row.title_mark, row.summary_mark) == ("", ' lang="en"')
    # Evening in Greenwich is the next day in Viet Nam.
    assert Elements(row.updated).found == [("time", {"datetime": "2024-02-28T23:59:00+00:00"})]
    assert "29/02/2024" in row.updated
    assert (row.formats, row.extent, row.editions) == (("CSV",), "1.000 dòng × 3 cột", None)


@pytest.mark.usefixtures("reading")
def test_marked_texts_come_before_plain_ones_and_a_text_that_is_not_there_has_no_language() -> None:
    segments = (Segment("giá", is_match=True),)
    (row,) = result_rows(
        [replace(ITEM, marked_title=segments, summary={}, columns=0)], no_address, DatasetSearchForm()
    )
    assert row.title == "<mark>giá</mark>"
    assert (row.snippet, row.summary_mark, row.extent) == ("", "", "")


@pytest.mark.usefixtures("reading")
def test_editions_lead_to_each_and_to_all() -> None:
    shown = (
        EditionLink("01c", "gia-2023", {"vi": HOSTILE}, ITEM.modified_at),
        EditionLink("01d", "gia", {}, ITEM.modified_at),
    )
    (row,) = result_rows([replace(ITEM, editions=Editions(9, shown))], no_address, DatasetSearchForm())
    assert row.editions is not None
    assert [(one.address, one.label) for one in row.editions.shown] == [
        ("/vi/datasets/gia-2023", HOSTILE),
        ("/vi/datasets/gia", "29/02/2024"),
    ]
    assert (row.editions.total, row.editions.rest) == (9, 7)
    assert row.editions.address == "?series=0123456789abcd"


@pytest.mark.usefixtures("reading")
@pytest.mark.parametrize("text", [HOSTILE, "dân số +1 & 50%", "~-._", "x" * 60 + " đ", "\n#?/"])
def test_what_a_link_asks_for_is_read_back_as_it_was(text: str) -> None:
    asked = [("q", text), ("theme", text), ("theme", "y-te"), ("page", "2")]
    path, _, query = addresses.page("datasets.search", asked).partition("?")
    assert path == "/vi/datasets"
    assert parse_qsl(query, strict_parsing=True) == asked
    assert query.isascii()
    assert addresses.page("datasets.search", []) == path
