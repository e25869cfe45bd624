"""The form token of a browser: an HMAC over a cookie that pages of other sites can neither read nor guess.

Used by the forms of the pages, and by the one part of the API that pages of ours call (resumable uploads):
there it stands in the header X-Form-Token, which no form of another site can set, and without which the
sign-in cookie counts for nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from flask import request

from opendata.http.context import SESSION_COOKIE, page_actor, services
from opendata.kernel.errors import UnauthenticatedError

if TYPE_CHECKING:
    from opendata.accounts.policy import Actor

HEADER: Final = "X-Form-Token"
FOREIGN: Final = frozenset({"cross-site", "same-site"})  # values of Sec-Fetch-Site


def sign(secret: str) -> str:
    """The token that belongs to a cookie."""
    key = services().settings.secret_key.encode()
    return hmac.new(key, b"form:" + secret.encode(), hashlib.sha256).hexdigest()


def matches(sent: str, secret: str | None) -> bool:
    return bool(secret) and hmac.compare_digest(sent.encode(), sign(secret or "").encode())


def proven_actor() -> Actor:
    """Who is signed in, for a request of a script of ours. Raises UnauthenticatedError without the token."""
    session = request.cookies.get(SESSION_COOKIE)
    is_foreign = request.headers.get("Sec-Fetch-Site") in FOREIGN
    if is_foreign or not matches(request.headers.get(HEADER, ""), session):
        raise UnauthenticatedError
    return page_actor()
