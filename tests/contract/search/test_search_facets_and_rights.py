"""Counts, filters and who may see what, against a plain count over the documents."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opendata.search.parsing import Parser
from opendata.search.port import PUBLIC, SearchRequest
from opendata.search.service import SearchService

from .conftest import ALIASES, ENGINES, EVERYONE, ROWS, SCHEMA, document, ids

FACETS = ("theme", "format", "place")
VALUES = {
    "theme": ("SOCI", "ECON", "ENVI", "no such"),
    "format": ("CSV", "XLSX", "JSON", "PDF"),
    "place": ("01", "79", "66"),
}


def facets_of(row) -> dict[str, tuple[str, ...]]:
    return {"theme": (row[4],), "format": row[5], "place": (row[6],)}


def passes(row, filters, without: str = "") -> bool:
    facets = facets_of(row)
    return all(set(values) & set(facets[name]) for name, values in filters.items() if name != without)


choices = st.fixed_dictionaries(
    {}, optional={name: st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True).map(tuple) for name, values in VALUES.items()}
)  # fmt: skip


@given(filters=choices)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_filters_and_counts_agree_with_a_plain_count(find, filters):
    response = find(filters=filters, facets=dict.fromkeys(FACETS, 50))
    assert set(ids(response)) == {row[0] for row in ROWS if passes(row, filters)}
    assert response.total == len(response.hits)
    for name in FACETS:
        expected = Counter(
            value for row in ROWS if passes(row, filters, without=name) for value in facets_of(row)[name]
        )
        counted = dict(response.facets[name])
        assert {value: count for value, count in counted.items() if count} == expected
        assert set(filters.get(name, ())) <= set(counted)


def test_counts_respect_the_text(find):
    response = find("kim ngạch", facets={"format": 10})
    assert response.facets["format"] == (("CSV", 2), ("JSON", 1))


def test_values_are_ordered_by_count_and_cut_but_chosen_ones_stay(find):
    assert find(facets={"theme": 1}).facets["theme"] == (("SOCI", 6),)
    chosen = find(filters={"theme": ("ENVI", "gone")}, facets={"theme": 1}).facets["theme"]
    assert chosen == (("SOCI", 6), ("ENVI", 1), ("gone", 0))


def test_the_counts_asked_for_are_the_counts_given(find):
    assert set(find(facets={"place": 5, "theme": 5}).facets) == {"place", "theme"}
    assert find().facets == {}


@pytest.fixture(scope="module", params=ENGINES)
def guarded(request, tmp_path_factory) -> SearchService:
    """One public document and drafts of two agencies, all about the same words."""
    service = SearchService(
        f"{request.param}://{tmp_path_factory.mktemp('guarded')}/index", SCHEMA, Parser(ALIASES)
    )
    service.rebuild(
        [
            document("open", "Dân số công khai", keywords="dân số"),
            document(
                "draft-a", "Dân số bản thảo Alpha", keywords="bí mật", theme="ECON", access=("agency-a",)
            ),
            document(
                "draft-b",
                "Dân số bản thảo Beta",
                keywords="riêng tư",
                theme="ENVI",
                access=("agency-b", "staff"),
            ),
            document("nobody", "Dân số không ai thấy", access=()),
        ],
        position=1,
    )
    return service


@pytest.mark.parametrize(
    ("access", "visible"),
    [
        (set(), set()),
        ({PUBLIC}, {"open"}),
        ({"agency-a"}, {"draft-a"}),
        ({PUBLIC, "agency-a"}, {"open", "draft-a"}),
        ({PUBLIC, "staff"}, {"open", "draft-b"}),
        ({"unheard-of"}, set()),
        ({""}, set()),
        ({"\x00position"}, set()),
    ],
)
@pytest.mark.parametrize(
    "text", ["", "*", "dân số", "-zzz", "zzz", "bản OR thảo", "d* dan*", "\x00position", "1"]
)
def test_nobody_sees_more_than_their_rights(guarded, access, visible, text):
    request = SearchRequest(access=frozenset(access), text=text, facets={"theme": 10}, limit=50)
    response = guarded.search(request)
    assert set(ids(response)) <= visible
    assert response.total == len(response.hits)
    assert sum(count for _, count in response.facets["theme"]) == response.total
    if text in {"", "*", "dân số", "-zzz"}:
        assert set(ids(response)) == visible


def test_a_filter_that_matches_nothing_gives_nothing(guarded):
    """Whoosh's own filter= would give the unfiltered total here, and all documents for an empty set."""
    for theme in ("no such", "ECON"):
        response = guarded.search(SearchRequest(access=EVERYONE, text="dân số", filters={"theme": (theme,)}))
        assert (response.total, response.hits) == (0, ())
    nothing_chosen = guarded.search(SearchRequest(access=EVERYONE, text="dân số", filters={"theme": ()}))
    assert (nothing_chosen.total, nothing_chosen.hits) == (0, ())


def test_completions_and_corrections_give_away_no_hidden_word(guarded):
    assert guarded.suggest("dân", 9, EVERYONE) == ["dân số", "Dân số công khai"]
    assert guarded.suggest("bí", 9, EVERYONE) == []
    assert guarded.suggest("bí", 9, frozenset({"agency-a"})) == ["bí mật"]
    assert guarded.suggest("dân", 9, frozenset()) == []
    for access, expected in ((EVERYONE, None), (frozenset({"agency-a"}), "bí mật")):
        assert guarded.search(SearchRequest(access=access, text="bii mat")).suggestion == expected
