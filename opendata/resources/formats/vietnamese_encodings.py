"""The two Vietnamese encodings of the years before Unicode: TCVN3 (ABC fonts) and VNI for Windows.

Both write Vietnamese with letters that other programs take for Western ones, so that files hold `Tæng sè` or
`Toång soá` where `Tổng số` is meant, even in workbooks that say they are Unicode. Used by the survey of text
files, by `clean_text` (as codecs, registered when this module is imported) and by the workbook reader. Tables:
TCVN 5712:1993, part VN3, and the character table of VNI for Windows.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

TCVN3: Final = "tcvn3"
VNI: Final = "vni"
NAMES: Final = {TCVN3: "TCVN3 (ABC)", VNI: "VNI-Windows"}

# TCVN 5712:1993 VN3, bytes 0xA1 to 0xFE; a dot stands where it has no letter of its own. Capital letters with
# a tone have no code: fonts whose name ends in H show the small ones as capitals.
_TCVN3_HIGH: Final = (
    "ĂÂÊÔƠƯĐăâêôơưđ......àảãáạ.ằẳẵắ.......ặầẩẫấậè.ẻẽéẹềểễếệìỉ...ĩíịò.ỏõóọồổỗốộờởỡớợù.ủũúụừửữứựỳỷỹýỵ"
)
# VNI writes the marks of a letter as one character after it.
_VNI_MARKS: Final = {
    0xD8: "\u0300",
    0xD9: "\u0301",
    0xDB: "\u0309",
    0xD5: "\u0303",
    0xCF: "\u0323",
    0xC2: "\u0302",
    0xC1: "\u0302\u0301",
    0xC0: "\u0302\u0300",
    0xC5: "\u0302\u0309",
    0xC3: "\u0302\u0303",
    0xC4: "\u0302\u0323",
    0xCA: "\u0306",
    0xC9: "\u0306\u0301",
    0xC8: "\u0306\u0300",
    0xDA: "\u0306\u0309",
    0xDC: "\u0306\u0303",
    0xCB: "\u0306\u0323",
}
_VNI_LETTERS: Final = {
    0xD1: "Đ",
    0xD4: "Ơ",
    0xD6: "Ư",
    0xC6: "Ỉ",
    0xD3: "Ĩ",
    0xD2: "Ị",
    0xCE: "Ỵ",
    0xCC: "Ì",
    0xCD: "Í",
}
_TO_SMALL: Final = 0x20


def _tcvn3_table() -> dict[int, str]:
    return {0xA1 + place: letter for place, letter in enumerate(_TCVN3_HIGH) if letter != "."}


def _vni_table() -> dict[int, str]:
    letters = dict(_VNI_LETTERS)
    letters |= {code + _TO_SMALL: letter.lower() for code, letter in _VNI_LETTERS.items()}
    marks = dict(_VNI_MARKS)
    marks |= {code + _TO_SMALL: mark for code, mark in _VNI_MARKS.items()}
    return letters | marks


TABLES: Final = {TCVN3: _tcvn3_table(), VNI: _vni_table()}
# A word of the capital fonts: its plain letters are capitals, two at least, the others came out small.
_CAPITALS: Final = re.compile(r"(?<![^\W\d_])[^\W\d_]*[A-Z][^\W\d_]*[A-Z][^\W\d_]*")
_SMALL_ASCII: Final = re.compile("[a-z]")


def decode_text(text: str, encoding: str) -> str:
    """Text whose characters really are bytes of that encoding, as NFC; characters beyond U+00FF stay."""
    decoded = unicodedata.normalize("NFC", text.translate(TABLES[encoding]))
    return raise_capitals(decoded) if encoding == TCVN3 else decoded


def raise_capitals(text: str) -> str:
    """Words such as `TổNG CộNG` in capitals: TCVN3 has no capital letters with a tone."""
    return _CAPITALS.sub(_raised, text)


def _raised(found: re.Match[str]) -> str:
    word = found[0]
    return word if _SMALL_ASCII.search(word) else word.upper()


def _byte_table(encoding: str) -> dict[int, str]:
    """All 256 bytes: ASCII, the letters of the encoding, and for the rest what Windows-1252 has there."""
    table = {}
    for code in range(256):
        western = bytes([code]).decode("cp1252", "ignore")
        table[code] = TABLES[encoding].get(code) or western or chr(code)
    return table


def _codec(encoding: str) -> codecs.CodecInfo:
    table = _byte_table(encoding)

    class Decoder(codecs.IncrementalDecoder):
        def decode(self, data: ReadableBuffer, final: bool = False) -> str:  # noqa: ARG002, FBT001, FBT002 - as codecs want it
            return codecs.charmap_decode(bytes(data), self.errors, table)[0]

    def decode(data: ReadableBuffer, errors: str = "strict", /) -> tuple[str, int]:
        return codecs.charmap_decode(bytes(data), errors, table)

    def encode(text: str, _errors: str = "strict", /) -> tuple[bytes, int]:
        raise UnicodeEncodeError(encoding, text, 0, len(text), "is only ever read")

    return codecs.CodecInfo(encode, decode, incrementaldecoder=Decoder, name=encoding)


_CODECS: Final = {encoding: _codec(encoding) for encoding in TABLES}
codecs.register(_CODECS.get)
