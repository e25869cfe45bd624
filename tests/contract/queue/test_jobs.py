"""Jobs on both queues: run once when all goes well, again when not, given up once with a last word."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
import threading

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from opendata.kernel import outbox
from opendata.kernel.batches import MAX_ATTEMPTS
from opendata.kernel.jobs import MOST_QUEUED, Timing, open_queue
from opendata.kernel.outbox import OutboxRow
from tests.contract.queue.conftest import QUICK, Diary

WORKER = """
import datetime as dt, sys, time
from pathlib import Path
from opendata.kernel.db import Database
from opendata.kernel.jobs import JobRunner, Timing, open_queue

class Hanging:
    def run(self, payload, attempt):
        print("running", flush=True)
        time.sleep(600)
    def give_up(self, payload, error):
        print("given up", flush=True)

database = Database(sys.argv[1])
timing = Timing(claim=dt.timedelta(seconds=2), poll=0.02)
runner = JobRunner(database, open_queue(database.url, Path(sys.argv[2])), {"work": Hanging()}, {}, timing=timing)
runner.start(1)
time.sleep(600)
"""


def fail(_payload, _attempt) -> None:
    raise ValueError("no luck")


def test_a_started_runner_does_each_job_once(make_runner, emit, states, wait_until) -> None:
    diary = Diary()
    emit("work", *range(12))
    runner = make_runner({"work": diary})
    runner.start(2)
    wait_until(lambda: set(states().values()) == {outbox.DONE})
    emit("work", "later")
    wait_until(lambda: states()["later"] == outbox.DONE)
    runner.stop()
    assert sorted(diary.runs, key=str) == sorted(
        [(name, 1, False) for name in [*range(12), "later"]], key=str
    )
    assert diary.given_up == []


def test_a_waiting_job_can_be_run_here_and_now(make_runner, emit, states) -> None:
    diary = Diary()
    emit("work", "a", "b")
    assert make_runner({"work": diary}).run_waiting() == 2
    assert [name for name, _, _ in diary.runs] == ["a", "b"]
    assert states() == {"a": outbox.DONE, "b": outbox.DONE}


def test_topics_without_a_job_are_left_alone(make_runner, emit, states) -> None:
    emit("other", "a")
    runner = make_runner({"work": Diary()})
    assert runner.run_waiting() == 0
    assert runner.relay_once() is False
    assert states() == {"a": outbox.PENDING}


def test_a_job_that_fails_is_tried_again(make_runner, emit, rows) -> None:
    def recover(payload, attempt) -> None:
        if attempt.number < MAX_ATTEMPTS:
            raise ValueError("not yet")

    diary = Diary(recover)
    emit("work", "a")
    make_runner({"work": diary}).run_waiting()
    assert diary.runs == [("a", 1, False), ("a", 2, False), ("a", 3, True)]
    assert diary.given_up == []
    row = rows()["a"]
    assert (row.state, row.error, row.claimed_by) == (outbox.DONE, None, None)


def test_a_job_that_always_fails_is_given_up_once(make_runner, emit, rows, wait_until) -> None:
    diary = Diary(fail)
    emit("work", "a")
    runner = make_runner({"work": diary})
    runner.start(2)
    wait_until(lambda: rows()["a"].state == outbox.DEAD)
    runner.stop()
    assert [attempt for _, attempt, _ in diary.runs] == [1, 2, 3]
    assert diary.given_up == [("a", "ValueError('no luck')")]
    assert rows()["a"].error == "ValueError('no luck')"


def test_one_job_that_fails_holds_up_no_other(make_runner, emit, states, wait_until) -> None:
    def fail_the_first(payload, attempt) -> None:
        if payload["name"] == 0:
            raise ValueError("poison")

    diary = Diary(fail_the_first)
    emit("work", *range(6))
    runner = make_runner({"work": diary})
    runner.start(1)
    settled = {outbox.DONE, outbox.DEAD}
    wait_until(lambda: set(states().values()) <= settled)
    runner.stop()
    assert states() == {0: outbox.DEAD} | dict.fromkeys(range(1, 6), outbox.DONE)


def test_a_row_whose_every_worker_died_is_given_up(make_runner, emit, rows, database) -> None:
    """A file that kills whoever opens it must not kill workers for ever."""
    diary = Diary()
    (row_id,) = emit("work", "a")
    with database.bookkeeping() as unit:
        unit.session.execute(
            update(OutboxRow)
            .where(OutboxRow.id == row_id)
            .values(
                state=outbox.RUNNING,
                attempts=MAX_ATTEMPTS,
                claimed_by="gone",
                claimed_until=dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
            )
        )
    make_runner({"work": diary}).run_waiting()
    assert (diary.runs, diary.given_up) == ([], [("a", "None")])
    assert rows()["a"].state == outbox.DEAD


def test_a_last_word_that_fails_is_said_again(make_runner, emit, rows, clock) -> None:
    class Speechless(Diary):
        def give_up(self, payload, error) -> None:
            super().give_up(payload, error)
            if len(self.given_up) == 1:
                raise RuntimeError("the database is away")

    diary = Speechless(fail)
    emit("work", "a")
    runner = make_runner({"work": diary}, clock=clock)
    with pytest.raises(RuntimeError, match="away"):
        runner.run_waiting()
    assert rows()["a"].state == outbox.RUNNING
    assert runner.run_waiting() == 0
    clock.advance(QUICK.claim + dt.timedelta(seconds=1))
    assert runner.run_waiting() == 1
    assert len(diary.given_up) == 2
    assert rows()["a"].state == outbox.DEAD


# -- claims ---------------------------------------------------------------------------------


def test_the_job_of_a_killed_worker_is_done_by_the_next(
    *, make_runner, emit, rows, database_url, tmp_path, wait_until
) -> None:
    emit("work", "a")
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, database_url, str(tmp_path)], stdout=subprocess.PIPE
    ) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"running\n"
        assert rows()["a"].state == outbox.RUNNING
        worker.kill()
    diary = Diary()
    runner = make_runner({"work": diary})
    runner.start(1)
    wait_until(lambda: rows()["a"].state == outbox.DONE)
    runner.stop()
    assert diary.runs == [("a", 2, False)]


def test_a_long_job_keeps_its_claim(*, make_runner, emit, rows, database, wait_until, monkeypatch) -> None:
    """Also when the database was away for one of the renewals."""
    bookkeeping = database.bookkeeping
    failures = ["once"]

    def failing_once():
        if failures and threading.current_thread().name.startswith("claim-"):
            failures.pop()
            raise OperationalError("UPDATE", {}, Exception("away"))
        return bookkeeping()

    monkeypatch.setattr(database, "bookkeeping", failing_once)

    def run(_payload, _attempt) -> None:
        first = rows()["a"].claimed_until
        wait_until(lambda: rows()["a"].claimed_until > first + QUICK.claim / 10)

    diary = Diary(run)
    emit("work", "a")
    make_runner({"work": diary}).run_waiting()
    assert failures == []
    assert diary.runs == [("a", 1, False)]
    assert rows()["a"].state == outbox.DONE


@pytest.mark.parametrize("outcome", ["done", "failed", "failed for the last time"])
def test_who_lost_the_claim_meanwhile_changes_nothing(make_runner, emit, rows, database, outcome) -> None:
    """The machine slept, or the writers' lock was long in coming: another worker has the row by now."""

    def lose_the_claim(payload, attempt) -> None:
        if outcome == "failed for the last time" and not attempt.is_last:
            raise ValueError("again")
        with database.bookkeeping() as unit:
            unit.session.execute(
                update(OutboxRow).values(
                    claimed_by="other",
                    attempts=OutboxRow.attempts + 1,
                    claimed_until=dt.datetime(2999, 1, 1, tzinfo=dt.UTC),
                )
            )
        if outcome != "done":
            raise ValueError("too late")

    diary = Diary(lose_the_claim)
    emit("work", "a")
    make_runner({"work": diary}).run_waiting()
    row = rows()["a"]
    assert (row.state, row.claimed_by) == (outbox.RUNNING, "other")
    assert diary.given_up == []


