"""Who may call an operation: every route says it, and none can be made without (see `operations`).

A permission asks for a token that has it in some agency, before a byte of the body is read; whether it has
it for the dataset at hand is the services' rule. Cookies count nowhere but at a part marked COOKIES, which
pages of ours call with the form token in a header.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

from flask import current_app, g, request

from opendata.accounts.policy import Permission
from opendata.http.context import api_actor
from opendata.http.form_proof import HEADER, proven_actor
from opendata.kernel.errors import ForbiddenError, UnauthenticatedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from opendata.accounts.policy import Actor

MARK: Final = "who_may"
COOKIES: Final = "takes_cookies"
EVERYONE: Final = "everyone"
Who: TypeAlias = Permission | Literal["everyone"]


def actor() -> Actor:
    """Who holds the token of this request; asked for once a request."""
    if "api_actor" not in g:
        g.api_actor = proven_actor() if _is_from_our_page() else api_actor()
    return cast("Actor", g.api_actor)


def _is_from_our_page() -> bool:
    if HEADER not in request.headers or "Authorization" in request.headers:
        return False
    return getattr(current_app.blueprints.get(request.blueprint or ""), COOKIES, False)


def guarded(view: Callable[..., Any], who: Who) -> Callable[..., Any]:
    """The view behind its rule; the rule stays readable on it as the attribute MARK."""

    @wraps(view)
    def guard(*args: Any, **kwargs: Any) -> Any:
        if isinstance(who, Permission):
            _require_somewhere(actor(), who)
        return view(*args, **kwargs)

    vars(guard)[MARK] = str(who)
    return guard


def _require_somewhere(person: Actor, permission: Permission) -> None:
    if not person.is_known:
        raise UnauthenticatedError
    if not person.is_platform_admin and not person.agencies_allowing(permission):
        raise ForbiddenError
