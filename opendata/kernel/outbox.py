"""The outbox: what has to follow from a committed change, written in the same transaction as the change.

A row is *pending* until a worker claims it, *running* while the claim is renewed, then *done*, or *dead*
after its last attempt. A claim that is not renewed (a killed worker) runs out and the row is taken again,
so work is done at least once and every handler must be idempotent. Rows of one `subject` are never run
side by side.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from sqlalchemy import Index, String, and_, delete, func, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from opendata.kernel.tables import Base, BigId

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def waiting(session: Session, topics: Sequence[str], now: dt.datetime, limit: int) -> list[OutboxRow]:
    """Rows of these topics that nobody works on, oldest first: pending, or with a claim that ran out."""
    free = or_(
        OutboxRow.state == PENDING,
        and_(OutboxRow.state == RUNNING, OutboxRow.claimed_until < now),
    )
    chosen = select(OutboxRow).where(OutboxRow.topic.in_(topics), free).order_by(OutboxRow.id).limit(limit)
    return list(session.scalars(chosen))


def claim(
    session: Session, row_id: int, worker: str, now: dt.datetime, until: dt.datetime
) -> OutboxRow | None:
    """Take a waiting row for `worker` until the moment `until`; None when someone else was faster."""
    free = or_(
        OutboxRow.state == PENDING,
        and_(OutboxRow.state == RUNNING, OutboxRow.claimed_until < now),
    )
    taken = session.execute(
        update(OutboxRow)
        .where(OutboxRow.id == row_id, free)
        .values(state=RUNNING, claimed_by=worker, claimed_until=until, attempts=OutboxRow.attempts + 1)
        .returning(OutboxRow.id)
    ).scalar_one_or_none()
    return session.get(OutboxRow, row_id, populate_existing=True) if taken is not None else None


def renew(session: Session, row_id: int, worker: str, until: dt.datetime) -> bool:
    """Extend a claim still held; False when it was lost to another worker."""
    renewed = session.execute(
        update(OutboxRow)
        .where(OutboxRow.id == row_id, OutboxRow.state == RUNNING, OutboxRow.claimed_by == worker)
        .values(claimed_until=until)
        .returning(OutboxRow.id)
    )
    return renewed.scalar_one_or_none() is not None


def settle(session: Session, row_ids: Sequence[int], state: str, error: str | None = None) -> None:
    """End rows as done or dead, or hand them back as pending."""
    session.execute(
        update(OutboxRow)
        .where(OutboxRow.id.in_(row_ids))
        .values(state=state, error=error, claimed_by=None, claimed_until=None)
    )


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


def oldest_waiting(session: Session) -> dt.datetime | None:
    """When the oldest row that nobody has started was written; None when nothing waits."""
    return session.scalar(select(func.min(OutboxRow.created_at)).where(OutboxRow.state == PENDING))


def last_position(session: Session) -> int:
    """The id of the newest row; 0 for an empty outbox."""
    return session.scalar(select(func.max(OutboxRow.id))) or 0
