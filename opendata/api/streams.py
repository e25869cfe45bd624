"""Exports on their way out: streamed from the query, closed with the connection, and honest when they fail.

WSGI servers end a chunked answer properly even when the application fails in its middle (granian does), so a
failed export would look complete. Formats with a tail of their own (JSON, Parquet) then do not parse; the
others get an ending here that no reader takes for data.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Self

from flask import Response, request

from opendata.http.caching import answer_conditions, cache_control
from opendata.http.files import NEVER_A_PAGE, Download, content_disposition, send_download

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opendata.tabular.queries import TableExport

log = logging.getLogger(__name__)

BROKEN_ENDINGS: Final[Mapping[str, bytes]] = {
    "csv": b'"The export broke off here. Ask for it again.\r\n',  # a quoted field that never ends
    "jsonl": b'{"error": "The export broke off here. Ask for it again."\n',  # an object that never ends
    "arrow": b"\xff\xff\xff\xff\xff\xff\xff\x7f",  # announces a message of 2 GB that never comes
}
_OK: Final = 200


def send_export(export: TableExport, format_name: str, *, private: bool) -> Response:
    """The answer to GET or HEAD. A stored file takes Range; a stream is made as it is read.

    Raises RangeError (416), OtherVersionError (412).
    """
    if export.path is not None:
        return send_download(
            Download(
                path=export.path,
                size=export.path.stat().st_size,
                tag=export.etag,
                filename=export.filename,
                media_type=export.media_type,
                private=private,
            )
        )
    response = Response(content_type=export.media_type)
    response.headers.update(NEVER_A_PAGE)
    response.headers["Content-Disposition"] = content_disposition(export.filename)
    response.headers["Cache-Control"] = cache_control(private=private)
    response.set_etag(export.etag)
    stream = ExportStream(export.chunks, BROKEN_ENDINGS.get(format_name, b""))
    is_wanted = False
    try:
        answer_conditions(response)
        is_wanted = response.status_code == _OK and request.method == "GET"
    finally:
        if not is_wanted:
            stream.close()
    if response.status_code == _OK:
        # Werkzeug counts the body that is empty so far, and a sequence again when headers are written.
        response.headers.pop("Content-Length", None)
        response.response = stream if is_wanted else iter(())
        response.direct_passthrough = is_wanted
    return response


class ExportStream:
    """An iterable that frees the query when it ends, when it is closed, and when it fails."""

    def __init__(self, chunks: Iterable[bytes], broken_ending: bytes) -> None:
        self._chunks = iter(chunks)
        self._broken_ending = broken_ending
        self._failure: Exception | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._failure is not None:
            raise self._failure
        try:
            return next(self._chunks)
        except StopIteration:
            raise
        except Exception as failure:
            log.exception("an export broke off")
            self._failure = failure
            return self._broken_ending

    def close(self) -> None:
        """Called by the server when everything is sent and when the client went away."""
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()
