"""The request at hand: its services, its acting person, its language. The only reader of cookies and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import current_app, g, request

from opendata.accounts.policy import VISITOR
from opendata.kernel.errors import UnauthenticatedError
from opendata.kernel.i18n import LANGUAGES, choose_language, translator

if TYPE_CHECKING:
    from flask import Flask

    from opendata.accounts.policy import Actor
    from opendata.kernel.i18n import Translator
    from opendata.wiring import Services

SESSION_COOKIE = "opendata_session"
_EXTENSION = "opendata"
_TRANSLATOR = "opendata.translator"


def attach(app: Flask, services: Services) -> None:
    app.extensions[_EXTENSION] = services


def services() -> Services:
    return cast("Services", current_app.extensions[_EXTENSION])


def page_actor() -> Actor:
    """Who is signed in with this browser; a visitor otherwise."""
    if "actor" not in g:
        secret = request.cookies.get(SESSION_COOKIE)
        found = services().accounts.actor_for_session(secret) if secret else None
        g.actor = found or VISITOR
    return cast("Actor", g.actor)


def api_actor() -> Actor:
    """Who holds the bearer token; a visitor without one. Cookies do not count, so no form can forge a call.

    Raises UnauthenticatedError for a token that is not valid, even where reading would be allowed.
    """
    header = request.headers.get("Authorization", "")
    if not header:
        return VISITOR
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise UnauthenticatedError
    return services().accounts.actor_for_token(secret.strip())


def language() -> str:
    """The address's language for pages (`/vi/…`), the Accept-Language header otherwise."""
    return speak().language


def speak() -> Translator:
    """Found once for a request: a page asks several hundred times."""
    environ = request.environ
    known = environ.get(_TRANSLATOR)
    if known is None:
        known = environ[_TRANSLATOR] = translator(_chosen_language())
    return cast("Translator", known)


def _chosen_language() -> str:
    chosen = (request.view_args or {}).get("lang") or request.path.split("/")[1]
    if chosen in LANGUAGES:
        return str(chosen)
    return choose_language(request.headers.get("Accept-Language", ""))
