"""Threads and processes on one database: nobody loses a row, nobody wins a row twice, nobody is locked out."""

from __future__ import annotations

import contextlib
import datetime as dt
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from opendata.kernel import outbox
from opendata.kernel.db import Database, Event
from opendata.kernel.ids import utc_now
from opendata.kernel.outbox import OutboxRow

if TYPE_CHECKING:
    from pathlib import Path

WRITER_AND_CLAIMER = """
import datetime as dt, sys
from concurrent.futures import ThreadPoolExecutor
from opendata.kernel import outbox
from opendata.kernel.db import Database, Event
from opendata.kernel.ids import utc_now

url, process = sys.argv[1:]
database = Database(url)

def write(thread):
    for number in range(5):
        with database.bookkeeping() as unit:
            unit.emit(Event(f"{process}-{thread}", {"number": number, "text": "x" * 2000}))

def take(thread):
    won = 0
    for row_id in range(1, 41):
        now = utc_now()
        with database.bookkeeping() as unit:
            until = now + dt.timedelta(minutes=1)
            won += outbox.claim(unit.session, row_id, f"{process}-{thread}", now, until) is not None
    return won

with ThreadPoolExecutor(4) as pool:
    for step in (write, take):
        print("ready", flush=True)
        sys.stdin.readline()
        done = list(pool.map(step, range(4)))
print(sum(done))
"""


class StopHereError(Exception):
    """Raised by a test inside a unit of work."""


def run_two_processes(url: str) -> list[int]:
    """Two processes of four threads write 40 rows together and then claim them; how many each one won."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER_AND_CLAIMER, url, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "other")
    ]
    for _step in ("write", "take"):
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in started:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
    answers = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    return [int(answer) for answer in answers]


def emit(database: Database, count: int) -> None:
    with database.bookkeeping() as unit:
        for number in range(count):
            unit.emit(Event("work", {"number": number}))


def test_eight_threads_claim_one_row_once(database) -> None:
    emit(database, 1)
    start = threading.Barrier(8)
    now = utc_now()

    def take(number: int) -> bool:
        start.wait()
        with database.bookkeeping() as unit:
            until = now + dt.timedelta(minutes=1)
            return outbox.claim(unit.session, 1, f"worker-{number}", now, until) is not None

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(take, range(8)))
    assert won.count(True) == 1
    with database.reading() as session:
        row = session.scalars(select(OutboxRow)).one()
    assert (row.state, row.attempts, row.claimed_by) == ("running", 1, f"worker-{won.index(True)}")


def test_two_processes_write_and_claim_while_others_read_and_checkpoint(database, database_url: str) -> None:
    """No row is lost to a checkpoint between the writers, none is claimed twice, and nobody is told
    "database is locked".
    """
    stop = threading.Event()
    seen: list[int] = []

    def read() -> None:
        while not stop.wait(0.01):
            with database.reading() as session:
                seen.append(session.scalar(select(func.count()).select_from(OutboxRow)) or 0)

    def checkpoint() -> None:
        while not stop.wait(0.01):
            database.checkpoint()

    with ThreadPoolExecutor(2) as pool:
        watching = [pool.submit(read), pool.submit(checkpoint)]
        try:
            won = run_two_processes(database_url)
        finally:
            stop.set()
        for each in watching:
            each.result()
    assert sum(won) == 40
    assert seen == sorted(seen)
    with database.reading() as session:
        rows = session.execute(select(OutboxRow.topic, OutboxRow.payload, OutboxRow.attempts)).all()
        if database.is_sqlite:
            assert session.scalar(text("PRAGMA integrity_check")) == "ok"
    written = sorted((topic, payload["number"], attempts) for topic, payload, attempts in rows)
    assert written == sorted(
        (f"{name}-{thread}", number, 1)
        for name in ("one", "other")
        for thread in range(4)
        for number in range(5)
    )


def test_a_checkpoint_does_not_wait_for_readers(sqlite_url: str, tmp_path: Path) -> None:
    """It holds the writers' lock: waiting for a long reader would cost running jobs their claims."""
    database = Database(sqlite_url)
    emit(database, 1)
    log = tmp_path / "portal.sqlite-wal"
    with database.reading() as session:
        assert session.scalars(select(OutboxRow.id)).one() == 1
        emit(database, 50)  # what this reader must not see stays in the log until it has gone
        checkpoint = threading.Thread(target=database.checkpoint, daemon=True)
        checkpoint.start()
        checkpoint.join(10)  # the busy timeout is fifteen seconds
        assert not checkpoint.is_alive()
        assert log.stat().st_size > 0
        emit(database, 1)
    assert database.log_bytes() == log.stat().st_size > 0
    database.checkpoint()
    assert database.log_bytes() == log.stat().st_size == 0
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(OutboxRow)) == 52
    database.close()


def test_a_writer_that_fails_lets_the_next_one_in(database) -> None:
    def fail(number: int) -> None:
        with contextlib.suppress(StopHereError), database.bookkeeping() as unit:
            unit.emit(Event("work", {"number": number}))
            unit.session.flush()
            raise StopHereError

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fail, range(20)))
    emit(database, 3)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(OutboxRow)) == 3
