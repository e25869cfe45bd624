"""Runners on both queues: SqliteHuey beside SQLite, PostgresHuey in PostgreSQL, as `open_queue` chooses."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from opendata.kernel.db import Database, Event
from opendata.kernel.jobs import JobRunner, Timing, open_queue
from opendata.kernel.outbox import OutboxRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from opendata.kernel.jobs import Attempt

QUICK = Timing(
    claim=dt.timedelta(seconds=2), retry=dt.timedelta(milliseconds=10), poll=0.02, longest_rest=0.1
)


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = dt.datetime(2025, 7, 1, 12, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def advance(self, duration: dt.timedelta) -> None:
        self.now += duration


class Diary:
    """A job that writes down what it was asked, and does what `behave` does."""

    def __init__(self, behave: Callable[[Mapping[str, Any], Attempt], None] | None = None) -> None:
        self.runs: list[tuple[Any, int, bool]] = []  # (payload's name, attempt, whether it is the last)
        self.given_up: list[tuple[Any, str]] = []
        self._behave = behave

    def run(self, payload: Mapping[str, Any], attempt: Attempt) -> None:
        self.runs.append((payload["name"], attempt.number, attempt.is_last))
        if self._behave is not None:
            self._behave(payload, attempt)

    def give_up(self, payload: Mapping[str, Any], error: BaseException | None) -> None:
        self.given_up.append((payload["name"], repr(error)))


class Shelf:
    """A batch job that refuses batches holding one of `bad`, or everything while `broken`."""

    def __init__(self, bad: set[Any] | None = None) -> None:
        self.bad = bad or set()
        self.broken = False
        self.calls: list[list[Any]] = []
        self.done: list[Any] = []
        self.position = 0

    def run_batch(self, payloads: Sequence[Mapping[str, Any]], position: int) -> None:
        names = [payload["name"] for payload in payloads]
        self.calls.append(names)
        if self.broken or self.bad.intersection(names):
            raise ValueError(f"cannot take {names}")
        self.done += names
        self.position = position


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_runner(database: Database, tmp_path: Path) -> Iterator[Callable[..., JobRunner]]:
    """A runner on the database under test; `jobs`, `batches`, `clock`, `timing` as JobRunner takes them."""
    made: list[JobRunner] = []

    def make(
        jobs: Mapping[str, Any] | None = None, batches: Mapping[str, Any] | None = None, **options: Any
    ) -> JobRunner:
        options.setdefault("timing", QUICK)
        runner = JobRunner(database, open_queue(database.url, tmp_path), jobs or {}, batches or {}, **options)
        made.append(runner)
        return runner

    yield make
    for runner in made:
        runner.stop()


@pytest.fixture
def emit(database: Database) -> Callable[..., list[int]]:
    """Write one event a name; the ids of all rows of the topic."""

    def write(topic: str, *names: Any) -> list[int]:
        for name in names:
            with database.bookkeeping() as unit:
                unit.emit(Event(topic, {"name": name}))
        with database.reading() as session:
            chosen = select(OutboxRow.id).where(OutboxRow.topic == topic).order_by(OutboxRow.id)
            return list(session.scalars(chosen))

    return write


@pytest.fixture
def rows(database: Database) -> Callable[[], dict[Any, OutboxRow]]:
    """The outbox now, by the payload's name."""

    def read() -> dict[Any, OutboxRow]:
        with database.reading() as session:
            return {row.payload["name"]: row for row in session.scalars(select(OutboxRow))}

    return read


@pytest.fixture
def states(rows: Callable[[], dict[Any, OutboxRow]]) -> Callable[[], dict[Any, str]]:
    return lambda: {name: row.state for name, row in rows().items()}


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Wait for what other threads or processes do; a minute is far more than any of it takes."""

    def wait(reached: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not reached():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.01)

    return wait
