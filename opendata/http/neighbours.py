"""How busy each web process of a portal is, written where the others see it.

Each process has a listening socket of its own, and the kernel gives a new connection to one of them by chance; an
open connection then stays where it is. Of eight readers six may so wait for one process while the other is idle,
and the slowest answers take twice as long as they need to. A process that sees this ends the connections it
answers, one now and then, until it has about as much to do as the others: the reader connects anew by itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import threading
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOST: Final = 64
_NOBODY: Final = -1
_MUCH_MORE: Final = 2
# Answers in a row that find much more work here than elsewhere; a moment's difference is no reason.
_PATIENCE: Final = 3


class Neighbours(Protocol):
    def working(self) -> contextlib.AbstractContextManager[None]:
        """Around the work for one request."""

    def have_time(self) -> bool:
        """Whether the reader answered now should be sent to another process."""


class WebProcesses:
    """`file` is shared by the web processes of a portal; each holds a number in it, by a lock that dies with it.

    Without a number (more processes than numbers, a file system without locks) a process keeps to itself.
    """

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)  # open as long as the process lives
        os.ftruncate(self._file, _MOST * 4)
        self._busy = memoryview(mmap.mmap(self._file, _MOST * 4)).cast("i")
        self._changing = threading.Lock()
        self._working = 0
        self._much_more = 0
        self._own = self._number()

    def _number(self) -> int | None:
        own = None
        for number in range(_MOST):
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 4, number * 4, os.SEEK_SET)
            except OSError:
                continue  # of another process
            self._busy[number] = 0 if own is None else _NOBODY
            if own is None:
                own = number
            else:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 4, number * 4, os.SEEK_SET)
        return own

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        self._change(1)
        try:
            yield
        finally:
            self._change(-1)

    def have_time(self) -> bool:
        others = [
            busy for number, busy in enumerate(self._busy.tolist()) if busy >= 0 and number != self._own
        ]
        with self._changing:
            more = self._own is not None and others and self._working >= min(others) + _MUCH_MORE
            self._much_more = self._much_more + 1 if more else 0
            if self._much_more < _PATIENCE:
                return False
            self._much_more = 0
            return True

    def _change(self, by: int) -> None:
        with self._changing:
            self._working += by
            if self._own is not None:
                self._busy[self._own] = self._working
