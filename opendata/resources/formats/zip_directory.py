"""The list of members of a ZIP container, read here so that a lying one is found out before anything trusts it.

Called by `signature` for every ZIP, workbooks included, and by `archives`. It costs one read of the list and 30
bytes for each member, never their content. Refused are lists that contradict themselves, the file or the
headers before each member; members that share bytes (one kilobyte that unpacks a thousand times), stand twice
under one name, or claim more than deflate can hold. Layout: PKWARE APPNOTE 6.3, sections 4.3.7 to 4.3.16.
"""

from __future__ import annotations

import os
import re
import stat
import struct
import zlib
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NoReturn

from opendata.kernel.text import nfc
from opendata.resources.formats.unpacking import CHUNK, MOST_DIRECTORY, MOST_MEMBERS, UnpackingError, inflated
from opendata.resources.ingest.problems import Problem, UnreadableError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

STORED: Final = 0
DEFLATED: Final = 8
_MOST_RATIO: Final = 1032
_SMALLEST_STREAM: Final = 64
_COMMENT: Final = 65_535
_FULL_16: Final = 0xFFFF
_FULL_32: Final = 0xFFFFFFFF
_ENCRYPTED: Final = 0x1
_UTF8: Final = 0x800
_UNIX: Final = 3
_ZIP64: Final = 1
_END: Final = struct.Struct("<4s4H2LH")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR: Final = struct.Struct("<4sLQL")
_CENTRAL: Final = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL: Final = struct.Struct("<4s2B4HL2L2H")
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One member. `start` is where its packed bytes begin; sizes in bytes, as the list says."""

    name: str
    packed: int
    unpacked: int
    method: int
    start: int
    is_encrypted: bool
    mode: int
    checksum: int

    @property
    def is_folder(self) -> bool:
        return self.name.endswith("/")


@dataclass(frozen=True, slots=True)
class _Listed:
    entry: Entry
    raw_name: bytes
    offset: int


def read_directory(path: Path) -> list[Entry]:
    """The members in the order of the list. Raises UnreadableError, `archive-damaged` for a file cut off."""
    with path.open("rb") as source:
        size = source.seek(0, os.SEEK_END)
        start, length, count = _end(source, size)
        if length > MOST_DIRECTORY or count > MOST_MEMBERS:
            raise UnreadableError(Problem("archive-too-many", {"limit": MOST_MEMBERS}))
        source.seek(start)
        listed = list(_listed(source.read(length), count))
        entries = [replace(each.entry, start=_content_start(source, each)) for each in listed]
    spans = sorted(
        (each.offset, entry.start + entry.packed) for each, entry in zip(listed, entries, strict=True)
    )
    if any(end > following for (_, end), (following, _) in pairwise([*spans, (start, start)])):
        raise UnreadableError(Problem("archive-overlapping"))
    names: set[str] = set()
    for entry in entries:
        if entry.name in names:
            raise UnreadableError(Problem("archive-duplicate-name", {"member": shown(entry.name)}))
        names.add(entry.name)
    return entries


def check_names(entries: list[Entry]) -> None:
    """Raises UnreadableError for an archive that would write outside its folder wherever it is unpacked."""
    for entry in entries:
        if not is_safe_name(entry.name):
            raise UnreadableError(Problem("archive-unsafe-name", {"member": shown(entry.name)}))
        if (
            entry.mode
            and not (stat.S_ISREG(entry.mode) or stat.S_ISDIR(entry.mode))
            and stat.S_IFMT(entry.mode)
        ):
            raise UnreadableError(Problem("archive-link", {"member": shown(entry.name)}))


def is_safe_name(name: str) -> bool:
    """Whether a name is a path within the archive on every system it may be unpacked on."""
    parts = name.rstrip("/").split("/")
    return not (
        _CONTROL.search(name)
        or "\\" in name
        or _DRIVE.match(name)
        or any(part in {"", ".", ".."} or _DEVICE.fullmatch(part.rstrip(" .")) for part in parts)
    )


def content(path: Path, entry: Entry) -> Iterator[bytes]:
    """The bytes of a member, never more than the list says it has.

    Raises UnpackingError for a damaged member and for a method that is neither stored nor deflated.
    """
    with path.open("rb") as source:
        source.seek(entry.start)
        packed = _packed(source, entry.packed)
        if entry.method == STORED:
            pieces = packed
        elif entry.method == DEFLATED:
            pieces = inflated(packed, most=entry.unpacked)
        else:
            raise UnpackingError("unknown method")
        done = checksum = 0
        for piece in pieces:
            done += len(piece)
            checksum = zlib.crc32(piece, checksum)
            yield piece
        if done != entry.unpacked or checksum != entry.checksum:
            raise UnpackingError("not what was said")


def _packed(source: BinaryIO, length: int) -> Iterator[bytes]:
    left = length
    while left:
        chunk = source.read(min(CHUNK, left))
        if not chunk:
            raise UnpackingError("cut off")
        left -= len(chunk)
        yield chunk


def _damaged() -> NoReturn:
    raise UnreadableError(Problem("archive-damaged", {"found": "zip"}))


def _inconsistent() -> NoReturn:
    raise UnreadableError(Problem("archive-inconsistent"))


def _end(source: BinaryIO, size: int) -> tuple[int, int, int]:
    """Where the list starts, its length in bytes and how many members it says it has."""
    tail_start = max(0, size - _COMMENT - _END.size - _LOCATOR.size)
    source.seek(tail_start)
    tail = source.read()
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0 and len(tail) - at - _END.size < (_comment_length(tail, at)):
        at = tail.rfind(b"PK\x05\x06", 0, at)
    if at < 0:
        _damaged()
    _, disk, first_disk, here, count, length, start, _ = _END.unpack_from(tail, at)
    end = tail_start + at
    if _FULL_16 in (here, count) or _FULL_32 in (length, start):
        locator = tail[max(0, at - _LOCATOR.size) : at]
        if locator.startswith(b"PK\x06\x07"):
            return _end64(source, locator, end - _LOCATOR.size)
    if disk or first_disk or here != count or start + length != end:
        _inconsistent()
    return start, length, count


def _comment_length(tail: bytes, at: int) -> int:
    if len(tail) - at < _END.size:
        return len(tail) + 1
    return int(_END.unpack_from(tail, at)[-1])


def _end64(source: BinaryIO, locator: bytes, end: int) -> tuple[int, int, int]:
    _, _, where, disks = _LOCATOR.unpack(locator)
    if where + _END64.size > end or disks > 1:
        _inconsistent()
    source.seek(where)
    mark, length64, _, _, disk, first_disk, here, count, length, start = _END64.unpack(
        source.read(_END64.size)
    )
    is_placed = where + 12 + length64 == end and start + length == where
    if mark != b"PK\x06\x06" or disk or first_disk or here != count or not is_placed:
        _inconsistent()
    return start, length, count


def _listed(directory: bytes, count: int) -> Iterator[_Listed]:
    at = 0
    for _ in range(count):
        if len(directory) - at < _CENTRAL.size:
            _inconsistent()
        fields = _CENTRAL.unpack_from(directory, at)
        mark, _, system, _, _, flags, method, _, _, checksum, packed, unpacked, named, extra, comment = (
            fields[:15]
        )
        attributes, offset = fields[17], fields[18]
        at += _CENTRAL.size
        raw_name = directory[at : at + named]
        packed, unpacked, offset = _sizes64(
            directory[at + named : at + named + extra], packed, unpacked, offset
        )
        at += named + extra + comment
        if mark != b"PK\x01\x02" or at > len(directory):
            _inconsistent()
        entry = Entry(
            name=_name(raw_name, is_utf8=bool(flags & _UTF8)),
            packed=packed,
            unpacked=unpacked,
            method=method,
            start=0,
            is_encrypted=bool(flags & _ENCRYPTED),
            mode=attributes >> 16 if system == _UNIX else 0,
            checksum=checksum,
        )
        _check_sizes(entry)
        yield _Listed(entry, raw_name, offset)
    if at != len(directory):
        _inconsistent()


def _check_sizes(entry: Entry) -> None:
    if entry.method == STORED and not entry.is_encrypted and entry.packed != entry.unpacked:
        _inconsistent()
    if entry.method == DEFLATED and entry.unpacked > entry.packed * _MOST_RATIO + _SMALLEST_STREAM:
        _inconsistent()


def _sizes64(extra: bytes, packed: int, unpacked: int, offset: int) -> tuple[int, int, int]:
    """The three numbers, those that are full taken from the ZIP64 field in the order it keeps them."""
    if _FULL_32 not in (packed, unpacked, offset):
        return packed, unpacked, offset
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        field = extra[at + 4 : at + 4 + length]
        at += 4 + length
        if kind != _ZIP64 or len(field) != length:
            continue
        values = iter(struct.unpack(f"<{length // 8}Q", field[: length // 8 * 8]))
        found = [next(values, -1) if each == _FULL_32 else each for each in (unpacked, packed, offset)]
        if -1 in found:
            break
        return found[1], found[0], found[2]
    _inconsistent()


def _content_start(source: BinaryIO, listed: _Listed) -> int:
    """Where the packed bytes of a member start; its own header must agree with the list."""
    source.seek(listed.offset)
    head = source.read(_LOCAL.size)
    if len(head) < _LOCAL.size or not head.startswith(b"PK\x03\x04"):
        _inconsistent()
    *_, named, extra = _LOCAL.unpack(head)
    method = _LOCAL.unpack(head)[4]
    if source.read(named) != listed.raw_name or method != listed.entry.method:
        _inconsistent()
    return listed.offset + _LOCAL.size + int(named) + int(extra)


def _name(raw: bytes, *, is_utf8: bool) -> str:
    """Programs of Windows write names in the code page of the machine and do not say so."""
    encodings = ("utf-8",) if is_utf8 else ("utf-8", "cp1258", "cp437")
    for encoding in encodings:
        try:
            return nfc(raw.decode(encoding))
        except UnicodeDecodeError:
            continue
    return nfc(raw.decode("utf-8", "replace"))
