"""Documents made and analysed in processes of their own, for rebuilds and large loads.

Analysis is Python and takes most of the time of indexing, so one process cannot use a second core for it. The
owner of the index hands out keys (500 at a time) to children, which make the documents and send them back
ready for the engine; order is kept. A child reads its work from a pipe and ends with it, however its parent
dies. Only what the parent itself pickled is read by a child, and the other way round.
"""

from __future__ import annotations

import gc
import os
import pickle
import struct
import subprocess
import sys
from collections import deque
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, Any, Final, cast

from opendata.kernel.errors import UnavailableError
from opendata.search.fields import prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from opendata.search.port import IndexSchema, PreparedDocument, SearchDocument

    Source = Callable[[Sequence[str]], list[SearchDocument]]
    OpenSource = Callable[[], Source]

# Keys of two chunks must fit into a pipe while the child is writing its answer.
IN_FLIGHT: Final = 2
MOST_CHILDREN: Final = 6
_LENGTH: Final = struct.Struct("!Q")


class PreparingError(UnavailableError):
    """A child ended before it was done; its own words are on standard error."""


def worthwhile_children() -> int:
    """One a core: parent and engine do a quarter of the work. None where there is one core only."""
    cores = len(os.sched_getaffinity(0))
    return min(MOST_CHILDREN, cores) if cores > 1 else 0


def prepared(
    schema: IndexSchema, open_source: OpenSource, chunks: Iterable[Sequence[str]], children: int
) -> Iterator[PreparedDocument]:
    """The documents of all chunks, in order. `open_source` is pickled: a function of a module, or a partial
    of one; each child calls it once. Raises PreparingError.
    """
    with ExitStack() as stack:
        helpers = [stack.enter_context(_child(schema, open_source)) for _ in range(children)]
        waiting: deque[_Child] = deque()
        for number, chunk in enumerate(chunks):
            helper = helpers[number % children]
            if len(waiting) == children * IN_FLIGHT:
                yield from waiting.popleft().answer()
            helper.ask(chunk)
            waiting.append(helper)
        while waiting:
            yield from waiting.popleft().answer()


class _Child:
    def __init__(self, work: IO[bytes], answers: IO[bytes]) -> None:
        self._work = work
        self._answers = answers

    def ask(self, message: object) -> None:
        try:
            _send(self._work, message)
        except BrokenPipeError:
            raise PreparingError from None

    def answer(self) -> list[PreparedDocument]:
        found = _receive(self._answers)
        if found is None:
            raise PreparingError
        return list(found)


@contextmanager
def _child(schema: IndexSchema, open_source: OpenSource) -> Iterator[_Child]:
    process = subprocess.Popen(
        [sys.executable, "-m", "opendata.search.preparing"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    with process:
        try:
            child = _Child(cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout))
            child.ask((schema, open_source))
            yield child
        finally:
            process.kill()  # it waits for work, or its work is no longer wanted


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


def _serve() -> None:
    """A child's life: what is printed anywhere goes to standard error, not into the answers."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    opened = _receive(sys.stdin.buffer)
    if opened is None:
        return
    schema, open_source = opened
    source = open_source()
    # Documents hold no rings; looking through vocabularies and caches for some takes time from every chunk.
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
    while (chunk := _receive(sys.stdin.buffer)) is not None:
        _send(answers, [prepare(schema, document) for document in source(chunk)])


if __name__ == "__main__":
    _serve()
