"""Validators and cache labels of answers to reads: who may keep them, and how to ask whether they changed.

Called by the API and the pages. What can change is always asked again and costs a 304 when it did not; what
is pinned to a version of a file may be kept for a while. Answers made for a signed-in person are private.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, ClassVar, Final

from flask import request

from opendata.kernel.errors import N_, PortalError

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

# Pinned answers never change, but a dataset can be withdrawn: an hour is how long caches may outlive that.
PINNED_SECONDS: Final = 3600
_OK: Final = 200
_PRECONDITION_FAILED: Final = 412
_TAG_LENGTH: Final = 32
_REVISION_TAG = re.compile(r'"(\d{1,9})-[0-9a-f]+"')


class OtherVersionError(PortalError):
    code: ClassVar[str] = "precondition-failed"
    status: ClassVar[int] = 412
    template: ClassVar[str] = N_("What is at this address now is not what If-Match names.")


def digest_tag(body: bytes) -> str:
    """An entity tag of these bytes, without quotes."""
    return hashlib.sha256(body).hexdigest()[:_TAG_LENGTH]


def revision_tag(revision: int, body: bytes) -> str:
    """A tag that changes with every byte and carries the revision that an editor has seen."""
    return f"{revision}-{digest_tag(body)}"


def seen_revisions() -> frozenset[int] | None:
    """The revisions an If-Match header names (RFC 9110 §13.1.1); None when any will do.

    Empty when the header names none of ours, so that the precondition fails.
    """
    header = request.headers.get("If-Match", "").strip()
    if header in {"", "*"}:
        return None
    return frozenset(int(found) for found in _REVISION_TAG.findall(header))


def label(response: Response, *, tag: str, private: bool, pinned: bool = False) -> Response:
    """Put the validator and cache label on a 200 answer, and make it a 304 where the client has it.

    Raises OtherVersionError.
    """
    if response.status_code != _OK:
        return response
    if not response.headers.get("ETag"):
        response.set_etag(tag)
    response.headers["Cache-Control"] = cache_control(private=private, pinned=pinned)
    answer_conditions(response)
    return response


def answer_conditions(response: Response) -> None:
    """If-None-Match and If-Modified-Since turn a labelled answer into a 304. Raises OtherVersionError (412)."""
    response.make_conditional(request.environ)
    if response.status_code == _PRECONDITION_FAILED:
        raise OtherVersionError


def cache_control(*, private: bool, pinned: bool = False) -> str:
    scope = "private" if private else "public"
    return f"{scope}, max-age={PINNED_SECONDS}" if pinned else f"{scope}, no-cache"