# -- stopping -------------------------------------------------------------------------------


def test_stopping_finishes_what_runs_and_takes_nothing_new(make_runner, emit, states, wait_until) -> None:
    begun, let_go = threading.Event(), threading.Event()

    def wait(payload, attempt) -> None:
        begun.set()
        assert let_go.wait(60)

    diary = Diary(wait)
    emit("work", "a", "b", "c")
    runner = make_runner({"work": diary})
    runner.start(1)
    assert begun.wait(60)
    stopping = threading.Thread(target=runner.stop)
    stopping.start()
    wait_until(lambda: not any(thread.name == "outbox-relay" for thread in threading.enumerate()))
    let_go.set()
    stopping.join(60)
    assert not stopping.is_alive()
    assert states() == {"a": outbox.DONE, "b": outbox.PENDING, "c": outbox.PENDING}


def test_signals_stay_the_business_of_the_worker_process(make_runner) -> None:
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    runner = make_runner({"work": Diary()})
    runner.start(1)
    assert {name: signal.getsignal(name) for name in before} == before


# -- the queue between outbox and threads ---------------------------------------------------


@pytest.fixture
def queue(database, tmp_path):
    opened = open_queue(database.url, tmp_path)
    yield opened
    opened.storage.close()


def test_a_row_is_queued_once(make_runner, emit, clock, queue) -> None:
    emit("work", "a")
    runner = make_runner({"work": Diary()}, clock=clock)
    for _ in range(3):
        runner.relay_once()
    assert queue.pending_count() == 1


