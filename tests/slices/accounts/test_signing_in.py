"""Signing in: who gets a session, who is told what, and how guessing is slowed down."""

from __future__ import annotations

import pytest
from argon2 import Type, extract_parameters
from sqlalchemy import select, update

from opendata.accounts.models import Person, WebSession
from opendata.accounts.policy import COMMAND_LINE, Role
from opendata.accounts.service import SESSION_LIFE, AccountService, SignInLockedError, WrongSignInError
from opendata.kernel.errors import InvalidInputError, NotFoundError
from tests.slices.accounts.conftest import LAN, PASSWORD


def fail(accounts: AccountService, times: int) -> None:
    for _ in range(times):
        with pytest.raises(WrongSignInError):
            accounts.sign_in(LAN, "sai mật khẩu")


def test_the_right_password_opens_a_session(accounts, lan) -> None:
    accounts.set_role(COMMAND_LINE, LAN, "BYT", Role.EDITOR)
    actor = accounts.actor_for_session(accounts.sign_in(LAN, PASSWORD))
    assert actor is not None
    assert (actor.person_id, actor.name, actor.via, actor.is_platform_admin, dict(actor.roles)) == (
        lan,
        "Nguyễn Thị Lan",
        "web",
        False,
        {"BYT": Role.EDITOR},
    )


@pytest.mark.parametrize("typed", [" LAN@Example.org ", "lan@example.org\n"])
def test_addresses_are_the_same_however_they_are_typed(accounts, lan, typed: str) -> None:
    assert accounts.actor_for_session(accounts.sign_in(typed, PASSWORD)) is not None


@pytest.mark.parametrize(
    ("email", "password"),
    [(LAN, "sai mật khẩu"), (LAN, ""), (LAN, PASSWORD + " "), ("khong@example.org", PASSWORD), ("", "")],
)
def test_wrong_and_unknown_get_the_same_answer(accounts, lan, email: str, password: str) -> None:
    with pytest.raises(WrongSignInError) as refused:
        accounts.sign_in(email, password)
    assert (refused.value.status, refused.value.params) == (401, {})


def test_passwords_are_kept_as_argon2id_only(database, dump) -> None:
    """With at least the cost that RFC 9106 §4 asks for where memory is scarce: 64 MiB, three passes."""
    accounts = AccountService(database)
    person_id = accounts.add_person(COMMAND_LINE, email=LAN, name="Lan", password=PASSWORD)
    with database.reading() as session:
        kept = extract_parameters(session.get_one(Person, person_id).password_hash)
    assert (kept.type, kept.memory_cost >= 65536, kept.time_cost >= 3) == (Type.ID, True, True)
    assert accounts.sign_in(LAN, PASSWORD)
    assert PASSWORD not in dump()


def test_the_fifth_wrong_password_locks_for_a_while(accounts, lan, clock) -> None:
    fail(accounts, 5)
    with pytest.raises(SignInLockedError) as locked:
        accounts.sign_in(LAN, PASSWORD)
    assert (locked.value.status, locked.value.params) == (429, {"minutes": 1})
    clock.advance(seconds=31)
    assert accounts.sign_in(LAN, PASSWORD)


def test_locks_grow_to_a_quarter_of_an_hour_and_no_further(accounts, lan, clock) -> None:
    fail(accounts, 5)
    told = []
    for _ in range(7):
        with pytest.raises(SignInLockedError) as locked:
            accounts.sign_in(LAN, PASSWORD)
        told.append(locked.value.params["minutes"])
        clock.advance(minutes=15, seconds=1)
        fail(accounts, 1)
    assert told == [1, 1, 2, 4, 8, 15, 15]


def test_the_wait_that_is_told_is_long_enough(accounts, lan, clock) -> None:
    fail(accounts, 5)
    clock.advance(seconds=31)
    fail(accounts, 1)  # locked for a minute
    clock.advance(seconds=31)
    fail_again = pytest.raises(SignInLockedError)
    with fail_again as locked:
        accounts.sign_in(LAN, PASSWORD)
    clock.advance(minutes=locked.value.params["minutes"])
    assert accounts.sign_in(LAN, PASSWORD)


def test_a_sign_in_that_works_forgives_earlier_failures(accounts, lan) -> None:
    for _ in range(3):
        fail(accounts, 4)
        accounts.sign_in(LAN, PASSWORD)


