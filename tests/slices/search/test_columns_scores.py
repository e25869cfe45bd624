"""What a document scores in the engine of columns, against BM25 written down in plain Python; and what a commit leaves."""

from __future__ import annotations

import random
from math import log
from typing import TYPE_CHECKING

import pytest

from opendata.search.analysis import View, views
from opendata.search.port import PUBLIC, IndexSchema, SearchDocument, SearchRequest, TextField
from opendata.search.query import HELD_BONUS, PRIOR_WEIGHT, RARITY, WEIGHTS
from opendata.search.service import SearchService

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

EVERYONE = frozenset({PUBLIC})
BOOSTS = {"title": 3.0, "text": 1.0}
SCHEMA = IndexSchema(texts=tuple(TextField(name, boost) for name, boost in BOOSTS.items()))
WORDS = ("giá", "gia", "đất", "dat", "nước", "sạch", "dân", "số", "huyện", "xã")


def made(number: int, rng: random.Random) -> SearchDocument:
    texts = {
        "title": rng.choices(WORDS, k=rng.randint(1, 5)),
        "text": rng.choices(WORDS, k=rng.randint(0, 30)),
    }
    return SearchDocument(
        id=f"d{number}",
        access=(PUBLIC,),
        texts={name: " ".join(words) for name, words in texts.items() if words},
        prior=rng.random(),
    )


def bm25(documents: Sequence[SearchDocument], view: View, term: str, weight: float) -> dict[str, float]:
    """k1 = 1.2, b = 0.75, each field by itself; how rare a term is counts a little more than BM25 has it."""
    gained = dict.fromkeys((one.id for one in documents), 0.0)
    for name, boost in BOOSTS.items():
        # The pairs of a text are as long as its words.
        lengths = {one.id: len(views(one.texts.get(name, ""))[View.FOLDED]) for one in documents}
        times = {one.id: views(one.texts.get(name, ""))[view].count(term) for one in documents}
        holding, total = sum(count > 0 for count in times.values()), len(documents)
        average = sum(lengths.values()) / total
        rare = log(1 + (total + 1 - holding + 0.5) / (holding + 0.5))
        rare *= log(1 + (total - holding + 0.5) / (holding + 0.5)) ** RARITY
        for one, count in times.items():
            part = count * 2.2 / (count + 1.2 * (0.25 + 0.75 * lengths[one] / average)) if count else 0.0
            gained[one] += weight * boost * rare * part
    return gained


def expected(
    documents: Sequence[SearchDocument], scored: Mapping[tuple[View, str], float], held: Sequence[str]
) -> dict[str, float]:
    parts = [bm25(documents, view, term, weight) for (view, term), weight in scored.items()]
    folded = {
        one.id: {word for text in one.texts.values() for word in views(text)[View.FOLDED]}
        for one in documents
    }
    return {
        one.id: (
            sum(part[one.id] for part in parts) + HELD_BONUS * sum(word in folded[one.id] for word in held)
        )
        * (1 + PRIOR_WEIGHT * one.prior)
        for one in documents
    }


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("everywhere", [False, True])
def test_scores_are_bm25_of_every_text(tmp_path: Path, monkeypatch, seed: int, everywhere: bool) -> None:
    if everywhere:
        monkeypatch.setattr("opendata.search.engines.columns.postings._WORTHWHILE", 1)
    rng = random.Random(seed)
    documents = [made(number, rng) for number in range(60)]
    service = SearchService(f"columns://{tmp_path}/index", SCHEMA)
    service.rebuild(documents, 1)
    for text, scored, held in (
        ("giá", {(View.EXACT, "giá"): 1, (View.FOLDED, "gia"): 1}, ["gia"]),
        (
            "đất nước",
            {
                (View.EXACT, "đất"): 1, (View.FOLDED, "dat"): 1, (View.EXACT, "nước"): 1,
                (View.FOLDED, "nuoc"): 1, (View.PAIRS, "dat_nuoc"): 1,
            },
            ["dat", "nuoc"],
        ),
    ):  # fmt: skip
        weighed = {(view, term): WEIGHTS[view] for view, term in scored}
        wanted = expected(documents, weighed, held)
        hits = service.search(SearchRequest(access=EVERYONE, text=text, limit=100)).hits
        assert len(hits) > 10
        for hit in hits:
            assert hit.score == pytest.approx(wanted[hit.id], rel=3e-3)


def test_a_killed_writer_leaves_nothing_that_counts(tmp_path: Path) -> None:
    rng = random.Random(3)
    service = SearchService(f"columns://{tmp_path}/index", SCHEMA)
    service.rebuild([made(number, rng) for number in range(20)], 1)
    service.index([], ["d3"], 2)
    (folder,) = (tmp_path / "index").glob("generation-*")
    kept = {path.name for path in folder.iterdir()}
    (folder / "0123456789abcdef.seg").write_bytes(b"half written")
    (folder / "commit.json.new").write_bytes(b"{")
    again = SearchService(f"columns://{tmp_path}/index", SCHEMA)
    assert (again.position(), again.count()) == (2, 19)
    again.index([made(50, rng)], [], 3)
    assert (again.position(), again.count()) == (3, 20)
    left = {path.name for path in folder.iterdir()}
    assert not {"0123456789abcdef.seg", "commit.json.new"} & left
    assert len(left) <= len(kept)


def test_what_the_layout_cannot_hold_is_refused(tmp_path: Path) -> None:
    many = IndexSchema(texts=tuple(TextField(f"t{number}", 1.0 + number) for number in range(9)))
    with pytest.raises(ValueError, match="at most 8"):
        SearchService(f"columns://{tmp_path}/index", many)
    with pytest.raises(ValueError, match="names of facets"):
        SearchService(f"columns://{tmp_path}/index", IndexSchema(texts=(TextField("t"),), facets=("access",)))


def test_ids_to_remove_may_be_read_once_only(tmp_path: Path, monkeypatch) -> None:
    """They are looked for in every segment."""
    monkeypatch.setattr("opendata.search.engines.columns.writing.BUILT_AT_ONCE", 4)
    for module in ("writing", "commits"):
        monkeypatch.setattr(f"opendata.search.engines.columns.{module}.SMALL", 1)
    rng = random.Random(4)
    service = SearchService(f"columns://{tmp_path}/index", SCHEMA)
    service.rebuild([made(number, rng) for number in range(12)], 1)
    service.index([], iter(["d1", "d6", "d11"]), 2)
    assert service.count() == 9