def test_a_queue_that_lost_everything_is_filled_again(make_runner, emit, clock, queue) -> None:
    emit("work", "a", "b")
    runner = make_runner({"work": Diary()}, clock=clock)
    runner.relay_once()
    queue.flush()
    runner.relay_once()
    assert queue.pending_count() == 0
    clock.advance(QUICK.claim)
    runner.relay_once()
    assert queue.pending_count() == 2


def test_a_failed_job_rests_before_it_is_queued_again(make_runner, emit, clock, queue) -> None:
    timing = Timing(retry=dt.timedelta(seconds=10))
    emit("work", "a")
    diary = Diary(fail)
    runner = make_runner({"work": diary}, clock=clock, timing=timing)
    runner.relay_once()
    runner._huey.execute(runner._huey.dequeue())
    for pause in (9, 0):
        clock.advance(dt.timedelta(seconds=pause))
        runner.relay_once()
        assert queue.pending_count() == 0
    clock.advance(dt.timedelta(seconds=1))
    runner.relay_once()
    runner._huey.execute(runner._huey.dequeue())
    clock.advance(dt.timedelta(seconds=19))
    runner.relay_once()
    assert queue.pending_count() == 0
    clock.advance(dt.timedelta(seconds=1))
    runner.relay_once()
    assert queue.pending_count() == 1
    assert [attempt for _, attempt, _ in diary.runs] == [1, 2]


def test_a_long_backlog_waits_in_the_outbox_and_not_in_the_queue(make_runner, emit, clock, queue) -> None:
    """Seen: rows that waited longer than a claim were queued again every few seconds, without end."""
    emit("work", *range(MOST_QUEUED + 10))
    runner = make_runner({"work": Diary()}, clock=clock)
    for _ in range(20):
        runner.relay_once()
        clock.advance(QUICK.claim)
    assert queue.pending_count() == MOST_QUEUED


def test_a_runner_begins_with_an_empty_queue(make_runner, emit, rows, wait_until, queue) -> None:
    """What a killed worker left in the queue is in the outbox too; twice would be harmless but slow."""
    emit("work", "a")
    make_runner({"work": Diary()}).relay_once()
    assert queue.pending_count() == 1
    diary = Diary()
    runner = make_runner({"work": diary})
    runner.start(1)
    wait_until(lambda: rows()["a"].state == outbox.DONE)
    runner.stop()
    assert diary.runs == [("a", 1, False)]
    assert queue.pending_count() == 0


@pytest.mark.parametrize("damage", ["gone", "garbage", "cut short"])
def test_a_lost_or_damaged_queue_file_is_made_again(sqlite_url, tmp_path, damage) -> None:
    from opendata.kernel.db import Database, Event
    from opendata.kernel.jobs import JobRunner

    database = Database(sqlite_url)
    with database.bookkeeping() as unit:
        unit.emit(Event("work", {"name": "a"}))
    queue = open_queue(database.url, tmp_path)
    JobRunner(database, queue, {"work": Diary()}, {}).relay_once()
    queue.storage.close()
    file = tmp_path / "jobs.sqlite"
    if damage == "gone":
        file.unlink()
    elif damage == "garbage":
        file.write_bytes(b"not a database at all" * 500)
    else:
        file.write_bytes(file.read_bytes()[:1000])
    diary = Diary()
    runner = JobRunner(database, open_queue(database.url, tmp_path), {"work": diary}, {})
    runner.relay_once()
    assert runner._huey.pending_count() == 1
    runner._huey.execute(runner._huey.dequeue())
    assert diary.runs == [("a", 1, False)]
    runner.stop()
    database.close()
