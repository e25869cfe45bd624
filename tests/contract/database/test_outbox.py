"""Rows of the outbox: waiting, claimed, renewed, settled, forgotten; and who has no say any more."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from opendata.kernel import outbox
from opendata.kernel.db import Database, Event
from opendata.kernel.outbox import OutboxRow

NOON = dt.datetime(2025, 7, 1, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def emit(database: Database, *topics: str) -> list[int]:
    """Rows written at noon, one a topic, oldest first."""
    with database.bookkeeping() as unit:
        for topic in topics:
            unit.session.add(OutboxRow(topic=topic, payload={"topic": topic}, created_at=NOON))
            unit.session.flush()
        return list(unit.session.scalars(select(OutboxRow.id).order_by(OutboxRow.id)))


def claim(database: Database, row_id: int, worker: str, now: dt.datetime = NOON) -> outbox.Claim | None:
    with database.bookkeeping() as unit:
        return outbox.claim(unit.session, row_id, worker, now, now + MINUTE)


def waiting(database: Database, now: dt.datetime = NOON, *topics: str, limit: int = 10) -> list[int]:
    with database.reading() as session:
        return [row.id for row in outbox.waiting(session, list(topics or ("a", "b")), now, limit)]


def row(database: Database, row_id: int) -> OutboxRow:
    with database.reading() as session:
        return session.get_one(OutboxRow, row_id)


def test_waiting_is_by_topic_and_age(database) -> None:
    first, second, third = emit(database, "a", "b", "a")
    assert waiting(database) == [first, second, third]
    assert waiting(database, NOON, "a") == [first, third]
    assert waiting(database, NOON, "c") == []
    assert waiting(database, limit=2) == [first, second]


def test_a_claimed_row_waits_again_when_the_claim_runs_out(database) -> None:
    (row_id,) = emit(database, "a")
    held = claim(database, row_id, "one")
    assert held == outbox.Claim(row_id, "one", 1, "a", {"topic": "a"})
    assert waiting(database, NOON + MINUTE) == []
    assert claim(database, row_id, "other", NOON + MINUTE) is None
    late = NOON + MINUTE + dt.timedelta(microseconds=1)
    assert waiting(database, late) == [row_id]
    again = claim(database, row_id, "other", late)
    assert again is not None
    assert again.attempt == 2


def test_renewing_keeps_a_claim(database) -> None:
    (row_id,) = emit(database, "a")
    held = claim(database, row_id, "one")
    assert held is not None
    with database.bookkeeping() as unit:
        assert outbox.renew(unit.session, held, NOON + 5 * MINUTE)
    assert waiting(database, NOON + 4 * MINUTE) == []


@pytest.mark.parametrize("second", ["other", "one"], ids=["another worker", "the same worker"])
def test_who_lost_a_claim_has_no_say(database, second: str) -> None:
    """Also where both attempts are threads of one worker: the first must not settle what the second does."""
    (row_id,) = emit(database, "a")
    lost = claim(database, row_id, "one")
    held = claim(database, row_id, second, NOON + 2 * MINUTE)
    assert lost is not None
    assert held is not None
    with database.bookkeeping() as unit:
        assert not outbox.renew(unit.session, lost, NOON + 9 * MINUTE)
        assert not outbox.settle(unit.session, lost, outbox.DEAD, "too late")
    assert row(database, row_id).state == outbox.RUNNING
    with database.bookkeeping() as unit:
        assert outbox.settle(unit.session, held, outbox.DONE)
    done = row(database, row_id)
    assert (done.state, done.error, done.claimed_by, done.claimed_until) == (outbox.DONE, None, None, None)


def test_handed_back_rows_wait_at_once(database) -> None:
    (row_id,) = emit(database, "a")
    held = claim(database, row_id, "one")
    assert held is not None
    with database.bookkeeping() as unit:
        outbox.settle(unit.session, held, outbox.PENDING, "RuntimeError('x')")
    assert waiting(database) == [row_id]
    assert row(database, row_id).error == "RuntimeError('x')"


@pytest.mark.parametrize("state", [outbox.DONE, outbox.DEAD])
def test_settled_rows_never_wait_again(database, state: str) -> None:
    (row_id,) = emit(database, "a")
    held = claim(database, row_id, "one")
    assert held is not None
    with database.bookkeeping() as unit:
        outbox.settle(unit.session, held, state)
    assert waiting(database, NOON + 1000 * MINUTE) == []
    assert claim(database, row_id, "other", NOON + 1000 * MINUTE) is None


def test_batches_settle_only_what_is_pending(database) -> None:
    first, second = emit(database, "a", "a")
    claim(database, second, "one")
    with database.bookkeeping() as unit:
        outbox.settle_unclaimed(unit.session, [first, second], outbox.DONE)
    assert [row(database, row_id).state for row_id in (first, second)] == [outbox.DONE, outbox.RUNNING]


def test_forgetting_keeps_what_is_not_done_and_the_last_position(database) -> None:
    first, second, third, last = emit(database, "a", "a", "a", "a")
    with database.bookkeeping() as unit:
        outbox.settle_unclaimed(unit.session, [first, last], outbox.DONE)
        outbox.settle_unclaimed(unit.session, [second], outbox.DEAD)
        outbox.forget_done(unit.session, NOON)
    with database.reading() as session:
        assert len(session.scalars(select(OutboxRow)).all()) == 4
    with database.bookkeeping() as unit:
        outbox.forget_done(unit.session, NOON + MINUTE)
    with database.reading() as session:
        kept = session.scalars(select(OutboxRow.id).order_by(OutboxRow.id)).all()
        assert kept == [second, third, last]
        assert outbox.last_position(session) == last
    assert emit(database, "a")[-1] > last


def test_the_oldest_waiting_row_tells_whether_anyone_works(database) -> None:
    with database.reading() as session:
        assert outbox.oldest_waiting(session) is None
    (row_id,) = emit(database, "a")
    with database.reading() as session:
        assert outbox.oldest_waiting(session) == NOON
    claim(database, row_id, "one", dt.datetime(2999, 1, 1, tzinfo=dt.UTC))
    with database.reading() as session:
        assert outbox.oldest_waiting(session) is None


def test_a_row_whose_worker_died_counts_as_waiting(database) -> None:
    (row_id,) = emit(database, "a")
    claim(database, row_id, "one")  # in 2025, and never renewed
    with database.reading() as session:
        assert outbox.oldest_waiting(session) == NOON


def test_an_empty_outbox_is_at_position_zero(database) -> None:
    with database.reading() as session:
        assert outbox.last_position(session) == 0


def test_events_are_rows_of_the_outbox(database) -> None:
    with database.bookkeeping() as unit:
        unit.emit(Event("dataset.changed", {"dataset_id": "x"}))
    with database.reading() as session:
        written = session.scalars(select(OutboxRow)).one()
    assert (written.topic, written.payload) == ("dataset.changed", {"dataset_id": "x"})
    assert (written.state, written.attempts, written.claimed_by) == (outbox.PENDING, 0, None)
