"""The engine of columns against Whoosh: after the same batches both find the same for the same lines.

Its limits are made tiny as well, so that a few documents fill many segments, are joined and moved again.
"""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Any

import pytest

from opendata.search.parsing import Parser
from opendata.search.port import (
    PUBLIC,
    Grouping,
    IndexSchema,
    Range,
    SearchDocument,
    SearchRequest,
    Sort,
    TextField,
    Vocabulary,
)
from opendata.search.query import Within
from opendata.search.service import SearchService

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = IndexSchema(
    texts=(TextField("title", 3.0), TextField("keywords", 2.0), TextField("text"), TextField("more")),
    facets=("theme", "format"),
    numbers=("year", "series"),
    sort_keys=("title",),
    group_keys=("series",),
)
FOLDER = "opendata.search.engines.columns"
TINY = {
    "writing.BUILT_AT_ONCE": 3,
    "writing.SMALL": 2,
    "writing.TELLING": 4,
    "commits.SMALL": 2,
    "commits._TIER": 2,
    "commits.MOST_JOINED": 6,
    "joining.SMALL": 2,
    "joining.LARGEST": 12,
    "joining._MOST_APART": 1,
    "merging._MOST_AT_ONCE": 3,
    "word_columns._READ_AT_ONCE": 5,
    "word_columns._SORTED_AT_ONCE": 4,
    "spilled._MOST_IN_MEMORY": 16,
    "placed._MOST_PIECES": 3,
    "postings._WORTHWHILE": 1,
    "postings._FREQUENT": 3,
    "segment._MANY_IDS": 1,
    "segment._WORTH_KEEPING": 0,
    "segment._MOST_KEPT": 2,
    "facets._MOST_TOGETHER": 8,
    "ranking._FEW": 2,
    "ranking._SEARCHED": 2,
    "ordering._COLUMNS": 4,
    "ordering._LOOKED_AT": 2,
    "ordering._MANY": 1,
    "facets._MOST_ROWS": 2,
    "segment._MOST_READ": 2,
    "scored_words._READ_AT_ONCE": 2,
}
WORDS = ("dân", "số", "giá", "đất", "nước", "sạch", "Huế", "H55.242", "schools", "TP.HCM")
PARSER = Parser({"TP.HCM": ("Sài Gòn",)}, {"title": lambda value: Within(3.0, tuple(value.lower().split()))})
LINES = (
    "", "dân số", "gia dat", '"dan so"', '"so gia dat"', "dân -đất", "n*", "schools", "school",
    "nước sạch huế giá", "TP.HCM", "tphcm", "H55.242", "title:so", "title:gia dat", "dân OR sạch", "zzz",
)  # fmt: skip

Batch = tuple[list[SearchDocument], list[str]]


def some_text(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(0, 6)))


def some_document(rng: random.Random) -> SearchDocument:
    number, title, theme = rng.randint(0, 30), some_text(rng), rng.choice(["", "A", "B"])
    texts = {"title": title, "keywords": some_text(rng), "text": some_text(rng), "more": some_text(rng)}
    numbers = {"year": rng.choice([0, 2020, 2021]), "series": rng.randint(0, 3)}
    return SearchDocument(
        id=f"d{number}",
        access=rng.choice([("office",), (PUBLIC, "office")]),
        texts={name: value for name, value in texts.items() if value},
        facets={
            "theme": (theme,) if theme else (),
            "format": tuple(rng.sample(["CSV", "XLSX", "PDF"], k=rng.randint(0, 3))),
        },
        numbers={name: float(value) for name, value in numbers.items() if value},
        sort_keys={"title": f"{title} {number:03}"} if title else {},
        stored={"number": number},
        suggestions=(title,) if title else (),
    )


def some_batches(seed: int) -> list[Batch]:
    rng = random.Random(seed)
    return [
        (
            [some_document(rng) for _ in range(rng.randint(0, 9))],
            [f"d{rng.randint(0, 30)}" for _ in range(rng.randint(0, 5))],
        )
        for _ in range(rng.randint(1, 6))
    ]


@pytest.fixture(params=["as they are", "tiny"])
def limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TINY.items() if request.param == "tiny" else ():
        monkeypatch.setattr(f"{FOLDER}.{name}", value)


