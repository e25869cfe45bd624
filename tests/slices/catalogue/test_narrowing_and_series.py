"""Dates, places with their parts and series in a real index, counted against the records themselves."""

from __future__ import annotations

import datetime as dt
import shutil
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest

from opendata.accounts.policy import COMMAND_LINE, VISITOR
from opendata.catalogue.search_form import read_form
from opendata.catalogue.ways_on import ways_on
from opendata.job_wiring import build_job_runner
from opendata.kernel.i18n import VIETNAM_TIME
from opendata.settings import load_settings
from opendata.wiring import build_services
from tests.slices.catalogue.conftest import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opendata.catalogue.search import DatasetResults
    from opendata.wiring import Services

YEARS = range(1995, 2025)
# Three series of thirty years; the titles of one say the year first, of another in English only.
SERIES = {"Niên giám thống kê năm {}": "BTC", "Năm {}: dân số trung bình": "BYT", "Exports of rice {}": "BTC"}


def titled(first: int, last: int) -> set[str]:
    """The titles of the series for these years."""
    return {title.format(year) for year in range(first, last + 1) for title in SERIES}


ALONE: dict[str, dict[str, Any]] = {
    "Cửa khẩu": {"place": "08", "period_start": "2019-07-01"},
    "Bến cảng": {"place": "31", "period_start": "2010-01-01", "period_end": "2012-12-31"},
    "Sân bay": {"place": "79", "period_end": "2015-06-30"},
    "Đường cao tốc": {"place": "VN"},
}


@pytest.fixture(scope="module")
def shelf(prepared_folder, tmp_path_factory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("series") / "data"
    shutil.copytree(prepared_folder, folder)
    services = build_services(load_settings(data_dir=folder, secret_key="s" * 40))
    clock = Clock()
    clock.now = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    services.catalogue._clock = clock
    records: list[dict[str, Any]] = [
        {"title": title.format(year), "publisher": publisher}
        for year in YEARS
        for title, publisher in SERIES.items()
    ]
    records += [{"title": title, "publisher": "BTC", **more} for title, more in ALONE.items()]
    for record in records:
        made = services.catalogue.create_dataset(COMMAND_LINE, record)
        services.catalogue.publish_dataset(COMMAND_LINE, made.id)
        clock.advance(hours=1)
    build_job_runner(services).run_waiting()
    yield services
    services.close()


def find(
    services: Services, query: str = "", *, grouped: bool = False, language: str = "vi"
) -> DatasetResults:
    pairs = parse_qsl(query)
    return services.catalogue_search.search(VISITOR, read_form(pairs), language, grouped=grouped)


def titles(found: DatasetResults) -> set[str]:
    return {item.title["vi"] for item in found.items}


@pytest.mark.parametrize(
    "query", ["", "q=nien giam", "sort=title", "q=dan so OR rice", "publisher=BTC&sort=newest"]
)
@pytest.mark.parametrize("per_page", [2, 5])
def test_thirty_years_are_one_line_and_no_dataset_is_lost(shelf, query: str, per_page: int) -> None:
    everything = find(shelf, f"{query}&per_page=100&group=none")
    assert everything.total == len(everything.items)
    lines, seen, page, more = [], set(), 1, True
    while more:
        found = find(shelf, f"{query}&per_page={per_page}&page={page}", grouped=True)
        assert found.total == everything.total
        more, page = found.more, page + 1
        assert len(found.items) == per_page or not more
        for item in found.items:
            lines.append(item)
            if item.editions is None:
                seen.add(item.id)
                continue
            assert item.editions.total == len(YEARS)
            assert [one.label["vi"] for one in item.editions.shown] == [str(y) for y in range(2024, 2018, -1)]
            every = find(shelf, f"series={item.series}&per_page=100")
            assert every.total == len(YEARS)
            seen |= {one.id for one in every.items}
    assert seen == {item.id for item in everything.items}
    assert found.pages == page - 1
    assert (
        found.lines
        == len(lines)
        == everything.total - (len(YEARS) - 1) * len([i for i in lines if i.editions])
    )


def test_the_newest_of_equally_good_editions_is_shown(shelf) -> None:
    line = find(shelf, "q=nien giam thong ke", grouped=True).items[0]
    assert line.title["vi"] == "Niên giám thống kê năm 2024"
    assert find(shelf, 'q="nien giam thong ke nam 1999"', grouped=True).items[0].title["vi"].endswith("1999")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("period_from=2020", {"Cửa khẩu", *titled(2020, 2024)}),
        ("period_to=2009-12-31", {"Sân bay", *titled(1995, 2009)}),
        ("period_to=2010-01", {"Sân bay", "Bến cảng", *titled(1995, 2010)}),
        ("period_from=2012-12-31&period_to=2013", {"Sân bay", "Bến cảng", *titled(2012, 2013)}),
        ("period_from=2013&period_to=2014", {"Sân bay", *titled(2013, 2014)}),
        ("period_from=1000&period_to=2999", {"Cửa khẩu", "Bến cảng", "Sân bay", *titled(1995, 2024)}),
        ("q=year:2020", {"Cửa khẩu", *titled(2020, 2020)}),
        ("q=năm:2011", {"Bến cảng", "Sân bay", *titled(2011, 2011)}),
        ("q=nam:2012-2013", {"Bến cảng", "Sân bay", *titled(2012, 2013)}),
        ("q=year:2013..2012", {"Bến cảng", "Sân bay", *titled(2012, 2013)}),
        ("q=year:2025..", {"Cửa khẩu"}),
        ("q=year:..1994", {"Sân bay"}),
        ("q=sân bay year:2014", {"Sân bay"}),
        ("q=sân bay year:2016", set()),
        ("q=-year:1995..2024 -year:..1994", {"Đường cao tốc"}),
        ("q=year:2011 place:31 OR year:2024 rice", {"Bến cảng", "Exports of rice 2024"}),
    ],
)
def test_data_is_about_a_time_when_its_period_overlaps_it(shelf, query: str, expected: set[str]) -> None:
    assert titles(find(shelf, f"{query}&per_page=100&exact=true")) == expected


