"""Who may open a page: every route says it with one of two marks, and a test refuses a route without one.

The mark is about being signed in only; what a person may do with a dataset is the services' rule.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from flask import redirect, request

from opendata.http.context import page_actor
from opendata.kernel.errors import UnauthenticatedError
from opendata.web import addresses

if TYPE_CHECKING:
    from collections.abc import Callable

View = TypeVar("View", bound="Callable[..., Any]")

MARK = "who_may"


def open_to_all(view: View) -> View:
    """Reading never asks who you are."""
    vars(view)[MARK] = "everyone"
    return view


def signed_in(view: Callable[..., Any]) -> Callable[..., Any]:
    """Leads visitors to the sign-in page and back; a form sent by a visitor is refused with a 401 page."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if page_actor().person_id is not None:
            return view(*args, **kwargs)
        if request.method not in {"GET", "HEAD"}:
            raise UnauthenticatedError
        return redirect(addresses.page("accounts.sign_in", [("next", request.full_path.rstrip("?"))]))

    vars(guarded)[MARK] = "signed-in"
    return guarded
