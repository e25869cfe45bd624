"""The database: engines, column types and the unit of work, the same on SQLite and PostgreSQL.

`Database.reading()` gives a session that cannot write; `Database.unit_of_work()` is the only way to
change anything people care about, and refuses to commit a change without its audit row. Machinery that
nobody asked for (job progress, sessions, counters) goes through `Database.bookkeeping()`. What the
database refuses because of somebody else's change, or because of a value's form, is a PortalError.
"""

from __future__ import annotations

import fcntl
import sqlite3
import threading
import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import ORMExecuteState, Session

from opendata.kernel.errors import N_, ConflictError, PortalError
from opendata.kernel.ids import utc_now
from opendata.kernel.outbox import OutboxRow
from opendata.kernel.tables import stored_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import Connection

BUSY_TIMEOUT_MS = 15_000

# SQLite 3.7.0-3.51.2 can lose a WAL reset that races with a writer (https://sqlite.org/wal.html);
# these releases carry the fix.
FIXED_SQLITE = ((3, 51, 3), (3, 50, 7), (3, 44, 6))


# Two people at once: unique and foreign keys (PostgreSQL's SQLSTATE, SQLite's extended result codes).
_CONFLICTS = frozenset(
    {
        "23505",
        "23503",
        "SQLITE_CONSTRAINT_UNIQUE",
        "SQLITE_CONSTRAINT_PRIMARYKEY",
        "SQLITE_CONSTRAINT_FOREIGNKEY",
    }
)
_MIGRATION_LOCK = 7_305_816_402  # any number of our own, for pg_advisory_xact_lock


class UnstorableValueError(PortalError):
    """PostgreSQL keeps no NUL in a text, and nothing longer than its column."""

    code = "unstorable-value"
    template = N_("A value is too long, or has characters that cannot be kept.")


class UnauditedChangeError(RuntimeError):
    """A programming error: a change was about to be committed that no audit row witnesses."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, for those who follow after commit. `topic` in the past tense."""

    topic: str
    payload: Mapping[str, Any]


class UnitOfWork:
    """One commit: the change, its audit row and its outbox rows, or nothing at all."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._witnessed = False

    def emit(self, happened: Event) -> OutboxRow:
        """Write the event to the outbox in this transaction; jobs and indexing follow from it.

        The row that is answered knows its id once the unit is committed.
        """
        row = OutboxRow(topic=happened.topic, payload=dict(happened.payload), created_at=utc_now())
        self.session.add(row)
        return row

    def witness(self) -> None:
        """Called by the audit writer once its row is part of this unit."""
        self._witnessed = True

    @property
    def witnessed(self) -> bool:
        return self._witnessed


class Database:
    """`url` in SQLAlchemy's form: `sqlite:////path/to/file` or `postgresql+psycopg://user@host/name`."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self.engine = create_engine(
                self.url, json_serializer=stored_json, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}
            )
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = create_engine(
                self.url, json_serializer=stored_json, pool_pre_ping=True, pool_size=10, max_overflow=20
            )
        self._reading = self.engine.execution_options(
            opendata_write=False, **({} if self.is_sqlite else {"postgresql_readonly": True})
        )
        self._writing = self.engine.execution_options(opendata_write=True)
        self._lock = _WriteLock(Path(f"{self.url.database}.lock")) if self.is_sqlite else None
        self._turn = threading.local()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for questions; the database itself refuses changes made through it."""
        with (
            _refusals(),
            Session(self._reading, expire_on_commit=False, autoflush=False) as session,
        ):
            yield session

    @contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        """Commit on leaving; any exception rolls everything back.

        Raises UnauditedChangeError, ConflictError when somebody else's change stands in the way.
        """
        with _refusals(), self._alone(), Session(self._writing, expire_on_commit=False) as session:
            unit = UnitOfWork(session)
            changed = _watch_changes(session)
            yield unit
            session.flush()
            if changed() and not unit.witnessed:
                raise UnauditedChangeError("a unit of work changed rows without an audit row")
            session.commit()

    @contextmanager
    def bookkeeping(self) -> Iterator[UnitOfWork]:
        """Like a unit of work, for rows that are no one's decision and therefore not audited."""
        with self._alone(), Session(self._writing, expire_on_commit=False) as session:
            yield UnitOfWork(session)
            session.commit()

    def checkpoint(self) -> None:
        """Move SQLite's write-ahead log into the file while no writer runs; nothing on PostgreSQL.

        Never waits for readers: what they still need is moved with a later call. Waiting here would keep
        all writers out, the renewal of job claims among them.
        """
        if not self.is_sqlite:
            return
        with self._alone(), self.engine.connect() as connection:
            raw = connection.connection.driver_connection
            if raw is not None:
                raw.execute("PRAGMA busy_timeout=0")
                try:
                    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                finally:
                    raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")

    def log_bytes(self) -> int:
        """The size of SQLite's write-ahead log, which only `checkpoint` empties; 0 on PostgreSQL."""
        log = Path(f"{self.url.database}-wal")
        return log.stat().st_size if self.is_sqlite and log.exists() else 0

    @contextmanager
    def schema_change(self) -> Iterator[Connection]:
        """One transaction for migrations, alone on the database."""
        with self._alone(), self._writing.begin() as connection:
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            yield connection

    def ping(self) -> None:
        """Raise SQLAlchemy's OperationalError when the database does not answer."""
        with self.reading() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """This thread's one writing transaction; on SQLite the only one of all threads and processes."""
        if getattr(self._turn, "taken", False):
            raise RuntimeError("a unit of work was opened inside another one")
        self._turn.taken = True
        try:
            with self._lock.held() if self._lock is not None else nullcontext():
                yield
        finally:
            self._turn.taken = False


