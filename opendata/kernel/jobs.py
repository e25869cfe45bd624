"""Jobs: what runs after commit, fed only by the outbox.

`JobRunner` relays outbox rows to a Huey queue and runs them with a renewed claim, a bounded number of
attempts and a last word on giving up. Topics routed to a batch handler (search indexing) are taken many at
a time by the relay itself, so that one commit of the index serves a burst of changes. The queue may lose
everything: a row's claim runs out and the sweep takes it again.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from huey import Huey, PostgresHuey, SqliteHuey
from huey.consumer import Consumer

from opendata.kernel import outbox
from opendata.kernel.batches import MAX_ATTEMPTS, BatchRunner
from opendata.kernel.ids import utc_now
from opendata.kernel.rests import doubled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import URL

    from opendata.kernel.batches import BatchJob
    from opendata.kernel.db import Database

log = logging.getLogger(__name__)

BATCH = 500
MOST_QUEUED = 64


@dataclass(frozen=True, slots=True)
class Timing:
    """`claim`: how long a row stays taken without a sign of life, renewed four times within it;
    `retry`: the pause before the second attempt, doubled before the third;
    `lost`: when a row that was queued and never taken is queued again;
    `poll`, `longest_rest`: seconds between two looks at the outbox, and at most after failures.
    """

    claim: dt.timedelta = dt.timedelta(seconds=12)
    retry: dt.timedelta = dt.timedelta(seconds=3)
    lost: dt.timedelta = dt.timedelta(minutes=2)
    poll: float = 0.25
    longest_rest: float = 30.0


@dataclass(frozen=True, slots=True)
class Attempt:
    number: int
    is_last: bool


class Job(Protocol):
    """One kind of work. `run` must be idempotent; an exception means "try again"."""

    def run(self, payload: Mapping[str, Any], attempt: Attempt) -> None: ...

    def give_up(self, payload: Mapping[str, Any], error: BaseException | None) -> None:
        """After the last attempt: leave a state and a reason that a person can see."""


class JobRunner:
    """Takes work from the outbox. One per worker process; `run_waiting` also serves the CLI and tests."""

    def __init__(
        self,
        database: Database,
        huey: Huey,
        jobs: Mapping[str, Job],
        batches: Mapping[str, BatchJob],
        clock: Callable[[], dt.datetime] = utc_now,
        *,
        timing: Timing | None = None,
    ) -> None:
        self._database = database
        self._huey = huey
        self._jobs = jobs
        self._clock = clock
        self._timing = timing or Timing()
        self._name = f"{socket.gethostname()[:20]}:{os.getpid()}:{id(self) % 10**9}"
        self._task = huey.task(name="run_outbox_row")(self.run_row)
        self._held_back = _HeldBack()
        self._batches = BatchRunner(
            database, batches, max_attempts=MAX_ATTEMPTS, rest=self._rest, clock=clock
        )
        self._stopping = threading.Event()
        self._relay: threading.Thread | None = None
        self._consumer: _QuietConsumer | None = None

    # -- a worker's life ------------------------------------------------------------------

    def start(self, workers: int) -> None:
        """Begin taking work in background threads: one relay, `workers` Huey threads."""
        self._huey.flush()  # whatever a killed worker left queued is in the outbox as well
        self._consumer = _QuietConsumer(
            self._huey,
            workers=workers,
            worker_type="thread",
            periodic=False,
            initial_delay=0.05,
            max_delay=0.5,
        )
        self._consumer.start()
        self._relay = threading.Thread(target=self._relay_forever, name="outbox-relay", daemon=True)
        self._relay.start()

    def stop(self) -> None:
        """Finish what is running, take nothing new."""
        self._stopping.set()
        if self._relay is not None:
            self._relay.join()
        if self._consumer is not None:
            self._consumer.stop(graceful=True)
        self._huey.storage.close()

    def _relay_forever(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                busy = self.relay_once()
                failures = 0
            except Exception:
                # A database that is briefly away must not end the worker; a later turn tries again.
                log.exception("the outbox could not be read")
                busy, failures = False, failures + 1
            if not busy:
                self._stopping.wait(self._rest(failures))

    def relay_once(self) -> bool:
        """Enqueue waiting jobs and run waiting batches once; True when a batch was run."""
        now = self._clock()
        with self._database.reading() as session:
            rows = [row.id for row in outbox.waiting(session, list(self._jobs), now, BATCH)]
        if rows:
            self._enqueue(rows, now)
        return self._batches.run(rested=True)

    def _enqueue(self, rows: Sequence[int], now: dt.datetime) -> None:
        """Keep the queue short: what does not fit waits in the outbox."""
        self._held_back.forget(now)
        queued = self._huey.pending_count()
        was_empty = queued == 0  # it has lost what it was given, or a thread is about to claim it
        for row_id in rows:
            if queued >= MOST_QUEUED:
                return
            if self._held_back.is_free(row_id, now, queue_is_empty=was_empty):
                self._held_back.hold(row_id, now + self._timing.lost, now + self._timing.claim)
                self._task(row_id)
                queued += 1

    def _rest(self, failures: int) -> float:
        """Seconds to wait after that many failures in a row."""
        return doubled(self._timing.poll, failures, self._timing.longest_rest)

    # -- doing the work -------------------------------------------------------------------

    def run_waiting(self) -> int:
        """Run everything that waits, here and now, batches last; the number of jobs run."""
        count = 0
        while True:
            with self._database.reading() as session:
                rows = [row.id for row in outbox.waiting(session, list(self._jobs), self._clock(), BATCH)]
            if not rows:
                break
            for row_id in rows:
                self.run_row(row_id)
                count += 1
        while self.run_batches():
            count += 1
        return count

    def run_row(self, row_id: int) -> None:
        """Run one row if it is still waiting. A failing job raises nothing: the outcome is in the row.

        Raises what the database raises; the claim then runs out and the row is taken again.
        """
        now = self._clock()
        with self._database.bookkeeping() as unit:
            held = outbox.claim(unit.session, row_id, self._name, now, now + self._timing.claim)
        self._held_back.release(row_id)
        if held is None:
            return
        job = self._jobs[held.topic]
        if held.attempt > MAX_ATTEMPTS:  # every earlier attempt died without a word
            self._bury(held, job, None)
            return
        try:
            with self._renewing(held):
                job.run(held.payload, Attempt(held.attempt, is_last=held.attempt >= MAX_ATTEMPTS))
        except Exception as error:
            log.exception("job %s (outbox row %s) failed on attempt %s", held.topic, row_id, held.attempt)
            if held.attempt >= MAX_ATTEMPTS:
                self._bury(held, job, error)
            else:
                again = self._clock() + self._timing.retry * 2 ** (held.attempt - 1)
                self._held_back.hold(row_id, again, again)
                self._settle(held, outbox.PENDING, repr(error))
        else:
            self._settle(held, outbox.DONE)

    def forget_done(self, before: dt.datetime) -> None:
        """Housekeeping: drop rows that were done long ago."""
        with self._database.bookkeeping() as unit:
            outbox.forget_done(unit.session, before)

    def run_batches(self) -> bool:
        """Run what waits for the batch jobs, once; whether any of it was done."""
        return self._batches.run()

    def _bury(self, held: outbox.Claim, job: Job, error: BaseException | None) -> None:
        if self._still_held(held):
            job.give_up(held.payload, error)
            self._settle(held, outbox.DEAD, repr(error))

    def _settle(self, held: outbox.Claim, state: str, error: str | None = None) -> None:
        with self._database.bookkeeping() as unit:
            if not outbox.settle(unit.session, held, state, error):
                log.warning("outbox row %s was taken over by another worker meanwhile", held.row_id)

    def _still_held(self, held: outbox.Claim) -> bool:
        with self._database.bookkeeping() as unit:
            return outbox.renew(unit.session, held, self._clock() + self._timing.claim)

    @contextmanager
    def _renewing(self, held: outbox.Claim) -> Iterator[None]:
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(self._timing.claim.total_seconds() / 4):
                try:
                    if not self._still_held(held):
                        return
                except Exception:
                    # A database that is briefly away: the claim outlasts a few missed renewals.
                    log.exception("the claim on outbox row %s could not be renewed", held.row_id)

        thread = threading.Thread(target=renew, name=f"claim-{held.row_id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


class _HeldBack:
    """Rows that are not to be queued now: queued already, or waiting for their next attempt. Thread-safe."""

    def __init__(self) -> None:
        self._until: dict[int, tuple[dt.datetime, dt.datetime]] = {}
        self._lock = threading.Lock()

    def hold(self, row_id: int, until: dt.datetime, until_when_empty: dt.datetime) -> None:
        """`until_when_empty` counts instead while the queue is empty."""
        with self._lock:
            self._until[row_id] = (until, until_when_empty)

    def release(self, row_id: int) -> None:
        with self._lock:
            self._until.pop(row_id, None)

    def forget(self, now: dt.datetime) -> None:
        """Drop what is no longer held back, other workers' rows among them."""
        with self._lock:
            self._until = {row_id: held for row_id, held in self._until.items() if held[0] > now}

    def is_free(self, row_id: int, now: dt.datetime, *, queue_is_empty: bool) -> bool:
        with self._lock:
            held = self._until.get(row_id)
        return held is None or held[queue_is_empty] <= now


