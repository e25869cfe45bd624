"""Who may work in a web process, and in which order: so that nobody stalls it and each is answered fast.

`in_turn` is called around the views that search. They are all processor time, of which a process has one core's worth
(the interpreter's lock): four at once are each four times as slow and lose time by taking the lock from each other,
while a short one waits behind all of them. `AtWork` stands around the whole app: a few requests are worked on at
once, while bodies are sent, and uploads taken in, at the pace of whoever is at the other end without keeping anyone
from working. Both let people in in the order in which they came; of searches those for programs go before pages.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from opendata.http.neighbours import Neighbours

Asked = ParamSpec("Asked")
Answered = TypeVar("Answered")

_WITHOUT_BODY: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_SHORT: Final = 1 << 20  # bytes
_MOST_PASSED_BY: Final = 3


class Places:
    """So many may be inside; who comes later waits and is let in by who leaves, the first come first.

    A lock of Python's gives its place to whoever asks next, often the thread that has just left, while those that
    wait are still being woken. Who is `short` goes before those that are not, a few times.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._changing = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._short: deque[threading.Lock] = deque()
        self._passed_by = 0

    @contextmanager
    def place(self, *, short: bool = False) -> Iterator[None]:
        self._enter(short=short)
        try:
            yield
        finally:
            self._leave()

    def waiting(self) -> int:
        return len(self._waiting) + len(self._short)

    def _enter(self, *, short: bool) -> None:
        with self._changing:
            if self._free:
                self._free -= 1
                return
            gate = threading.Lock()
            gate.acquire()
            (self._short if short else self._waiting).append(gate)
        gate.acquire()

    def _leave(self) -> None:
        with self._changing:
            if self._short and not (self._waiting and self._passed_by == _MOST_PASSED_BY):
                self._passed_by += bool(self._waiting)
                self._short.popleft().release()
            elif self._waiting:
                self._passed_by = 0
                self._waiting.popleft().release()
            else:
                self._free += 1


_TURN: Final = Places(1)


def in_turn(*, short: bool) -> Callable[[Callable[Asked, Answered]], Callable[Asked, Answered]]:
    """One at a time of all views marked so. They must not call each other, and must not wait for anything.

    `short` are those that answer programs: they have half the work of a page, and do not wait for one after the other.
    """

    def marked(view: Callable[Asked, Answered]) -> Callable[Asked, Answered]:
        @wraps(view)
        def waiting(*args: Asked.args, **kwargs: Asked.kwargs) -> Answered:
            with _TURN.place(short=short):
                return view(*args, **kwargs)

        return waiting

    return marked


class AtWork:
    """A WSGI app around another: at most `places` requests without a body are worked on at once.

    Short answers are handed over whole and leave at the reader's pace without a thread. Readers of a process that
    has more to do than another are sent away with their answer: their connection ends, and the next one they open
    may be taken by the other process.
    """

    def __init__(self, app: WSGIApplication, places: int, neighbours: Neighbours) -> None:
        self._app = app
        self._places = Places(places)
        self._neighbours = neighbours

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._neighbours.working():
            if environ["REQUEST_METHOD"] not in _WITHOUT_BODY:
                return self._answer(environ, start_response)
            with self._places.place():
                return self._answer(environ, start_response)

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started: list[tuple[str, str]] = []

        def start(status: str, headers: list[tuple[str, str]], *failure: Any) -> Callable[[bytes], object]:
            if self._neighbours.have_time():
                headers = [*headers, ("Connection", "close")]
            started[:] = headers
            return start_response(status, headers, *failure)

        body = self._app(environ, start)
        if not any(name == "Content-Length" and int(value) <= _SHORT for name, value in started):
            return body
        try:
            return list(body)
        finally:
            getattr(body, "close", _nothing)()


def _nothing() -> None:
    """For bodies that hold nothing open."""
