"""An index kept in a folder, read by many processes and written by one: the part both engines share.

Layout: `<root>/CURRENT` names one sub-folder, a generation; a rebuild fills another generation beside it
and then replaces CURRENT, so readers go from the old whole to the new whole. A search looks at the time
stamps of two files to learn that nothing changed; after a commit the next search opens a new snapshot.
How a library writes and reads one generation is an `IndexFormat`.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import threading
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeGuard, runtime_checkable

from opendata.kernel.durable import replace_file
from opendata.search.nearness import WordList
from opendata.search.port import (
    Found,
    IndexBusyError,
    IndexSchema,
    IndexState,
    IndexUnusableError,
    Match,
    SearchRequest,
    Vocabulary,
)
from opendata.search.preparing import called_elsewhere, given

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
    from pathlib import Path

    from opendata.search.analysis import View
    from opendata.search.nearness import Words
    from opendata.search.port import Contribution, Documents, Upserts
    from opendata.search.query import Clause, Query

log = logging.getLogger(__name__)

_CURRENT: Final = "CURRENT"
# The name goes on with the engine's name and the schema's fingerprint, so that an outdated index is known without opening it.
_GENERATION: Final = "generation-"
_POLL_SECONDS = 0.05
# So long what was seen is not looked at again, but for the questions that begin something.
_HOLDS_SECONDS: Final = 0.003
# A rebuild is worth waiting for the batch that is being written.
_SWAP_SECONDS = 60.0
# A reader may look at a generation just as it is replaced or merged; it then looks again.
_READ_TRIES = 5


class DamagedIndexError(Exception):
    """Raised by a format when its files are not what was written."""


class Snapshot(Protocol):
    """One generation as it was at one commit; safe to use from several threads."""

    position: int

    def count(self) -> int: ...

    def search(self, request: SearchRequest, query: Query) -> Found: ...

    def scan(self, request: SearchRequest, query: Query) -> tuple[int, Iterator[Match]]: ...

    def terms(
        self, vocabulary: Vocabulary, prefix: str, access: frozenset[str], limit: int
    ) -> list[tuple[str, int]]: ...

    def words(self, first: str) -> Words: ...

    def counts(self, clauses: Sequence[Clause], access: frozenset[str]) -> list[int]: ...

    def lines(self, words: Sequence[str], access: frozenset[str], documents: int) -> list[str]: ...

    def document(self, document_id: str, access: frozenset[str]) -> Match | None: ...

    def frequencies(self, view: View, terms: Sequence[str]) -> list[int]: ...

    def explain(self, document_id: str, query: Query) -> tuple[Contribution, ...]: ...


class TellsGrounds(Protocol):
    """A Snapshot that knows what its answers rest on."""

    def grounds(self, request: SearchRequest, query: Query) -> Hashable | None: ...


def _tells_grounds(snapshot: Snapshot) -> TypeGuard[TellsGrounds]:
    """Asked at each search: `isinstance` with a protocol would take 20 µs each time."""
    return hasattr(snapshot, "grounds")


class IndexFormat(Protocol):
    """How a library keeps one generation. `path` is the generation's folder."""

    schema: IndexSchema
    name: str
    """Of the engine and of the layout of its files: an index of another one is outdated."""

    def write(self, path: Path, upserts: Documents, deletes: Iterable[str], position: int) -> None:
        """One atomic commit; creates the index in an empty folder."""

    def stamp(self, path: str) -> Hashable:
        """Something cheap that differs after each commit. FileNotFoundError when the folder is gone."""

    def verify(self, path: Path) -> None:
        """Compare every file with its checksum; DamagedIndexError. Costs a read of all files."""

    def snapshot(self, path: Path) -> Snapshot:
        """The last commit. Any exception but FileNotFoundError means damage."""


@runtime_checkable
class JoinsBeside(Protocol):
    """An IndexFormat of which parts are joined while others write."""

    def joining(self, path: Path) -> Callable[[], str | None] | None:
        """What is to be called in a process of its own, None where nothing is to be joined. FileNotFoundError."""

    def put_in_place(self, path: Path, joining: Any, name: str) -> bool:
        """Commit what `joining` made and called so; False where it is of no use any more. Nobody else writes meanwhile."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was found on disk: `stamp` tells whether it still holds."""

    generation: str
    stamp: Hashable
    state: IndexState
    snapshot: Snapshot | None


