"""The outbox: what has to follow from a committed change, written in the same transaction as the change.

A row is *pending* until a worker claims it, *running* while the claim is renewed, then *done*, or *dead*
after its last attempt. A claim that is not renewed (a killed worker) runs out and the row is taken again,
so work is done at least once and every handler must be idempotent. A worker that lost its claim meanwhile
has no say in the row any more: each claim is known by its worker and its attempt.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Index, String, and_, delete, func, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from opendata.kernel.ids import utc_now
from opendata.kernel.tables import Base, BigId

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

PENDING, RUNNING, DONE, DEAD = "pending", "running", "done", "dead"


class OutboxRow(Base):
    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_state_id", "state", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    topic: Mapped[str] = mapped_column(String(60))
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[dt.datetime]
    state: Mapped[str] = mapped_column(String(10), default=PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[str | None] = mapped_column(String(40))
    claimed_until: Mapped[dt.datetime | None]
    error: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's hold on a row. `attempt` counts from 1 and tells this claim from any other on the row."""

    row_id: int
    worker: str
    attempt: int
    topic: str
    payload: dict[str, Any]


def waiting(session: Session, topics: Sequence[str], now: dt.datetime, limit: int) -> list[OutboxRow]:
    """Rows of these topics that nobody works on, oldest first: pending, or with a claim that ran out."""
    chosen = select(OutboxRow).where(OutboxRow.topic.in_(topics), _is_free(now))
    return list(session.scalars(chosen.order_by(OutboxRow.id).limit(limit)))


def claim(session: Session, row_id: int, worker: str, now: dt.datetime, until: dt.datetime) -> Claim | None:
    """Take a waiting row for `worker` until the moment `until`; None when someone else was faster."""
    taken = session.execute(
        update(OutboxRow)
        .where(OutboxRow.id == row_id, _is_free(now))
        .values(state=RUNNING, claimed_by=worker, claimed_until=until, attempts=OutboxRow.attempts + 1)
        .returning(OutboxRow.attempts, OutboxRow.topic, OutboxRow.payload)
    ).one_or_none()
    return Claim(row_id, worker, taken.attempts, taken.topic, taken.payload) if taken is not None else None


def renew(session: Session, held: Claim, until: dt.datetime) -> bool:
    """Extend a claim; False when it was lost to another worker."""
    return _change(session, held, claimed_until=until)


def settle(session: Session, held: Claim, state: str, error: str | None = None) -> bool:
    """End a row as done or dead, or hand it back as pending; False when the claim was lost."""
    return _change(session, held, state=state, error=error, claimed_by=None, claimed_until=None)


def settle_unclaimed(session: Session, row_ids: Sequence[int], state: str, error: str | None = None) -> None:
    """End pending rows that were done without a claim."""
    session.execute(
        update(OutboxRow)
        .where(OutboxRow.id.in_(row_ids), OutboxRow.state == PENDING)
        .values(state=state, error=error)
    )


def count_failure(session: Session, row_id: int, error: str) -> int:
    """Note a failed attempt at a pending row; how many there were by now."""
    return session.execute(
        update(OutboxRow)
        .where(OutboxRow.id == row_id)
        .values(attempts=OutboxRow.attempts + 1, error=error)
        .returning(OutboxRow.attempts)
    ).scalar_one()


def _is_free(now: dt.datetime) -> ColumnElement[bool]:
    expired = and_(OutboxRow.state == RUNNING, OutboxRow.claimed_until < now)
    return or_(OutboxRow.state == PENDING, expired)


def _change(session: Session, held: Claim, **values: object) -> bool:
    changed = session.execute(
        update(OutboxRow)
        .where(
            OutboxRow.id == held.row_id,
            OutboxRow.state == RUNNING,
            OutboxRow.claimed_by == held.worker,
            OutboxRow.attempts == held.attempt,
        )
        .values(**values)
        .returning(OutboxRow.id)
    )
    return changed.scalar_one_or_none() is not None


def forget_done(session: Session, before: dt.datetime) -> None:
    """Delete done rows older than `before`, but never the last one: its id is a position others compare."""
    last = select(func.max(OutboxRow.id)).scalar_subquery()
    session.execute(
        delete(OutboxRow).where(OutboxRow.state == DONE, OutboxRow.created_at < before, OutboxRow.id < last)
    )


def settled_after(session: Session, topic: str, position: int) -> list[OutboxRow]:
    """Done rows of a topic with a higher id, oldest first: what a follower at `position` has not seen."""
    chosen = select(OutboxRow).where(
        OutboxRow.topic == topic, OutboxRow.state == DONE, OutboxRow.id > position
    )
    return list(session.scalars(chosen.order_by(OutboxRow.id)))


def rows_after(session: Session, topic: str, position: int, *, but: Collection[int] = ()) -> list[OutboxRow]:
    """Rows of a topic with a higher id, whatever became of them, oldest first; without those of the ids `but`."""
    chosen = select(OutboxRow).where(
        OutboxRow.id > position, OutboxRow.topic == topic, OutboxRow.id.not_in(but)
    )
    return list(session.scalars(chosen.order_by(OutboxRow.id)))


def first_position(session: Session) -> int | None:
    """The id of the oldest row that is still kept; None for an empty outbox."""
    return session.scalar(select(func.min(OutboxRow.id)))


def payloads_waiting(session: Session, topic: str) -> list[dict[str, Any]]:
    """What is still to be done about a topic."""
    chosen = select(OutboxRow.payload).where(
        OutboxRow.topic == topic, OutboxRow.state.in_((PENDING, RUNNING))
    )
    return list(session.scalars(chosen))


def oldest_waiting(session: Session) -> dt.datetime | None:
    """When the oldest row that nobody works on was written; None when nothing waits."""
    return session.scalar(select(func.min(OutboxRow.created_at)).where(_is_free(utc_now())))


def count_waiting(session: Session, topic: str) -> int:
    """How many rows of a topic are still to be done."""
    chosen = select(func.count()).where(OutboxRow.topic == topic, OutboxRow.state.in_((PENDING, RUNNING)))
    return session.scalar(chosen) or 0


def last_position(session: Session) -> int:
    """The id of the newest row; 0 for an empty outbox."""
    return session.scalar(select(func.max(OutboxRow.id))) or 0
