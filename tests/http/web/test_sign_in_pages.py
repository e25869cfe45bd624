"""Signing in and out, and the tokens on a person's own page."""

from __future__ import annotations

import re

import pytest


def test_the_session_cookie_is_out_of_reach_of_scripts(client, officer, token_of) -> None:
    token = token_of(client, "/vi/sign-in")
    data = {"form_token": token, "email": officer.email, "password": officer.password}
    answer = client.post("/vi/sign-in", data=data)
    (cookie,) = [c for c in answer.headers.getlist("Set-Cookie") if c.startswith("opendata_session=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie  # the tests' portal is http
    assert answer.headers["Location"] == "/vi/publish"


def test_the_cookie_is_secure_where_the_portal_is(portal, officer) -> None:
    import dataclasses

    from opendata.app import create_app

    settings = dataclasses.replace(portal.settings, base_url="https://portal.test")
    services = dataclasses.replace(portal, settings=settings)
    client = create_app(settings, services).test_client()
    page = client.get("/vi/sign-in", base_url="https://portal.test")
    assert "Secure" in page.headers["Set-Cookie"]
    token = re.search(r'form_token" value="(\w+)"', page.text)
    assert token is not None
    data = {"form_token": token[1], "email": officer.email, "password": officer.password}
    answer = client.post("/vi/sign-in", data=data, base_url="https://portal.test")
    assert all("Secure" in cookie for cookie in answer.headers.getlist("Set-Cookie"))


def test_a_wrong_password_keeps_the_address_typed(client, officer, token_of) -> None:
    token = token_of(client, "/vi/sign-in")
    data = {"form_token": token, "email": officer.email, "password": "wrong", "next": "/vi/publish/new"}
    answer = client.post("/vi/sign-in", data=data)
    assert answer.status_code == 401
    assert f'value="{officer.email}"' in answer.text
    assert 'value="/vi/publish/new"' in answer.text
    assert 'role="alert"' in answer.text
    assert "wrong" not in re.sub(r'class="[^"]*"', "", answer.text)


def test_too_many_wrong_passwords_slow_down(client, officer, token_of) -> None:
    token = token_of(client, "/vi/sign-in")
    data = {"form_token": token, "email": officer.email, "password": "wrong"}
    statuses = [client.post("/vi/sign-in", data=data).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]


@pytest.mark.parametrize(
    ("wished", "led_to"),
    [
        ("/vi/publish/new", "/vi/publish/new"),
        ("/en/account?x=1", "/en/account?x=1"),
        ("https://evil.example/", "/vi/publish"),
        ("//evil.example/", "/vi/publish"),
        ("/\\evil.example/", "/vi/publish"),
        ("javascript:alert(1)", "/vi/publish"),
        ("/vi/a\r\nSet-Cookie: x=1", "/vi/publish"),
        ("", "/vi/publish"),
    ],
)
def test_signing_in_leads_nowhere_but_here(client, officer, token_of, wished, led_to) -> None:
    token = token_of(client, "/vi/sign-in")
    data = {"form_token": token, "email": officer.email, "password": officer.password, "next": wished}
    assert client.post("/vi/sign-in", data=data).headers["Location"] == led_to


def test_signing_out_ends_the_session_for_good(client, portal, officer, sign_in) -> None:
    token = sign_in(client, officer.email, officer.password)
    cookie = client.get_cookie("opendata_session")
    assert cookie is not None
    assert client.post("/vi/sign-out", data={"form_token": token}).status_code == 303
    client.set_cookie("opendata_session", cookie.value)
    assert client.get("/vi/account").status_code == 302


def test_a_token_is_shown_once_and_can_be_revoked(client, officer, sign_in) -> None:
    token = sign_in(client, officer.email, officer.password)
    made = client.post("/vi/account/tokens", data={"form_token": token, "label": "Máy chủ", "days": "30"})
    secret = re.search(r"odp_[\w-]+", made.text)
    assert secret is not None
    assert secret[0] not in client.get("/vi/account").text
    bearer = {"Authorization": f"Bearer {secret[0]}"}
    made_with_it = client.post(
        "/api/v1/datasets", json={"title": "Qua API", "publisher": "BKHCN"}, headers=bearer
    )
    assert made_with_it.status_code == 201
    revoke = re.search(r'action="([^"]+/revoke)"', client.get("/vi/account").text)
    assert revoke is not None
    assert client.post(revoke[1], data={"form_token": token}).status_code == 303
    refused = client.post("/api/v1/datasets", json={"title": "Lần hai", "publisher": "BKHCN"}, headers=bearer)
    assert refused.status_code == 401


@pytest.mark.parametrize("days", ["", "0", "367", "-1", "abc", "9" * 400])
def test_a_token_needs_a_sensible_life(client, officer, sign_in, days) -> None:
    token = sign_in(client, officer.email, officer.password)
    answer = client.post("/vi/account/tokens", data={"form_token": token, "label": "Giữ lại", "days": days})
    assert answer.status_code == 422
    assert 'value="Giữ lại"' in answer.text
    assert "odp_" not in answer.text


def test_nobody_revokes_the_token_of_another(client, portal, officer, add_officer, sign_in) -> None:
    other = add_officer("BYT")
    portal.accounts.issue_token(other.actor, other.email, "của người khác")
    (theirs,) = portal.account_queries.tokens_of(other.actor)
    token = sign_in(client, officer.email, officer.password)
    answer = client.post(f"/vi/account/tokens/{theirs.id}/revoke", data={"form_token": token})
    assert answer.status_code == 404
    assert portal.account_queries.tokens_of(other.actor) == (theirs,)


def test_pages_of_a_signed_in_browser_are_kept_by_nobody(client, officer, sign_in) -> None:
    sign_in(client, officer.email, officer.password)
    for path in ("/vi/", "/vi/datasets", "/vi/account"):
        assert client.get(path).headers["Cache-Control"] == "no-store"
