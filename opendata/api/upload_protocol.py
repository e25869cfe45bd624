"""The headers of the tus 1.0.0 protocol (https://tus.io/protocols/resumable-upload): read, checked, written.

Called by `uploads`. Every refusal is a problem like elsewhere, with the status that the protocol asks for.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, ClassVar, Final

from werkzeug.exceptions import ClientDisconnected
from werkzeug.http import http_date

from opendata.api import addresses
from opendata.http.uploads import BrokenUploadError, CompressedUploadError
from opendata.kernel.errors import N_, FieldError, InvalidInputError, PortalError
from opendata.kernel.partial_uploads import ALGORITHMS, Checksum, UploadOverflowError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Request

    from opendata.kernel.partial_uploads import PartialUpload
    from opendata.kernel.storage import Readable

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,creation-with-upload,expiration,checksum,termination"
CONTENT_TYPE: Final = "application/offset+octet-stream"
LONGEST_METADATA: Final = 100_000  # a Table Schema may be in it
LONGEST_NUMBER: Final = 18
# What clients of tus in browsers send by themselves; nothing here needs it.
_PASSED_OVER: Final = frozenset({"filetype", "contentType", "name", "relativePath", "type"})


class OtherProtocolError(PortalError):
    code: ClassVar[str] = "tus-version"
    status: ClassVar[int] = 412
    template: ClassVar[str] = N_("Send the header Tus-Resumable: 1.0.0; no other version is spoken here.")
    headers: ClassVar[Mapping[str, str]] = {"Tus-Version": VERSION}


class UploadHeaderError(PortalError):
    code: ClassVar[str] = "upload-header"
    status: ClassVar[int] = 400
    template: ClassVar[str] = N_("The header %(name)s is missing or cannot be read: %(wanted)s.")


class NotChunkError(PortalError):
    code: ClassVar[str] = "not-a-chunk"
    status: ClassVar[int] = 415
    template: ClassVar[str] = N_("Send the bytes with Content-Type: application/offset+octet-stream.")


class ChunkBody:
    """The bytes of a request. Raises BrokenUploadError where fewer came than its Content-Length said."""

    def __init__(self, source: Readable, length: int | None) -> None:
        self._source = source
        self._left = length

    def read(self, size: int, /) -> bytes:
        try:
            piece = self._source.read(size if self._left is None else min(size, self._left))
        except ClientDisconnected as error:
            raise BrokenUploadError from error
        if self._left is not None:
            self._left -= len(piece)
            if not piece and self._left:
                raise BrokenUploadError
        return piece


def check_version(request: Request) -> None:
    """A plain GET is no request of the protocol. Raises OtherProtocolError."""
    if request.method != "GET" and request.headers.get("Tus-Resumable") != VERSION:
        raise OtherProtocolError


def read_number(request: Request, name: str) -> int:
    """A header that counts bytes. Raises UploadHeaderError."""
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise UploadHeaderError(name=name, wanted="0, 1, 2 …")
    return int(text)


def read_chunk(request: Request, most: int) -> ChunkBody:
    """The body as a stream of at most `most` bytes. Raises before anything is read."""
    if request.mimetype != CONTENT_TYPE:
        raise NotChunkError
    coding = request.headers.get("Content-Encoding", "").strip()
    if coding and coding.lower() != "identity":
        raise CompressedUploadError(coding=coding[:40])
    if (request.content_length or 0) > most:
        raise UploadOverflowError
    return ChunkBody(request.stream, request.content_length)


def read_checksum(request: Request) -> Checksum | None:
    """Raises UploadHeaderError."""
    header = request.headers.get("Upload-Checksum")
    if header is None:
        return None
    algorithm, _, digest = header.partition(" ")
    if algorithm not in ALGORITHMS or not digest.strip():
        raise UploadHeaderError(name="Upload-Checksum", wanted=f"{'|'.join(ALGORITHMS)} base64")
    return Checksum(algorithm, digest.strip())


def read_metadata(header: str) -> dict[str, str]:
    """Names and texts of Upload-Metadata, those of no use here left out. Raises UploadHeaderError, InvalidInputError."""
    if len(header) > LONGEST_METADATA:
        raise UploadHeaderError(name="Upload-Metadata", wanted=f"≤ {LONGEST_METADATA} bytes")
    found: dict[str, str] = {}
    for pair in header.split(",") if header.strip() else ():
        name, _, value = pair.strip().partition(" ")
        try:
            text = base64.b64decode(value.strip(), validate=True).decode("utf-8")
        except (binascii.Error, ValueError) as error:
            raise UploadHeaderError(name="Upload-Metadata", wanted="name base64(UTF-8), …") from error
        if not name or name in found:
            raise UploadHeaderError(name="Upload-Metadata", wanted="name base64(UTF-8), …")
        found[name] = text
    if any("\0" in text for text in found.values()):
        message = N_("This holds characters that are no text.")
        raise InvalidInputError(*(FieldError(name[:80], message) for name in found if "\0" in found[name]))
    return {name: text for name, text in found.items() if name not in _PASSED_OVER}


def headers_of(upload: PartialUpload) -> dict[str, str]:
    """What every answer about an upload says; the Link leads to the status of the file it became."""
    said = {
        "Upload-Offset": str(upload.offset),
        "Upload-Expires": http_date(upload.expires_at),
        "Cache-Control": "no-store",
    }
    if upload.result is not None:
        status = addresses.resource_url(upload.result["resource_id"], "status")
        said["Link"] = f'<{status}>; rel="status"'
    return said
