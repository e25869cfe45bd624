"""Uploads as streams: the bytes of a file go from the connection into the store, in memory only by chunks.

Called by the API and the publishing pages. Werkzeug's own form parser writes each file to a temporary
file first, so that 5 GB would be written twice; here the form is decoded while the store reads. A body that
breaks off raises while it is being read, so the store keeps nothing of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from opendata.kernel.errors import N_, FieldError, InvalidInputError, PortalError, TooLargeError
from opendata.kernel.i18n import translator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Request
    from werkzeug.sansio.multipart import Event

    from opendata.kernel.storage import Readable

FILE_FIELD: Final = "file"
MOST_FIELD_BYTES: Final = 1 << 20
MOST_PARTS: Final = 60
FORM_SLACK: Final = 2 * MOST_FIELD_BYTES
_CHUNK: Final = 1 << 16
NO_FILE: Final = N_("Choose a file: the form carries it in the field “file”.")
ONE_FILE: Final = N_("Send one file at a time.")


class BrokenUploadError(PortalError):
    code: ClassVar[str] = "broken-upload"
    status: ClassVar[int] = 400
    template: ClassVar[str] = N_("The upload broke off or is not a proper form. Send it again.")


class LengthNeededError(PortalError):
    code: ClassVar[str] = "length-needed"
    status: ClassVar[int] = 411
    template: ClassVar[str] = N_(
        "Send the file with a Content-Length header, or as a form: otherwise a broken upload looks complete."
    )


class CompressedUploadError(PortalError):
    code: ClassVar[str] = "compressed-upload"
    status: ClassVar[int] = 415
    template: ClassVar[str] = N_("Send the file as it is, without the Content-Encoding “%(coding)s”.")


class FormTooLargeError(PortalError):
    code: ClassVar[str] = "form-too-large"
    status: ClassVar[int] = 413
    template: ClassVar[str] = N_("The fields of the form beside the file are larger than %(limit)s.")


class NoFileError(InvalidInputError):
    """A form that came whole but for its file; `fields` are what was typed, so that a page can give it back."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        super().__init__(FieldError(FILE_FIELD, NO_FILE))


class IncomingFile:
    """A file on its way in. `fields` is complete once `stream` has ended; `finish` has run by then.

    `finish`, when set, is called with the fields at the end of the stream and may raise to refuse the
    upload before the store keeps it.
    """

    def __init__(self, stream: Readable, filename: str, fields: dict[str, str]) -> None:
        self._source = stream
        self.filename = filename
        self.fields = fields
        self.finish: Callable[[Mapping[str, str]], None] | None = None
        self._ended = False

    def read(self, size: int, /) -> bytes:
        chunk = self._source.read(size)
        if not chunk and not self._ended:
            self._ended = True
            if self.finish is not None:
                self.finish(self.fields)
        return chunk


def open_upload(request: Request, *, limit: int, fallback_name: str | None = None) -> IncomingFile:
    """The file of this request: the part `file` of a form, or the whole body where a name is known.

    Raises TooLargeError where the announced length alone says so; `limit` in bytes. Raises
    NoFileError for a form without a file, BrokenUploadError, LengthNeededError.
    """
    coding = request.headers.get("Content-Encoding", "").strip()
    if coding and coding.lower() != "identity":
        raise CompressedUploadError(coding=coding[:40])
    announced = request.content_length
    if announced is not None and announced > limit + FORM_SLACK:
        raise TooLargeError(limit=_shown(limit))
    if request.mimetype == "multipart/form-data":
        form = _FormStream(request.stream, request.mimetype_params.get("boundary", ""))
        return IncomingFile(form, form.filename, form.fields)
    if announced is None:
        raise LengthNeededError
    name = disposition_name(request.headers.get("Content-Disposition", "")) or fallback_name
    if not name:
        raise InvalidInputError(FieldError(FILE_FIELD, NO_FILE))
    return IncomingFile(_WholeBody(request.stream, announced), name, {})