_NOTHING: Final = _Seen("", None, IndexState.MISSING, None)


class FolderEngine:
    """A SearchEngine over one IndexFormat; see the port for what its methods promise."""

    def __init__(self, root: Path, index_format: IndexFormat, *, lock_seconds: float = 10.0) -> None:
        self._root = root
        self._format = index_format
        self._fingerprint = f"{index_format.name}-{index_format.schema.fingerprint()}"
        self._lock_seconds = lock_seconds
        self._current_file = str(root / _CURRENT)
        self._opening = threading.Lock()
        self._seen = _NOTHING
        self._verified = ""
        self._holds_until = 0.0
        self._tidy: Hashable = None

    def state(self) -> IndexState:
        return self._look(anew=True).state

    def position(self) -> int | None:
        snapshot = self._usable(anew=True)
        return snapshot.position if snapshot else None

    def moment(self) -> Hashable:
        """A search begins with it, and so sees all that was committed before."""
        seen = self._look(anew=True)
        return seen.generation, seen.stamp

    def grounds(self, request: SearchRequest, query: Query) -> Hashable | None:
        snapshot = self._usable()
        return snapshot.grounds(request, query) if snapshot and _tells_grounds(snapshot) else None

    def count(self) -> int:
        snapshot = self._usable()
        return snapshot.count() if snapshot else 0

    def search(self, request: SearchRequest, query: Query) -> Found:
        snapshot = self._usable()
        if snapshot is None or not request.access:
            return Found(facets=dict.fromkeys(request.facets, ()))
        return snapshot.search(request, query)

    def scan(self, request: SearchRequest, query: Query) -> tuple[int, Iterator[Match]]:
        snapshot = self._usable()
        return snapshot.scan(request, query) if snapshot and request.access else (0, iter(()))

    def terms(
        self, vocabulary: Vocabulary, prefix: str, access: frozenset[str], limit: int
    ) -> list[tuple[str, int]]:
        snapshot = self._usable()
        return snapshot.terms(vocabulary, prefix, access, limit) if snapshot and access else []

    def words(self, first: str) -> Words:
        snapshot = self._usable()
        return snapshot.words(first) if snapshot else WordList(())

    def counts(self, clauses: Sequence[Clause], access: frozenset[str]) -> list[int]:
        snapshot = self._usable()
        return snapshot.counts(clauses, access) if snapshot and access else [0] * len(clauses)

    def lines(self, words: Sequence[str], access: frozenset[str], documents: int) -> list[str]:
        snapshot = self._usable()
        return snapshot.lines(words, access, documents) if snapshot and access else []

    def document(self, document_id: str, access: frozenset[str]) -> Match | None:
        snapshot = self._usable()
        return snapshot.document(document_id, access) if snapshot and access else None

    def frequencies(self, view: View, terms: Sequence[str]) -> list[int]:
        snapshot = self._usable()
        return snapshot.frequencies(view, terms) if snapshot else [0] * len(terms)

    def explain(self, document_id: str, query: Query) -> tuple[Contribution, ...]:
        snapshot = self._usable()
        return snapshot.explain(document_id, query) if snapshot else ()

    def apply(self, upserts: Upserts, deletes: Iterable[str], position: int) -> None:
        with self._locked("write.lock", self._lock_seconds):
            if self._usable() is None:
                raise IndexUnusableError(IndexState.MISSING)
            path = self._root / self._current()
            self._format.write(path, given(upserts), deletes, position)
            self._holds_until = 0.0

    def rebuild(self, documents: Upserts, position: int) -> int:
        with self._locked("rebuild.lock", self._lock_seconds):
            self._remove_all_but_current()
            path = self._root / f"{_GENERATION}{self._fingerprint}-{uuid.uuid4().hex}"
            path.mkdir()
            try:
                self._format.write(path, given(documents), (), position)
                count = self._format.snapshot(path).count()
                # Whoever writes to the old generation finishes first; its readers keep what they opened.
                with self._locked("write.lock", _SWAP_SECONDS):
                    self._make_current(path.name)
            except BaseException:
                shutil.rmtree(path, ignore_errors=True)
                raise
            self._holds_until = 0.0
            self._remove_all_but_current()
        return count

    def tidy(self, stopping: threading.Event) -> bool:
        seen = self._look()
        if (
            seen.state is not IndexState.READY
            or seen.stamp == self._tidy
            or not isinstance(self._format, JoinsBeside)
        ):
            return False
        path = self._root / seen.generation
        with self._locked("tidy.lock", 0), contextlib.suppress(FileNotFoundError):
            joining = self._format.joining(path)
            if joining is None:
                self._tidy = seen.stamp
                return False
            name = called_elsewhere(joining, stopping)
            if name is None:
                return False
            with self._locked("write.lock", _SWAP_SECONDS):
                done = self._current() == seen.generation and self._format.put_in_place(path, joining, name)
                self._holds_until = 0.0
            return done
        return False

    def close(self) -> None:
        with self._opening:
            self._seen = _NOTHING
            self._holds_until = 0.0

    def _usable(self, *, anew: bool = False) -> Snapshot | None:
        """The newest snapshot, None while there is no index."""
        seen = self._look(anew=anew)
        if seen.state in (IndexState.READY, IndexState.MISSING):
            return seen.snapshot
        raise IndexUnusableError(seen.state)

    def _look(self, *, anew: bool = False) -> _Seen:
        """What is on disk now, from memory where nothing changed; a search asks ten times within milliseconds, `anew` once."""
        now = time.monotonic()
        if not anew and now < self._holds_until:
            return self._seen
        for _ in range(_READ_TRIES):
            seen = self._seen
            try:
                if self._stamp(seen.generation) == seen.stamp:
                    self._holds_until = now + _HOLDS_SECONDS
                    return seen
            except FileNotFoundError:
                pass  # its generation was replaced and removed
            try:
                with self._opening:
                    if self._seen is seen:  # no other thread was first
                        self._seen = self._open()
                    return self._seen
            except FileNotFoundError:
                time.sleep(_POLL_SECONDS)
        log.error("search index %s: files of the current generation are missing", self._root)
        return _Seen("", None, IndexState.DAMAGED, None)

    def _stamp(self, generation: str) -> Hashable:
        """Changes with every commit and with every generation put in place; None while there is no index."""
        try:
            status = os.stat(self._current_file)  # noqa: PTH116 - several times a search, and Path takes ten times as long
        except FileNotFoundError:
            return None
        written = self._format.stamp(f"{self._root}/{generation}") if generation else None
        return status.st_ino, status.st_mtime_ns, written

    def _open(self) -> _Seen:
        generation = self._current()
        if not generation:
            return _NOTHING
        stamp = self._stamp(generation)
        if not generation.startswith(f"{_GENERATION}{self._fingerprint}-"):
            return _Seen(generation, stamp, IndexState.OUTDATED, None)
        path = self._root / generation
        try:
            # Once: after a commit that came between this and the next line all files would be read again, and again.
            if generation not in {self._seen.generation, self._verified}:
                self._format.verify(path)
                self._verified = generation
            snapshot = self._format.snapshot(path)
        except FileNotFoundError:
            raise
        except Exception as error:  # a damaged file can make a library raise anything
            if self._stamp(generation) != stamp:
                raise FileNotFoundError(path) from error  # written or replaced meanwhile: look again
            log.exception("search index %s cannot be read", path)
            return _Seen(generation, stamp, IndexState.DAMAGED, None)
        return _Seen(generation, stamp, IndexState.READY, snapshot)

    def _current(self) -> str:
        """The name of the generation in use, empty while there is none."""
        try:
            return (self._root / _CURRENT).read_text().strip()
        except FileNotFoundError:
            return ""

    def _make_current(self, name: str) -> None:
        """Replaces CURRENT in one step that survives a power cut."""
        replace_file(self._root / _CURRENT, name.encode())

    def _remove_all_but_current(self) -> None:
        current = self._current()
        for path in self._root.glob(f"{_GENERATION}*"):
            if path.name != current:
                shutil.rmtree(path, ignore_errors=True)

    @contextlib.contextmanager
    def _locked(self, name: str, seconds: float) -> Iterator[None]:
        """One process (and thread) at a time; the system drops the lock of one that dies."""
        self._root.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + seconds
        with (self._root / name).open("w") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise IndexBusyError from None
                    time.sleep(_POLL_SECONDS)
            yield
