"""Counts on the bytes of a JSON value: held against what the decoder finds in the same value."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.resources.formats import json_outline
from opendata.resources.formats.json_outline import MOST_NAMES, Outline
from opendata.resources.formats.json_text import Window
from opendata.resources.formats.table import MOST_COLUMNS
from opendata.resources.ingest.problems import UnreadableError

SCALARS = st.none() | st.booleans() | st.integers() | st.text(alphabet='"\\{}[]:,ạa\n', max_size=8)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet='"\\{,ạ', max_size=4), inner)
)


def refused(text: str, *, as_row: bool) -> dict[str, object]:
    outline = Outline()
    outline.read(text)
    with pytest.raises(UnreadableError) as caught:
        outline.check(as_row=as_row)
    assert caught.value.problem.code == "too-many-columns"
    return dict(caught.value.problem.params)


@settings(max_examples=60, deadline=None)
@given(VALUES, st.booleans(), st.integers(1, 5), st.sampled_from([",1]", "}", "]", ' ,"a":{}']))
def test_a_value_is_whole_where_it_ends(value: object, is_ascii: bool, size: int, behind: str) -> None:
    """Whatever the pieces, signs in strings and escapes at their edges count for nothing."""
    text = json.dumps(value, ensure_ascii=is_ascii)
    outline = Outline()
    for start in range(0, len(text), size):
        assert not outline.is_whole
        outline.read(text[start : start + size])
    assert outline.is_whole is isinstance(value, list | dict)
    outline.read(behind)
    assert outline.is_whole


def test_names_and_entries_are_counted_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_outline, "_PIECE", 1000)
    record = json.dumps({f'"{{k{number}': [number, {"a": ","}] for number in range(MOST_COLUMNS + 5)})
    row = json.dumps([[number, ","] for number in range(MOST_COLUMNS + 7)])
    assert refused(record + ",{}", as_row=True) == {"columns": MOST_COLUMNS + 5, "limit": MOST_COLUMNS}
    assert refused(row + ",[]", as_row=True) == {"columns": MOST_COLUMNS + 7, "limit": MOST_COLUMNS}


@pytest.mark.parametrize("before", ['{"a":', '{"a":{"b":[0,', '[[[{"c":'])
def test_names_of_inner_objects_are_counted_at_any_depth(before: str) -> None:
    inner = json.dumps({f"k{number}": number for number in range(MOST_NAMES + 3)})
    found = refused(before + inner, as_row=True)
    assert found["limit"] == MOST_NAMES
    # Names of the objects around it may be counted with it.
    assert MOST_NAMES + 3 <= int(str(found["columns"])) <= MOST_NAMES + 5


def test_long_lists_and_many_small_objects_are_not_wide() -> None:
    places = json.dumps({"type": "LineString", "coordinates": [[1.5, 2.5]] * 90_000})
    listed = json.dumps({"id": 1, "rows": [{"a": 1, "b": 2}] * 60_000})
    for text in (places, listed):
        outline = Outline()
        outline.read(text)
        assert outline.is_whole
        outline.check(as_row=True)


def test_a_wide_value_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the decoder is shown stays short, though the record is of several megabytes."""
    record = json.dumps({f"k{number}": number for number in range(300_000)})
    window = Window(io.TextIOWrapper(io.BytesIO(f"[{record}]".encode())))
    window.take("[")
    shown: list[int] = []
    attempt = Window._attempt

    def watched(self: Window, *arguments: object) -> object:
        shown.append(len(self.buffer))
        return attempt(self, *arguments)  # type: ignore[arg-type]  # handed on as they come

    monkeypatch.setattr(Window, "_attempt", watched)
    with pytest.raises(UnreadableError) as caught:
        window.value(1, as_row=True)
    assert dict(caught.value.problem.params) == {"columns": 300_000, "limit": MOST_COLUMNS}
    assert max(shown) <= 2 * json_outline.SHORT


def test_a_long_value_that_is_broken_says_where() -> None:
    text = '{"a": "' + "x" * 400_000 + '",\n"b": [1, 2 3], "c": 4}\n' + '{"d": 5}' * 50_000
    window = Window(io.TextIOWrapper(io.BytesIO(text.encode())))
    with pytest.raises(UnreadableError) as caught:
        window.value(1, as_row=True)
    assert caught.value.problem.code == "json-invalid"
    assert (caught.value.problem.row, caught.value.problem.params["position"]) == (2, 12)


def test_long_values_one_after_the_other_are_decoded_as_they_are() -> None:
    values = [{"id": number, "text": '"\\{' * (40_000 + 9_000 * number)} for number in range(9)]
    window = Window(io.TextIOWrapper(io.BytesIO(json.dumps(values).encode())))
    window.take("[")
    for number, value in enumerate(values, 1):
        if number > 1:
            window.take(",")
        assert window.value(number, as_row=True) == {**value, "id": str(value["id"])}
    window.take("]")