class _QuietConsumer(Consumer):  # type: ignore[misc]  # Huey ships no types
    """Huey's threads without its signal handlers.

    They would replace those of the worker's composition root (seen: SIGTERM never reached it), and can be
    set in the main thread only.
    """

    def _set_signal_handlers(self) -> None:
        """The process that runs the worker decides when it stops."""


def open_queue(database_url: URL, folder: Path) -> Huey:
    """The queue beside the database: a file of its own with SQLite, tables in the same PostgreSQL.

    A queue file that is damaged is made again; whatever it held is in the outbox as well.
    """
    if database_url.get_backend_name() == "sqlite":
        path = folder / "jobs.sqlite"
        try:
            return SqliteHuey("opendata", filename=str(path), immediate=False)
        except sqlite3.OperationalError:
            raise  # no room, no right to write: a new file would not help
        except sqlite3.DatabaseError:
            log.warning("the queue file %s is damaged and is made again", path)
            for part in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
                part.unlink(missing_ok=True)
            return SqliteHuey("opendata", filename=str(path), immediate=False)
    plain = database_url.set(drivername="postgresql").render_as_string(hide_password=False)
    options = {"dsn": plain, "immediate": False, "blocking": False}
    try:
        return PostgresHuey("opendata", **options)
    except psycopg.errors.UniqueViolation:  # two workers made the tables at the same moment
        return PostgresHuey("opendata", **options)
