"""Work that is cheaper together: outbox rows of one topic handed to one handler, many at a time.

Used by `JobRunner` for search indexing. A row that spoils its batch is found and ended after its last
attempt, so it never holds up the others; a handler that fails on everything is left alone for a while that
grows, and nothing is held against its rows.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING, Any, Protocol

from opendata.kernel import outbox
from opendata.kernel.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opendata.kernel.db import Database

log = logging.getLogger(__name__)

BATCH = 500
MAX_ATTEMPTS = 3
PROBES = 8  # rows of a failed batch that are tried alone before the handler is held to be at fault


class BatchJob(Protocol):
    """`position` is the highest outbox id in the batch. Must be idempotent; an exception means "again"."""

    def run_batch(self, payloads: Sequence[Mapping[str, Any]], position: int) -> None: ...


class BatchRunner:
    """`rest`: seconds to leave a handler alone after that many failures in a row."""

    def __init__(
        self,
        database: Database,
        batches: Mapping[str, BatchJob],
        *,
        max_attempts: int,
        rest: Callable[[int], float],
        clock: Callable[[], dt.datetime],
    ) -> None:
        self._database = database
        self._batches = batches
        self._max_attempts = max_attempts
        self._rest = rest
        self._clock = clock
        self._failures = dict.fromkeys(batches, 0)
        self._resting_until: dict[str, dt.datetime] = {}

    def run(self, *, rested: bool = False) -> bool:
        """Run what waits for each handler, once; whether any of it was done. Handlers' faults are logged.

        With `rested`, handlers that failed lately are passed over until their rest is over.
        """
        done = False
        for topic, job in self._batches.items():
            now = self._clock()
            if rested and topic in self._resting_until and now < self._resting_until[topic]:
                continue
            with self._database.reading() as session:
                rows = outbox.waiting(session, [topic], now, BATCH)
            if rows:
                done = self._run_batch(topic, job, rows) or done
        return done

    def _run_batch(self, topic: str, job: BatchJob, rows: Sequence[outbox.OutboxRow]) -> bool:
        try:
            job.run_batch([row.payload for row in rows], rows[-1].id)
            finished = [row.id for row in rows]
        except UnavailableError as error:  # no row's fault, for example while another process writes
            log.info("batch job %s is put off: %s", topic, error)
            finished = []
        except Exception:
            log.exception("batch job %s failed on %s rows", topic, len(rows))
            finished = self._run_one_by_one(topic, job, rows) if len(rows) > 1 else []
        if not finished:
            self._failures[topic] += 1
            pause = dt.timedelta(seconds=self._rest(self._failures[topic]))
            self._resting_until[topic] = self._clock() + pause
            return False
        self._failures[topic] = 0
        with self._database.bookkeeping() as unit:
            outbox.settle_unclaimed(unit.session, finished, outbox.DONE)
        return True

    def _run_one_by_one(self, topic: str, job: BatchJob, rows: Sequence[outbox.OutboxRow]) -> list[int]:
        """The ids of rows that pass alone; the others have used up an attempt, if any passed at all."""
        probes = rows[:: max(1, len(rows) // PROBES)]
        failed: dict[int, str] = {}
        passed: list[int] = []
        for row in (*probes, *(row for row in rows if row not in probes)):
            if len(failed) >= len(probes) and not passed:
                return []
            try:
                job.run_batch([row.payload], row.id)
                passed.append(row.id)
            except Exception as error:
                log.exception("batch job %s failed on outbox row %s alone", topic, row.id)
                failed[row.id] = repr(error)
        if passed:
            for row_id, error_text in failed.items():
                self._count_failure(row_id, error_text)
        return passed

    def _count_failure(self, row_id: int, error: str) -> None:
        with self._database.bookkeeping() as unit:
            if outbox.count_failure(unit.session, row_id, error) >= self._max_attempts:
                outbox.settle_unclaimed(unit.session, [row_id], outbox.DEAD, error)
