"""The process's one DuckDB: locked down, bounded in parallel work, in memory and in time; used by `engine`.

It reads Parquet files below the given folders and nothing else: no network, no extensions, no settings that a
statement could change. One cursor a call, one thread a query, so that parallelism is the number of callers let
in. A stopped or refused query is a sentence (`problems`), never a DuckDB message.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final, Self

import duckdb

from opendata.kernel.errors import UnavailableError
from opendata.tabular.problems import BusyError, QueryTooLargeError, QueryTooSlowError
from opendata.tabular.sql import literal_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    import pyarrow as pa

    from opendata.tabular.sql import Statement

# A streaming result computes ahead until its buffer is full: with DuckDB's 10 MB the first batch of a wide
# table took 80 ms, with 1 MB 20 ms, and the whole took no longer.
_STREAM_BUFFER: Final = "1MB"
_AGAIN_SECONDS: Final = 0.05


class Lane:
    """So many callers at once; one more waits `patience` seconds, then is told that it is busy."""

    def __init__(self, places: int, patience: float) -> None:
        self._places = threading.BoundedSemaphore(places)
        self._patience = patience

    def enter(self) -> None:
        if not self._places.acquire(timeout=self._patience):
            raise BusyError

    def leave(self) -> None:
        self._places.release()

    @contextmanager
    def place(self) -> Iterator[None]:
        self.enter()
        try:
            yield
        finally:
            self.leave()


class Deadline:
    """Interrupts the cursor after `seconds`; `with` it around each piece of work of that cursor."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, seconds: float) -> None:
        self._cursor = cursor
        self._seconds = seconds
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._passed = False
        self._watch = threading.Thread(target=self._wait, name="query-deadline", daemon=True)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:  # an interrupt that came later would stop the cursor's next work instead
            self._over.set()
        # What goes wrong while a stream is read comes through Arrow's C interface, as OSError with DuckDB's text.
        streamed = str(error) if isinstance(error, OSError) else ""
        if self._passed and (isinstance(error, duckdb.InterruptException) or "INTERRUPT" in streamed):
            raise QueryTooSlowError(seconds=f"{self._seconds:g}") from error
        if isinstance(error, duckdb.OutOfMemoryException) or streamed.startswith("Out of Memory"):
            raise QueryTooLargeError from error
        if isinstance(error, duckdb.IOException) or streamed.startswith("IO Error"):
            raise UnavailableError from error

    def _wait(self) -> None:
        self._passed = not self._over.wait(self._seconds)
        while not self._over.is_set():
            with self._lock:
                if not self._over.is_set():
                    self._cursor.interrupt()
            self._over.wait(_AGAIN_SECONDS)  # DuckDB forgets an interrupt that comes while it still plans


class Batches:
    """A running statement, one record batch at a time; `close` (or the end) frees its cursor and its place.

    The time limit is for each batch, not for the whole: how fast the reader takes them is not the query's doing.
    """

    def __init__(
        self,
        open_cursor: Callable[[], duckdb.DuckDBPyConnection],
        statement: Statement,
        lane: Lane,
        *,
        rows: int,
        seconds: float,
    ) -> None:
        self._lane = lane
        self._seconds = seconds
        self._finished = False
        lane.enter()
        with ExitStack() as undo:
            undo.callback(lane.leave)
            self._cursor = open_cursor()
            undo.callback(self._cursor.close)
            self._cursor.execute(f"SET streaming_buffer_size = '{_STREAM_BUFFER}'")
            with Deadline(self._cursor, seconds):
                relation = self._cursor.sql(statement.text, params=statement.parameters)
                self._reader = relation.to_arrow_reader(rows)
            undo.callback(self._reader.close)
            self._opened = undo.pop_all()
        self.schema: pa.Schema = self._reader.schema

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> pa.RecordBatch:
        if self._finished:
            raise StopIteration
        try:
            with Deadline(self._cursor, self._seconds):
                return self._reader.read_next_batch()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._finished = True
        self._opened.close()


class Database:
    """`roots`: the folders whose files may be read. `spill`: where large sorts may write, below `cache`."""

    def __init__(self, roots: Sequence[Path], spill: Path, *, memory: str, seconds: float) -> None:
        spill.mkdir(parents=True, exist_ok=True)
        self._seconds = seconds
        self._lock = threading.Lock()
        self._root = duckdb.connect(
            config={
                "threads": 1,
                "memory_limit": memory,
                "temp_directory": str(spill),
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "allow_community_extensions": "false",
                "enable_external_file_cache": "false",
                "preserve_insertion_order": "true",
            }
        )
        # DuckDB compares paths as text, so a folder is allowed under each way of writing it.
        paths = {path for root in roots for path in (str(root.absolute()), str(root.resolve()))}
        names = {f"{name}/" for path in paths for name in (path, literal_path(path))}
        folders = ", ".join(_quoted(name) for name in sorted(names))
        self._root.execute(f"SET allowed_directories = [{folders}]")
        self._root.execute("SET enable_external_access = false")
        self._root.execute("SET GLOBAL TimeZone = 'UTC'")
        self._root.execute("SET allowed_configs = ['streaming_buffer_size']")
        self._root.execute("SET lock_configuration = true")

    def table(self, statement: Statement) -> pa.Table:
        """The whole result. Raises QueryTooSlowError or QueryTooLargeError."""
        cursor = self._cursor()
        try:
            with Deadline(cursor, self._seconds):
                return cursor.sql(statement.text, params=statement.parameters).to_arrow_table()
        finally:
            cursor.close()

    def batches(self, statement: Statement, lane: Lane, rows: int) -> Batches:
        """The result `rows` at a time, holding a place in `lane` until it is closed."""
        return Batches(self._cursor, statement, lane, rows=rows, seconds=self._seconds)

    def close(self) -> None:
        self._root.close()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            return self._root.cursor()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