@pytest.fixture(autouse=True)
def joined_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is joined beside the commits: another process would not know the limits."""
    monkeypatch.setattr("opendata.search.folder.called_elsewhere", lambda action, _stopping: action())


@pytest.fixture
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    return lambda engine: f"{engine}://{tmp_path_factory.mktemp(engine)}/index"


def filled(url: str, given: list[Batch]) -> SearchService:
    service = SearchService(url, SCHEMA, PARSER)
    service.rebuild(given[0][0], 0)
    for position, (upserts, deletes) in enumerate(given[1:], 1):
        service.index(upserts, deletes, position)
        while position % 2 and service.tidy(threading.Event()):
            pass
    return service


def answers(service: SearchService, **request: Any) -> object:
    """Everything about an answer but scores and the order of equals."""
    found = service.search(
        SearchRequest(access=frozenset({PUBLIC}), limit=100, facets={"theme": 5, "format": 5}, **request)
    )
    facets = {name: {value: n for value, n in counts if n} for name, counts in found.facets.items()}
    groups = [hit.group for hit in found.hits if hit.group]
    lines = sorted(sorted(str(stored["number"]) for _, stored in group.members) for group in groups)
    ids = [hit.id for hit in found.hits]
    single = sorted(hit.id for hit in found.hits if not hit.group)
    return found.total, found.relaxed, facets, sorted(ids) * (not groups), single, lines


@pytest.mark.parametrize("seed", range(6))
def test_both_find_the_same(limits, folders, seed) -> None:
    given = some_batches(seed)
    columns, whoosh = (filled(folders(engine), given) for engine in ("columns", "whoosh"))
    assert columns.count() == whoosh.count()
    assert columns.position() == len(given) - 1
    for line in LINES:
        assert answers(columns, text=line) == answers(whoosh, text=line), line
    chosen = {"theme": ("A",), "format": ("CSV", "PDF")}
    for request in (
        {"filters": chosen},
        {"filters": chosen, "text": "dân số"},
        {"ranges": {"year": Range(2021, None)}},
        {"group": Grouping("series", "year", 50)},
    ):
        assert answers(columns, **request) == answers(whoosh, **request), request
    for rights in ({PUBLIC}, {"office"}, {"nobody"}):
        access = frozenset(rights)
        for beginning in ("", "d", "gia", "so gia"):
            for vocabulary in Vocabulary:
                told = [each._engine.terms(vocabulary, beginning, access, 1000) for each in (columns, whoosh)]
                # The sign between two texts counts as a word, in Whoosh also where a boost has one text.
                without = [{term: count for term, count in one if term != "¶"} for one in told]
                assert without[0] == without[1]
        for typed in ("dân", "gia d", "so"):
            assert sorted(columns.suggest(typed, 50, access)) == sorted(whoosh.suggest(typed, 50, access))
        for name in ("d0", "d7"):
            shown = [each._engine.document(name, access) for each in (columns, whoosh)]
            assert [one and one.kept.stored for one in shown] == [shown[1] and shown[1].kept.stored] * 2


@pytest.mark.parametrize("seed", range(10, 18))
def test_sorted_lists_are_in_order_and_whole(limits, folders, seed) -> None:
    """Against plain Python over the documents that are left."""
    given, descending = some_batches(seed), bool(seed % 2)
    left: dict[str, SearchDocument] = {}
    for upserts, deletes in [(given[0][0], []), *given[1:]]:
        left = {name: one for name, one in left.items() if name not in deletes}
        left |= {one.id: one for one in upserts}
    visible = [one for one in left.values() if PUBLIC in one.access]
    service = filled(folders("columns"), given)
    for name, key in (
        ("title", lambda one: one.sort_keys.get("title")),
        ("year", lambda one: one.numbers.get("year")),
    ):
        held = sorted((key(one) for one in visible if key(one) is not None), reverse=descending)
        found: list[str] = []
        for offset in range(0, len(visible) + 2, 2):
            request = SearchRequest(
                access=frozenset({PUBLIC}), sort=Sort(name, descending=descending), offset=offset, limit=2
            )
            found += [hit.id for hit in service.search(request).hits]
        assert sorted(found) == sorted(one.id for one in visible)
        keys = [key(left[each]) for each in found]
        assert [one for one in keys if one is not None] == held
        assert keys[: len(held)] == held
