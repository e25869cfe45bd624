"""The shared strings of an XLSX as one array, taken from the bytes where they are plain.

Called by `quick_sheet` once a workbook. A list of plain texts is cut up as a whole; those of them that have entities
or white space at their ends are asked of the library, and so is the whole list where any text is rich.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from opendata.resources.formats.library_answers import MOST_ANSWERS
from opendata.resources.formats.sheet_cells import cleaned
from opendata.resources.formats.sheet_xml import PADDING, IrregularSheetError, between, words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from opendata.resources.formats.library_answers import LibraryAnswers

PART: Final = "xl/sharedStrings.xml"
# What the library changes in a text, or may: entities, escaped characters, line ends, white space at its ends.
SPECIAL: Final = r"[&\r]|_[xX]"
TRIMMED: Final = r"^[\s\pZ]|[\s\pZ]$"
SPECIAL_OR_TRIMMED: Final = f"{SPECIAL}|{TRIMMED}"
_HEAD: Final = re.compile(rb'\A(?:<\?xml [^<>?]*encoding="[Uu][Tt][Ff]-8"[^<>?]*\?>\s*)?<sst [^<>]*>')
_END: Final = b"</sst>"
# The tags of each text, and where one of them may have an attribute.
_TAGS: Final = (b"<si>", b"<t>", b"</t>", b"</si>")
_PRESERVED: Final = b'<t xml:space="preserve">'


def shared_strings(xml: bytes, library: LibraryAnswers) -> pa.Array:
    """All shared strings, cleaned as cells are. Raises IrregularSheetError where the library does."""
    try:
        raw = _plain(xml)
    except IrregularSheetError:
        count = xml.count(b"<si>")
        return cleaned(pa.array(_asked(xml, count, library), pa.string()))
    head = _HEAD.match(xml)
    start = head[0] if head else b""
    # That this is the part the library takes its strings from.
    if _asked(start + b"<si><t>x</t></si>" + _END, 1, library) != ["x"]:
        raise IrregularSheetError
    special = pc.match_substring_regex(raw, SPECIAL_OR_TRIMMED)
    if pc.any(special).as_py():
        places = np.flatnonzero(special.to_numpy(zero_copy_only=False))
        items = [b"<si>%b</si>" % item for item in re.findall(rb"<si>(.*?)</si>", xml, re.DOTALL)]
        chosen = b"".join(items[place] for place in places.tolist())
        given = pa.array(_asked(start + chosen + _END, len(places), library), pa.string())
        raw = pc.replace_with_mask(raw, special, given)
    return cleaned(raw)


def _asked(xml: bytes, count: int, library: LibraryAnswers) -> list[Any]:
    if count > MOST_ANSWERS:
        raise IrregularSheetError
    return library.cells([b' t="s"><v>%d</v>' % number for number in range(count)], {PART: xml})


def _plain(xml: bytes) -> pa.Array:
    """The texts as they stand. Raises IrregularSheetError where one is more than a plain text."""
    head, end = _HEAD.match(xml), xml.rfind(_END)
    if head is None or xml[end:].rstrip() != _END:
        raise IrregularSheetError
    block = xml[head.end() : end] + PADDING
    data = np.frombuffer(block, np.uint8)
    less, more = np.flatnonzero(data == ord("<")), np.flatnonzero(data == ord(">"))
    count = len(less) // len(_TAGS)
    if not count or len(less) != len(more) or len(less) % len(_TAGS):
        raise IrregularSheetError
    words = words_of(block)[less].reshape(count, len(_TAGS))
    lengths = (more - less).reshape(count, len(_TAGS)) + 1
    gaps = np.append(less[1:] - more[:-1] - 1, len(block) - len(PADDING) - more[-1] - 1)
    holds_text = np.arange(len(less)) % len(_TAGS) == 1
    is_regular = less[0] == 0 and (gaps >= 0).all() and not gaps[~holds_text].any()
    for place, tag in enumerate(_TAGS):
        fits = _is_tag(words[:, place], lengths[:, place], tag)
        if tag == b"<t>":
            fits |= _is_tag(words[:, place], lengths[:, place], _PRESERVED)
        is_regular = is_regular and fits.all()
    if not is_regular:
        raise IrregularSheetError
    starts, ends = more[1 :: len(_TAGS)] + 1, less[2 :: len(_TAGS)]
    try:
        return pc.cast(between(block, starts, ends).take(pa.array(np.arange(0, 2 * count, 2))), pa.string())
    except pa.ArrowInvalid as error:
        raise IrregularSheetError from error


def _is_tag(words: NDArray[Any], lengths: NDArray[Any], tag: bytes) -> NDArray[Any]:
    """Whether these are the tag: its length, and its first eight bytes."""
    first = tag[:8]
    mask = np.uint64((1 << 8 * len(first)) - 1)
    fits: NDArray[Any] = np.equal(words & mask, np.uint64(int.from_bytes(first, "little")))
    fits &= lengths == len(tag)
    return fits
