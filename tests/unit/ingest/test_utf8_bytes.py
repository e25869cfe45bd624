"""What is told of UTF-8 by its bytes is what Python's codec and `unicodedata` say of the text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.resources.formats import text as text_files
from opendata.resources.formats.utf8_bytes import controls_among, is_surely_composed, is_utf8, rare_bytes
from opendata.resources.ingest.problems import UnreadableError

vietnamese = st.text(
    st.sampled_from('aAeêơ đĐữỹ\n;"\r–\u0301\u0323\u1e9b\u2000\u212b\u1100\u1161\u11a8각'), max_size=12
)
broken = st.builds(
    lambda text, place, junk: text.encode()[:place] + junk + text.encode()[place:],
    vietnamese,
    st.integers(0, 12),
    st.sampled_from(
        [b"", b"\xff", b"\xe1\xbb", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\x80", b"\xf0\x9f"]
    ),
)


def decoded(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


@given(st.one_of(broken, st.binary(max_size=8)))
def test_utf8_is_what_python_takes_for_it(content) -> None:
    assert is_utf8(content) == (decoded(content) is not None)


@given(st.one_of(vietnamese, st.text(max_size=5)))
def test_what_is_surely_composed_is_nfc(text) -> None:
    content = text.encode()
    if is_surely_composed(content, rare_bytes(content)):
        assert unicodedata.is_normalized("NFC", text)


def test_no_character_taken_for_sure_ever_changes_or_joins() -> None:
    sure = [*range(0x80, 0x300), *range(0x1E00, 0x1F00)]
    for char in map(chr, sure):
        assert is_surely_composed(char.encode(), rare_bytes(char.encode()))
        assert unicodedata.combining(char) == 0
        for text in (char, "a" + char, "ê" + char, char + char):
            assert unicodedata.normalize("NFC", text) == text
    assert not is_surely_composed("\u0301".encode(), rare_bytes("\u0301".encode()))
    assert not is_surely_composed("\u1100".encode(), rare_bytes("\u1100".encode()))


def test_control_characters_are_counted() -> None:
    assert controls_among(rare_bytes("a\tb\x01ế–\x7f\n".encode())) == 2


@settings(deadline=None)
@given(content=st.one_of(vietnamese.map(str.encode), broken), size=st.integers(1, 7))
def test_a_survey_in_small_chunks_is_that_of_the_whole(content, size, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("survey") / "text"
    path.write_bytes(b"x" + content)

    def outcome():
        try:
            return text_files.survey_text(path, "csv", lambda _: None)
        except UnreadableError as error:
            return error.problem

    whole = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_files, "CHUNK", size)
        pieces = outcome()
    if isinstance(whole, text_files.TextSurvey) and isinstance(pieces, text_files.TextSurvey):
        text = (b"x" + content).decode(whole.encoding)
        assert whole.is_plain == (whole.encoding == "utf-8" and unicodedata.is_normalized("NFC", text))
        same = ("sha256", "md5", "encoding", "line_end", "quotes", "size", "is_plain")
        assert [getattr(whole, name) for name in same] == [getattr(pieces, name) for name in same]
    else:
        assert whole == pieces