@pytest.mark.parametrize(
    "typed", ["year:abc", "năm:99999", "year:0000", "year:-", "year:..", "year:2019-20", "năm:²⁰¹⁹"]
)
def test_what_is_no_year_is_words(shelf, typed: str) -> None:
    asked = find(shelf, f"q=sân bay {typed}&exact=true")
    words = find(shelf, f"q=sân bay {typed.replace(':', ' ')}&exact=true")
    assert [item.id for item in asked.items] == [item.id for item in words.items]
    assert "Sân bay" in titles(asked)


def test_days_of_change_are_those_of_vietnam(shelf) -> None:
    everything = find(shelf, "per_page=100").items
    for query, holds in (
        ("modified_from=2026-01-02", lambda day: day >= dt.date(2026, 1, 2)),
        ("modified_to=2026-01-02", lambda day: day <= dt.date(2026, 1, 2)),
        ("modified_from=2026-01-03&modified_to=2026-01-03", lambda day: day == dt.date(2026, 1, 3)),
        ("modified_to=2025", lambda _day: False),
        ("modified_from=2026-01", lambda _day: True),
    ):
        expected = {item.id for item in everything if holds(item.modified_at.astimezone(VIETNAM_TIME).date())}
        assert {item.id for item in find(shelf, f"{query}&per_page=100").items} == expected
    days = {item.modified_at.astimezone(VIETNAM_TIME).date() for item in everything}
    assert len(days) > 3


def test_a_region_finds_its_provinces_and_an_old_name_its_heir(shelf) -> None:
    assert titles(find(shelf, "place=trung-du-mien-nui-phia-bac")) == {"Cửa khẩu"}
    assert titles(find(shelf, "place=dong-bang-song-hong&place=79")) == {"Bến cảng", "Sân bay"}
    assert titles(find(shelf, "place=VN")) == {"Đường cao tốc"}
    for name in ("Hà Giang", "02", "Tuyên Quang", "08"):
        found = find(shelf, f"place={name}")
        assert titles(found) == {"Cửa khẩu"}
        assert found.form.chosen["place"] == ("08",)
    options = {option.value: option for option in find(shelf, "place=Sài Gòn").facets["place"]}
    assert options["79"].chosen
    assert options["dong-nam-bo"].label == {"vi": "Đông Nam Bộ", "en": "Southeast"}
    assert options["dong-nam-bo"].count == 1


@pytest.mark.parametrize("named", ["btc", "Bộ Tài chính", "bộ tài chính", "BTC&publisher=btc"])
def test_a_value_may_be_named_as_people_name_it(shelf, named: str) -> None:
    by_code = find(shelf, "publisher=BTC")
    found = find(shelf, f"publisher={named}")
    assert found.total == by_code.total > 0
    assert found.form.chosen == {"publisher": ("BTC",)}
    assert found.facets == by_code.facets
    unknown = find(shelf, "publisher=khong-co")
    assert (unknown.total, unknown.form.chosen) == (0, {"publisher": ("khong-co",)})


def test_counts_respect_dates_and_other_filters_but_not_their_own(shelf) -> None:
    found = find(shelf, "period_from=1990&period_to=1994&publisher=BYT")
    assert found.total == 0
    assert {option.value: option.count for option in found.facets["publisher"]} == {"BTC": 1, "BYT": 0}
    assert not [option for option in found.facets["place"] if option.count]


def test_an_empty_answer_says_what_less_would_find(shelf) -> None:
    def offered(query: str) -> dict[str, int]:
        form = find(shelf, query).form
        return {
            "&".join(f"{name}={value}" for name, value in way.form.parameters()): way.count
            for way in ways_on(shelf.catalogue_search, VISITOR, form)
        }

    assert offered("q=ben cang&publisher=BYT&period_from=2012") == {
        "q=ben cang&period_from=2012": 1,
        "q=ben cang": 1,
    }
    assert offered("publisher=BYT&place=31") == {"place=31": 1, "publisher=BYT": 30}
    assert offered("q=qqqq zzzz") == {}
    for query in ("q=a b c d e f g h i j k&publisher=X&place=1&theme=q&format=csv&license=x&frequency=y",):
        assert len(ways_on(shelf.catalogue_search, VISITOR, find(shelf, query).form)) <= 14


def test_the_whole_list_is_read_in_its_order(shelf) -> None:
    for query in ("sort=title", "q=dan so", "publisher=BTC&page=3"):
        pages = find(shelf, f"{query}&per_page=100&page=1").items
        total, rows = shelf.catalogue_search.everything(VISITOR, read_form(parse_qsl(query)), "vi")
        assert [row.id for row in rows] == [item.id for item in pages]
        assert total == len(pages)
