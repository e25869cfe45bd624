"""Segments of the engine of columns as they are built: words as analysis has them, in ranges as at once, by several writers."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opendata.search.analysis import View, pieces_of, views, words_of_piece
from opendata.search.completion import GAP_WORD
from opendata.search.engines.columns.builder import SegmentBuilder
from opendata.search.engines.columns.commits import ColumnsFormat
from opendata.search.engines.columns.placed import PieceTable, read
from opendata.search.engines.columns.word_columns import Base
from opendata.search.engines.columns.writing import in_memory
from opendata.search.port import PUBLIC, IndexSchema, SearchDocument, SearchRequest, TextField
from opendata.search.query import Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from opendata.search.port import Worker

FOLDER = "opendata.search.engines.columns"
SCHEMA = IndexSchema(
    texts=(TextField("title", 3.0), TextField("text"), TextField("more")),
    facets=("theme",),
    numbers=("year",),
    sort_keys=("title",),
)
PARTS = (
    "giá",
    "đất",
    "TP.HCM",
    "schools",
    "H55.242",
    "Đắk",
    "1,5",
    "năm",
    "2016-2020",
    "¶",
    "🎉",
    "_",
    "a/b",
    "Lý",
)
LONG = "https://data.gov.vn/dataset/gia-dat-cac-loai-nam-2024_bang_gia_moi-nhat.xlsx"
texts = st.text() | st.lists(st.sampled_from((*PARTS, LONG, "x" * 90)) | st.text()).map(" ".join)


@given(text=texts)
@example(text="population of TP.HCM, tp.hcm/194/2025/NĐ-CP schools ")
@example(text=f"{LONG} {'-'.join(PARTS * 3)} \x1f ca\u0302\u0301m")
def test_the_words_of_pieces_are_those_of_the_text(text: str) -> None:
    found = [words_of_piece(piece) for piece in pieces_of(text)]
    exact, folded, codes, folded_codes, stems = (
        [word for words in column for word in words]
        for column in (zip(*found, strict=True) if found else [()] * 5)
    )
    expected = views(text)
    assert exact + codes == expected[View.EXACT]
    assert folded + folded_codes + stems == expected[View.FOLDED]


@given(fields=st.lists(st.lists(texts, max_size=3), min_size=1, max_size=6))
def test_words_are_copied_out_as_they_are_read(fields: list[list[str]]) -> None:
    table, pieces, held = PieceTable(), list[int](), list[int]()
    for field in fields:
        begun = len(pieces)
        for number, text in enumerate(field):
            if number:
                pieces.append(0)
                table.has_gap = True
            pieces += table.numbers_of(text)
        held.append(len(pieces) - begun)
    for view, gap in ((View.EXACT, []), (View.FOLDED, [GAP_WORD])):
        ordered, words = table.in_order(view)
        found = read(np.array(pieces, np.intp), np.array(held, np.int64), words)
        expected = [
            word
            for field in fields
            for number, text in enumerate(field)
            for word in [*(gap if number else []), *views(text)[view]]
        ]
        assert [ordered[term] for term in found.tolist()] == expected
        assert ordered == sorted(set(expected))


def some_document(number: int, rng: random.Random) -> SearchDocument:
    chosen = {name: " ".join(rng.choices(PARTS, k=rng.randint(0, 9))) for name in ("title", "text", "more")}
    return SearchDocument(
        id=f"d{number}",
        access=(PUBLIC,),
        texts={name: text for name, text in chosen.items() if text},
        facets={"theme": tuple(rng.sample(["A", "B", "C"], k=rng.randint(0, 3)))},
        numbers={"year": float(number)} if number % 3 else {},
        sort_keys={"title": f"{chosen['title']}\n{number % 9}"} if chosen["title"] else {},
        stored={"number": number},
        suggestions=(chosen["title"], chosen["text"]) if chosen["title"] and chosen["text"] else (),
    )


LIMITS = (
    "word_columns._READ_AT_ONCE", "word_columns._SORTED_AT_ONCE", "placed._MOST_PIECES", "placed._MOST_TEXTS",
    "spilled._MOST_IN_MEMORY", "spilled._READ_AT_ONCE", "spilled._WAITING_LINES",
)  # fmt: skip
TINY = dict(zip(LIMITS, (1, 1, 1, 1, 0, 1, 1), strict=True))
SMALL = dict(zip(LIMITS, (40, 30, 4, 3, 64, 50, 7), strict=True))


@pytest.mark.parametrize("limits", [TINY, SMALL])
def test_a_segment_built_in_ranges_is_the_same(tmp_path: Path, monkeypatch, limits: dict[str, int]) -> None:
    monkeypatch.setattr(f"{FOLDER}.postings._WORTHWHILE", 1)

    def built() -> dict[str, Any]:
        rng, builder = random.Random(7), SegmentBuilder(SCHEMA, tmp_path)
        for number in range(60):
            builder.add(some_document(number, rng))
        return in_memory(builder.arrays(Base()))

    at_once = built()
    for name, value in limits.items():
        monkeypatch.setattr(f"{FOLDER}.{name}", value)
    in_ranges = built()
    assert at_once.keys() == in_ranges.keys()
    for name, values in at_once.items():
        assert values.dtype == in_ranges[name].dtype, name
        np.testing.assert_array_equal(values, in_ranges[name], name)
    assert not list(tmp_path.iterdir())


class Beside:
    """Chunks given to two workers in turn, of which the first to begin is the last to be done."""

    def __init__(self, chunks: Sequence[Sequence[SearchDocument]]) -> None:
        self.chunks = chunks

    def made_by(self, open_worker: Callable[[], Worker[Any]]) -> Iterator[Any]:
        workers = [open_worker(), open_worker()]
        for number, chunk in enumerate(self.chunks):
            yield from workers[number % 2].take(number, chunk)
        for worker in reversed(workers):
            yield from worker.finish()


@pytest.mark.parametrize("built_at_once", [2, 100])
def test_of_documents_with_one_id_that_of_the_last_chunk_stays(
    tmp_path: Path, monkeypatch, built_at_once: int
) -> None:
    monkeypatch.setattr(f"{FOLDER}.writing.BUILT_AT_ONCE", built_at_once)
    rng = random.Random(3)
    made, left = ColumnsFormat(SCHEMA), dict[str, object]()
    for position in range(3):
        chunks = [
            [SearchDocument(f"d{rng.randint(0, 20)}", (PUBLIC,), {"title": f"{position} {number}"}, stored={"at": [position, number]})
             for _ in range(rng.randint(0, 5))]
            for number in range(9)
        ]  # fmt: skip
        left |= {document.id: document.stored for chunk in chunks for document in chunk}
        made.write(tmp_path, Beside(chunks), (), position)
        found = made.snapshot(tmp_path).search(SearchRequest(access=frozenset({PUBLIC}), limit=100), Query())
        assert found.total == len(left)
        assert {match.id: match.kept.stored for match in found.matches} == left
