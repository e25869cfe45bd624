"""Batches: many rows in one go; one bad row, or a handler that is broken, holds up nothing else."""

from __future__ import annotations

import datetime as dt

from opendata.kernel import outbox
from opendata.kernel.errors import UnavailableError
from opendata.kernel.jobs import Timing
from tests.contract.queue.conftest import Diary, Shelf

TIMING = Timing(poll=1.0, longest_rest=30.0)


def test_what_waits_is_done_in_one_go(make_runner, emit, states) -> None:
    shelf = Shelf()
    ids = emit("change", *range(30))
    runner = make_runner(batches={"change": shelf})
    assert runner.run_batches() is True
    assert shelf.calls == [list(range(30))]
    assert shelf.position == ids[-1]
    assert set(states().values()) == {outbox.DONE}
    assert runner.run_batches() is False


def test_batches_run_in_the_relay_and_after_jobs(make_runner, emit, states, wait_until) -> None:
    shelf, diary = Shelf(), Diary(lambda payload, attempt: emit("change", "of the job") and None)
    emit("work", "a")
    make_runner({"work": diary}, {"change": shelf}).run_waiting()
    assert shelf.done == ["of the job"]
    runner = make_runner({"work": Diary()}, {"change": shelf})
    runner.start(1)
    emit("change", "b")
    wait_until(lambda: states()["b"] == outbox.DONE)
    runner.stop()
    assert shelf.done == ["of the job", "b"]


def test_a_bad_row_does_not_hold_up_the_others(make_runner, emit, rows) -> None:
    shelf = Shelf(bad={3, 7})
    emit("change", *range(10))
    runner = make_runner(batches={"change": shelf})
    assert runner.run_batches() is True
    assert sorted(shelf.done) == [0, 1, 2, 4, 5, 6, 8, 9]
    for name in (3, 7):
        row = rows()[name]
        assert (row.state, row.attempts) == (outbox.PENDING, 1)
        assert row.error == f"ValueError('cannot take [{name}]')"
    for later in ("x", "y"):
        emit("change", later)
        assert runner.run_batches() is True
    assert [rows()[name].state for name in (3, 7)] == [outbox.DEAD, outbox.DEAD]
    assert shelf.done[-2:] == ["x", "y"]
    assert runner.run_batches() is False


def test_bad_rows_that_are_mended_are_done(make_runner, emit, states) -> None:
    shelf = Shelf(bad={1})
    emit("change", 0, 1, 2)
    runner = make_runner(batches={"change": shelf})
    runner.run_batches()
    shelf.bad.clear()
    assert runner.run_batches() is True
    assert set(states().values()) == {outbox.DONE}


def test_a_broken_handler_is_not_held_against_its_rows(make_runner, emit, rows, clock) -> None:
    """The disk of the index is full: when it is mended, every change must still reach it."""
    shelf = Shelf()
    shelf.broken = True
    emit("change", *range(40))
    runner = make_runner(batches={"change": shelf}, clock=clock, timing=TIMING)
    for _ in range(10):
        runner.relay_once()
        clock.advance(dt.timedelta(minutes=1))
    assert {(row.state, row.attempts) for row in rows().values()} == {(outbox.PENDING, 0)}
    shelf.broken = False
    assert runner.relay_once() is True
    assert shelf.done == list(range(40))


def test_a_handler_that_is_busy_is_asked_once(make_runner, emit, rows) -> None:
    """Another process writes the index: trying each row alone would only keep it from finishing."""

    class Busy(Shelf):
        def run_batch(self, payloads, position) -> None:
            self.calls.append([payload["name"] for payload in payloads])
            raise UnavailableError

    shelf = Busy()
    emit("change", *range(20))
    assert make_runner(batches={"change": shelf}).run_batches() is False
    assert shelf.calls == [list(range(20))]
    assert {(row.state, row.attempts) for row in rows().values()} == {(outbox.PENDING, 0)}


def test_a_broken_handler_is_left_alone_for_longer_and_longer(make_runner, emit, clock) -> None:
    shelf = Shelf()
    shelf.broken = True
    emit("change", "a")
    runner = make_runner(batches={"change": shelf}, clock=clock, timing=TIMING)
    called_at = []
    start = clock.now
    for _ in range(200):
        before = len(shelf.calls)
        assert runner.relay_once() is False
        if len(shelf.calls) > before:
            called_at.append((clock.now - start).total_seconds())
        clock.advance(dt.timedelta(seconds=1))
    assert called_at == [0, 2, 6, 14, 30, 60, 90, 120, 150, 180]


def test_a_broken_handler_does_not_keep_jobs_or_other_topics_waiting(
    make_runner, emit, states, wait_until
) -> None:
    broken, sound, diary = Shelf(), Shelf(), Diary()
    broken.broken = True
    emit("broken", "a")
    emit("sound", "b")
    emit("work", "c")
    runner = make_runner({"work": diary}, {"broken": broken, "sound": sound})
    runner.start(1)
    wait_until(lambda: states() == {"a": outbox.PENDING, "b": outbox.DONE, "c": outbox.DONE})
    broken.broken = False
    wait_until(lambda: states()["a"] == outbox.DONE)
    runner.stop()


def test_run_waiting_ends_although_a_handler_is_broken(make_runner, emit, states) -> None:
    shelf, diary = Shelf(), Diary()
    shelf.broken = True
    emit("change", "a")
    emit("work", "b")
    make_runner({"work": diary}, {"change": shelf}).run_waiting()
    assert states() == {"a": outbox.PENDING, "b": outbox.DONE}
