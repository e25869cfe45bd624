"""Page cursors: opaque text that names a version, a query and how many rows of its result came before.

A version is immutable and every order is total (ties fall back to the row number), so a count of rows is an
exact place for ever and, unlike the values of the last row, also allows going back. The checksum recognises
what was cut or typed wrong; nothing in a cursor grants anything, so it is not secret and needs no key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final

from opendata.tabular.problems import CursorUnreadableError, clip

_FORMAT: Final = b"\x01"
_CHECK: Final = 6
_FINGERPRINT: Final = 8
_START: Final = 6
_HEAD: Final = len(_FORMAT) + _CHECK + _FINGERPRINT + _START


@dataclass(frozen=True, slots=True)
class Cursor:
    version_id: str
    fingerprint: bytes
    start: int


def encode_cursor(cursor: Cursor) -> str:
    body = cursor.fingerprint + cursor.start.to_bytes(_START, "big") + cursor.version_id.encode()
    return base64.urlsafe_b64encode(_FORMAT + _check(body) + body).rstrip(b"=").decode("ascii")


def decode_cursor(text: str) -> Cursor:
    """Raises CursorUnreadableError for anything that `encode_cursor` did not make."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        body = raw[len(_FORMAT) + _CHECK :]
        if len(raw) < _HEAD or raw[: len(_FORMAT) + _CHECK] != _FORMAT + _check(body):
            raise CursorUnreadableError(name="cursor", value=clip(text))
        version_id = raw[_HEAD:].decode()
    except (binascii.Error, ValueError) as problem:
        raise CursorUnreadableError(name="cursor", value=clip(text)) from problem
    start = int.from_bytes(body[_FINGERPRINT : _FINGERPRINT + _START], "big")
    return Cursor(version_id, body[:_FINGERPRINT], start)


def cursor_version(text: str) -> str:
    """The version a cursor is pinned to, so that the caller can answer from it although a newer one exists."""
    return decode_cursor(text).version_id


def _check(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_CHECK, person=b"opendata-rows").digest()
