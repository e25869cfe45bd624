"""Which members of an archive are tables, told by name alone: nothing is unpacked here but the head of a gzip.

Called by `ingest.identify`, which has to know whether an archive is read or kept, and by `archives`, which reads.
"""

from __future__ import annotations

import struct
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from opendata.resources.formats.signature import claimed_format

if TYPE_CHECKING:
    from pathlib import Path

    from opendata.resources.formats.zip_directory import Entry

_HEAD: Final = 4096
_FIXED: Final = 10
_EXTRA, _NAME = 4, 8
_PACKED_ENDINGS: Final = (".gz", ".gzip")


def is_table_member(entry: Entry) -> bool:
    """Whether a member claims to be a table."""
    return is_content(entry) and claimed_format(PurePosixPath(entry.name).name) is not None


def may_be_table(entry: Entry) -> bool:
    """Whether a member is of a kind that only its content tells: XML may be a table, or describe a map beside it."""
    lowered = entry.name.lower()
    return is_content(entry) and lowered.endswith(".xml") and not lowered.endswith(".shp.xml")


def is_content(entry: Entry) -> bool:
    """Whether a member was put there by a person; systems add `__MACOSX/._x.csv` and `.DS_Store`."""
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(entry.name).parts)
    return not entry.is_folder and not is_hidden


def gzip_member(path: Path, filename: str) -> str:
    """The name of the file that was packed: as the publisher's name says, else as the header does."""
    lowered = filename.lower()
    for ending in _PACKED_ENDINGS:
        if lowered.endswith(ending) and "." in (stem := filename[: -len(ending)]):
            return stem
    if claimed_format(filename) is not None:
        return filename
    with path.open("rb") as source:
        head = source.read(_HEAD)
    return _name_in(head)


def _name_in(head: bytes) -> str:
    """RFC 1952, section 2.3: an optional field of known length, then the name up to a zero byte."""
    if len(head) < _FIXED or not head[3] & _NAME:
        return ""
    at = _FIXED
    if head[3] & _EXTRA and len(head) >= at + 2:
        at += 2 + int(struct.unpack_from("<H", head, at)[0])
    raw = head[at : head.find(b"\0", at)]
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        name = raw.decode("latin-1")
    return PurePosixPath(name).name
