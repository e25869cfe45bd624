"""Counts views and downloads in memory and writes them now and then: no page waits for a counter.

What a killed process had not written is lost; the figures are for ordering, not for accounts.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

FLUSH_SECONDS = 10.0


class UsageCounter:
    """`save` takes counted views and downloads by dataset id. Thread-safe."""

    def __init__(self, save: Callable[[Mapping[str, int], Mapping[str, int]], None]) -> None:
        self._save = save
        self._lock = threading.Lock()
        self._views: Counter[str] = Counter()
        self._downloads: Counter[str] = Counter()

    def view(self, dataset_id: str) -> None:
        with self._lock:
            self._views[dataset_id] += 1

    def download(self, dataset_id: str) -> None:
        with self._lock:
            self._downloads[dataset_id] += 1

    def flush(self) -> None:
        """Write what was counted since the last time; the counts are kept when writing fails."""
        with self._lock:
            views, self._views = self._views, Counter()
            downloads, self._downloads = self._downloads, Counter()
        if not views and not downloads:
            return
        try:
            self._save(views, downloads)
        except Exception:
            with self._lock:
                self._views.update(views)
                self._downloads.update(downloads)
            raise

    def start(self) -> None:
        """Flush every few seconds from a thread of its own until the process ends."""
        threading.Thread(target=self._flush_forever, name="usage-counter", daemon=True).start()

    def _flush_forever(self) -> None:
        pause = threading.Event()
        while not pause.wait(FLUSH_SECONDS):
            try:
                self.flush()
            except Exception:
                # The counts are kept and written with the next turn.
                log.exception("use could not be counted")
