"""Ranges of numbers, documents joined into lines, and long lists, against plain Python over the same rows."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.search.port import (
    PUBLIC,
    Grouping,
    IndexSchema,
    Range,
    SearchDocument,
    SearchRequest,
    SearchResponse,
    Sort,
    TextField,
)
from opendata.search.service import SearchService

from .conftest import ENGINES, EVERYONE

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = IndexSchema(
    texts=(TextField("title"),),
    facets=("publisher",),
    numbers=("start", "end", "edition", "series"),
    sort_keys=("title",),
    group_keys=("series",),
)
BIGGEST_KEY = 2**53 - 1


@dataclass(frozen=True)
class Row:
    id: str
    title: str
    publisher: str
    edition: int
    series: int | None
    start: float | None


def rows() -> list[Row]:
    """Forty series of 1 to 30 years (the last key is the largest there can be), and twenty rows alone."""
    made = []
    for series in range(40):
        key = BIGGEST_KEY - series
        for year in range(2024 - series % 30, 2025):
            publisher = f"P{series % 3}"
            made.append(
                Row(
                    f"s{series}-{year}", f"Niên giám loại {series} năm {year}", publisher, year, key, year / 4
                )
            )
    made += [Row(f"alone-{n}", f"Niên giám riêng {n}", "P9", 2020, None, None) for n in range(20)]
    random.Random(7).shuffle(made)
    return made


ROWS = rows()


def document(row: Row) -> SearchDocument:
    optional = {"series": row.series, "start": row.start}
    return SearchDocument(
        id=row.id,
        access=(PUBLIC,) if row.id != "s3-2024" else ("hidden",),
        texts={"title": row.title},
        facets={"publisher": (row.publisher,)},
        numbers={"edition": row.edition, **{k: float(v) for k, v in optional.items() if v is not None}},
        sort_keys={"title": row.title},
        stored={"year": row.edition, "title": {"vi": row.title}},
    )


VISIBLE = [row for row in ROWS if row.id != "s3-2024"]


@pytest.fixture(scope="module", params=ENGINES)
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SearchService]:
    made = SearchService(f"{request.param}://{tmp_path_factory.mktemp('years')}/index", SCHEMA)
    made.rebuild(map(document, ROWS), position=1)
    yield made
    made.close()


bounds = st.none() | st.sampled_from([0.0, 499.5, 500.0, 503.25, 505.75, 506.0, 1e9, -1.0])


@given(low=bounds, high=bounds, publisher=st.sampled_from([(), ("P1",), ("P0", "P9")]))
@settings(max_examples=40, deadline=None)
def test_a_range_holds_its_ends_and_nothing_without_the_number(service, low, high, publisher) -> None:
    expected = {
        row.id
        for row in VISIBLE
        if row.start is not None
        and (low is None or row.start >= low)
        and (high is None or row.start <= high)
        and (not publisher or row.publisher in publisher)
    }
    response = service.search(
        SearchRequest(
            access=EVERYONE,
            ranges={"start": Range(low, high)},
            filters={"publisher": publisher} if publisher else {},
            facets={"publisher": 10},
            limit=1000,
        )
    )
    assert {hit.id for hit in response.hits} == expected
    assert response.total == len(expected)
    counted = {value: count for value, count in response.facets["publisher"] if count}
    inside = [row for row in VISIBLE if row.start is not None and Range(low, high).holds(row.start)]
    assert counted == {
        name: len([row for row in inside if row.publisher == name])
        for name in {row.publisher for row in inside}
    }


def test_one_key_is_found_exactly(service) -> None:
    """Keys are neighbours here: 2^53 - 1, 2^53 - 2, …"""
    for series in (0, 1, 29):
        key = float(BIGGEST_KEY - series)
        found = service.search(SearchRequest(access=EVERYONE, ranges={"series": Range(key, key)}, limit=100))
        assert {hit.id for hit in found.hits} == {row.id for row in VISIBLE if row.series == key}


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("", Sort("edition", descending=True)),
        ("", Sort("title")),
        ("niên giám", None),
        ("nien giam", Sort("title", descending=True)),
        ("", None),
    ],
)
@pytest.mark.parametrize("filters", [{}, {"publisher": ("P1",)}])
def test_pages_of_lines_are_full_and_lose_nobody(service, text, sort, filters) -> None:
    expected = {row.id for row in VISIBLE if not filters or row.publisher in filters["publisher"]}
    alone = {row.id for row in VISIBLE if row.series is None}
    seen: list[str] = []
    pages: list[SearchResponse] = []
    more = True
    while more:
        response = service.search(
            SearchRequest(
                access=EVERYONE,
                text=text,
                sort=sort,
                filters=filters,
                group=Grouping("series", "edition", 100),
                offset=7 * len(pages),
                limit=7,
            )
        )
        assert response.total == len(expected)
        pages.append(response)
        more = response.more
        for hit in response.hits:
            if hit.group is None:
                seen.append(hit.id)
                continue
            members = [name for name, _ in hit.group.members]
            assert hit.id in members
            assert hit.group.total == len(members) > 1
            years = [stored["year"] for _, stored in hit.group.members]
            assert years == sorted(years, reverse=True)
            assert not alone & set(members)
            seen += members
    assert sorted(seen) == sorted(expected)
    assert [len(page.hits) for page in pages[:-1]] == [7] * (len(pages) - 1)
    assert pages[-1].lines == sum(len(page.hits) for page in pages)


def test_a_line_stands_where_its_first_document_would(service) -> None:
    flat = service.search(SearchRequest(access=EVERYONE, sort=Sort("title"), limit=1000))
    keys = [next(row.series for row in ROWS if row.id == hit.id) or hit.id for hit in flat.hits]
    grouped = service.search(
        SearchRequest(access=EVERYONE, sort=Sort("title"), group=Grouping("series", "edition", 3), limit=1000)
    )
    shown = [next(row.series for row in ROWS if row.id == hit.id) or hit.id for hit in grouped.hits]
    assert shown == list(dict.fromkeys(keys))
    assert all(len(hit.group.members) == min(3, hit.group.total) for hit in grouped.hits if hit.group)


@pytest.mark.parametrize("told", [("year",), ("title",), ("year", "title"), ()])
def test_of_members_only_what_is_named_is_told(service, told) -> None:
    group = Grouping("series", "edition", 3, told)
    grouped = service.search(SearchRequest(access=EVERYONE, group=group, limit=5))
    rows = {row.id: {"year": row.edition, "title": {"vi": row.title}} for row in ROWS}
    members = [member for hit in grouped.hits if hit.group for member in hit.group.members]
    assert members
    for name, stored in members:
        assert stored == {key: rows[name][key] for key in told or rows[name]}


def test_of_equally_good_ones_the_newest_speaks(service) -> None:
    found = service.search(
        SearchRequest(access=EVERYONE, text="loại 29", group=Grouping("series", "edition", 1), limit=1)
    )
    assert found.hits[0].id == "s29-2024"
    assert found.hits[0].group is not None
    assert found.hits[0].group.total == 30


@pytest.mark.parametrize(("text", "sort"), [("niên giám loại 5", None), ("", Sort("title")), ("zzz", None)])
def test_a_long_list_is_the_pages_one_after_the_other(service, text, sort) -> None:
    request = SearchRequest(access=EVERYONE, text=text, sort=sort, limit=10_000)
    total, matches = service.scan(request)
    listed = list(matches)
    paged: list[str] = []
    for offset in range(0, total + 50, 50):
        page = SearchRequest(access=EVERYONE, text=text, sort=sort, offset=offset, limit=50)
        paged += [hit.id for hit in service.search(page).hits]
    assert [match.id for match in listed] == paged
    assert len(paged) == total
    assert all(match.kept.stored["year"] for match in listed)
    assert len(list(service.scan(SearchRequest(access=EVERYONE, limit=9))[1])) == 9
    assert service.scan(SearchRequest(access=frozenset(), limit=9))[0] == 0


def test_names_that_the_schema_lacks_are_refused(service) -> None:
    for request in (
        SearchRequest(access=EVERYONE, ranges={"publisher": Range()}),
        SearchRequest(access=EVERYONE, group=Grouping("edition", "edition", 1)),
        SearchRequest(access=EVERYONE, group=Grouping("series", "title", 1)),
    ):
        with pytest.raises(ValueError, match="not in the search schema"):
            service.search(request)


def test_a_range_needs_a_number_to_hold() -> None:
    assert Range(1, 2).holds(2)
    assert not Range(1, 2).holds(math.nextafter(2, 3))
    assert not Range().holds(None)


def test_very_many_editions_are_counted_in_parts(service, monkeypatch) -> None:
    request = SearchRequest(
        access=EVERYONE, sort=Sort("title"), group=Grouping("series", "edition", 5), limit=30
    )
    at_once = service.search(request)
    monkeypatch.setattr("opendata.search.engines.tantivy_groups.MOST_READ", 20)
    in_parts = service.search(request)
    assert in_parts.hits == at_once.hits
    assert max(hit.group.total for hit in at_once.hits if hit.group) == 30
