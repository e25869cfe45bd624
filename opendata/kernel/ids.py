"""Identifiers and the clock: the two things every row needs and tests want to hold still."""

from __future__ import annotations

import datetime as dt
import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base32: no i, l, o, u to misread
_LETTERS = frozenset(_ALPHABET)
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_RANDOM_BITS = 80
_LENGTH = 26
_SHIFTS = range((_LENGTH - 2) * 5, -1, -10)


def new_id() -> str:
    """26 characters, ordered by creation time to the millisecond, unguessable in the last 16 (a ULID)."""
    number = (time.time_ns() // 1_000_000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return _written(number)


def id_of_bytes(digest: bytes) -> str:
    """The id that always follows from the same digest (128 bits of it), for what must be known again."""
    return _written(int.from_bytes(digest[:16]))


def is_id(text: str) -> bool:
    return len(text) == _LENGTH and not set(text) - _LETTERS


def _written(number: int) -> str:
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in _SHIFTS])


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