class _WriteLock:
    """Writers and checkpoints of one SQLite file take turns, across threads and processes.

    SQLite serialises writers by itself, but sleeps between attempts, and may checkpoint while another
    connection resets the log; a file lock wakes the next writer at once and keeps the two apart.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread_lock = threading.Lock()  # flock alone would do; this spares waiting threads the file

    @contextmanager
    def held(self) -> Iterator[None]:
        with self._thread_lock, self._path.open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


@contextmanager
def _refusals() -> Iterator[None]:
    """The database's refusals that are answers to a person, as PortalErrors; faults of ours stay as they are."""
    try:
        yield
    except IntegrityError as error:
        code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None)
        if code in _CONFLICTS:
            raise ConflictError from error
        raise
    except DataError as error:
        raise UnstorableValueError from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's begin event below opens transactions
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    _use_write_ahead_log(connection)
    for pragma in (
        "synchronous=FULL",
        "foreign_keys=ON",
        "wal_autocheckpoint=0",  # see Database.checkpoint
    ):
        connection.execute(f"PRAGMA {pragma}")


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Nothing new but for the first to open a new file; two at once get "locked", for which SQLite won't wait."""
    end = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("opendata_write", False)
    connection.exec_driver_sql(f"PRAGMA query_only={0 if writes else 1}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _watch_changes(session: Session) -> Callable[[], bool]:
    changed = False

    def before_flush(_session: Session, _context: object, _instances: object) -> None:
        nonlocal changed
        changed = changed or bool(session.new or session.dirty or session.deleted)

    def on_execute(state: ORMExecuteState) -> None:
        nonlocal changed
        changed = changed or state.is_insert or state.is_update or state.is_delete

    event.listen(session, "before_flush", before_flush)
    event.listen(session, "do_orm_execute", on_execute)
    return lambda: changed


def sqlite_has_wal_fix(version: tuple[int, int, int]) -> bool:
    return version > FIXED_SQLITE[0] or any(
        version[:2] == fixed[:2] and version >= fixed for fixed in FIXED_SQLITE
    )
