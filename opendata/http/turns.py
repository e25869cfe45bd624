"""Searches of one web process take turns, so that each is answered as fast as it can be.

Called around the views that search. They are all processor time, of which a process has one core's worth (the
interpreter's lock): four at once are each four times as slow and lose time by taking the lock from each other,
while a short one waits behind all of them. In turn, the threads that wait cost nothing, and those with work for the
disk, the database or a client that reads slowly go on.
"""

from __future__ import annotations

import threading
from functools import wraps
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Asked = ParamSpec("Asked")
Answered = TypeVar("Answered")

_TURN: Final = threading.Lock()


def in_turn(view: Callable[Asked, Answered]) -> Callable[Asked, Answered]:
    """One at a time of all views marked so. They must not call each other, and must not wait for anything."""

    @wraps(view)
    def waiting(*args: Asked.args, **kwargs: Asked.kwargs) -> Answered:
        with _TURN:
            return view(*args, **kwargs)

    return waiting