def _shown(limit: int) -> str:
    """Like the store says it: the same in both languages for whole numbers."""
    return translator("en").size(limit)


def disposition_name(header: str) -> str | None:
    """The filename of a Content-Disposition header, also when its bytes are bare UTF-8."""
    _, options = parse_options_header(header)
    name = options.get("filename")
    if name is None:
        return None
    try:
        return name.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return name


class _WholeBody:
    """A body of announced length; servers end a broken one like a whole one, so it is counted here."""

    def __init__(self, source: Readable, length: int) -> None:
        self._source = source
        self._left = length

    def read(self, size: int, /) -> bytes:
        try:
            chunk = self._source.read(min(size, self._left)) if self._left else b""
        except ClientDisconnected as error:
            raise BrokenUploadError from error
        self._left -= len(chunk)
        if not chunk and self._left:
            raise BrokenUploadError
        return chunk


class _FormStream:
    """The file part of a multipart form as a stream; text fields before and after it land in `fields`."""

    def __init__(self, source: Readable, boundary: str) -> None:
        if not boundary or not boundary.isascii():
            raise BrokenUploadError
        self._source = source
        self._decoder = MultipartDecoder(
            boundary.encode("ascii"), max_form_memory_size=FORM_SLACK, max_parts=MOST_PARTS
        )
        self._waiting = b""
        self._in_file = True
        self._field_bytes = 0
        self.fields: dict[str, str] = {}
        self.filename = self._find_file()

    def read(self, size: int, /) -> bytes:
        while not self._waiting and self._in_file:
            event = self._next_event()
            if not isinstance(event, Data):
                raise BrokenUploadError
            self._waiting = event.data
            if not event.more_data:
                self._in_file = False
                self._read_rest()
        chunk, self._waiting = self._waiting[:size], self._waiting[size:]
        return chunk

    def _find_file(self) -> str:
        while not isinstance(event := self._next_event(), Epilogue):
            if isinstance(event, Field):
                self._read_field(event.name)
            elif isinstance(event, File):
                if event.name == FILE_FIELD and event.filename:
                    return event.filename
                self._pass_empty_file(NO_FILE)
        raise NoFileError(self.fields)

    def _read_rest(self) -> None:
        while not isinstance(event := self._next_event(), Epilogue):
            if isinstance(event, Field):
                self._read_field(event.name)
            elif isinstance(event, File):
                self._pass_empty_file(ONE_FILE)

    def _read_field(self, name: str | None) -> None:
        pieces = []
        more = True
        while more:
            event = self._next_event()
            if not isinstance(event, Data):
                raise BrokenUploadError
            self._field_bytes += len(event.data)
            if self._field_bytes > MOST_FIELD_BYTES:
                raise FormTooLargeError(limit=_shown(MOST_FIELD_BYTES))
            pieces.append(event.data)
            more = event.more_data
        try:
            self.fields[name or ""] = b"".join(pieces).decode("utf-8")
        except UnicodeDecodeError as error:
            raise BrokenUploadError from error

    def _pass_empty_file(self, refusal: str) -> None:
        """Browsers send an empty part for a file field that nobody filled; a filled one is refused here."""
        more = True
        while more:
            event = self._next_event()
            if not isinstance(event, Data):
                raise BrokenUploadError
            if event.data:
                raise InvalidInputError(FieldError(FILE_FIELD, refusal))
            more = event.more_data

    def _next_event(self) -> Event:
        """Raises BrokenUploadError where the form ends before its closing boundary."""
        try:
            while isinstance(event := self._decoder.next_event(), NeedData):
                self._decoder.receive_data(self._source.read(_CHUNK) or None)
        except RequestEntityTooLarge as error:
            raise FormTooLargeError(limit=_shown(MOST_FIELD_BYTES)) from error
        except (ValueError, ClientDisconnected) as error:
            raise BrokenUploadError from error
        return event
