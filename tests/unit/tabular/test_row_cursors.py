"""A cursor comes back as it was made; anything else is recognised as not a cursor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendata.tabular.cursor import Cursor, cursor_version, decode_cursor, encode_cursor
from opendata.tabular.problems import CursorUnreadableError

cursors = st.builds(
    Cursor,
    version_id=st.text(st.characters(codec="utf-8"), max_size=40),
    fingerprint=st.binary(min_size=8, max_size=8),
    start=st.integers(0, 2**48 - 1),
)


@given(cursors)
def test_round_trip(cursor: Cursor) -> None:
    text = encode_cursor(cursor)
    assert decode_cursor(text) == cursor
    assert cursor_version(text) == cursor.version_id
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(cursors, st.data())
def test_a_changed_cursor_is_recognised(cursor: Cursor, data: st.DataObject) -> None:
    text = encode_cursor(cursor)
    place = data.draw(st.integers(0, len(text) - 1))
    # the last letter carries bits that belong to no byte, so it is not changed but cut
    changed = text[:place] + data.draw(st.sampled_from("AZaz09-_")) + text[place + 1 :]
    for wrong in {changed, text[:-1], text + "AAAA", text[1:]} - {text}:
        if wrong[:-1] != text[:-1] or len(wrong) != len(text):
            with pytest.raises(CursorUnreadableError):
                decode_cursor(wrong)


@given(st.text(max_size=60))
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(CursorUnreadableError):
        decode_cursor(text)
