"""A beginning of thousands of lines: those most frequent among what the asking person sees, whatever is kept of them."""

from __future__ import annotations

from collections import Counter

import pytest

from opendata.search.completion import SEPARATOR, suggested
from opendata.search.engines import open_engine
from opendata.search.port import PUBLIC, IndexSchema, SearchDocument, TextField, Vocabulary

SCHEMA = IndexSchema(texts=(TextField("title", 1.0),), facets=(), numbers=(), sort_keys=())
LINES = 2500
SHOWN = 200
HIDDEN = 50
LIMIT = 20


def catalogue() -> list[SearchDocument]:
    """Hidden documents hold the first hundred lines most often; the others are in one to seven shown ones."""
    lines = [f"đ{number:04}" for number in range(LINES)]
    held: list[set[str]] = [set() for _ in range(SHOWN)]
    for number, line in enumerate(lines):
        for step in range(number % 7 + 1):
            held[(number + 31 * step) % SHOWN].add(line)
    made = [(PUBLIC, sorted(each)) for each in held]
    made += [("agency:X", lines[: 50 + number]) for number in range(HIDDEN)]
    return [
        SearchDocument(
            id=f"{number}",
            access=(access,),
            texts={"title": "Đo"},
            suggestions=tuple(each),
        )
        for number, (access, each) in enumerate(made)
    ]


@pytest.mark.parametrize("many", [10, 400, 8192])
@pytest.mark.parametrize("access", [{PUBLIC}, {PUBLIC, "agency:X"}, {"agency:X"}])
@pytest.mark.parametrize("prefix", ["d", "d1", "d00"])
def test_the_most_frequent_visible_lines_are_named_with_their_numbers(
    tmp_path, access, prefix, many, monkeypatch
):
    monkeypatch.setattr("opendata.search.engines.columns.segment._MANY_LINES", many)
    engine = open_engine(f"columns://{tmp_path}/index", SCHEMA)
    documents = catalogue()
    engine.rebuild(documents, 1)
    for deleted in ((), ("3", "4", f"{SHOWN + 5}")):
        engine.apply([], deleted, 2)
        seen = [each for each in documents if each.id not in deleted and access & set(each.access)]
        counted = Counter(term for each in seen for term in suggested(each.suggestions).terms)
        begun = [(term, count) for term, count in counted.items() if term.startswith(prefix)]
        expected = sorted(begun, key=lambda each: (-each[1], each[0]))[:LIMIT]
        for _ in range(2):  # as it is made, and from what was kept
            assert engine.terms(Vocabulary.SUGGESTIONS, prefix, frozenset(access), LIMIT) == expected
        assert all(SEPARATOR in term for term, _ in expected)
    engine.close()