def test_a_locked_account_does_not_lock_others(accounts, lan) -> None:
    accounts.add_person(COMMAND_LINE, email="other@example.org", name="", password=PASSWORD)
    fail(accounts, 5)
    assert accounts.sign_in("other@example.org", PASSWORD)


def test_sessions_end_after_two_weeks(accounts, lan, clock) -> None:
    secret = accounts.sign_in(LAN, PASSWORD)
    clock.now += SESSION_LIFE
    clock.advance(seconds=-1)
    assert accounts.actor_for_session(secret) is not None
    clock.advance(seconds=1)
    assert accounts.actor_for_session(secret) is None


def test_signing_out_ends_this_session_only(accounts, lan) -> None:
    here, there = accounts.sign_in(LAN, PASSWORD), accounts.sign_in(LAN, PASSWORD)
    assert here != there
    accounts.sign_out(here)
    accounts.sign_out(here)
    assert accounts.actor_for_session(here) is None
    assert accounts.actor_for_session(there) is not None


def test_ended_sessions_are_cleared_away(accounts, lan, clock, database) -> None:
    accounts.sign_in(LAN, PASSWORD)
    clock.advance(days=15)
    accounts.sign_in(LAN, PASSWORD)
    with database.reading() as session:
        assert len(session.scalars(select(WebSession)).all()) == 1


@pytest.mark.parametrize("secret", ["", "x", "0" * 64, "\x00", "đ"])
def test_other_cookies_are_nobody(accounts, lan, secret: str) -> None:
    accounts.sign_in(LAN, PASSWORD)
    assert accounts.actor_for_session(secret) is None


def test_session_secrets_are_kept_as_digests(accounts, lan, database, dump) -> None:
    secret = accounts.sign_in(LAN, PASSWORD)
    assert secret not in dump()
    with database.reading() as session:
        assert accounts.actor_for_session(session.scalars(select(WebSession.token_hash)).one()) is None


def test_a_new_password_ends_every_session(accounts, lan) -> None:
    secret = accounts.sign_in(LAN, PASSWORD)
    fail(accounts, 5)
    accounts.set_password(COMMAND_LINE, LAN, "một mật khẩu khác")
    assert accounts.actor_for_session(secret) is None
    with pytest.raises(WrongSignInError):
        accounts.sign_in(LAN, PASSWORD)
    assert accounts.sign_in(LAN, "một mật khẩu khác")


def test_someone_who_left_is_out_at_once(accounts, lan, database) -> None:
    secret, token = accounts.sign_in(LAN, PASSWORD), accounts.issue_token(COMMAND_LINE, LAN, "x")
    with database.bookkeeping() as unit:
        unit.session.execute(update(Person).values(is_active=False))
    assert accounts.actor_for_session(secret) is None
    with pytest.raises(Exception, match="Sign in"):
        accounts.actor_for_token(token)
    with pytest.raises(WrongSignInError):
        accounts.sign_in(LAN, PASSWORD)


@pytest.mark.parametrize(
    ("email", "password", "fields"),
    [
        ("lan", PASSWORD, ["email"]),
        ("@example.org", PASSWORD, ["email"]),
        ("lan@", PASSWORD, ["email"]),
        ("lan@a@b", PASSWORD, ["email"]),
        ("lan nguyen@example.org", PASSWORD, ["email"]),
        ("l" * 250 + "@x.vn", PASSWORD, ["email"]),
        (LAN, "ngắn quá", ["password"]),
        ("", "", ["email", "password"]),
    ],
)
def test_wrong_input_is_named(accounts, email: str, password: str, fields: list[str]) -> None:
    with pytest.raises(InvalidInputError) as refused:
        accounts.add_person(COMMAND_LINE, email=email, name="", password=password)
    assert [error.field for error in refused.value.errors] == fields


def test_nobody_sets_the_password_of_an_unknown_person(accounts) -> None:
    with pytest.raises(NotFoundError):
        accounts.set_password(COMMAND_LINE, "khong@example.org", PASSWORD)


def test_names_fit_their_column(accounts, database) -> None:
    person_id = accounts.add_person(COMMAND_LINE, email=LAN, name="Lan " * 100, password=PASSWORD)
    with database.reading() as session:
        assert len(session.get_one(Person, person_id).name) <= 200
