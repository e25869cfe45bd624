"""Counts kept in memory and written now and then, so that no page waits for a counter.

The catalogue counts views, downloads and searches in vain with it. What a killed process had not written is
lost; what could not be written is kept and comes with the next turn.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

FLUSH_SECONDS: Final = 10.0

Key = TypeVar("Key")


class WaitingCounts(Generic[Key]):
    """`save` takes what was counted, `name` says in the log what it is. Thread-safe.

    `most`: so many different keys wait at most; further ones are not counted until the next turn.
    """

    def __init__(
        self, save: Callable[[Mapping[Key, int]], None], name: str, *, most: int | None = None
    ) -> None:
        self._save = save
        self._name = name
        self._most = most
        self._lock = threading.Lock()
        self._waiting: Counter[Key] = Counter()

    def add(self, key: Key) -> None:
        with self._lock:
            if self._most is None or key in self._waiting or len(self._waiting) < self._most:
                self._waiting[key] += 1

    def flush(self) -> None:
        """Write what was counted since the last time; the counts are kept when writing fails."""
        with self._lock:
            waiting, self._waiting = self._waiting, Counter()
        if not waiting:
            return
        try:
            self._save(waiting)
        except Exception:
            with self._lock:
                self._waiting.update(waiting)
            raise

    def start(self) -> None:
        """Flush every few seconds from a thread of its own until the process ends."""
        threading.Thread(target=self._flush_forever, name=self._name, daemon=True).start()

    def _flush_forever(self) -> None:
        pause = threading.Event()
        while not pause.wait(FLUSH_SECONDS):
            try:
                self.flush()
            except Exception:
                # The counts are kept and written with the next turn.
                log.exception("%s could not be counted", self._name)
