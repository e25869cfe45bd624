"""Stored files as downloads: ranges, validators, names, and the headers that keep them from being pages.

Called by the API and the pages. Bytes go out exactly as stored and only as an attachment: whatever was
uploaded is never shown inside the portal's own address. Ranges follow RFC 9110 §14, names RFC 6266.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Self
from urllib.parse import quote

from flask import Response, request

from opendata.http.caching import answer_conditions, cache_control
from opendata.kernel.errors import N_, PortalError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

CHUNK: Final = 1 << 18
MOST_RANGES: Final = 16
NEVER_A_PAGE: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
}

_OK, _PARTIAL = 200, 206
_ANY_BYTES: Final = "application/octet-stream"
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}(; ?charset=[\w-]{1,20})?", re.ASCII)
# Types a browser would run as a document of this address if it ever got past the other headers.
_ACTIVE = re.compile(r"text/html|image/svg\+xml|application/xhtml\+xml|.*javascript|.*ecmascript")
_RANGE = re.compile(r"\s*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))\s*", re.ASCII)
_PLAIN_NAME = re.compile(r"[^A-Za-z0-9._ ()\[\]+=,@-]+")

Span = tuple[int, int]
"""First byte and length."""


class RangeError(PortalError):
    code: ClassVar[str] = "range-not-satisfiable"
    status: ClassVar[int] = 416
    template: ClassVar[str] = N_("The file has %(size)s bytes; the range asked for lies beyond its end.")

    def __init__(self, size: int) -> None:
        self.headers = {"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"}
        super().__init__(size=size)


@dataclass(frozen=True, slots=True)
class Download:
    """`tag` is a strong validator without quotes, the sha256 of the bytes; `size` in bytes.

    `pinned` says that this address will always give these bytes; `private` that it is not for everyone.
    """

    path: Path
    size: int
    tag: str
    filename: str
    media_type: str
    modified: dt.datetime | None = None
    pinned: bool = False
    private: bool = False

    @property
    def safe_type(self) -> str:
        known = _MEDIA_TYPE.fullmatch(self.media_type) and not _ACTIVE.match(self.media_type)
        return self.media_type if known else _ANY_BYTES


def send_download(download: Download) -> Response:
    """The answer to GET or HEAD: 200, 206 or 304. Raises RangeError (416) and OtherVersionError (412).

    The caller makes sure that the file is there (`FileStore.path` does); it is opened when the body is read.
    """
    response = Response(content_type=download.safe_type)
    response.headers.update(NEVER_A_PAGE)
    response.headers["Content-Disposition"] = content_disposition(download.filename)
    response.headers["Cache-Control"] = cache_control(private=download.private, pinned=download.pinned)
    response.headers["Accept-Ranges"] = "bytes"
    response.set_etag(download.tag)
    response.last_modified = download.modified
    answer_conditions(response)
    if response.status_code == _OK:
        _fill(response, download)
    return response


def starts_download(response: Response) -> bool:
    """Whether this answer hands over the file from its beginning: once a download, however it is split."""
    if request.method != "GET" or response.status_code not in {_OK, _PARTIAL}:
        return False
    content_range = response.headers.get("Content-Range", "bytes 0-")
    return response.content_type.startswith("multipart/byteranges") or content_range.startswith("bytes 0-")


def content_disposition(filename: str) -> str:
    """`attachment` with an ASCII name for old programs and the real one in UTF-8 (RFC 6266, RFC 8187)."""
    plain = _PLAIN_NAME.sub("_", _without_marks(filename)).strip() or "file"
    encoded = quote(filename, safe="", encoding="utf-8", errors="replace")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def _without_marks(name: str) -> str:
    """Like `kernel.text.fold`, with capital letters kept."""
    decomposed = unicodedata.normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def read_ranges(header: str, size: int) -> list[Span] | None:
    """The spans a Range header asks for, in its order; None when it has to be ignored.

    Ignored are other units, broken syntax, and sets of ranges that ask for more than the file
    (RFC 9110 §14.2 allows that, §17.15 advises it). Raises RangeError when nothing of it exists.
    """
    unit, separator, rest = header.partition("=")
    if not separator or unit.strip().lower() != "bytes":
        return None
    asked = rest.split(",")
    if len(asked) > MOST_RANGES:
        return None
    spans: list[Span] = []
    for part in asked:
        match = _RANGE.fullmatch(part)
        if match is None or (match[1] and match[2] and int(match[2]) < int(match[1])):
            return None
        spans.append(_span(match, size))
    existing = [span for span in spans if span[1] > 0]
    if not existing:
        raise RangeError(size)
    total = sum(length for _, length in existing)
    return existing if len(existing) == 1 or total <= size else None


def _span(match: re.Match[str], size: int) -> Span:
    """What `first-last`, `first-` or `-suffix` covers of the file; a length of 0 or less for nothing."""
    first, last, suffix = match.groups()
    if first is None:
        length = min(int(suffix), size)
        return size - length, length
    end = min(int(last), size - 1) if last else size - 1
    return int(first), end - int(first) + 1


def _fill(response: Response, download: Download) -> None:
    spans = _asked_spans(download)
    pieces: Sequence[bytes | Span]
    if spans is None:
        pieces = [(0, download.size)]
    elif len(spans) == 1:
        response.status_code = _PARTIAL
        response.headers["Content-Range"] = _content_range(spans[0], download.size)
        pieces = spans
    else:
        boundary = secrets.token_hex(16)
        pieces = _parts(spans, boundary, download)
        response.status_code = _PARTIAL
        response.content_type = f"multipart/byteranges; boundary={boundary}"
    response.content_length = sum(len(p) if isinstance(p, bytes) else p[1] for p in pieces)
    if request.method != "HEAD":
        response.response = _Pieces(download.path, pieces)
        response.direct_passthrough = True


def _asked_spans(download: Download) -> list[Span] | None:
    header = request.headers.get("Range")
    if header is None or request.method != "GET":
        return None
    # A date, a weak tag or another version's tag: the client's half is not of this file (§13.1.5).
    if request.headers.get("If-Range", f'"{download.tag}"').strip() != f'"{download.tag}"':
        return None
    return read_ranges(header, download.size)


def _parts(spans: Sequence[Span], boundary: str, download: Download) -> list[bytes | Span]:
    pieces: list[bytes | Span] = []
    for span in spans:
        head = (
            f"\r\n--{boundary}\r\nContent-Type: {download.safe_type}\r\n"
            f"Content-Range: {_content_range(span, download.size)}\r\n\r\n"
        )
        pieces += [head.encode("ascii"), span]
    return [*pieces, f"\r\n--{boundary}--\r\n".encode("ascii")]


def _content_range(span: Span, size: int) -> str:
    start, length = span
    return f"bytes {start}-{start + length - 1}/{size}"


class _Pieces:
    """A body of literal bytes and spans of one file, opened when it is first read and closed by the server."""

    def __init__(self, path: Path, pieces: Sequence[bytes | Span]) -> None:
        self._source = _read(path, pieces)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return next(self._source)

    def close(self) -> None:
        self._source.close()


def _read(path: Path, pieces: Sequence[bytes | Span]) -> Generator[bytes, None, None]:
    with path.open("rb") as handle:
        for piece in pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            start, left = piece
            handle.seek(start)
            while left > 0 and (chunk := handle.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk
