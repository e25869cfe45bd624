"""Proof that a form was opened on this portal (CSRF): an HMAC over a cookie that other sites cannot read.

Signed-in people have their session cookie; before that a random cookie made for the purpose serves.
`refuse_foreign_forms` runs before every page that is not only read, and before its body is parsed where
the browser itself says that another site sent it.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final, TypeVar

from flask import after_this_request, current_app, g, request
from markupsafe import Markup

from opendata.http.context import SESSION_COOKIE, services
from opendata.http.form_proof import FOREIGN, matches, sign
from opendata.kernel.errors import N_, PortalError
from opendata.web.form_fields import is_upload, small_form

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response

View = TypeVar("View", bound="Callable[..., Any]")

TAKES_FILE: Final = "takes_file"
FIELD: Final = "form_token"
VISITOR_COOKIE: Final = "opendata_form"


class ForeignFormError(PortalError):
    code = "form-not-ours"
    status = 400
    template = N_(
        "This form was open for too long, or was not opened on this portal. Nothing was changed. "
        "Open the form again and send it once more."
    )


def takes_file(view: View) -> View:
    """The mark of a view that reads its form through `uploads.take_upload`, which checks the token."""
    vars(view)[TAKES_FILE] = True
    return view


def form_token() -> str:
    """The token of this browser; gives the browser a cookie first where it has none."""
    return sign(request.cookies.get(SESSION_COOKIE) or _visitor_secret())


def form_token_field() -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, form_token())


def refuse_foreign_forms() -> None:
    """Raises ForeignFormError before anything is done.

    Only views marked by `takes_file` get a form with a file; they check its token where they read it.
    """
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    if request.headers.get("Sec-Fetch-Site") in FOREIGN:
        raise ForeignFormError
    view = current_app.view_functions[request.endpoint or ""]
    if is_upload() and vars(view).get(TAKES_FILE):
        return
    check_token("" if is_upload() else small_form().get(FIELD, ""))


def check_token(sent: str) -> None:
    """Raises ForeignFormError."""
    secret = request.cookies.get(SESSION_COOKIE) or request.cookies.get(VISITOR_COOKIE)
    if not matches(sent, secret):
        raise ForeignFormError


def _visitor_secret() -> str:
    if "visitor_secret" not in g:
        g.visitor_secret = request.cookies.get(VISITOR_COOKIE) or secrets.token_urlsafe(24)
        after_this_request(_give_visitor_cookie)
    return str(g.visitor_secret)


def _give_visitor_cookie(response: Response) -> Response:
    is_secure = services().settings.is_secure
    response.set_cookie(VISITOR_COOKIE, g.visitor_secret, httponly=True, samesite="Lax", secure=is_secure)
    return response
