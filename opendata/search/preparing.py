"""Documents made and worked on for an engine, here or in processes of their own, for rebuilds and large loads.

Nearly all of indexing is done by the engine's workers, so a second core is used only by a second process. The owner of
the index hands out keys (500 at a time) to children in turn, which make the documents; what their workers make of them
comes back: documents ready to be written, or whole pieces of an index. A child reads its work from a pipe and
ends with it, however its parent dies. Only what the parent itself pickled is read by a child, and the other way round.

A child is a process of its own that loads what it needs, which takes a second; or, where its parent says that this is
safe, a copy of its parent, which has everything loaded.
"""

from __future__ import annotations

import gc
import os
import pickle
import select
import signal
import struct
import subprocess
import sys
import threading
import traceback
from collections import deque
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final, NoReturn, Self, TypeVar, cast

from opendata.kernel.errors import UnavailableError
from opendata.search.fields import prepare
from opendata.search.port import Documents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from opendata.search.port import (
        IndexSchema,
        Made,
        PreparedDocument,
        SearchDocument,
        Upserts,
        Worker,
    )

    Source = Callable[[Sequence[str]], list[SearchDocument]]
    OpenSource = Callable[[], Source]

Result = TypeVar("Result")

# Keys of two chunks must fit into a pipe while the child is writing its answer.
IN_FLIGHT: Final = 2
MOST_CHILDREN: Final = 6
# What a child is told: whom to work for, what to work on, and to give out what it holds back; or only what to call.
_OPEN, _TAKE, _FINISH, _CALL = "open", "take", "finish", "call"
_LOOK_SECONDS: Final = 0.2
_LENGTH: Final = struct.Struct("!Q")


class PreparingError(UnavailableError):
    """A child ended before it was done; its own words are on standard error."""


def worthwhile_children() -> int:
    """One a core: what is left to the parent is little. None where there is one core only."""
    cores = len(os.sched_getaffinity(0))
    return min(MOST_CHILDREN, cores) if cores > 1 else 0


