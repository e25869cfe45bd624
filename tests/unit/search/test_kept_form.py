"""What comes back with a hit is what was given, however it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from opendata.search.fields import KeptForm
from opendata.search.port import PUBLIC, IndexSchema, SearchDocument, TextField

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = IndexSchema(
    texts=(TextField("title"), TextField("place", snippet=False), TextField("description"), TextField("more"))
)
words = st.text('aáđ 1\n"\\ế', max_size=12)
values = st.none() | st.integers(-5, 5) | words | st.lists(words, max_size=2)


def document(texts: Mapping[str, str], stored: Mapping[str, object]) -> SearchDocument:
    return SearchDocument(id="d", access=(PUBLIC,), texts=texts, stored=stored)


@given(
    texts=st.dictionaries(st.sampled_from(["title", "place", "description", "more"]), words),
    stored=st.dictionaries(words, values | st.dictionaries(words, values, max_size=3), max_size=4),
    shared=st.integers(0, 12),
    lines=st.lists(words.filter(bool), max_size=3),
)
def test_what_is_read_is_what_was_written(
    texts: dict[str, str], stored: dict[str, object], shared: int, lines: list[str]
) -> None:
    stored["said"] = {name: text[:shared] for name, text in texts.items() if name != "place"}
    form = KeptForm(SCHEMA)
    kept = form.written(document(texts, stored), lines).encode()
    read = form.of(kept)
    assert read.stored == stored
    assert read.texts == {name: texts.get(name, "") for name in ("title", "description", "more")}
    assert form.lines(kept) == lines
    some = list(stored)[::2]
    assert form.told(kept, some) == {name: stored[name] for name in some or stored}


def test_letters_of_a_text_are_kept_once() -> None:
    title, description = "Dân số theo tỉnh", "Số dân của mỗi tỉnh, " * 40
    said = {"title": {"vi": title}, "summary": {"vi": description[:400]}}
    kept = KeptForm(SCHEMA).written(document({"title": title, "description": description}, said), [])
    assert kept.count(title) == 1
    assert len(kept) < len(title) + len(description) + 100


def test_a_value_that_begins_no_text_is_kept_as_it_is() -> None:
    said = {"title": {"vi": "Dân số", "en": "Population"}}
    form = KeptForm(SCHEMA)
    kept = form.written(document({"title": "Dân số"}, said), [])
    assert form.of(kept.encode()).stored == said


def test_the_sign_between_texts_ends_no_text() -> None:
    form = KeptForm(SCHEMA)
    read = form.of(form.written(document({"title": "a\0b", "more": "c"}, {"n": "a\0b"}), ["line"]).encode())
    assert dict(read.texts) == {"title": "a b", "description": "", "more": "c"}
    assert read.stored == {"n": "a\0b"}


def test_content_tells_documents_apart() -> None:
    form = KeptForm(SCHEMA)
    one, same, other = (
        form.of(form.written(document({"title": title}, {}), []).encode()) for title in ("a", "a", "b")
    )
    assert one.content == same.content != other.content
