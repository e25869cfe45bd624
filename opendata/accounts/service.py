"""Accounts: the only writes to people, agencies, memberships, tokens and sessions.

Passwords are argon2id (RFC 9106 parameters of argon2-cffi); tokens and session secrets carry 256 random
bits and are kept as sha256 only. Wrong passwords slow an account down, never lock it for good.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, select, update

from opendata.accounts import audit
from opendata.accounts.models import Agency, ApiToken, Membership, Person, WebSession
from opendata.accounts.policy import Actor, Permission, Role
from opendata.kernel.errors import (
    N_,
    ConflictError,
    FieldError,
    InvalidInputError,
    NotFoundError,
    PortalError,
    UnauthenticatedError,
)
from opendata.kernel.ids import utc_now
from opendata.kernel.rests import doubled
from opendata.kernel.text import clean_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy.orm import Session

    from opendata.kernel.db import Database

SESSION_LIFE = dt.timedelta(days=14)
TOKEN_PREFIX = "odp_"  # noqa: S105 - the public prefix that lets scanners find leaked tokens
MAX_TOKEN_DAYS = 366
MIN_PASSWORD = 12
LONGEST_EMAIL = 254  # RFC 5321, as the column
LONGEST_NAME = 200
FREE_FAILURES = 5
LOCK_STEP = dt.timedelta(seconds=30)
LONGEST_LOCK = dt.timedelta(minutes=15)


class WrongSignInError(PortalError):
    code = "wrong-sign-in"
    status = 401
    template = N_("The e-mail address or the password is not right.")


class SignInLockedError(PortalError):
    code = "sign-in-locked"
    status = 429
    template = N_("Too many wrong passwords. Wait %(minutes)s minutes and try again.")


class EmailTakenError(ConflictError):
    code = "email-taken"
    template = N_("There is an account with the e-mail address %(email)s already.")


@dataclass(frozen=True, slots=True)
class AgencyEntry:
    code: str
    name: dict[str, str]
    kind: str
    successor_code: str | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


class AccountService:
    _dummy_hash: ClassVar[str] = ""

    def __init__(self, database: Database, clock: Callable[[], dt.datetime] = utc_now) -> None:
        self._database = database
        self._clock = clock
        self._hasher = PasswordHasher()

    # -- people and agencies --------------------------------------------------------------

    def add_agencies(self, actor: Actor, entries: Iterable[AgencyEntry]) -> int:
        """Add agencies that are not there yet and refresh those that are; the number written."""
        actor.require(Permission.MANAGE_PORTAL)
        count = 0
        with self._database.unit_of_work() as unit:
            for entry in entries:
                unit.session.merge(
                    Agency(
                        code=entry.code,
                        name=entry.name,
                        kind=entry.kind,
                        successor_code=entry.successor_code,
                        valid_from=entry.valid_from,
                        valid_to=entry.valid_to,
                    )
                )
                count += 1
            audit.record(unit, actor, "agencies.load", ("agency", "*"), {"count": count})
        return count

    def add_person(
        self, actor: Actor, *, email: str, name: str, password: str, is_platform_admin: bool = False
    ) -> str:
        """The new person's id. Raises InvalidInputError, EmailTakenError."""
        actor.require(Permission.MANAGE_PORTAL)
        address = clean_line(email).casefold()
        _check_person(address, password)
        with self._database.unit_of_work() as unit:
            if _person_by_email(unit.session, address) is not None:
                raise EmailTakenError(email=address)
            person = Person(
                email=address,
                name=(clean_line(name) or address)[:LONGEST_NAME],
                password_hash=self._hasher.hash(password),
                is_platform_admin=is_platform_admin,
                created_at=self._clock(),
            )
            unit.session.add(person)
            unit.session.flush()
            audit.record(unit, actor, "person.add", ("person", person.id), {"admin": is_platform_admin})
            return person.id

    def set_password(self, actor: Actor, email: str, password: str) -> None:
        """Also ends the person's sessions. Raises NotFoundError, InvalidInputError."""
        actor.require(Permission.MANAGE_PORTAL)
        address = clean_line(email).casefold()
        _check_person(address, password)
        with self._database.unit_of_work() as unit:
            person = _person_by_email(unit.session, address)
            if person is None:
                raise NotFoundError
            person.password_hash = self._hasher.hash(password)
            person.failed_sign_ins, person.locked_until = 0, None
            unit.session.execute(delete(WebSession).where(WebSession.person_id == person.id))
            audit.record(unit, actor, "person.password", ("person", person.id))

    def set_role(self, actor: Actor, email: str, agency_code: str, role: Role | None) -> None:
        """Give a person a role in an agency, or take it away with None. Raises NotFoundError."""
        actor.require(Permission.MANAGE_MEMBERS, agency_code)
        with self._database.unit_of_work() as unit:
            person = _person_by_email(unit.session, clean_line(email).casefold())
            if person is None or unit.session.get(Agency, agency_code) is None:
                raise NotFoundError
            held = unit.session.get(Membership, (person.id, agency_code))
            if held is not None and role is None:
                unit.session.delete(held)
            elif held is not None and role is not None:
                held.role = role
            elif role is not None:
                unit.session.add(Membership(person_id=person.id, agency_code=agency_code, role=role))
            details = {"agency": agency_code, "role": role}
            audit.record(unit, actor, "person.role", ("person", person.id), details)

    # -- API tokens -----------------------------------------------------------------------

    def issue_token(self, actor: Actor, email: str, label: str, days: int = 90) -> str:
        """A new token, shown this once. People issue their own; a platform admin for anyone."""
        if not 1 <= days <= MAX_TOKEN_DAYS:
            raise InvalidInputError(
                FieldError("days", N_("A token lives between 1 and %(most)s days."), {"most": MAX_TOKEN_DAYS})
            )
        with self._database.unit_of_work() as unit:
            person = _person_by_email(unit.session, clean_line(email).casefold())
            if person is None or person.id != actor.person_id:
                actor.require(Permission.MANAGE_PORTAL)
            if person is None:
                raise NotFoundError
            secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
            now = self._clock()
            token = ApiToken(
                person_id=person.id,
                label=clean_line(label)[:100] or "token",
                token_hash=_sha256(secret),
                hint=secret[-4:],
                created_at=now,
                expires_at=now + dt.timedelta(days=days),
            )
            unit.session.add(token)
            unit.session.flush()
            audit.record(unit, actor, "token.issue", ("token", token.id), {"label": token.label})
            return secret

    def revoke_token(self, actor: Actor, token_id: str) -> None:
        """Ends a token of one's own (or anyone's, for a platform admin). Raises NotFoundError."""
        with self._database.unit_of_work() as unit:
            token = unit.session.get(ApiToken, token_id)
            if token is None or not (token.person_id == actor.person_id or actor.is_platform_admin):
                raise NotFoundError
            token.revoked_at = self._clock()
            audit.record(unit, actor, "token.revoke", ("token", token.id))

    def actor_for_token(self, secret: str) -> Actor:
        """Raises UnauthenticatedError for a token that is unknown, ended or revoked."""
        now = self._clock()
        with self._database.reading() as session:
            token = session.scalar(select(ApiToken).where(ApiToken.token_hash == _sha256(secret)))
            if token is None or token.revoked_at is not None or token.expires_at <= now:
                raise UnauthenticatedError
            person = session.get(Person, token.person_id)
        if person is None or not person.is_active:
            raise UnauthenticatedError
        if token.last_used_at is None or now - token.last_used_at > dt.timedelta(hours=1):
            with self._database.bookkeeping() as unit:
                # This column alone: the token may have been revoked since it was read.
                unit.session.execute(update(ApiToken).where(ApiToken.id == token.id).values(last_used_at=now))
        return _actor(person, "token")

    # -- signing in -----------------------------------------------------------------------

    def sign_in(self, email: str, password: str) -> str:
        """A session secret for the cookie. Raises WrongSignInError, SignInLockedError."""
        now = self._clock()
        with self._database.reading() as session:
            person = _person_by_email(session, clean_line(email).casefold())
        if person is not None and person.locked_until is not None and person.locked_until > now:
            seconds = (person.locked_until - now).total_seconds()
            raise SignInLockedError(minutes=math.ceil(seconds / 60))
        if not self._verify(person, password) or person is None:
            if person is not None:
                self._count_failure(person.id, now)
            raise WrongSignInError
        return self._open_session(person, now)

    def sign_out(self, secret: str) -> None:
        with self._database.bookkeeping() as unit:
            unit.session.execute(delete(WebSession).where(WebSession.token_hash == _sha256(secret)))

    def actor_for_session(self, secret: str) -> Actor | None:
        """The person behind a cookie, None when the session ended."""
        with self._database.reading() as session:
            row = session.get(WebSession, _sha256(secret))
            if row is None or row.expires_at <= self._clock():
                return None
            person = session.get(Person, row.person_id)
        return _actor(person, "web") if person is not None and person.is_active else None

    def _verify(self, person: Person | None, password: str) -> bool:
        """Takes the same time whether or not the address is known."""
        if not self._dummy_hash:
            AccountService._dummy_hash = self._hasher.hash(secrets.token_hex(16))
        known = person.password_hash if person is not None and person.is_active else self._dummy_hash
        try:
            return self._hasher.verify(known, password) and known is not self._dummy_hash
        except (VerifyMismatchError, InvalidHashError):
            return False

    def _count_failure(self, person_id: str, now: dt.datetime) -> None:
        with self._database.bookkeeping() as unit:
            person = unit.session.get_one(Person, person_id, with_for_update=True)
            person.failed_sign_ins += 1
            over = person.failed_sign_ins - FREE_FAILURES
            if over >= 0:
                person.locked_until = now + doubled(LOCK_STEP, over, LONGEST_LOCK)

    def _open_session(self, person: Person, now: dt.datetime) -> str:
        secret = secrets.token_urlsafe(32)
        with self._database.unit_of_work() as unit:
            fresh = unit.session.get_one(Person, person.id)
            fresh.failed_sign_ins, fresh.locked_until = 0, None
            unit.session.execute(delete(WebSession).where(WebSession.expires_at <= now))
            unit.session.add(
                WebSession(
                    token_hash=_sha256(secret),
                    person_id=person.id,
                    created_at=now,
                    expires_at=now + SESSION_LIFE,
                )
            )
            audit.record(unit, _actor(fresh, "web"), "person.sign-in", ("person", person.id))
        return secret


def _check_person(email: str, password: str) -> None:
    errors = []
    if (
        email.count("@") != 1
        or email.startswith("@")
        or email.endswith("@")
        or " " in email
        or len(email) > LONGEST_EMAIL
    ):
        errors.append(FieldError("email", N_("This is not an e-mail address.")))
    if len(password) < MIN_PASSWORD:
        errors.append(
            FieldError(
                "password", N_("A password has at least %(least)s characters."), {"least": MIN_PASSWORD}
            )
        )
    if errors:
        raise InvalidInputError(*errors)


def _person_by_email(session: Session, email: str) -> Person | None:
    return session.scalar(select(Person).where(Person.email == email))


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _actor(person: Person, via: str) -> Actor:
    return Actor(
        person_id=person.id,
        name=person.name,
        via=via,
        is_platform_admin=person.is_platform_admin,
        roles={membership.agency_code: Role(membership.role) for membership in person.memberships},
    )
