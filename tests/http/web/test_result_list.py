"""Rows and facet values of the search page are made in Python: what came in must still never act as HTML."""

from __future__ import annotations

import datetime as dt
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
from opendata.web.ranking import Ranking, Reason
from opendata.web.result_list import explained_rows, marked, ticks, written_rows

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


def row_of(item: DatasetSummary, why: Ranking | None = None) -> Elements:
    if why is None:
        return Elements(written_rows([item], no_address, DatasetSearchForm()).decode())
    return Elements(explained_rows([item], no_address, DatasetSearchForm(), {item.id: why}).decode())


@pytest.mark.usefixtures("reading")
def test_a_row_is_escaped_and_leads_where_the_route_is() -> None:
    row = row_of(ITEM)
    assert row.found == [
        ("article", {"class": "result"}),
        ("h3", {}),
        ("a", {"href": url_for("web.datasets.dataset", lang="vi", slug="gia-ca")}),
        ("p", {"class": "meta"}),
        ("span", {}),
        ("span", {}),
        # Evening in Greenwich is the next day in Viet Nam.
        ("time", {"datetime": "2024-02-28T23:59:00+00:00"}),
        ("p", {"class": "snippet", "lang": "en"}),
        ("p", {"class": "labels"}),
        ("span", {"class": "label format"}),
        ("span", {"class": "small soft"}),
    ]
    title, about, summary, formats = [line for line in row.text.splitlines() if line]
    assert title == summary == HOSTILE
    assert about == f"{HOSTILE}cập nhật 29/02/2024"
    assert formats == "CSV1.000 dòng × 3 cột"


@pytest.mark.usefixtures("reading")
def test_marked_texts_come_before_plain_ones_and_what_is_not_there_leaves_no_line() -> None:
    segments = (Segment("giá", is_match=True),)
    bare = ITEM._replace(marked_title=segments, summary={}, columns=0, formats=(HOSTILE,))
    row = row_of(bare)
    assert ("mark", {}) in row.found
    assert [attributes.get("class") for tag, attributes in row.found if tag == "p"] == ["meta", "labels"]
    assert [line for line in row.text.splitlines() if line][::2] == ["giá", HOSTILE.upper()]


@pytest.mark.usefixtures("reading")
def test_editions_lead_to_each_and_to_all() -> None:
    shown = (
        EditionLink("01c", "gia-2023", {"vi": HOSTILE}, ITEM.modified_at),
        EditionLink("01d", "gia", {}, ITEM.modified_at),
    )
    row = row_of(ITEM._replace(editions=Editions(9, shown)))
    leads = [attributes["href"] for tag, attributes in row.found if tag == "a"]
    assert leads[1:] == ["/vi/datasets/gia-2023", "/vi/datasets/gia", "?series=0123456789abcd"]
    lines = [line for line in row.text.splitlines() if line]
    assert lines[4:] == ["9 kỳ dữ liệu:", HOSTILE, "29/02/2024", "và 7 kỳ nữa"]


@pytest.mark.usefixtures("reading")
@pytest.mark.parametrize(
    ("state", "frequency", "labels"),
    [
        ("draft", None, ["Bản nháp"]),
        ("withdrawn", "ANNUAL", ["Đã rút", "Quá hạn"]),
        ("published", "ANNUAL", ["Quá hạn"]),
    ],
)
def test_states_and_promises_that_were_not_kept_are_labels(
    state: str, frequency: str | None, labels: list[str]
) -> None:
    row = row_of(ITEM._replace(state=state, frequency=frequency, publisher="", formats=()))
    assert row.text.splitlines()[2] == "cập nhật 29/02/2024" + "".join(labels)


@pytest.mark.usefixtures("reading")
def test_reasons_stand_in_the_row_they_explain() -> None:
    row = row_of(ITEM, Ranking(7.25, (Reason(HOSTILE, "title", 7.25),), 0))
    assert ("details", {"class": "fold why"}) in row.found
    assert f"{HOSTILE}title7,2" in row.text


@pytest.mark.usefixtures("reading")
@pytest.mark.parametrize("text", [HOSTILE, "dân số +1 & 50%", "~-._", "x" * 60 + " đ", "\n#?/"])
def test_what_a_link_asks_for_is_read_back_as_it_was(text: str) -> None:
    asked = [("q", text), ("theme", text), ("theme", "y-te"), ("page", "2")]
    path, _, query = addresses.page("datasets.search", asked).partition("?")
    assert path == "/vi/datasets"
    assert parse_qsl(query, strict_parsing=True) == asked
    assert query.isascii()
    assert addresses.page("datasets.search", []) == path
