"""The parts of a workbook, looked at before a library reads them: their true size, and no declarations.

Called by `signature`. The library unpacks what it finds until the memory is full, whatever the list of members
says, so every part is unpacked once here and only counted (some 400 MB a second). XML in a workbook never
declares anything: a document type there means entities that multiply or fetch a file, so it is refused. The
library reads an OpenDocument workbook whole as soon as it opens it, so how large its sheets are is found out here.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Final

from opendata.resources.formats.sheet_extent import check_open_document
from opendata.resources.formats.unpacking import UnpackingError, check_unpacked
from opendata.resources.formats.zip_directory import content
from opendata.resources.ingest.problems import Problem, UnreadableError, shown

if TYPE_CHECKING:
    from pathlib import Path

    from opendata.resources.formats.zip_directory import Entry

HEAD_BYTES: Final = 65_536
_READ: Final = (".xml", ".rels", ".bin")
_BEFORE_ROOT: Final = re.compile(r"\ufeff?\s*(?:(?:<\?.*?\?>|<!--.*?-->)\s*)*", re.DOTALL)


def check_workbook(path: Path, entries: list[Entry], found: str) -> None:
    """Raises UnreadableError for a part that is locked, damaged, a bomb, or declares a document type."""
    for entry in entries:
        if entry.is_encrypted:
            raise UnreadableError(Problem("workbook-locked"))
        check_unpacked(entry.unpacked, entry.packed)
        if not entry.name.endswith(_READ):
            continue
        try:
            pieces = content(path, entry)
            head = next(pieces, b"")
            if found == "ods" and entry.name == "content.xml":
                check_open_document(chain([head], pieces))
            for _ in pieces:
                pass
        except UnpackingError as error:
            raise UnreadableError(Problem("archive-damaged", {"found": found})) from error
        # The manifest of old OpenDocument files names its document type, and nobody reads it.
        is_read = entry.name == "content.xml" or entry.name.startswith("xl/")
        if is_read and entry.name.endswith((".xml", ".rels")) and has_declarations(head[:HEAD_BYTES]):
            raise UnreadableError(Problem("xml-declarations", {"part": shown(entry.name)}))


def head_of(path: Path, entry: Entry) -> bytes:
    """The first bytes of a member, empty for one that cannot be unpacked."""
    if entry.is_encrypted:
        return b""
    try:
        return next(content(path, entry), b"")[:HEAD_BYTES]
    except UnpackingError:
        return b""


def has_declarations(head: bytes) -> bool:
    """Whether XML starts with a document type, or with 64 KB of something else than its first element."""
    text = _decoded(head)
    before = _BEFORE_ROOT.match(text)
    rest = text[before.end() :] if before else text
    return rest.startswith("<!") or (len(head) >= HEAD_BYTES and not rest.strip())


def _decoded(head: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"<\0", "utf-16-le")):
        if head.startswith(mark):
            return head.decode(encoding, "replace")
    for mark, encoding in ((b"\xfe\xff", "utf-16-be"), (b"\0<", "utf-16-be")):
        if head.startswith(mark):
            return head.decode(encoding, "replace")
    return head.decode("utf-8", "replace")
