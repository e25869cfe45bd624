"""Answers kept across changes of the index, beside those of a service that has kept nothing.

Most documents are in segments that the commits leave alone, as in a large catalogue: what these said is kept too.
"""

from __future__ import annotations

import random
import shutil
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from opendata.kernel.text import sort_key
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

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = IndexSchema(
    texts=(TextField("title", 3.0), TextField("description")),
    facets=("theme", "format"),
    numbers=("modified", "series", "edition"),
    group_keys=("series",),
    sort_keys=("title",),
)
EVERYONE = frozenset({PUBLIC})
OFFICERS = frozenset({PUBLIC, "agency:1"})
WORDS = (
    "dân",
    "số",
    "lao",
    "động",
    "giá",
    "đất",
    "trường",
    "học",
    "không",
    "khí",
    "rừng",
    "lúa",
    "gạo",
    "biển",
)
RARE = ("sao", "la", "voọc")
THEMES = ("SOCI", "ECON", "ENVI")
STANDING = 900

ASKED = (
    {"text": "dân số"},
    {"text": "giá đất rừng", "group": Grouping("series", "edition", 6)},
    {"text": "", "group": Grouping("series", "edition", 6)},
    {"text": "", "sort": Sort("modified", descending=True)},
    {"text": "lúa gạo", "sort": Sort("title")},
    {"text": "biển", "filters": {"theme": ("SOCI", "ENVI")}},
    {"text": "biển", "filters": {"theme": ("ECON",), "format": ("CSV",)}, "offset": 5},
    {"text": "lao động", "ranges": {"modified": Range(100.0, 700.0)}},
    {"text": '"không khí" -giá'},
    {"text": "voọc"},
    {"text": "sao la rừng"},
    {"text": "trưowngf học"},
    {"text": "học", "access": OFFICERS},
    {"text": "động đất", "offset": 40},
)  # fmt: skip


def request(**parts: Any) -> SearchRequest:
    whole = {
        "access": EVERYONE,
        "limit": 10,
        "facets": {"theme": 10, "format": 10},
        "highlight": {"title": 0},
    }
    return SearchRequest(**{**whole, **parts})


def document(rng: random.Random, number: int) -> SearchDocument:
    words = [*rng.sample(WORDS, rng.randint(2, 5)), *rng.sample(RARE, rng.random() < 0.01)]
    title = " ".join(words).capitalize()
    return SearchDocument(
        id=f"d{number}",
        access=(PUBLIC,) if rng.random() < 0.95 else ("agency:1",),
        texts={"title": title, "description": " ".join(rng.sample(WORDS, 3))},
        facets={"theme": (rng.choice(THEMES),), "format": tuple(rng.sample(("CSV", "XLSX", "PDF"), 2))},
        numbers={
            "modified": float(rng.randint(0, 1000)),
            "series": float(number % 300),
            "edition": float(rng.randint(2000, 2025)),
        },
        sort_keys={"title": sort_key(title)},
        stored={"title": title, "version": rng.random()},
    )


def told(response: SearchResponse) -> SearchResponse:
    return replace(response, took_seconds=0.0)


@pytest.fixture(params=["columns", "tantivy"])
def address(request, tmp_path) -> str:
    return f"{request.param}://{tmp_path}/index"


@pytest.fixture
def keeping(address) -> Iterator[SearchService]:
    made = SearchService(address, SCHEMA)
    yield made
    made.close()


@pytest.fixture(params=["as they are", "tiny"])
def limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny: commits of a few documents leave segments that are joined beside them."""
    monkeypatch.setattr("opendata.search.folder.called_elsewhere", lambda action, _stopping: action())
    for module in ("writing", "commits", "joining") if request.param == "tiny" else ():
        monkeypatch.setattr(f"opendata.search.engines.columns.{module}.SMALL", 2)


@pytest.mark.parametrize("seed", range(3))
def test_kept_answers_are_those_that_nothing_was_kept_for(keeping, address, tmp_path, limits, seed):
    rng = random.Random(seed)
    keeping.rebuild([document(rng, number) for number in range(STANDING)], 1)
    requests = [request(**parts) for parts in ASKED]
    for step in range(12):
        # Segments are shared by the services of a process: those of another folder know nothing yet.
        elsewhere = tmp_path / f"step-{step}"
        shutil.copytree(tmp_path / "index", elsewhere)
        fresh = SearchService(f"{address.partition(':')[0]}://{elsewhere}", SCHEMA)
        for each in requests:
            for _ in range(2):
                assert told(keeping.search(each)) == told(fresh.search(each)), (step, each)
        fresh.close()
        new = [document(rng, STANDING + step * 3 + number) for number in range(rng.randint(0, 3))]
        changed = [document(rng, rng.randrange(STANDING)) for _ in range(rng.randint(0, 2))]
        deletes = [f"d{rng.randrange(STANDING)}" for _ in range(rng.randint(0, 1))]
        keeping.index({one.id: one for one in [*new, *changed]}.values(), deletes, 2 + step)
        if step % 3 == 2:
            keeping.tidy(threading.Event())


@pytest.fixture
def settled(tmp_path) -> Iterator[SearchService]:
    made = SearchService(f"columns://{tmp_path}/index", SCHEMA)
    rng = random.Random(5)
    made.rebuild([document(rng, number) for number in range(STANDING)], 1)
    yield made
    made.close()


def named(name: str, title: str) -> SearchDocument:
    return replace(document(random.Random(1), 0), id=name, texts={"title": title}, stored={"title": title})


def test_an_answer_outlives_changes_that_do_not_concern_it(settled):
    asked = request(text="dân số")
    first = settled.search(asked)
    settled.index([named("new", "Voọc sao la")], [], 2)
    assert settled.search(asked).made is first.made
    settled.index([named("new", "Voọc")], [], 3)
    assert settled.search(asked).made is first.made
    settled.index([named("other", "Dân số")], [], 4)
    after = settled.search(asked)
    assert after.made is not first.made
    assert after.total == first.total + 1


def test_hits_that_stay_are_the_same_objects_after_a_change(settled):
    asked = request(text="dân số")
    first = settled.search(asked)
    settled.index([named("new", "Dân số của cả nước")], [first.hits[3].id], 2)
    after = settled.search(asked)
    assert after.after is first.made
    old = set(map(id, first.hits))
    assert len([hit for hit in after.hits if id(hit) in old]) >= len(first.hits) - 2
    assert first.hits[3].id not in {hit.id for hit in after.hits}


def test_a_document_that_was_kept_and_is_changed_is_shown_as_it_is_now(settled):
    asked = request(text="dân số")
    known = settled.search(asked).hits[0]
    settled.index([replace(named(known.id, "Dân số dân số"), stored={"title": "khác"})], [], 2)
    shown = next(hit for hit in settled.search(replace(asked, limit=50)).hits if hit.id == known.id)
    assert shown.stored == {"title": "khác"}


def test_a_better_spelling_is_shown_until_somebody_writes_the_word_so(settled):
    mistyped = request(text="trươngf học")
    shown = settled.search(mistyped)
    assert shown.shown_for == "trường học"
    settled.index([named("other", "Lúa gạo")], [], 3)
    assert settled.search(mistyped).made is shown.made
    settled.index([named("other", "Trường học mới")], [], 4)
    assert settled.search(mistyped).total == shown.total + 1
    assert settled.search(mistyped).after == shown.made
    settled.index([named("other", "Trươngf học")], [], 5)
    assert [hit.id for hit in settled.search(mistyped).hits] == ["other"]
    assert settled.search(mistyped).shown_for is None
