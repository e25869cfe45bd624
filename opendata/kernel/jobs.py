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
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from huey import Huey, PostgresHuey, SqliteHuey

from opendata.kernel import outbox
from opendata.kernel.ids import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import URL

    from opendata.kernel.db import Database

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
CLAIM = dt.timedelta(seconds=12)
RENEW_SECONDS = 3.0
POLL_SECONDS = 0.25
BATCH = 500


@dataclass(frozen=True, slots=True)
class Attempt:
    number: int
    is_last: bool


class Job(Protocol):
    """One kind of work. `run` must be idempotent; an exception means "try again"."""

    def run(self, payload: Mapping[str, Any], attempt: Attempt) -> None: ...

    def give_up(self, payload: Mapping[str, Any], error: BaseException | None) -> None:
        """After the last attempt: leave a state and a reason that a person can see."""


class BatchJob(Protocol):
    """Work that is cheaper together. `position` is the highest outbox id in the batch."""

    def run_batch(self, payloads: Sequence[Mapping[str, Any]], position: int) -> None: ...


class JobRunner:
    """Takes work from the outbox. One per worker process; `run_waiting` also serves the CLI and tests."""

    def __init__(
        self,
        database: Database,
        huey: Huey,
        jobs: Mapping[str, Job],
        batches: Mapping[str, BatchJob],
        clock: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        self._database = database
        self._huey = huey
        self._jobs = jobs
        self._batches = batches
        self._clock = clock
        self._name = f"{socket.gethostname()[:20]}:{os.getpid()}:{threading.get_ident() % 10_000}"
        self._task = huey.task(name="run_outbox_row")(self.run_row)
        self._enqueued: dict[int, dt.datetime] = {}
        self._stopping = threading.Event()
        self._relay: threading.Thread | None = None
        self._consumer: Any = None

    # -- a worker's life ------------------------------------------------------------------

    def start(self, workers: int) -> None:
        """Begin taking work in background threads: one relay, `workers` Huey threads."""
        self._huey.flush()  # whatever a killed worker left queued is in the outbox as well
        self._consumer = self._huey.create_consumer(
            workers=workers, worker_type="thread", periodic=False, initial_delay=0.05, max_delay=0.5
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

    def _relay_forever(self) -> None:
        while not self._stopping.is_set():
            try:
                busy = self.relay_once()
            except Exception:
                # A database that is briefly away must not end the worker; the next turn tries again.
                log.exception("the outbox could not be read")
                busy = False
            if not busy:
                self._stopping.wait(POLL_SECONDS)

    def relay_once(self) -> bool:
        """Enqueue waiting jobs and run waiting batches once; True when there was anything to batch."""
        now = self._clock()
        with self._database.reading() as session:
            rows = [row.id for row in outbox.waiting(session, list(self._jobs), now, BATCH)]
        for row_id in rows:
            if self._enqueued.get(row_id, now - CLAIM) <= now - CLAIM:
                self._enqueued[row_id] = now
                self._task(row_id)
        self._enqueued = {key: at for key, at in self._enqueued.items() if at > now - 10 * CLAIM}
        return self.run_batches()

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
        """Run one row if it is still waiting. Never raises: the outcome is in the row."""
        now = self._clock()
        with self._database.bookkeeping() as unit:
            row = outbox.claim(unit.session, row_id, self._name, now, now + CLAIM)
        if row is None:
            return
        job = self._jobs[row.topic]
        if row.attempts > MAX_ATTEMPTS:  # every earlier attempt died without a word
            self._bury(row, job, None)
            return
        try:
            with self._renewing(row_id):
                job.run(row.payload, Attempt(row.attempts, is_last=row.attempts >= MAX_ATTEMPTS))
        except Exception as error:
            log.exception("job %s (outbox row %s) failed on attempt %s", row.topic, row_id, row.attempts)
            if row.attempts >= MAX_ATTEMPTS:
                self._bury(row, job, error)
            else:
                self._settle([row_id], outbox.PENDING, repr(error))
        else:
            self._settle([row_id], outbox.DONE)

    def forget_done(self, before: dt.datetime) -> None:
        """Housekeeping: drop rows that were done long ago."""
        with self._database.bookkeeping() as unit:
            outbox.forget_done(unit.session, before)

    def run_batches(self) -> bool:
        """Run what waits for the batch jobs, once; whether there was any."""
        did = False
        for topic, job in self._batches.items():
            with self._database.reading() as session:
                rows = outbox.waiting(session, [topic], self._clock(), BATCH)
            if rows:
                job.run_batch([row.payload for row in rows], rows[-1].id)
                self._settle([row.id for row in rows], outbox.DONE)
                did = True
        return did

    def _bury(self, row: outbox.OutboxRow, job: Job, error: BaseException | None) -> None:
        job.give_up(row.payload, error)
        self._settle([row.id], outbox.DEAD, repr(error))

    def _settle(self, row_ids: Sequence[int], state: str, error: str | None = None) -> None:
        with self._database.bookkeeping() as unit:
            outbox.settle(unit.session, row_ids, state, error)

    @contextmanager
    def _renewing(self, row_id: int) -> Iterator[None]:
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(RENEW_SECONDS):
                with self._database.bookkeeping() as unit:
                    outbox.renew(unit.session, row_id, self._name, self._clock() + CLAIM)

        thread = threading.Thread(target=renew, name=f"claim-{row_id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def open_queue(database_url: URL, folder: Path) -> Huey:
    """The queue beside the database: a file of its own with SQLite, tables in the same PostgreSQL."""
    if database_url.get_backend_name() == "sqlite":
        return SqliteHuey("opendata", filename=str(folder / "jobs.sqlite"), immediate=False)
    plain = database_url.set(drivername="postgresql").render_as_string(hide_password=False)
    return PostgresHuey("opendata", dsn=plain, immediate=False)
