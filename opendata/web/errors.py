"""Every refusal and fault as a page: what happened, in the reader's language, and the next step.

Called by the app's error handlers for all addresses outside the API. What a person had typed into a form
that could not be taken is shown again, so that nothing is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import request
from werkzeug.exceptions import HTTPException

from opendata.http.context import page_actor
from opendata.kernel.errors import N_, InvalidInputError, UnforeseenError
from opendata.web.form_tokens import FIELD
from opendata.web.rendering import render_page

if TYPE_CHECKING:
    from flask import Response

    from opendata.kernel.errors import PortalError

_TITLES: Final = {
    400: N_("This cannot be used"),
    401: N_("Sign in first"),
    403: N_("Not allowed"),
    404: N_("Not found"),
    405: N_("Not possible here"),
    409: N_("Changed meanwhile"),
    411: N_("The upload is not complete"),
    413: N_("Too large"),
    416: N_("Not in this file"),
    422: N_("Something is not right yet"),
    429: N_("Too many attempts"),
    503: N_("Not ready yet"),
}
_FAULT: Final = N_("Our fault")
_LEAST_FAULT: Final = 500
_SECRETS: Final = {FIELD, "password"}


def error_page(error: PortalError | None, status: int) -> Response:
    """Never shows what went wrong inside. Without an error the sentence follows from the status."""
    if error is None and status >= _LEAST_FAULT:
        error = UnforeseenError()
    return render_page(
        "errors/error.html",
        status,
        error=error,
        title=_TITLES.get(status, _FAULT if status >= _LEAST_FAULT else _TITLES[400]),
        points=error.errors if isinstance(error, InvalidInputError) else (),
        typed=_typed(),
        is_visitor=status < _LEAST_FAULT and page_actor().person_id is None,
        address_asked=request.full_path.rstrip("?") if request.method == "GET" else "",
    )


def _typed() -> list[tuple[str, str]]:
    """The text fields of a form that was refused, but for secrets; files are never read again for this."""
    if request.method == "GET" or request.mimetype != "application/x-www-form-urlencoded":
        return []
    try:
        return [
            (name, value) for name, value in request.form.items(multi=True) if name not in _SECRETS and value
        ]
    except HTTPException:
        return []
