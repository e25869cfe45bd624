"""API tokens and roles: shown once, ended by time or by hand, and never anyone else's business."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import select

from opendata.accounts.models import Agency, ApiToken
from opendata.accounts.policy import COMMAND_LINE, VISITOR, Actor, Permission, Role
from opendata.accounts.queries import AccountQueries
from opendata.accounts.service import AgencyEntry, EmailTakenError
from opendata.kernel.errors import ForbiddenError, InvalidInputError, NotFoundError, UnauthenticatedError
from tests.slices.accounts.conftest import LAN, PASSWORD


def person(person_id: str, **roles: Role) -> Actor:
    return Actor(person_id=person_id, name="someone", via="web", roles=roles)


# -- tokens ---------------------------------------------------------------------------------


def test_a_token_speaks_for_its_person(accounts, lan) -> None:
    accounts.set_role(COMMAND_LINE, LAN, "BYT", Role.ADMIN)
    actor = accounts.actor_for_token(accounts.issue_token(person(lan), LAN, "nightly"))
    assert (actor.person_id, actor.via, dict(actor.roles)) == (lan, "token", {"BYT": Role.ADMIN})


def test_only_the_digest_of_a_token_is_kept(accounts, lan, database, dump) -> None:
    secret = accounts.issue_token(person(lan), LAN, "nightly")
    assert secret.startswith("odp_")
    with database.reading() as session:
        kept = session.scalars(select(ApiToken)).one()
    assert (kept.token_hash, kept.hint) == (hashlib.sha256(secret.encode()).hexdigest(), secret[-4:])
    assert secret not in dump()
    (shown,) = AccountQueries(database).tokens_of(person(lan))
    assert secret not in repr(shown)
    for guess in (kept.token_hash, kept.id, ""):
        with pytest.raises(UnauthenticatedError):
            accounts.actor_for_token(guess)


def test_tokens_differ(accounts, lan) -> None:
    assert accounts.issue_token(person(lan), LAN, "a") != accounts.issue_token(person(lan), LAN, "a")


def test_a_token_ends_with_its_days(accounts, lan, clock) -> None:
    secret = accounts.issue_token(person(lan), LAN, "nightly", days=30)
    clock.advance(days=30, seconds=-1)
    assert accounts.actor_for_token(secret).person_id == lan
    clock.advance(seconds=1)
    with pytest.raises(UnauthenticatedError):
        accounts.actor_for_token(secret)


@pytest.mark.parametrize("days", [0, -1, 367, 10**9])
def test_tokens_live_between_a_day_and_a_year(accounts, lan, days: int) -> None:
    with pytest.raises(InvalidInputError):
        accounts.issue_token(person(lan), LAN, "nightly", days=days)


def test_a_revoked_token_works_no_more_and_is_listed_no_more(accounts, lan, database) -> None:
    secret = accounts.issue_token(person(lan), LAN, "one")
    kept = accounts.issue_token(person(lan), LAN, "other")
    queries = AccountQueries(database)
    chosen = next(token for token in queries.tokens_of(person(lan)) if token.label == "one")
    accounts.revoke_token(person(lan), chosen.id)
    with pytest.raises(UnauthenticatedError):
        accounts.actor_for_token(secret)
    assert accounts.actor_for_token(kept).person_id == lan
    assert [token.label for token in queries.tokens_of(person(lan))] == ["other"]


@pytest.mark.parametrize("actor", [person("someone-else", BYT=Role.ADMIN), VISITOR])
def test_the_token_of_another_person_is_not_there(accounts, lan, database, actor: Actor) -> None:
    secret = accounts.issue_token(person(lan), LAN, "one")
    (token,) = AccountQueries(database).tokens_of(person(lan))
    with pytest.raises(NotFoundError):
        accounts.revoke_token(actor, token.id)
    assert accounts.actor_for_token(secret).person_id == lan
    assert AccountQueries(database).tokens_of(actor) == ()


def test_a_platform_admin_ends_anyones_token(accounts, lan, database) -> None:
    secret = accounts.issue_token(person(lan), LAN, "one")
    (token,) = AccountQueries(database).tokens_of(person(lan))
    accounts.revoke_token(COMMAND_LINE, token.id)
    with pytest.raises(UnauthenticatedError):
        accounts.actor_for_token(secret)


@pytest.mark.parametrize(
    ("actor", "refusal"),
    [(person("someone-else", BYT=Role.ADMIN), ForbiddenError), (VISITOR, UnauthenticatedError)],
)
def test_nobody_issues_a_token_for_someone_else(accounts, lan, actor: Actor, refusal) -> None:
    with pytest.raises(refusal):
        accounts.issue_token(actor, LAN, "mine now")


@pytest.mark.parametrize(
    ("actor", "refusal"),
    [(person("someone-else"), ForbiddenError), (VISITOR, UnauthenticatedError)],
)
def test_asking_for_a_token_does_not_tell_who_has_an_account(accounts, lan, actor: Actor, refusal) -> None:
    for email in (LAN, "khong@example.org"):
        with pytest.raises(refusal):
            accounts.issue_token(actor, email, "probe")


def test_use_is_noted_once_an_hour(accounts, lan, database, clock) -> None:
    secret = accounts.issue_token(person(lan), LAN, "nightly")
    queries = AccountQueries(database)
    start = clock.now
    seen = []
    for _ in range(4):
        accounts.actor_for_token(secret)
        seen.append(queries.tokens_of(person(lan))[0].last_used_at)
        clock.advance(minutes=40)
    assert [(moment - start).total_seconds() / 60 for moment in seen] == [0, 0, 80, 80]


def test_noting_use_does_not_undo_a_revocation_meanwhile(accounts, lan, database, monkeypatch) -> None:
    secret = accounts.issue_token(person(lan), LAN, "nightly")
    (token,) = AccountQueries(database).tokens_of(person(lan))
    bookkeeping = database.bookkeeping

    def revoked_first():
        accounts.revoke_token(person(lan), token.id)
        return bookkeeping()

    monkeypatch.setattr(database, "bookkeeping", revoked_first)
    accounts.actor_for_token(secret)
    monkeypatch.undo()
    with pytest.raises(UnauthenticatedError):
        accounts.actor_for_token(secret)


def test_labels_are_cleaned_and_fit(accounts, lan, database) -> None:
    for label in ("  tải\x00 đêm ", "x" * 500, ""):
        accounts.issue_token(person(lan), LAN, label)
    labels = {token.label for token in AccountQueries(database).tokens_of(person(lan))}
    assert labels == {"tải đêm", "x" * 100, "token"}


# -- roles ----------------------------------------------------------------------------------

ACTORS = {
    "visitor": VISITOR,
    "person": person("p"),
    "editor": person("p", BYT=Role.EDITOR),
    "admin": person("p", BYT=Role.ADMIN),
    "elsewhere": person("p", BTC=Role.ADMIN),
    "platform": COMMAND_LINE,
}
ALLOWED = {
    Permission.EDIT_DATASETS: {"editor", "admin", "platform"},
    Permission.PUBLISH_DATASETS: {"editor", "admin", "platform"},
    Permission.WITHDRAW_DATASETS: {"admin", "platform"},
    Permission.RELEASE_PERSONAL_DATA: {"admin", "platform"},
    Permission.MANAGE_MEMBERS: {"admin", "platform"},
    Permission.MANAGE_PORTAL: {"platform"},
    Permission.ANSWER_REQUESTS: {"platform"},
}


@pytest.mark.parametrize("permission", list(Permission))
@pytest.mark.parametrize("name", ACTORS)
def test_who_may_what_in_an_agency(name: str, permission: Permission) -> None:
    actor = ACTORS[name]
    allowed = name in ALLOWED[permission]
    assert actor.may(permission, "BYT") == allowed
    if allowed:
        actor.require(permission, "BYT")
    else:
        with pytest.raises(UnauthenticatedError if name == "visitor" else ForbiddenError):
            actor.require(permission, "BYT")
    if name != "platform":
        assert not actor.may(permission)
        assert ("BYT" in actor.agencies_allowing(permission)) == allowed


def test_every_permission_is_in_the_table_above() -> None:
    assert set(ALLOWED) == set(Permission)


@pytest.mark.parametrize("name", ["visitor", "person", "editor", "elsewhere"])
def test_roles_are_given_by_those_who_may(accounts, lan, database, name: str) -> None:
    with pytest.raises((ForbiddenError, UnauthenticatedError)):
        accounts.set_role(ACTORS[name], LAN, "BYT", Role.ADMIN)
    (found,) = AccountQueries(database).people()
    assert found.memberships == []


def test_roles_are_given_changed_and_taken(accounts, lan, database) -> None:
    queries = AccountQueries(database)
    admin = ACTORS["admin"]
    for role in (Role.EDITOR, Role.ADMIN, Role.ADMIN, None, None):
        accounts.set_role(admin, LAN, "BYT", role)
        (found,) = queries.people()
        assert {held.agency_code: held.role for held in found.memberships} == ({"BYT": role} if role else {})


@pytest.mark.parametrize(("email", "agency"), [("khong@example.org", "BYT"), (LAN, "NONE")])
def test_roles_are_for_people_and_agencies_there_are(accounts, lan, email: str, agency: str) -> None:
    with pytest.raises(NotFoundError):
        accounts.set_role(COMMAND_LINE, email, agency, Role.EDITOR)


@pytest.mark.parametrize("name", sorted(ACTORS.keys() - {"platform"}))
def test_people_and_agencies_are_the_portals_to_add(accounts, lan, name: str) -> None:
    actor = ACTORS[name]
    refusal = UnauthenticatedError if name == "visitor" else ForbiddenError
    with pytest.raises(refusal):
        accounts.add_person(actor, email="new@example.org", name="", password=PASSWORD)
    with pytest.raises(refusal):
        accounts.set_password(actor, LAN, "một mật khẩu khác")
    with pytest.raises(refusal):
        accounts.add_agencies(actor, [])


def test_an_address_is_taken_once(accounts, lan) -> None:
    with pytest.raises(EmailTakenError, match=LAN):
        accounts.add_person(COMMAND_LINE, email="LAN@example.org", name="", password=PASSWORD)


def test_agencies_are_added_and_refreshed(accounts, database) -> None:
    entry = AgencyEntry("X.1", {"vi": "Sở Một"}, "department")
    assert accounts.add_agencies(COMMAND_LINE, [entry]) == 1
    assert accounts.add_agencies(COMMAND_LINE, [AgencyEntry("X.1", {"vi": "Sở Hai"}, "department")]) == 1
    with database.reading() as session:
        assert session.get_one(Agency, "X.1").name == {"vi": "Sở Hai"}


# -- the trail ------------------------------------------------------------------------------


def test_every_write_is_witnessed(accounts, database, audited) -> None:
    lan_id = accounts.add_person(COMMAND_LINE, email=LAN, name="Lan", password=PASSWORD)
    accounts.set_role(ACTORS["admin"], LAN, "BYT", Role.EDITOR)
    accounts.set_password(COMMAND_LINE, LAN, "một mật khẩu khác")
    secret = accounts.sign_in(LAN, "một mật khẩu khác")
    actor = accounts.actor_for_session(secret)
    accounts.issue_token(actor, LAN, "nightly")
    (token,) = AccountQueries(database).tokens_of(actor)
    accounts.revoke_token(actor, token.id)
    accounts.add_agencies(COMMAND_LINE, [AgencyEntry("X.1", {"vi": "Sở Một"}, "department")])
    assert audited() == [
        ("command line", "cli", "person.add", f"person/{lan_id}"),
        ("someone", "web", "person.role", f"person/{lan_id}"),
        ("command line", "cli", "person.password", f"person/{lan_id}"),
        ("Lan", "web", "person.sign-in", f"person/{lan_id}"),
        ("Lan", "web", "token.issue", f"token/{token.id}"),
        ("Lan", "web", "token.revoke", f"token/{token.id}"),
        ("command line", "cli", "agencies.load", "agency/*"),
    ]


def test_what_is_refused_leaves_no_trace(accounts, lan, audited) -> None:
    with pytest.raises(EmailTakenError):
        accounts.add_person(COMMAND_LINE, email=LAN, name="", password=PASSWORD)
    with pytest.raises(NotFoundError):
        accounts.set_role(COMMAND_LINE, LAN, "NONE", Role.EDITOR)
    with pytest.raises(NotFoundError):
        accounts.revoke_token(VISITOR, "none")
    assert audited() == []
