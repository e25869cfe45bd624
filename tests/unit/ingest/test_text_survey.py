"""Encodings: proven where they can be, guessed with reason where they cannot, refused where they are none."""

from __future__ import annotations

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendata.resources.formats.clean_text import CleanText
from opendata.resources.formats.text import survey_text
from opendata.resources.ingest.problems import UnreadableError

VIETNAMESE = "Mã;Tên tỉnh\n01;Thừa Thiên Huế\n02;Đắk Lắk, Bà Rịa - Vũng Tàu\n03;Kỳ Sơn, Phường Ngọc Hà\n"


def cp1258(text: str) -> bytes:
    """Code page 1258 as Windows writes it: base letter, then the tone as a byte of its own."""
    tones = "\u0300\u0301\u0303\u0309\u0323"
    written = ""
    for char in unicodedata.normalize("NFD", text):
        written += char
    parts = []
    for cluster in unicodedata.normalize("NFC", text):
        decomposed = unicodedata.normalize("NFD", cluster)
        tone = "".join(mark for mark in decomposed if mark in tones)
        rest = unicodedata.normalize("NFC", "".join(mark for mark in decomposed if mark not in tones))
        parts.append(rest + tone)
    return "".join(parts).encode("cp1258")


def survey(content: bytes, tmp_path):
    path = tmp_path / "text"
    path.write_bytes(content)
    return path, survey_text(path, "csv", lambda _: None)


def cleaned(path, found, tail: str = "") -> str:
    with CleanText(
        path, found.encoding, mark_bytes=found.mark_bytes, is_plain=found.is_plain, tail=tail.encode()
    ) as raw:
        return io.BufferedReader(raw, 1000).read().decode()


@pytest.mark.parametrize(
    ("content", "encoding", "is_guess"),
    [
        (VIETNAMESE.encode(), "utf-8", False),
        (VIETNAMESE.encode("utf-8-sig"), "utf-8", False),
        (unicodedata.normalize("NFD", VIETNAMESE).encode(), "utf-8", False),
        (VIETNAMESE.encode("utf-16"), "utf-16-le", False),
        (b"\xfe\xff" + VIETNAMESE.encode("utf-16-be"), "utf-16-be", False),
        (VIETNAMESE.encode("utf-16-le"), "utf-16-le", False),
        (VIETNAMESE.encode("utf-16-be"), "utf-16-be", False),
        (VIETNAMESE.encode("utf-32"), "utf-32-le", False),
        (cp1258(VIETNAMESE), "cp1258", True),
    ],
)
def test_vietnamese_in_any_encoding_is_the_same_text(content, encoding, is_guess, tmp_path) -> None:
    path, found = survey(content, tmp_path)
    assert (found.encoding, found.is_guess) == (encoding, is_guess)
    assert cleaned(path, found) == VIETNAMESE


def test_western_text_is_read_as_windows_1252(tmp_path) -> None:
    text = "Région;Été\nÎle-de-France;“où”\n"
    path, found = survey(text.encode("cp1252"), tmp_path)
    assert (found.encoding, found.is_guess) == ("cp1252", True)
    assert cleaned(path, found) == text


def test_latin_1_is_the_last_resort(tmp_path) -> None:
    content = b"a;b\n" + "é".encode("latin-1") * 200 + b";\x81\n"  # 0x81 is no character of Windows-1252
    _path, found = survey(content, tmp_path)
    assert found.encoding == "latin-1"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\0" * 5000, "holds-nul"),
        (b"a,b\n1,\0\n", "holds-nul"),
        (bytes(range(1, 256)) * 20, "not-text"),
        (b"a\n" + b"\x81\x8d\x8f\x90\x9d" * 20, "not-text"),
        (VIETNAMESE.encode() * 3 + b"\xff\xfe;x\n", "invalid-utf8"),
        (VIETNAMESE.encode()[:-5] + b"\xe1\xbb", "invalid-utf8"),
        ("ab".encode("utf-16")[:-1], "archive-damaged"),
    ],
)
def test_what_is_no_text_is_refused(content, code, tmp_path) -> None:
    with pytest.raises(UnreadableError) as caught:
        survey(content, tmp_path)
    assert caught.value.problem.code == code


def test_broken_utf8_names_row_and_byte(tmp_path) -> None:
    start = VIETNAMESE.encode() * 1000
    with pytest.raises(UnreadableError) as caught:
        survey(start + b"x\xc3(\n" + start, tmp_path)
    problem = caught.value.problem
    assert problem.row == 4001
    assert problem.params["offset"] == len(start) + 1


@pytest.mark.parametrize(
    ("text", "line_end"),
    [("a\nb\n", "\n"), ("a\r\nb\r\n", "\r\n"), ("a\rb\r", "\r"), ("a\nb\r\n", "mixed"), ("a", "\n")],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_line_ends(text, line_end, encoding, tmp_path) -> None:
    assert survey(text.encode(encoding), tmp_path)[1].line_end == line_end


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a", "a\nEND"), ("a\n", "a\nEND"), ("a\r", "a\rEND"), ("", "END"), ("e\u0301", "é\nEND")],
)
def test_a_tail_stands_on_its_own_line(text, expected, tmp_path) -> None:
    path, found = survey(text.encode() or b"", tmp_path) if text else (tmp_path / "text", None)
    if found is None:
        path.write_bytes(b"")
        with CleanText(path, "utf-8", mark_bytes=0, is_plain=True, tail=b"END") as raw:
            assert raw.read() == b"END"
        return
    assert cleaned(path, found, "END") == expected


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=50), st.integers(1, 7))
def test_clean_text_is_the_nfc_of_the_text(text, size) -> None:
    """Wherever the chunks are cut."""
    import tempfile
    from pathlib import Path
    from unittest.mock import patch

    content = text.encode("utf-16-le")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_bytes(content)
        with (
            patch("opendata.resources.formats.clean_text.MEGABYTE", size * 2),
            CleanText(path, "utf-16-le", mark_bytes=0, is_plain=False) as raw,
        ):
            read = io.BufferedReader(raw, 16).read().decode()
    assert read == unicodedata.normalize("NFC", text)
