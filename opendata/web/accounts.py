"""Signing in and out, and a person's own page with their API tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, request

from opendata.accounts.service import MAX_TOKEN_DAYS, SESSION_LIFE, SignInLockedError, WrongSignInError
from opendata.http.context import SESSION_COOKIE, page_actor, services
from opendata.kernel.errors import N_, FieldError, InvalidInputError
from opendata.web import addresses
from opendata.web.access import open_to_all, signed_in
from opendata.web.form_fields import small_form
from opendata.web.rendering import render_page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from opendata.kernel.errors import PortalError

blueprint = Blueprint("accounts", __name__)


@blueprint.get("/sign-in")
@open_to_all
def sign_in() -> Response:
    if page_actor().person_id is not None:
        return redirect(_next_address(request.args.get("next", "")))
    return _sign_in_page(next_address=request.args.get("next", ""))


@blueprint.post("/sign-in")
@open_to_all
def send_sign_in() -> Response:
    form = small_form()
    email, next_address = form.get("email", ""), form.get("next", "")
    try:
        secret = services().accounts.sign_in(email, form.get("password", ""))
    except (WrongSignInError, SignInLockedError) as error:
        return _sign_in_page(error, email=email, next_address=next_address)
    response = redirect(_next_address(next_address), 303)
    response.set_cookie(
        SESSION_COOKIE,
        secret,
        max_age=SESSION_LIFE,
        httponly=True,
        samesite="Lax",
        secure=services().settings.is_secure,
    )
    return response


@blueprint.post("/sign-out")
@open_to_all
def sign_out() -> Response:
    secret = request.cookies.get(SESSION_COOKIE)
    if secret:
        services().accounts.sign_out(secret)
    response = redirect(addresses.page("home.home"), 303)
    response.delete_cookie(SESSION_COOKIE)
    return response


@blueprint.get("/account")
@signed_in
def account() -> Response:
    return _account_page()


@blueprint.post("/account/tokens")
@signed_in
def make_token() -> Response:
    form = small_form()
    try:
        days = _days(form.get("days", ""))
        email = services().account_queries.email_of(page_actor()) or ""
        secret = services().accounts.issue_token(page_actor(), email, form.get("label", ""), days)
    except InvalidInputError as error:
        return _account_page(error, label=form.get("label", ""), days=form.get("days", ""))
    return _account_page(secret=secret)


@blueprint.post("/account/tokens/<token_id>/revoke")
@signed_in
def revoke_token(token_id: str) -> Response:
    services().accounts.revoke_token(page_actor(), token_id)
    return redirect(addresses.page("accounts.account", [("done", "revoked")]), 303)


def _sign_in_page(error: PortalError | None = None, *, email: str = "", next_address: str) -> Response:
    status = error.status if error else 200
    return render_page("accounts/sign_in.html", status, error=error, email=email, next_address=next_address)


def _account_page(
    error: InvalidInputError | None = None, *, secret: str = "", label: str = "", days: str = "90"
) -> Response:
    held, actor = services(), page_actor()
    return render_page(
        "accounts/account.html",
        error.status if error else 200,
        error=error,
        email=held.account_queries.email_of(actor),
        tokens=held.account_queries.tokens_of(actor),
        secret=secret,
        token_label=label,
        days=days,
        most_days=MAX_TOKEN_DAYS,
        done=request.args.get("done", ""),
    )


def _next_address(wished: str) -> str:
    return wished if addresses.is_local(wished) else addresses.page("publishing.shelf")


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_TOKEN_DAYS))):
        raise InvalidInputError(FieldError("days", N_("Give the days as a whole number, for example 90.")))
    return int(text)
