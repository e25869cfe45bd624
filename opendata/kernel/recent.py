"""A bounded table of what was asked for most recently: answers, completions, written pages.

Full, it drops what was not asked for longest: emptied as a whole, it would make every reader pay at once. The
threads of one process share it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Key = TypeVar("Key")
Value = TypeVar("Value")


class MostRecent(Generic[Key, Value]):
    """Values of `most` in all, each counting as one or as much as `size` says; none of them None.

    A value that is too much alone is not kept.
    """

    def __init__(self, most: int, size: Callable[[Value], int] | None = None) -> None:
        self._most = most
        self._size = size
        self._held = 0
        self._lock = threading.Lock()
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
        return value

    def put(self, key: Key, value: Value) -> None:
        with self._lock:
            before = self._values.pop(key, None)
            self._values[key] = value
            if self._size is None:
                if len(self._values) > self._most:
                    self._values.popitem(last=False)
                return
            self._held += self._size(value) - (self._size(before) if before is not None else 0)
            while self._held > self._most:
                _, oldest = self._values.popitem(last=False)
                self._held -= self._size(oldest)

    def drop(self, key: Key) -> None:
        """Where it will not be asked for again: it would push out what will."""
        with self._lock:
            value = self._values.pop(key, None)
            if value is not None and self._size is not None:
                self._held -= self._size(value)

    def __len__(self) -> int:
        return len(self._values)