@dataclass(frozen=True, slots=True)
class Here:
    """Documents that are at hand, or made one by one as they are written."""

    documents: Iterable[SearchDocument]

    def made_by(self, open_worker: Callable[[], Worker[Made]]) -> Iterator[Made]:
        worker = open_worker()
        yield from worker.take(0, self.documents)
        yield from worker.finish()


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The documents of all chunks of keys, made by so many other processes. `open_source` is pickled: a function of a
    module, or a partial of one; each process calls it once. A chunk goes to the process whose turn it is, so that the
    same chunks make the same index.
    """

    open_source: OpenSource
    chunks: Iterable[Sequence[str]]
    children: int

    def made_by(self, open_worker: Callable[[], Worker[Made]]) -> Iterator[Made]:
        with Helpers(self.open_source, self.children) as helpers:
            yield from helpers.documents(self.chunks).made_by(open_worker)


class Helpers:
    """Other processes that make documents for one commit after the other; a context, which ends them.

    They start when they are first needed, or told to. After an error no more can be made. `copied`: as copies of
    this process, if it has one thread; it must have no connection open to a database that the source reads.
    """

    def __init__(self, open_source: OpenSource, children: int, *, copied: bool = False) -> None:
        self._open_source = open_source
        self._count = children
        # Frameworks of macOS may not be used in a copy; in no system what another thread has locked.
        self.copied = copied and sys.platform == "linux" and threading.active_count() == 1
        self._stack = ExitStack()
        self._children: list[_Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self) -> None:
        while len(self._children) < self._count:
            begun = (
                _copy(self._open_source, self._children) if self.copied else _new_process(self._open_source)
            )
            self._children.append(self._stack.enter_context(begun))

    def documents(self, chunks: Iterable[Sequence[str]]) -> Documents:
        """Those of these chunks; they are all made before documents of others are asked for."""
        return _OfChunks(self, chunks)

    def made_by(
        self, open_worker: Callable[[], Worker[Made]], chunks: Iterable[Sequence[str]]
    ) -> Iterator[Made]:
        """In order of the chunks as far as a worker does not hold documents back. Raises PreparingError."""
        self.start()
        for child in self._children:
            child.ask(_OPEN, open_worker)
        waiting: deque[_Child] = deque()
        for number, chunk in enumerate(chunks):
            if len(waiting) == self._count * IN_FLIGHT:
                yield from waiting.popleft().answer()
            child = self._children[number % self._count]
            child.ask(_TAKE, (number, chunk))
            waiting.append(child)
        while waiting:
            yield from waiting.popleft().answer()
        for child in self._children:
            child.ask(_FINISH, None)
        for child in self._children:
            yield from child.answer()


@dataclass(frozen=True, slots=True)
class _OfChunks:
    helpers: Helpers
    chunks: Iterable[Sequence[str]]

    def made_by(self, open_worker: Callable[[], Worker[Made]]) -> Iterator[Made]:
        return self.helpers.made_by(open_worker, self.chunks)


def given(upserts: Upserts) -> Documents:
    return upserts if isinstance(upserts, Documents) else Here(upserts)


def called_elsewhere(action: Callable[[], Result], stopping: threading.Event) -> Result | None:
    """What `action` returns in a process of its own, to which it is pickled; None where told to stop before that.

    Raises PreparingError.
    """
    with _process() as child:
        child.ask(_CALL, action)
        while not child.has_answered(_LOOK_SECONDS):
            if stopping.is_set():
                return None
        (made,) = child.answer()
        return cast("Result", made)


class Preparer:
    """The worker of engines that take documents with their words cut: port.PreparedDocument."""

    def __init__(self, schema: IndexSchema) -> None:
        self._schema = schema

    def take(self, _number: int, documents: Iterable[SearchDocument]) -> Iterator[PreparedDocument]:
        return (prepare(self._schema, document) for document in documents)

    def finish(self) -> tuple[PreparedDocument, ...]:
        return ()


class _Child:
    def __init__(self, work: IO[bytes], answers: IO[bytes]) -> None:
        self._work = work
        self._answers = answers

    def close(self) -> None:
        """Both ends of the pipes that are here."""
        with suppress(BrokenPipeError):
            self._work.close()
        self._answers.close()

    def ask(self, what: str, given: object) -> None:
        try:
            _send(self._work, (what, given))
        except BrokenPipeError:
            raise PreparingError from None

    def has_answered(self, seconds: float) -> bool:
        """Or has ended; waits for it so long. Only before its first answer is read."""
        return bool(select.select([self._answers], [], [], seconds)[0])

    def answer(self) -> list[Any]:
        found = _receive(self._answers)
        if found is None:
            raise PreparingError
        return list(found)


@contextmanager
def _new_process(open_source: OpenSource) -> Iterator[_Child]:
    with _process() as child:
        child.ask(_OPEN, open_source)
        yield child


@contextmanager
def _process() -> Iterator[_Child]:
    process = subprocess.Popen(
        [sys.executable, "-m", "opendata.search.preparing"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    with process:
        try:
            yield _Child(cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout))
        finally:
            process.kill()  # it waits for work, or its work is no longer wanted


@contextmanager
def _copy(open_source: OpenSource, others: Iterable[_Child]) -> Iterator[_Child]:
    """A copy of this process; it lets go of the pipes to `others`, or they would not end with their parent."""
    for_work, work = os.pipe()
    answers, for_answers = os.pipe()
    process = os.fork()
    if not process:
        os.close(work)
        os.close(answers)
        _live_as_copy(open_source, others, for_work, for_answers)
    os.close(for_work)
    os.close(for_answers)
    child = _Child(os.fdopen(work, "wb"), os.fdopen(answers, "rb"))
    try:
        yield child
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        child.close()


def _live_as_copy(
    open_source: OpenSource, others: Iterable[_Child], for_work: int, for_answers: int
) -> NoReturn:
    """Ends without what the parent does at its end: files it has begun to write are not this process's.

    The pipes close last: the parent takes it for dead then, and it must have said why.
    """
    work, answers = os.fdopen(for_work, "rb"), os.fdopen(for_answers, "wb")
    try:
        for other in others:
            other.close()
        os.dup2(2, 1)
        _serve(open_source, work, answers)
        os._exit(0)
    except BaseException:  # noqa: BLE001 - nothing may go on from here as if it were the parent
        traceback.print_exc()
    finally:
        os._exit(1)


def _send(pipe: IO[bytes], message: object) -> None:
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(content)) + content)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> Any:
    """None at the end of the pipe."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    content = pipe.read(_LENGTH.unpack(head)[0])
    return pickle.loads(content)  # noqa: S301 - written by the other end, which is ours


def _begin() -> None:
    """The life of a new process: what is printed anywhere goes to standard error, not into the answers."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    told = _receive(sys.stdin.buffer)
    if told is None:
        return
    what, given_to_it = told
    if what == _CALL:
        with suppress(BrokenPipeError):  # who asked has ended
            _send(answers, [given_to_it()])
    else:
        _serve(given_to_it, sys.stdin.buffer, answers)


def _serve(open_source: OpenSource, work: IO[bytes], answers: IO[bytes]) -> None:
    """Until the pipe of work ends."""
    source = open_source()
    # Documents hold no rings; looking through vocabularies and caches for some takes time from every chunk.
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
    worker: Any = None
    while (told := _receive(work)) is not None:
        what, given_to_it = told
        if what == _OPEN:
            worker = given_to_it()
        elif what == _TAKE:
            number, chunk = given_to_it
            _send(answers, list(worker.take(number, source(chunk))))
        else:
            _send(answers, list(worker.finish()))


if __name__ == "__main__":
    _begin()
