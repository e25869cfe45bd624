"""A page of results written from parts that are kept says what one would say that was written anew."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from opendata.accounts.policy import VISITOR
from opendata.app import create_app
from opendata.catalogue.search import DatasetResults, DatasetSummary, EditionLink, Editions, FacetOption
from opendata.catalogue.search_form import DatasetSearchForm
from opendata.http.kept_texts import WrittenOf
from opendata.kernel.recent import MostRecent
from opendata.search.port import Segment
from opendata.web import result_list, results_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from opendata.wiring import Services

HOSTILE = "<b onx='1'>\"&amp;</b>"
MOMENT = dt.datetime(2024, 2, 28, 23, 59, tzinfo=dt.UTC)
ITEM = DatasetSummary(
    id="01a", slug="gia-ca", state="published", title={"vi": HOSTILE, "en": "Prices"}, summary={"en": HOSTILE},
    publisher=HOSTILE, theme=None, license=None, frequency="ANNUAL", place=None, formats=("csv",), rows=1000,
    columns=3, modified_at=MOMENT, downloads=0, edition={}, series="0123456789abcd",
    marked_title=(Segment(HOSTILE, is_match=True),),
    editions=Editions(3, (EditionLink("01c", "gia-2023", {"vi": HOSTILE}, MOMENT),)),
)  # fmt: skip
OTHER = ITEM._replace(id="01b", slug="khac", state="withdrawn", marked_title=(), editions=None)
FACETS = {
    "theme": tuple(
        [FacetOption(f"t{n}", {"vi": f"Chủ đề {n}"}, 1000 + n, chosen=n == 1) for n in range(12)]
        + [FacetOption(HOSTILE, {"vi": HOSTILE}, 1, chosen=False)]
    ),
    "publisher": (),
    "format": (FacetOption("CSV", {"en": "CSV"}, 9, chosen=False),),
}
FORM = DatasetSearchForm(text=HOSTILE, chosen={"theme": ("t1",)})
RESULTS = DatasetResults(
    form=FORM,
    total=1234,
    items=(ITEM, OTHER),
    facets=FACETS,
    suggestion=None,
    shown_for=None,
    relaxed=False,
    took_seconds=0.0042,
    lines=1200,
    more=True,
    made=object(),
)
# Each differs from the one above in one thing that its page shows.
OTHERS = (
    replace(RESULTS, total=1),
    replace(RESULTS, took_seconds=0.5),
    replace(RESULTS, items=(OTHER, ITEM)),
    replace(RESULTS, items=(ITEM._replace(rows=7), OTHER)),
    replace(RESULTS, facets={**FACETS, "format": (FacetOption("CSV", {"en": "CSV"}, 10, chosen=False),)}),
    replace(RESULTS, facets={**FACETS, "theme": FACETS["theme"][:3]}),
    replace(RESULTS, suggestion=HOSTILE),
    replace(RESULTS, shown_for=HOSTILE),
    replace(RESULTS, relaxed=True),
    replace(RESULTS, lines=None),
    replace(RESULTS, lines=1234),
    replace(RESULTS, more=False, lines=20),
    replace(RESULTS, form=FORM.at_page(3)),
    replace(RESULTS, form=FORM.sorted_by("newest")),
    replace(RESULTS, form=FORM.toggled("theme", "t2")),
    replace(RESULTS, form=replace(FORM, dates={"period_from": "2020"})),
    replace(RESULTS, form=replace(FORM, dates={"modified_from": "2020"})),
    replace(RESULTS, form=replace(FORM, per_page=5)),
    replace(RESULTS, form=FORM.grouped("none")),
    replace(RESULTS, form=FORM.of_series("0123456789abcd")),
)
ADDRESSES = ("/vi/datasets?q=gia", "/en/datasets?q=gia", "/vi/datasets?q=gi%C3%A1")


@pytest.fixture
def forget(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def forgetting() -> None:
        monkeypatch.setattr(results_page, "_KEPT", MostRecent(1 << 20, lambda pieces: sum(map(len, pieces))))
        monkeypatch.setattr(result_list, "_KEPT", WrittenOf(1 << 20))

    forgetting()
    return forgetting


def page_at(app: Flask, address: str, results: DatasetResults, *, grouped: bool = True) -> str:
    with app.test_request_context(address):
        return results_page.results_page(results, 200, grouped=grouped).decode()


def test_pages_from_kept_parts_are_those_written_anew(app: Flask, forget: Callable[[], None]) -> None:
    asked = [
        (address, results, grouped)
        for results in (RESULTS, *OTHERS)
        for address in ADDRESSES
        for grouped in (True, False)
    ]
    anew = []
    for address, results, grouped in asked:
        forget()
        anew.append(page_at(app, address, results, grouped=grouped))
    assert len(set(anew[:: len(ADDRESSES) * 2])) == 1 + len(OTHERS)
    forget()
    for _ in range(2):
        kept = [page_at(app, address, results, grouped=grouped) for address, results, grouped in asked]
        assert kept == anew


def test_a_row_is_written_once_and_again_where_it_says_something_else(
    app: Flask, forget: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    write = result_list._RowMaker.written

    def counted(self: Any, item: DatasetSummary) -> bytes:
        made.append(item.id)
        return write(self, item)

    monkeypatch.setattr(result_list._RowMaker, "written", counted)
    page_at(app, ADDRESSES[0], RESULTS)
    page_at(app, ADDRESSES[2], replace(RESULTS, total=7, items=(OTHER, ITEM)))
    assert made == ["01a", "01b"]
    page_at(app, ADDRESSES[1], RESULTS)  # another language
    page_at(
        app, ADDRESSES[0], replace(RESULTS, form=replace(FORM, per_page=5))
    )  # another link to the editions
    assert made == ["01a", "01b"] * 3
    monkeypatch.setattr(result_list, "hour", lambda: -1)  # a row says whether it is overdue
    page_at(app, ADDRESSES[0], RESULTS)
    assert made == ["01a", "01b"] * 4


def test_what_a_person_sees_is_kept_for_nobody(
    app: Flask, forget: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results_page, "page_actor", lambda: replace(VISITOR, person_id="01p"))
    page_at(app, ADDRESSES[0], RESULTS)
    assert len(results_page._KEPT) == 0
    monkeypatch.setattr(results_page, "page_actor", lambda: VISITOR)
    page_at(app, ADDRESSES[0], RESULTS)
    assert len(results_page._KEPT) == 1


def test_nothing_hostile_becomes_an_element_in_a_kept_page(app: Flask, forget: Callable[[], None]) -> None:
    for _ in range(2):
        page = page_at(app, ADDRESSES[0], replace(RESULTS, suggestion=HOSTILE))
        assert "<b onx" not in page
        assert "&lt;b onx=&#39;1&#39;&gt;&#34;&amp;amp;&lt;/b&gt;" in page
        assert "<!--" not in page  # the gaps are filled


def test_two_portals_in_one_process_name_each_its_own_address(
    app: Flask, portal: Services, forget: Callable[[], None]
) -> None:
    settings = replace(portal.settings, base_url="https://other.test")
    other = create_app(settings, replace(portal, settings=settings))
    pages = [page_at(asked, ADDRESSES[0], RESULTS) for asked in (app, other)]
    assert ["https://other.test/en/datasets" in page for page in pages] == [False, True]
