"""Reads about people, agencies and tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from opendata.accounts.models import Agency, ApiToken, Person

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from opendata.accounts.policy import Actor
    from opendata.kernel.db import Database


@dataclass(frozen=True, slots=True)
class TokenView:
    id: str
    label: str
    hint: str
    created_at: dt.datetime
    expires_at: dt.datetime
    last_used_at: dt.datetime | None


class AccountQueries:
    def __init__(self, database: Database) -> None:
        self._database = database

    def agency(self, code: str) -> Agency | None:
        with self._database.reading() as session:
            return session.get(Agency, code)

    def agencies(self) -> Sequence[Agency]:
        with self._database.reading() as session:
            return session.scalars(select(Agency).order_by(Agency.code)).all()

    def people(self) -> Sequence[Person]:
        with self._database.reading() as session:
            return session.scalars(select(Person).order_by(Person.email)).all()

    def email_of(self, actor: Actor) -> str | None:
        with self._database.reading() as session:
            person = session.get(Person, actor.person_id) if actor.person_id else None
            return person.email if person else None

    def tokens_of(self, actor: Actor) -> tuple[TokenView, ...]:
        """The actor's own tokens that still work or have merely ended, newest first."""
        chosen = (
            select(ApiToken)
            .where(ApiToken.person_id == actor.person_id, ApiToken.revoked_at.is_(None))
            .order_by(ApiToken.created_at.desc())
        )
        with self._database.reading() as session:
            return tuple(
                TokenView(t.id, t.label, t.hint, t.created_at, t.expires_at, t.last_used_at)
                for t in session.scalars(chosen)
            )
